package registry

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Release is one version of an extension or a host.
type Release struct {
	Subject   Subject     `json:"subject"`
	Version   string      `json:"version"`
	Channel   eco.Channel `json:"channel"`
	Published time.Time   `json:"published"`           // as declared; for a seen one, when it was first seen
	FirstSeen time.Time   `json:"first_seen,omitzero"` // first traffic of it
	Declared  bool        `json:"declared"`            // somebody declared it; else it was only seen in traffic
}

const releaseCols = `kind, subject, version, channel, published, first_seen, declared`

func scanRelease(row *sql.Rows) (rel Release, err error) {
	var kind, subject string
	var published, seen int64
	err = row.Scan(&kind, &subject, &rel.Version, &rel.Channel, &published, &seen, &rel.Declared)
	rel.Subject = subjectOf(kind, subject)
	rel.Published, rel.FirstSeen = timeOf(published), timeOf(seen)
	return rel, err
}

func subjectOf(kind, id string) Subject {
	if kind == "host" {
		return Subject{Host: id}
	}
	return Subject{Extension: eco.ExtensionID(id)}
}

// known reports whether the subject is in the snapshot.
func (s *Snapshot) known(x Subject) bool {
	if x.Extension != "" && x.Host != "" {
		return false
	}
	if x.Host != "" {
		return s.Hosts[x.Host] != nil
	}
	return s.Extensions[x.Extension] != nil
}

// Releases lists the releases of a subject, newest version first
// (eco.CompareVersions), at most limit (1 to 500; 0 = 100) after the cursor, which
// is the last version of the page before.
func (r *Registry) Releases(ctx context.Context, s Subject, after string, limit int) ([]Release, string, error) {
	const op = "registry.Releases"
	if !r.Snapshot().known(s) {
		return nil, "", gone(op)
	}
	ref := s.Ref()
	var all []Release // at most MaxReleases + MaxSeen
	err := scan(ctx, r.db.Read(), `SELECT `+releaseCols+` FROM registry_release WHERE kind = $1 AND subject = $2 ORDER BY version`, []any{ref.Kind, ref.ID}, func(row *sql.Rows) error {
		rel, err := scanRelease(row)
		all = append(all, rel)
		return err
	})
	if err != nil {
		return nil, "", fault.Wrap(op, err)
	}
	slices.SortFunc(all, func(a, b Release) int { return eco.CompareVersions(b.Version, a.Version) })
	if after != "" {
		i := slices.IndexFunc(all, func(x Release) bool { return eco.CompareVersions(x.Version, after) < 0 })
		if i < 0 {
			i = len(all)
		}
		all = all[i:]
	}
	if limit <= 0 {
		limit = 100
	}
	if limit = min(limit, 500); len(all) > limit {
		return all[:limit], all[limit-1].Version, nil
	}
	return all, "", nil
}

// Release returns one release; not_found when nobody declared or saw it.
func (r *Registry) Release(ctx context.Context, s Subject, version string) (Release, error) {
	const op = "registry.Release"
	rel, found, err := releaseIn(ctx, r.db.Read(), s, version)
	if err != nil {
		return rel, fault.Wrap(op, err)
	}
	if !found {
		return rel, gone(op)
	}
	return rel, nil
}

func releaseIn(ctx context.Context, q querier, s Subject, version string) (rel Release, found bool, err error) {
	ref := s.Ref()
	found, err = one(ctx, q, `SELECT `+releaseCols+` FROM registry_release WHERE kind = $1 AND subject = $2 AND version = $3`, []any{ref.Kind, ref.ID, version}, func(row *sql.Rows) (err error) {
		rel, err = scanRelease(row)
		return err
	})
	return rel, found, err
}

// DeclareRelease adds or changes a release that somebody published. A zero
// Published is now, or what it was. Declaring the same again changes nothing.
func (r *Registry) DeclareRelease(ctx context.Context, actor string, rel Release) (Release, error) {
	const op = "registry.DeclareRelease"
	var m mistakes
	m.version("version", &rel.Version)
	m.channel("channel", &rel.Channel)
	if now := r.opts.Now(); rel.Published.After(now.AddDate(1, 0, 0)) || !rel.Published.IsZero() && rel.Published.Year() < 1990 {
		m.add("published", "It lies between 1990 and a year from now.")
	}
	if err := m.err(op); err != nil {
		return rel, err
	}
	if !r.Snapshot().known(rel.Subject) {
		return rel, gone(op)
	}
	err := r.change(ctx, func(tx *sql.Tx) (bool, error) {
		old, found, err := releaseIn(ctx, tx, rel.Subject, rel.Version)
		if err != nil {
			return false, fault.Wrap(op, err)
		}
		if rel.Published.IsZero() {
			rel.Published = r.opts.Now()
			if found {
				rel.Published = old.Published
			}
		}
		rel.Published = timeOf(ms(rel.Published))
		rel.FirstSeen, rel.Declared = old.FirstSeen, true
		if found && rel == old {
			return false, nil
		}
		if !old.Declared {
			if err := room(ctx, tx, op, rel.Subject, 1, MaxReleases); err != nil {
				return false, err
			}
		}
		if err := putRelease(ctx, tx, rel); err != nil {
			return false, fault.Wrap(op, err)
		}
		stored := int64(0)
		if old.Declared {
			stored = 1
		}
		return true, r.record(ctx, tx, actor, verb("release", stored), eco.Ref{Kind: "release", ID: rel.Subject.Ref().ID + "@" + rel.Version}, string(rel.Channel))
	})
	return rel, err
}

// room refuses more than most releases of a subject, declared or seen ones.
func room(ctx context.Context, tx *sql.Tx, op string, s Subject, declared, most int) error {
	ref := s.Ref()
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM registry_release WHERE kind = $1 AND subject = $2 AND declared = $3`, ref.Kind, ref.ID, declared).Scan(&n); err != nil {
		return fault.Wrap(op, err)
	}
	if n >= most {
		return fault.E(op, fault.TooLarge, fmt.Sprintf("There are at most %d releases.", most), nil)
	}
	return nil
}

func putRelease(ctx context.Context, tx *sql.Tx, rel Release) error {
	ref := rel.Subject.Ref()
	declared := 0
	if rel.Declared {
		declared = 1
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO registry_release (`+releaseCols+`) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (kind, subject, version) DO UPDATE SET channel = excluded.channel, published = excluded.published, first_seen = excluded.first_seen, declared = excluded.declared`,
		ref.Kind, ref.ID, rel.Version, string(rel.Channel), ms(rel.Published), ms(rel.FirstSeen), declared)
	return err
}

// EnsureRelease makes sure that a release seen in traffic is known: idempotent,
// and without a database call once it is. Unknown subjects and words that are no
// version are ignored, and so is what comes after MaxSeen undeclared releases of a
// subject: traffic is not to be trusted. A seen release writes no audit entry: it
// is intake, not somebody's change.
func (r *Registry) EnsureRelease(ctx context.Context, s Subject, version string, ch eco.Channel, at time.Time) error {
	const op = "registry.EnsureRelease"
	if !isVersion(version) || !r.Snapshot().known(s) {
		return nil
	}
	if ch != eco.Stable && ch != eco.Beta && ch != eco.Nightly {
		ch = eco.Stable
	}
	key := seenKey{s, version}
	if r.seen.has(key) {
		return nil
	}
	old, found, err := releaseIn(ctx, r.db.Read(), s, version)
	if err != nil {
		return fault.Wrap(op, err)
	}
	full := seenKey{s, ""} // no version is empty: this marks a subject that had too many
	if found && !old.FirstSeen.IsZero() || !found && r.seen.has(full) {
		r.seen.add(key)
		return nil
	}
	err = r.db.Tx(ctx, func(tx *sql.Tx) error {
		old, found, err := releaseIn(ctx, tx, s, version)
		switch {
		case err != nil:
			return fault.Wrap(op, err)
		case found && !old.FirstSeen.IsZero():
			return nil
		case found:
			old.FirstSeen = timeOf(ms(at))
			return fault.Wrap(op, putRelease(ctx, tx, old))
		}
		if err := room(ctx, tx, op, s, 0, MaxSeen); fault.CodeOf(err) == fault.TooLarge {
			r.seen.add(full)
			return nil
		} else if err != nil {
			return err
		}
		at := timeOf(ms(at))
		return fault.Wrap(op, putRelease(ctx, tx, Release{Subject: s, Version: version, Channel: ch, Published: at, FirstSeen: at}))
	})
	if err == nil {
		r.seen.add(key)
	}
	return err
}

// seenSet remembers which releases need no database call, at most maxSeenSet.
type seenSet struct {
	mu sync.RWMutex
	m  map[seenKey]struct{}
}

type seenKey struct {
	subject Subject
	version string
}

const maxSeenSet = 100_000

func (s *seenSet) has(k seenKey) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.m[k]
	return ok
}

func (s *seenSet) add(k seenKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil || len(s.m) >= maxSeenSet {
		s.m = map[seenKey]struct{}{}
	}
	s.m[k] = struct{}{}
}

func (s *seenSet) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.m = nil
}

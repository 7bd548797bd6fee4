package registry

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// The columns of each table, in the order of its scan function.
const (
	publisherCols = `id, name, contact, created, updated, version`
	hostCols      = `id, name, kind, rules, created, updated, version`
	teamCols      = `id, name, owns, created, updated, version`
)

type hostRules struct {
	Paths    []string `json:"paths,omitempty"`
	Prefixes []string `json:"prefixes,omitempty"`
	Files    []string `json:"files,omitempty"`
}

type owns struct {
	Extensions []eco.ExtensionID `json:"extensions,omitempty"`
	Hosts      []string          `json:"hosts,omitempty"`
}

func scanPublisher(row *sql.Rows) (p Publisher, err error) {
	var created, updated int64
	err = row.Scan(&p.ID, &p.Name, &p.Contact, &created, &updated, &p.Version)
	p.Created, p.Updated = timeOf(created), timeOf(updated)
	return p, err
}

func scanHost(row *sql.Rows) (h Host, err error) {
	var created, updated int64
	var rules string
	if err = row.Scan(&h.ID, &h.Name, &h.Kind, &rules, &created, &updated, &h.Version); err != nil {
		return h, err
	}
	h.Created, h.Updated = timeOf(created), timeOf(updated)
	var x hostRules
	err = json.Unmarshal([]byte(rules), &x)
	h.Paths, h.Prefixes, h.Files = x.Paths, x.Prefixes, x.Files
	return h, err
}

func scanTeam(row *sql.Rows) (t Team, err error) {
	var created, updated int64
	var list string
	if err = row.Scan(&t.ID, &t.Name, &list, &created, &updated, &t.Version); err != nil {
		return t, err
	}
	t.Created, t.Updated = timeOf(created), timeOf(updated)
	var x owns
	err = json.Unmarshal([]byte(list), &x)
	t.Extensions, t.Hosts = x.Extensions, x.Hosts
	return t, err
}

// gone is the answer for an id that is not there.
func gone(op string) error {
	return fault.E(op, fault.NotFound, "There is no such thing, or it is not yours to see.", nil)
}

// Publishers lists publishers by id.
func (r *Registry) Publishers(_ context.Context, p Page) ([]Publisher, string, error) {
	list, next := page(r.Snapshot().publishers, p, func(x *Publisher) string { return x.ID }, func(x *Publisher) bool {
		return matches(p.Q, x.ID, x.Name) && (p.Only == nil || p.Only(x.ID))
	})
	return list, next, nil
}

// matches reports whether one of the words contains q, ignoring case.
func matches(q string, words ...string) bool {
	q = strings.ToLower(strings.TrimSpace(q))
	return q == "" || slices.ContainsFunc(words, func(w string) bool { return strings.Contains(strings.ToLower(w), q) })
}

// Publisher returns one publisher.
func (r *Registry) Publisher(_ context.Context, id string) (Publisher, error) {
	if p, ok := r.Snapshot().Publishers[id]; ok {
		return *p, nil
	}
	return Publisher{}, gone("registry.Publisher")
}

// PutPublisher creates (Version 0) or changes a publisher. A Version other than
// the stored one is a conflict. Putting what is there already changes nothing.
func (r *Registry) PutPublisher(ctx context.Context, actor string, p Publisher) (Publisher, error) {
	const op = "registry.PutPublisher"
	if err := p.check().err(op); err != nil {
		return p, err
	}
	err := r.change(ctx, func(tx *sql.Tx) (bool, error) {
		var old Publisher
		found, err := one(ctx, tx, `SELECT `+publisherCols+` FROM registry_publisher WHERE id = $1`, []any{p.ID}, func(row *sql.Rows) (err error) {
			old, err = scanPublisher(row)
			return err
		})
		if err != nil {
			return false, fault.Wrap(op, err)
		}
		if err := stale(op, found, old.Version, p.Version); err != nil {
			return false, err
		}
		p.Created, p.Updated = old.Created, old.Updated
		if p == old {
			return false, nil
		}
		return true, r.putPublisher(ctx, tx, actor, &p, old.Version)
	})
	return p, err
}

func (r *Registry) putPublisher(ctx context.Context, tx *sql.Tx, actor string, p *Publisher, stored int64) error {
	now := r.nowMs()
	if stored == 0 {
		p.Created = timeOf(now)
	}
	p.Updated, p.Version = timeOf(now), stored+1
	if _, err := tx.ExecContext(ctx, `INSERT INTO registry_publisher (`+publisherCols+`) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, contact = excluded.contact, updated = excluded.updated, version = excluded.version`,
		p.ID, p.Name, p.Contact, ms(p.Created), ms(p.Updated), p.Version); err != nil {
		return fault.Wrap("registry.putPublisher", err)
	}
	return r.record(ctx, tx, actor, verb("publisher", stored), eco.Ref{Kind: "publisher", ID: p.ID}, "")
}

// verb is the action of an audit entry: noun.create or noun.edit.
func verb(noun string, stored int64) string {
	if stored == 0 {
		return noun + ".create"
	}
	return noun + ".edit"
}

// Hosts lists hosts by id.
func (r *Registry) Hosts(_ context.Context, p Page) ([]Host, string, error) {
	list, next := page(r.Snapshot().hosts, p, func(x *Host) string { return x.ID }, func(x *Host) bool {
		return matches(p.Q, x.ID, x.Name) && (p.Only == nil || p.Only(x.ID))
	})
	return list, next, nil
}

// Host returns one host.
func (r *Registry) Host(_ context.Context, id string) (Host, error) {
	if h, ok := r.Snapshot().Hosts[id]; ok {
		return *h, nil
	}
	return Host{}, gone("registry.Host")
}

// PutHost creates or changes a host, as PutPublisher does.
func (r *Registry) PutHost(ctx context.Context, actor string, h Host) (Host, error) {
	const op = "registry.PutHost"
	if err := h.check().err(op); err != nil {
		return h, err
	}
	err := r.change(ctx, func(tx *sql.Tx) (bool, error) {
		var old Host
		found, err := one(ctx, tx, `SELECT `+hostCols+` FROM registry_host WHERE id = $1`, []any{h.ID}, func(row *sql.Rows) (err error) {
			old, err = scanHost(row)
			return err
		})
		if err != nil {
			return false, fault.Wrap(op, err)
		}
		if err := stale(op, found, old.Version, h.Version); err != nil {
			return false, err
		}
		h.Created, h.Updated = old.Created, old.Updated
		if reflect.DeepEqual(h, old) {
			return false, nil
		}
		now := r.nowMs()
		if !found {
			h.Created = timeOf(now)
		}
		h.Updated, h.Version = timeOf(now), old.Version+1
		if _, err := tx.ExecContext(ctx, `INSERT INTO registry_host (`+hostCols+`) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, kind = excluded.kind, rules = excluded.rules, updated = excluded.updated, version = excluded.version`,
			h.ID, h.Name, string(h.Kind), text(hostRules{h.Paths, h.Prefixes, h.Files}), ms(h.Created), ms(h.Updated), h.Version); err != nil {
			return false, fault.Wrap(op, err)
		}
		return true, r.record(ctx, tx, actor, verb("host", old.Version), eco.Ref{Kind: "host", ID: h.ID}, "")
	})
	return h, err
}

// Teams lists teams by id.
func (r *Registry) Teams(_ context.Context, p Page) ([]Team, string, error) {
	list, next := page(r.Snapshot().teams, p, func(x *Team) string { return x.ID }, func(x *Team) bool {
		return matches(p.Q, x.ID, x.Name) && (p.Only == nil || p.Only(x.ID))
	})
	return list, next, nil
}

// Team returns one team.
func (r *Registry) Team(_ context.Context, id string) (Team, error) {
	if t, ok := r.Snapshot().Teams[id]; ok {
		return *t, nil
	}
	return Team{}, gone("registry.Team")
}

// PutTeam creates or changes a team, as PutPublisher does. What it owns must be
// in the register.
func (r *Registry) PutTeam(ctx context.Context, actor string, t Team) (Team, error) {
	const op = "registry.PutTeam"
	var m mistakes
	m.slug("id", &t.ID)
	m.line("name", &t.Name, 1, MaxName)
	t.Extensions, t.Hosts = sorted(t.Extensions), sorted(t.Hosts)
	if len(t.Extensions) > MaxOwned || len(t.Hosts) > MaxOwned {
		m.add("extensions", fmt.Sprintf("A team owns at most %d.", MaxOwned))
	}
	if err := m.err(op); err != nil {
		return t, err
	}
	err := r.change(ctx, func(tx *sql.Tx) (bool, error) {
		var old Team
		found, err := one(ctx, tx, `SELECT `+teamCols+` FROM registry_team WHERE id = $1`, []any{t.ID}, func(row *sql.Rows) (err error) {
			old, err = scanTeam(row)
			return err
		})
		if err != nil {
			return false, fault.Wrap(op, err)
		}
		if err := stale(op, found, old.Version, t.Version); err != nil {
			return false, err
		}
		t.Created, t.Updated = old.Created, old.Updated
		if reflect.DeepEqual(t, old) {
			return false, nil
		}
		if err := ownable(ctx, tx, op, &t); err != nil {
			return false, err
		}
		now := r.nowMs()
		if !found {
			t.Created = timeOf(now)
		}
		t.Updated, t.Version = timeOf(now), old.Version+1
		if _, err := tx.ExecContext(ctx, `INSERT INTO registry_team (`+teamCols+`) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, owns = excluded.owns, updated = excluded.updated, version = excluded.version`,
			t.ID, t.Name, text(owns{t.Extensions, t.Hosts}), ms(t.Created), ms(t.Updated), t.Version); err != nil {
			return false, fault.Wrap(op, err)
		}
		// Who owns what decides who sees what: the log says what came and what went.
		return true, r.record(ctx, tx, actor, verb("team", old.Version), eco.Ref{Kind: "team", ID: t.ID},
			difference("extensions", old.Extensions, t.Extensions)+difference("hosts", old.Hosts, t.Hosts))
	})
	return t, err
}

// ownable makes sure that all a team shall own is in the register.
func ownable(ctx context.Context, tx *sql.Tx, op string, t *Team) error {
	var m mistakes
	for _, e := range t.Extensions {
		if ok, err := exists(ctx, tx, `SELECT 1 FROM registry_extension WHERE id = $1`, string(e)); err != nil {
			return fault.Wrap(op, err)
		} else if !ok {
			m.add("extensions", "One of them is not in the register.")
			break
		}
	}
	for _, h := range t.Hosts {
		if ok, err := exists(ctx, tx, `SELECT 1 FROM registry_host WHERE id = $1`, h); err != nil {
			return fault.Wrap(op, err)
		} else if !ok {
			m.add("hosts", "One of them is not in the register.")
			break
		}
	}
	return m.err(op)
}

// RemoveTeam takes a team out. Grants of it then see nothing.
func (r *Registry) RemoveTeam(ctx context.Context, actor, id string) error {
	const op = "registry.RemoveTeam"
	return r.change(ctx, func(tx *sql.Tx) (bool, error) {
		res, err := tx.ExecContext(ctx, `DELETE FROM registry_team WHERE id = $1`, id)
		if err != nil {
			return false, fault.Wrap(op, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return false, gone(op)
		}
		return true, r.record(ctx, tx, actor, "team.remove", eco.Ref{Kind: "team", ID: id}, "")
	})
}

func sorted[T cmp.Ordered](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	out := slices.Clone(list)
	slices.Sort(out)
	return slices.Compact(out)
}

// difference says how two lists differ: " +a -b".
func difference[T ~string](what string, old, now []T) string {
	var b strings.Builder
	for _, x := range now {
		if !slices.Contains(old, x) {
			b.WriteString(" +" + string(x))
		}
	}
	for _, x := range old {
		if !slices.Contains(now, x) {
			b.WriteString(" -" + string(x))
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return what + b.String() + ". "
}

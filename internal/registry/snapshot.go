package registry

import (
	"context"
	"database/sql"
	"log/slog"
	"maps"
	"slices"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Snapshot is the register in memory, all but the releases. It is immutable:
// readers must not change what its maps hold.
type Snapshot struct {
	Version    int64
	Extensions map[eco.ExtensionID]*Extension
	Hosts      map[string]*Host
	Publishers map[string]*Publisher
	Teams      map[string]*Team
	Projects   map[int64]*ProjectView
	Keys       map[string]*KeyView

	extensions []Extension // sorted by id, as the others
	hosts      []Host
	publishers []Publisher
	teams      []Team
	projects   []Project
	keysOf     map[int64][]Key              // oldest first
	byOwner    map[string][]eco.ExtensionID // publisher -> extensions, sorted
	subjects   map[Subject][]*ProjectView   // by number
	world      *blame.World
}

// refresh takes a new snapshot when the register's version differs from the one
// in memory (or always), and puts it in place.
func (r *Registry) refresh(ctx context.Context, always bool) error {
	const op = "registry.refresh"
	r.mu.Lock()
	defer r.mu.Unlock()
	for range 10 {
		before, err := r.version(ctx)
		if err != nil {
			return fault.Wrap(op, err)
		}
		if old := r.snap.Load(); !always && old != nil && old.Version == before {
			return nil
		}
		s, err := load(ctx, r.db.Read())
		if err != nil {
			return fault.Wrap(op, err)
		}
		after, err := r.version(ctx)
		if err != nil {
			return fault.Wrap(op, err)
		}
		if after != before { // a change came between two of our reads: again
			continue
		}
		s.Version = after
		s.index(r.opts.Log)
		r.snap.Store(s)
		return nil
	}
	return fault.E(op, fault.Unavailable, "The register changes too fast to be read.", nil)
}

func (r *Registry) version(ctx context.Context) (v int64, err error) {
	err = r.db.Read().QueryRowContext(ctx, `SELECT version FROM registry_state WHERE id = 1`).Scan(&v)
	return v, err
}

// load reads the tables.
func load(ctx context.Context, q querier) (*Snapshot, error) {
	s := &Snapshot{keysOf: map[int64][]Key{}}
	var keys []Key
	for _, read := range []struct {
		query string
		row   func(*sql.Rows) error
	}{
		{`SELECT ` + publisherCols + ` FROM registry_publisher ORDER BY id`, into(&s.publishers, scanPublisher)},
		{`SELECT ` + hostCols + ` FROM registry_host ORDER BY id`, into(&s.hosts, scanHost)},
		{`SELECT ` + teamCols + ` FROM registry_team ORDER BY id`, into(&s.teams, scanTeam)},
		{`SELECT ` + extensionCols + ` FROM registry_extension ORDER BY id`, into(&s.extensions, scanExtension)},
		{`SELECT ` + projectCols + ` FROM registry_project ORDER BY id`, into(&s.projects, scanProject)},
		{`SELECT ` + keyCols + ` FROM registry_key ORDER BY project, created, public`, into(&keys, scanKey)},
	} {
		if err := scan(ctx, q, read.query, nil, read.row); err != nil {
			return nil, err
		}
	}
	for _, k := range keys {
		s.keysOf[k.Project] = append(s.keysOf[k.Project], k)
	}
	return s, nil
}

// into appends what scan reads to a list.
func into[T any](list *[]T, scan func(*sql.Rows) (T, error)) func(*sql.Rows) error {
	return func(row *sql.Rows) error {
		x, err := scan(row)
		*list = append(*list, x)
		return err
	}
}

// index makes the maps and the rules of blame out of the lists.
func (s *Snapshot) index(log *slog.Logger) {
	s.Publishers = byKey(s.publishers, func(p *Publisher) string { return p.ID })
	s.Hosts = byKey(s.hosts, func(h *Host) string { return h.ID })
	s.Teams = byKey(s.teams, func(t *Team) string { return t.ID })
	s.Extensions = byKey(s.extensions, func(e *Extension) eco.ExtensionID { return e.ID })
	s.byOwner = map[string][]eco.ExtensionID{}
	for i := range s.extensions {
		e := &s.extensions[i]
		s.byOwner[e.Publisher()] = append(s.byOwner[e.Publisher()], e.ID)
	}
	s.Projects = make(map[int64]*ProjectView, len(s.projects))
	s.subjects = map[Subject][]*ProjectView{}
	for _, p := range s.projects {
		v := &ProjectView{Project: p, Kind: Generic}
		if h := s.Hosts[p.Subject.Host]; h != nil {
			v.Kind = h.Kind
		}
		if e := s.Extensions[p.Subject.Extension]; e != nil {
			v.Kind = e.Kind
		}
		s.Projects[p.ID] = v
		s.subjects[p.Subject] = append(s.subjects[p.Subject], v)
	}
	s.Keys = map[string]*KeyView{}
	for project, keys := range s.keysOf {
		for _, k := range keys {
			s.Keys[k.Public] = &KeyView{Key: k, Project: s.Projects[project]}
		}
	}
	s.world = s.rules(log)
}

func byKey[K comparable, T any](list []T, key func(*T) K) map[K]*T {
	m := make(map[K]*T, len(list))
	for i := range list {
		m[key(&list[i])] = &list[i]
	}
	return m
}

// rules compiles what blame must know. Patterns are checked before they are
// stored; should an older entry no longer be valid, the server goes on without the
// hosts' own patterns and says so.
func (s *Snapshot) rules(log *slog.Logger) *blame.World {
	hosts := make(map[string]blame.HostRules, len(s.hosts))
	for _, h := range s.hosts {
		hosts[h.ID] = blame.HostRules{Kind: string(h.Kind), Paths: h.Paths, Prefixes: h.Prefixes, Files: h.Files}
	}
	exts := make(map[eco.ExtensionID]blame.ExtRules, len(s.extensions))
	var older []*Extension
	for i := range s.extensions {
		e := &s.extensions[i]
		if exts[e.ID] = e.blame(); e.Rule != wordsRule && len(e.Locals)+len(e.Prefixes)+len(e.Shaded)+len(e.Libraries) > 0 {
			older = append(older, e)
		}
	}
	slices.SortStableFunc(older, func(a, b *Extension) int { return a.Created.Compare(b.Created) })
	unchecked := make([]eco.ExtensionID, len(older))
	for i, e := range older {
		unchecked[i] = e.ID
	}
	sift := func() (*blame.World, error) {
		w, ignored, err := blame.Sift(hosts, exts, unchecked, func(a, b eco.ExtensionID) bool { return s.Extensions[a].Publisher() == s.Extensions[b].Publisher() })
		n := 0
		for id, list := range ignored {
			s.Extensions[id].Ignored = list
			n += len(list)
		}
		if n > 0 {
			log.Warn("words of extensions in the register do not count: they name others' code; their pages say which", slog.Int("words", n), slog.Int("extensions", len(ignored)))
		}
		return w, err
	}
	w, err := sift()
	if err == nil {
		return w
	}
	log.Error("path patterns of the register are not valid; going on without them", slog.Any("err", err))
	for id, h := range hosts {
		h.Paths = nil
		hosts[id] = h
	}
	if w, err = sift(); err != nil {
		log.Error("rules of the register are not valid; going on with the built-in ones", slog.Any("err", err))
		w, _ = blame.NewWorld(nil, nil)
	}
	return w
}

// KeyByPublic finds a key (as ParseKey gives it) in memory. It may be revoked or
// expired: ask Usable.
func (r *Registry) KeyByPublic(public string) (KeyView, bool) {
	if k, ok := r.Snapshot().Keys[public]; ok {
		return *k, true
	}
	return KeyView{}, false
}

// ProjectByID finds a project in memory.
func (r *Registry) ProjectByID(id int64) (*ProjectView, bool) {
	p, ok := r.Snapshot().Projects[id]
	return p, ok
}

// ProjectsOf lists the projects of an extension or host by number, from memory.
func (r *Registry) ProjectsOf(s Subject) []*ProjectView {
	return slices.Clone(r.Snapshot().subjects[s])
}

// World is what blame must know of hosts and extensions, compiled; a new one with
// each change.
func (r *Registry) World() *blame.World { return r.Snapshot().world }

// ExtensionsOf lists a publisher's extensions, sorted, from memory.
func (r *Registry) ExtensionsOf(publisher string) []eco.ExtensionID {
	return slices.Clone(r.Snapshot().byOwner[publisher])
}

// TeamOwns lists what a team owns, from memory.
func (r *Registry) TeamOwns(team string) ([]eco.ExtensionID, []string) {
	t := r.Snapshot().Teams[team]
	if t == nil {
		return nil, nil
	}
	return slices.Clone(t.Extensions), slices.Clone(t.Hosts)
}

// Known reports whether a publisher or a team (one of both is "") exists: for
// account, so that a mistyped grant is an error.
func (r *Registry) Known(publisher, team string) bool {
	s := r.Snapshot()
	return (publisher == "" || s.Publishers[publisher] != nil) && (team == "" || s.Teams[team] != nil)
}

// ExtensionIDs lists every extension, sorted, from memory.
func (r *Registry) ExtensionIDs() []eco.ExtensionID {
	return slices.Sorted(maps.Keys(r.Snapshot().Extensions))
}

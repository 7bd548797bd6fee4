package symbols

import (
	"context"
	"path"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/symbol"
)

// wish is what is looked for: a need of a frame, whose, and in which release.
type wish struct {
	subject Subject
	release string
	need    symbol.Need
}

// hit is the answer of the table, good for a little while: another process may
// have stored a file since.
type hit struct {
	file  File // ID "": none
	until time.Time
}

const (
	hitFor  = 15 * time.Second
	maxHits = 20_000
)

// forget drops remembered answers after a change.
func (s *Store) forget() {
	s.mu.Lock()
	clear(s.found)
	s.having = nil
	s.mu.Unlock()
}

// anyFor reports whether somebody whose files may name frames of the crash has any
// file: most extensions have none, and most crashes need not be looked at closer.
func (s *Store) anyFor(ctx context.Context, c *eco.Crash, o *eco.Origin) bool {
	have, err := s.withFiles(ctx)
	switch {
	case err != nil:
		return true
	case len(have) == 0:
		return false
	case o.Extension != "":
		return have[subjectText(Subject{Extension: o.Extension})]
	case o.Host != "" && have[subjectText(Subject{Host: o.Host})]:
		return true
	}
	for i := range c.Exceptions {
		for k := range c.Exceptions[i].Frames {
			if id := c.Exceptions[i].Frames[k].Owner; id != "" && have[subjectText(Subject{Extension: id})] {
				return true
			}
		}
	}
	return false
}

// withFiles returns who has files, good for as long as a hit is.
func (s *Store) withFiles(ctx context.Context) (map[string]bool, error) {
	now := s.o.Now()
	s.mu.Lock()
	have, until := s.having, s.havingUntil
	s.mu.Unlock()
	if have != nil && now.Before(until) {
		return have, nil
	}
	rows, err := s.o.Records.Read().QueryContext(ctx, `SELECT DISTINCT subject FROM symbol_file`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	have = map[string]bool{}
	for rows.Next() {
		var subject string
		if err := rows.Scan(&subject); err != nil {
			return nil, err
		}
		have[subject] = true
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.having, s.havingUntil = have, now.Add(hitFor)
	s.mu.Unlock()
	return have, nil
}

// owners says whose files name the frames of a crash, and in which release. A crash
// of an extension's project is named by that extension's files alone; one of a host's
// project by the host's and, for the frames of an extension, by that one's. So
// nobody reads a name in their own reports that another author uploaded.
//
// The host's own frames are no business of an extension: nothing is missing there.
func owners(c *eco.Crash, o *eco.Origin, n symbol.Need) []wish {
	frame := n.Owner
	if o.Extension != "" {
		if n.Host && n.DebugID == "" {
			return nil
		}
		return []wish{{subject: Subject{Extension: o.Extension}, release: o.ExtVersion}}
	}
	var out []wish
	if frame != "" {
		w := wish{subject: Subject{Extension: frame}}
		for i := range c.Active {
			if c.Active[i].ID == frame {
				w.release = c.Active[i].Version
			}
		}
		out = append(out, w)
	}
	if o.Host != "" {
		out = append(out, wish{subject: Subject{Host: o.Host}, release: o.HostVersion})
	}
	return out
}

// find looks a wish up: by debug id, else by release and file.
func (s *Store) find(ctx context.Context, w wish) (File, bool) {
	w.need.Owner, w.need.Host = "", false
	now := s.o.Now()
	s.mu.Lock()
	h, ok := s.found[w]
	s.mu.Unlock()
	if ok && now.Before(h.until) {
		return h.file, h.file.ID != ""
	}
	f, err := s.query(ctx, w)
	if err != nil { // not remembered: the next crash asks again
		return File{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.found) >= maxHits {
		clear(s.found)
	}
	s.found[w] = hit{f, now.Add(hitFor)}
	return f, f.ID != ""
}

func (s *Store) query(ctx context.Context, w wish) (File, error) {
	q, n := s.o.Records.Read(), w.need
	const live = ` WHERE subject = $1 AND kind = $2 AND gone_ms = 0`
	if n.DebugID != "" {
		files, err := scanFiles(q.QueryContext(ctx, selectFiles+live+` AND debug_id = $3 ORDER BY at_ms DESC LIMIT 1`, subjectText(w.subject), string(n.Kind), n.DebugID))
		if err != nil || len(files) > 0 {
			return firstOf(files), err
		}
	}
	if w.release == "" || n.Kind == symbol.Sym {
		return File{}, nil
	}
	files, err := scanFiles(q.QueryContext(ctx, selectFiles+live+` AND release = $3 AND base = $4 ORDER BY at_ms DESC LIMIT 100`,
		subjectText(w.subject), string(n.Kind), w.release, path.Base(n.File)))
	if err != nil {
		return File{}, err
	}
	best, most := File{}, 0
	for _, f := range files { // the longest agreement, the newest of equals
		if k := fits(f.File, n.File); k > most {
			best, most = f, k
		}
	}
	return best, nil
}

func firstOf(files []File) File {
	if len(files) == 0 {
		return File{}
	}
	return files[0]
}

// Apply names the frames of a crash, notes what is missing, and says for lineage
// what it did; renamed is false when no frame changed.
func (s *Store) Apply(ctx context.Context, id eco.ID, c *eco.Crash, o *eco.Origin, at int64) (note string, renamed bool) {
	r, lost := s.apply(ctx, c, o)
	s.want(id, lost, at)
	return describe(r, len(lost)), r.Renamed > 0
}

func (s *Store) apply(ctx context.Context, c *eco.Crash, o *eco.Origin) (symbol.Result, []wish) {
	var library symbol.Library
	if s.anyFor(ctx, c, o) {
		library = func(n symbol.Need) (symbol.Artifact, bool) { return s.look(ctx, c, o, n) }
	}
	r := symbol.Apply(c, library)
	now := s.o.Now().UnixMilli()
	s.mu.Lock()
	for _, a := range r.Used {
		if r.Renamed > 0 && len(s.used) < maxPending {
			s.used[a.ID] = now
		}
	}
	s.mu.Unlock()
	var lost []wish
	for _, n := range r.Missing {
		// The first of the owners is told: the frame's extension, or the host.
		if list := owners(c, o, n); len(list) > 0 && (n.DebugID != "" || list[0].release != "") {
			w := list[0]
			w.need = n
			w.need.Owner, w.need.Host = "", false
			lost = append(lost, w)
		}
	}
	return r, lost
}

// look is the library of a crash.
func (s *Store) look(ctx context.Context, c *eco.Crash, o *eco.Origin, n symbol.Need) (symbol.Artifact, bool) {
	for _, w := range owners(c, o, n) {
		w.need = n
		f, ok := s.find(ctx, w)
		if !ok {
			continue
		}
		a, err := s.open(ctx, f)
		if err != nil {
			continue
		}
		return a, true
	}
	return symbol.Artifact{}, false
}

// describe is the line of lineage: what was used, what is missing.
func describe(r symbol.Result, lost int) string {
	var b []byte
	add := func(s string) {
		if len(b) > 0 {
			b = append(b, ", "...)
		}
		b = append(b, s...)
	}
	if r.Renamed > 0 {
		add(count(int64(r.Renamed), "frame", "frames") + " named by")
		for i, a := range r.Used {
			if i == 3 {
				b = append(b, " …"...)
				break
			}
			b = append(b, ' ')
			b = append(b, a.Name...)
		}
	}
	for i, n := range r.Missing {
		if i == 3 || lost == 0 {
			break
		}
		what := n.File
		if n.DebugID != "" {
			what = n.DebugID
		}
		if what == "" {
			what = string(n.Kind)
		}
		add("missing " + what)
	}
	return eco.Clean(string(b), 300)
}

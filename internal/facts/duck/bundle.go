//go:build cgo

package duck

import (
	"slices"
	"sync"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// A bundle is a file with a copy of the crashes of up to bundleDays days that are
// over, by family: a search over three months plans three files, not ninety, and
// skips the families that it does not name. Documents, attributes and what only
// ids are looked up by stay in the files of the days, which alone are the truth.
//
// A bundle answers for its days as they were when it was made. A change of one of
// them (rows, an erasure, its end) takes the whole bundle out of use and unlinks it
// before the call returns, or when its last reader does; the next Compact makes it
// anew. What it was made of is written in it: a start keeps those that fit the
// files, and removes the others.
type bundle struct {
	alias, path string
	span        int64
	parts       []*part // in the order of the column part
	numbers     []int64 // of their infos
	as          *part   // for writing columns
	users       int     // guarded by bundles.mu
	gone        bool
}

type bundles struct {
	mu     sync.Mutex
	have   []*bundle
	making sync.Mutex // one at a time
}

const (
	bundleDays = 32      // days of a bundle
	bundleRows = 300_000 // rows that are sorted at once, unless one day has more
	bundleOnce = 8       // files that are read at once
)

// bundleFolder lies beside the files of the days.
const bundleFolder = "bundles"

// bundled are the columns of facts that a bundle has.
func bundled(name string) bool {
	switch name {
	case "batch", "lag", "dedup", "session", "client_id", "attrs":
		return false
	}
	return true
}

// clientHash finds a client's id in a bundle; whoever reads the row compares it.
func clientHash(of string) string { return "md5_number_lower(" + of + ")" }

func clientHashes(ids []any) []string {
	out := []string{"NULL"}
	for _, id := range literals(ids) {
		out = append(out, clientHash(id))
	}
	return out
}

// spanOf numbers the days that share a bundle.
func spanOf(d eco.Day) int64 { return d.Time().Unix() / 86_400 / bundleDays }

// bundled reports whether bundles have all that the question needs: crashes alone,
// and no column that they lack.
func (pl *plan) bundled() bool {
	cols := slices.Clone(pl.q.Group)
	for _, o := range pl.q.Order {
		cols = append(cols, facts.Column(o.By))
	}
	crashes := false
	for i, c := range pl.q.Where {
		switch {
		case c.Col == facts.Kind && c.Op == facts.In && len(c.Values) == 1 && c.Values[0] == string(eco.KindCrash):
			crashes = true
		case c.Col == facts.ClientID && c.Op == facts.In && pl.q.Rows && !slices.Contains(pl.parsed[i], any("")):
		default:
			cols = append(cols, c.Col)
		}
	}
	return crashes && !slices.ContainsFunc(cols, func(c facts.Column) bool { return !bundled(string(c)) })
}

// source is what some files are read from together: a bundle, or one file.
type source struct {
	b     *bundle
	which []int // of the bundle's parts; nil: all
	p     *part
	in    *info
}

// sources says what to read so as to read all files: those that lie in a bundle are
// read from it, when there are enough of them. Call release when the answer is read.
func (s *Store) sources(pl *plan, ps []*part) (list []source, release func()) {
	rest := ps
	if pl.bundled() {
		list, rest = s.bundles.take(ps, s.settled.least)
	}
	used := list
	for _, p := range rest {
		list = append(list, source{p: p, in: p.info.Load()})
	}
	return list, func() {
		for _, u := range used {
			s.leave(u.b)
		}
	}
}

// inBundles reports whether nearly all of the files are read from bundles.
func (s *Store) inBundles(pl *plan, ps []*part) bool {
	if !pl.bundled() {
		return false
	}
	list, rest := s.bundles.take(ps, s.settled.least)
	for _, u := range list {
		s.leave(u.b)
	}
	return len(list) > 0 && len(rest) < s.settled.least
}

// take finds the bundles that hold enough of the files, as they are now.
func (c *bundles) take(ps []*part, least int) (list []source, rest []*part) {
	c.mu.Lock()
	defer c.mu.Unlock()
	rest = ps
	for _, b := range c.have {
		var which []int
		for i, p := range b.parts {
			if slices.Contains(rest, p) && p.info.Load().number == b.numbers[i] {
				which = append(which, i)
			}
		}
		if len(which) < least {
			continue
		}
		b.users++
		rest = slices.DeleteFunc(slices.Clone(rest), func(p *part) bool {
			i := slices.Index(b.parts, p)
			return slices.Contains(which, i)
		})
		if len(which) == len(b.parts) {
			which = nil
		}
		list = append(list, source{b: b, which: which})
	}
	return list, rest
}

func (s *Store) leave(b *bundle) {
	s.bundles.mu.Lock()
	b.users--
	last := b.gone && b.users == 0
	s.bundles.mu.Unlock()
	if last {
		s.removeBundle(b)
	}
}

// forgetBundles takes bundles out of use; they are unlinked at once, or by their
// last reader.
func (s *Store) forgetBundles(match func(*bundle) bool) {
	var drop []*bundle
	s.bundles.mu.Lock()
	s.bundles.have = slices.DeleteFunc(s.bundles.have, func(b *bundle) bool {
		if !match(b) {
			return false
		}
		b.gone = true
		if b.users == 0 {
			drop = append(drop, b)
		}
		return true
	})
	s.bundles.mu.Unlock()
	for _, b := range drop {
		s.removeBundle(b)
	}
}

// removeBundle unlinks first: DuckDB lets a file go when the last of its threads has.
func (s *Store) removeBundle(b *bundle) {
	if err := removeFiles(b.path); err != nil {
		s.o.Log.Warn("a bundle of days stays on the disk until the next start", "err", err)
	}
	if _, err := s.db.Exec("DETACH " + b.alias); err != nil {
		s.o.Log.Warn("a bundle of days stays open", "err", err)
	}
}

// read writes the selects of a source.
func (pl *plan) read(u source) []string {
	if u.b == nil {
		return pl.selects(u.p)
	}
	return []string{"SELECT " + pl.columns(u.b.as, false) + " FROM " + u.b.alias + ".rows WHERE " + pl.inBundle(u)}
}

// inBundle is the condition on the rows of a bundle.
func (pl *plan) inBundle(u source) string {
	and := pl.where(u.b.as, false) + between("received", pl.from, pl.to)
	if u.which == nil {
		return and
	}
	// which also says the days and classes; a range lets DuckDB skip row groups
	first, last := u.which[0], u.which[len(u.which)-1]
	and += " AND part BETWEEN " + itoa(first) + " AND " + itoa(last)
	if last-first+1 == len(u.which) {
		return and
	}
	var which []any
	for _, i := range u.which {
		which = append(which, int64(i))
	}
	return and + " AND " + test("part", facts.In, which)
}

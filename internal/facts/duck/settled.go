//go:build cgo

package duck

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// Pages ask the same things again and again, and all files but the newest do not
// change any more. What such files say to a question is kept, added up, in one
// table in memory, so that asking again reads that table and the newest files, not
// ninety: planning over many files costs DuckDB more than reading them. What
// bundles answer quickly is kept when it is asked by many.
//
// A table answers for its files as they were. Each change of a file (rows, an
// erasure, its end) gives it a new number; a table made of another number is not
// read again, and after an erasure or a purge it is gone before the call returns.
// A table holds no conditions on free columns and no scope, so that all extensions
// and all readers share it; both are tested on the table's rows.
type settled struct {
	mu   sync.Mutex
	have map[shape]*reduced
	seen map[shape]bool // asked once: special questions are kept from the second time on
	cost int64
	tick int64

	least int // files that are worth a table
}

func newSettled() *settled {
	return &settled{have: make(map[shape]*reduced), seen: make(map[shape]bool), least: 4}
}

// shape names a question (but for free conditions) and the files that answer it.
type shape [sha256.Size]byte

// reduced is a table. It is dropped when nobody reads it any more.
type reduced struct {
	table  string
	parts  []*part
	cost   int64
	used   int64 // tick of the last use
	users  int
	making bool
	large  bool // there is no table: it would be too large
	gone   bool // not in have any more
}

// Bounds of what is kept.
const (
	mostSettled  = 144 << 20 // bytes, as estimated, of all tables
	mostReduced  = 300_000   // rows of a table; a larger one is not kept
	mostReducing = 3_000_000 // rows of facts that a table is made of
	mostTables   = 200
	mostSeen     = 4096
)

const settledDB = "settled"

// free are the columns whose conditions, and those of the scope, are tested on the
// rows of a table: it has them all.
var free = []string{"extension", "blame", "host"}

func isFree(c facts.Column) bool {
	return c == facts.Extension || c == facts.Blame || c == facts.Host || c == facts.SubjectExt
}

// reduce answers for the files that do not change any more with one select over a
// table, when it pays: rest are the files that are still to be asked. The files are
// locked against being swapped. Call release when the answer is read.
func (s *Store) reduce(ctx context.Context, pl *plan, ps []*part) (sel string, rest []*part, release func()) {
	release = func() {}
	old, rest, state := s.split(pl, ps)
	if len(old) < s.settled.least || !pl.reducible() {
		return "", ps, release
	}
	near := s.inBundles(pl, old)
	if near && pl.special() {
		return "", ps, release
	}
	key := pl.shape(state)
	r, mine := s.settled.take(key, old, near || pl.special())
	if r == nil {
		return "", ps, release
	}
	if mine {
		keep, err := s.makeReduced(ctx, pl, r, old)
		_, _, after := s.split(pl, ps)
		if !s.settled.made(key, r, keep, err == nil && state == after) {
			s.dropReduced(r)
			return "", ps, release
		}
		s.forgetMost()
	}
	return pl.fromReduced(r), rest, func() {
		if s.settled.leave(r) {
			s.dropReduced(r)
		}
	}
}

// split tells the files of days that are over, and wholly within the question's
// time, from the others. state names the former and what is in them.
func (s *Store) split(pl *plan, ps []*part) (old, rest []*part, state string) {
	today := eco.DayOf(s.o.Now())
	rows := int64(0)
	var b strings.Builder
	for _, p := range ps {
		in := p.info.Load()
		if p.day < today && pl.from <= in.lo && pl.to > in.hi {
			old = append(old, p)
			b.WriteString(p.alias + "=" + itoa(in.number) + " ")
			if pl.rollup(in) == nil {
				rows += in.rows
			}
		} else {
			rest = append(rest, p)
		}
	}
	if rows > mostReducing {
		return nil, ps, ""
	}
	return old, rest, b.String()
}

// reducible reports whether the answer can be made from sums.
func (pl *plan) reducible() bool {
	for _, c := range pl.q.Group {
		switch c {
		case facts.ID, facts.Session, facts.Dedup, facts.ClientID: // hardly two rows are alike
			return false
		}
	}
	return !pl.measures(facts.Quantile)
}

// special reports whether the question names what few others do.
func (pl *plan) special() bool {
	return slices.ContainsFunc(pl.q.Where, func(c facts.Cond) bool {
		return !isFree(c.Col) && c.Col != facts.Kind && (c.Op != facts.NotIn || len(c.Values) > 1)
	})
}

// shape names the table: what is asked, but for free conditions, of files in a state.
func (pl *plan) shape(state string) shape {
	h := sha256.New()
	names := slices.Sorted(maps.Keys(pl.needed()))
	fmt.Fprintf(h, "%s %q %q", state, pl.q.Group, names)
	family := slices.Contains(pl.q.Group, facts.Family)
	for _, c := range pl.q.Where {
		if !isFree(c.Col) {
			fmt.Fprintf(h, " %q", c)
		}
		family = family || c.Col == facts.Family
	}
	if family {
		fmt.Fprintf(h, " %q", pl.q.Relabel)
	}
	return shape(h.Sum(nil))
}

// wide is the plan of the table: without scope, time and free conditions, and with
// all free columns.
func (pl *plan) wide() (*plan, error) {
	w, err := newPlan(pl.q) // its long lists of values are its own
	if err != nil {
		return nil, err
	}
	w.open, w.from, w.to = true, math.MinInt64, math.MaxInt64
	return w, nil
}

// makeReduced makes the table and says whether it is small enough to be kept. Files
// are added up some at a time: each that is read holds memory until all are.
func (s *Store) makeReduced(ctx context.Context, pl *plan, r *reduced, ps []*part) (keep bool, err error) {
	w, err := pl.wide()
	if err != nil {
		return false, err
	}
	var dims, sums []string
	width := int64(0)
	for _, c := range w.list(ps[0], false) {
		if sum := reducedSum(c.name); sum != "" {
			sums = append(sums, sum+" AS "+c.name)
			width += 8
		} else {
			dims = append(dims, c.name)
			width += 16
		}
	}
	fold := func(from string) string {
		return "SELECT " + strings.Join(append(slices.Clone(dims), sums...), ", ") + " FROM " + from + " GROUP BY " + strings.Join(dims, ", ")
	}
	parts := r.table + "_parts"
	how := "CREATE TABLE " + parts + " AS "
	from, release := s.sources(w, ps)
	defer release()
	for some := range slices.Chunk(from, atOnce) {
		var union []string
		for _, u := range some {
			union = append(union, w.read(u)...)
		}
		if _, err := s.db.ExecContext(ctx, how+w.lists.with()+fold("("+strings.Join(union, " UNION ALL ")+")")); err != nil {
			return false, errors.Join(err, s.dropTable(parts))
		}
		how = "INSERT INTO " + parts + " "
	}
	var n int64
	if _, err = s.db.ExecContext(ctx, "CREATE TABLE "+r.table+" AS "+fold(parts)+" LIMIT "+itoa(int64(mostReduced)+1)); err == nil {
		err = s.db.QueryRowContext(ctx, "SELECT count(*) FROM "+r.table).Scan(&n)
	}
	r.cost = n*width + int64(len(dims)+len(sums))*leastColumn
	return n <= mostReduced, errors.Join(err, s.dropTable(parts))
}

// atOnce is how many files are read together to make a table.
const atOnce = 8

// reducedSum says how a column of a table is added up; "" for one that rows are grouped by.
func reducedSum(name string) string {
	switch name {
	case "lo":
		return "min(lo)"
	case "hi":
		return "max(hi)"
	}
	for _, s := range sums {
		if s.name == name {
			return total(name, s.typ)
		}
	}
	return ""
}

// leastColumn is what a column of a small table takes in memory.
const leastColumn = 16 << 10

// fromReduced selects from the table what the plan selects from a file.
func (pl *plan) fromReduced(r *reduced) string {
	and := []string{pl.lists.visible(pl.q.Scope)}
	for i, c := range pl.q.Where {
		if isFree(c.Col) {
			and = append(and, pl.lists.test(expression(c.Col, nil, false), c.Op, pl.parsed[i]))
		}
	}
	var cols []string
	for _, c := range pl.list(r.parts[0], false) {
		cols = append(cols, c.name)
	}
	return "SELECT " + strings.Join(cols, ", ") + " FROM " + r.table + " WHERE " + strings.Join(and, " AND ")
}

// take finds the table of a shape, or has the caller make it (mine). nil: it is
// being made, or it is not worth one yet.
func (c *settled) take(key shape, ps []*part, special bool) (r *reduced, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tick++
	if r = c.have[key]; r != nil {
		r.used = c.tick
		if r.making || r.large {
			return nil, false
		}
		r.users++
		return r, false
	}
	if special && !c.seen[key] {
		c.see(key)
		return nil, false
	}
	r = &reduced{table: settledDB + ".t" + itoa(c.tick), parts: ps, making: true, used: c.tick}
	c.have[key] = r
	return r, true
}

func (c *settled) see(key shape) {
	if len(c.seen) >= mostSeen {
		clear(c.seen)
	}
	c.seen[key] = true
}

// made puts a table in use that was made, with the caller as its reader. One that
// is too large is remembered as such.
func (c *settled) made(key shape, r *reduced, small, ok bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.making = false
	if !ok || r.gone {
		if c.have[key] == r {
			delete(c.have, key)
		}
		return false
	}
	if !small {
		r.large, r.cost = true, 0
		return false
	}
	r.users++
	c.cost += r.cost
	return true
}

// leave ends a use and reports whether the table is to be dropped.
func (c *settled) leave(r *reduced) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.users--
	return r.gone && r.users == 0
}

// forget takes the tables that match out of use and returns those to be dropped now.
func (c *settled) forget(match func(*reduced) bool) (drop []*reduced) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, r := range c.have {
		if !match(r) {
			continue
		}
		delete(c.have, key)
		r.gone = true
		if !r.making {
			c.cost -= r.cost
			if r.users == 0 {
				drop = append(drop, r)
			}
		}
	}
	return drop
}

// forgetMost keeps the bounds: the tables that were not used for longest go.
func (s *Store) forgetMost() {
	for {
		var oldest *reduced
		s.settled.mu.Lock()
		if s.settled.cost > mostSettled || len(s.settled.have) > mostTables {
			for _, r := range s.settled.have {
				if !r.making && (oldest == nil || r.used < oldest.used) {
					oldest = r
				}
			}
		}
		s.settled.mu.Unlock()
		if oldest == nil {
			return
		}
		s.forgetWhere(func(r *reduced) bool { return r == oldest })
	}
}

func (s *Store) forgetWhere(match func(*reduced) bool) {
	for _, r := range s.settled.forget(match) {
		s.dropReduced(r)
	}
}

// dropReduced frees a table that nobody reads.
func (s *Store) dropReduced(r *reduced) {
	if err := s.dropTable(r.table); err != nil {
		s.o.Log.Warn("a table of settled days stays in memory", "err", err)
	}
}

func (s *Store) dropTable(table string) error {
	_, err := s.db.Exec("DROP TABLE IF EXISTS " + table)
	return err
}

// changed takes out of use what was made of a file as it was. Its info has a new
// number by then, so that none of it is read again.
func (s *Store) changed(p *part) {
	s.forgetBundles(func(b *bundle) bool { return slices.Contains(b.parts, p) })
	s.forgetWhere(func(r *reduced) bool { return slices.Contains(r.parts, p) })
}

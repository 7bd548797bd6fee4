//go:build cgo

package duck

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// found is a row of the answer before its columns are read.
type found struct {
	p  *part
	id eco.ID
}

// rows answers a query for facts in two steps: which rows, by their sort keys
// alone, then their columns. The usual question, the newest first, reads files
// backwards in time and stops when older ones cannot add to the page.
func (s *Store) rows(ctx context.Context, pl *plan) (facts.Result, error) {
	ps, done := s.reading(pl.wants)
	defer done()
	want := pl.q.Offset + pl.q.Limit + 1
	var hits []found
	var err error
	if asc, byID := pl.byID(); byID {
		hits, err = s.walk(ctx, pl, ps, asc, want)
	} else {
		hits, err = s.find(ctx, pl, ps, want)
	}
	if err != nil {
		return facts.Result{}, err
	}
	var r facts.Result
	hits = hits[min(pl.q.Offset, len(hits)):]
	if len(hits) > pl.q.Limit {
		hits, r.More = hits[:pl.q.Limit], true
	}
	r.Facts, err = s.read(ctx, pl, hits)
	r.Facts = slices.DeleteFunc(r.Facts, func(f eco.Fact) bool { return !pl.named(&f) })
	if len(pl.q.Relabel) > 0 {
		for i := range r.Facts {
			f := &r.Facts[i]
			f.Family = pl.q.Relabeled(f.Family, f.Signature)
		}
	}
	return r, err
}

// named compares the client's id of a row, which a bundle holds a hash of.
func (pl *plan) named(f *eco.Fact) bool {
	for i, c := range pl.q.Where {
		if c.Col == facts.ClientID && c.Op == facts.In && !slices.Contains(pl.parsed[i], any(f.ClientID)) {
			return false
		}
	}
	return true
}

// byID reports whether the answer is sorted by id alone, and in which direction.
func (pl *plan) byID() (asc, ok bool) {
	if len(pl.q.Order) == 0 {
		return false, true
	}
	o := pl.q.Order[0]
	return !o.Desc, o.By == string(facts.ID)
}

// walk looks into files in the order of the ids in them, one day first and twice
// as many each time, until the rest cannot hold a row of the page.
func (s *Store) walk(ctx context.Context, pl *plan, ps []*part, asc bool, want int) ([]found, error) {
	ps = slices.Clone(ps)
	slices.SortFunc(ps, func(a, b *part) int {
		x, y := a.info.Load(), b.info.Load()
		if asc {
			return cmp.Compare(x.idLo, y.idLo)
		}
		return cmp.Compare(y.idHi, x.idHi)
	})
	var hits []found
	for n := 3; len(ps) > 0; n *= 2 {
		if n = min(n, len(ps)); n > 3 && s.inBundles(pl, ps) {
			n = len(ps) // one question is cheaper than many
		}
		more, err := s.find(ctx, pl, ps[:n], want)
		if err != nil {
			return nil, err
		}
		ps = ps[n:]
		hits = append(hits, more...)
		slices.SortFunc(hits, func(a, b found) int {
			c := slices.Compare(a.id[:], b.id[:])
			if asc {
				return c
			}
			return -c
		})
		if len(hits) < want {
			continue
		}
		hits = hits[:want]
		last := hits[want-1].id.Time().UnixMilli()
		if len(ps) == 0 || asc && ps[0].info.Load().idLo > last || !asc && ps[0].info.Load().idHi < last {
			break
		}
	}
	return hits, nil
}

// find returns the first rows of the files by the order of the query.
func (s *Store) find(ctx context.Context, pl *plan, ps []*part, want int) ([]found, error) {
	if len(ps) == 0 {
		return nil, nil
	}
	var union, by []string
	from, release := s.sources(pl, ps)
	defer release()
	ps = nil // in the order of the number that a row comes with
	for _, u := range from {
		p, number, where := u.p, itoa(len(ps)), ""
		if u.b == nil {
			ps = append(ps, p)
			where = u.in.source + " WHERE " + pl.where(p, false) + between("received", pl.from, pl.to)
		} else {
			p, number = u.b.as, number+" + part"
			ps = append(ps, u.b.parts...)
			where = u.b.alias + ".rows WHERE " + pl.inBundle(u)
		}
		sel := "SELECT " + number + " AS p, id"
		for j, o := range pl.q.Order {
			sel += ", " + pl.expression(facts.Column(o.By), p, false) + " AS o" + itoa(j)
		}
		union = append(union, sel+" FROM "+where)
	}
	for j, o := range pl.q.Order {
		if o.Desc {
			by = append(by, "o"+itoa(j)+" DESC")
		} else {
			by = append(by, "o"+itoa(j))
		}
	}
	by = append(by, "id DESC")
	rows, err := s.db.QueryContext(ctx, pl.lists.with()+"SELECT p, id FROM ("+strings.Join(union, " UNION ALL ")+") ORDER BY "+strings.Join(by, ", ")+" LIMIT "+itoa(want))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var hits []found
	for rows.Next() {
		var i int
		var raw []byte
		if err := rows.Scan(&i, &raw); err != nil {
			return nil, err
		}
		hits = append(hits, found{ps[i], eco.ID(raw)})
	}
	return hits, rows.Err()
}

// read returns the facts of the rows found, in their order.
func (s *Store) read(ctx context.Context, pl *plan, hits []found) ([]eco.Fact, error) {
	byPart := make(map[*part][]any)
	for _, h := range hits {
		byPart[h.p] = append(byPart[h.p], h.id)
	}
	got := make(map[eco.ID]eco.Fact, len(hits))
	for p, ids := range byPart {
		if err := s.readPart(ctx, pl, p, ids, got); err != nil {
			return nil, err
		}
	}
	out := make([]eco.Fact, 0, len(hits))
	for _, h := range hits {
		if f, ok := got[h.id]; ok { // not erased in between
			out = append(out, f)
		}
	}
	return out, nil
}

func (s *Store) readPart(ctx context.Context, pl *plan, p *part, ids []any, got map[eco.ID]eco.Fact) error {
	slices.SortFunc(ids, func(a, b any) int { x, y := a.(eco.ID), b.(eco.ID); return slices.Compare(x[:], y[:]) })
	these, with := test("id", facts.In, ids), ""
	if _, byID := pl.byID(); byID && len(ids) > longList { // planning the list costs more than asking again
		these, with = pl.where(p, false)+between("received", pl.from, pl.to), pl.lists.with()
	}
	// the bounds let DuckDB skip row groups; a long list of values alone does not
	q := fmt.Sprintf("%sSELECT %s FROM %s WHERE id >= %s AND id <= %s AND %s", with, rowColumns, p.info.Load().source,
		literal(ids[0]), literal(ids[len(ids)-1]), these)
	rows, err := s.db.QueryContext(ctx, q)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		f, err := scanFact(rows, p.class)
		if err != nil {
			return err
		}
		got[f.ID] = f
	}
	return rows.Err()
}

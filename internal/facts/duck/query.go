//go:build cgo

package duck

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// Query implements facts.Store.
func (s *Store) Query(ctx context.Context, q facts.Query) (facts.Result, error) {
	if err := q.Check(); err != nil {
		return facts.Result{}, err
	}
	if err := s.live("facts.Query"); err != nil {
		return facts.Result{}, err
	}
	pl, err := newPlan(&q)
	if err != nil {
		return facts.Result{}, err
	}
	if err := ctx.Err(); err != nil {
		return facts.Result{}, failed("facts.Query", err)
	}
	stopped := ctx.Err
	ctx = unstopped(ctx)
	answer := s.groups
	if q.Rows {
		answer = s.rows
	}
	s.alone.RLock()
	r, err := answer(ctx, pl)
	s.alone.RUnlock()
	if outOfMemory(err) { // the others had it, or what is kept of settled days
		s.alone.Lock()
		defer s.alone.Unlock()
		s.forgetWhere(func(*reduced) bool { return true })
		if pl, err = newPlan(&q); err == nil {
			r, err = answer(ctx, pl)
		}
	}
	return r, failed("facts.Query", errors.Join(err, stopped()))
}

// unstopped is for statements: one that has begun is finished. DuckDB may keep the
// transaction of a stopped one open until its connection is used again, and with it
// a hold of every file it read, which then can neither be packed nor removed.
func unstopped(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// reading locks the files that want says against being swapped, and returns them
// with the function that lets them go.
func (s *Store) reading(want func(*part) bool) ([]*part, func()) {
	var ps []*part
	for _, p := range s.all() {
		if !want(p) {
			continue
		}
		p.use.RLock()
		if p.gone {
			p.use.RUnlock()
			continue
		}
		ps = append(ps, p)
	}
	return ps, func() {
		for _, p := range ps {
			p.use.RUnlock()
		}
	}
}

func (s *Store) groups(ctx context.Context, pl *plan) (facts.Result, error) {
	ps, done := s.reading(pl.wants)
	defer done()
	q := pl.q
	r := facts.Result{Cols: q.Cols()}
	infos := make([]*info, len(ps))
	for i, p := range ps {
		infos[i] = p.info.Load()
	}
	question := pl.question(infos)
	if kept, ok := s.answers.get(question, infos); ok {
		return kept, ctx.Err()
	}
	settled, ps, release := s.reduce(ctx, pl, ps)
	defer release()
	var union []string
	if settled != "" {
		union = append(union, settled)
	}
	from, leave := s.sources(pl, ps)
	defer leave()
	for _, u := range from {
		union = append(union, pl.read(u)...)
	}
	if len(union) == 0 {
		if len(q.Group) == 0 {
			r.Rows = append(r.Rows, zeros(q))
		}
		return pageOf(q, r), nil
	}
	rows, err := s.db.QueryContext(ctx, pl.sql(union))
	if err != nil {
		return r, err
	}
	defer rows.Close()
	for rows.Next() {
		vals, err := scanGroup(rows, q)
		if err != nil {
			return r, err
		}
		r.Rows = append(r.Rows, vals)
	}
	if err := rows.Err(); err != nil {
		return r, err
	}
	if len(r.Rows) > q.Limit {
		r.Rows, r.More = r.Rows[:q.Limit], true
	}
	s.answers.put(question, infos, r)
	return r, ctx.Err()
}

// zeros is the one group of a query without groups and rows.
func zeros(q *facts.Query) []any {
	var row []any
	for _, m := range q.Measures {
		if m.Fn.IsInt() {
			row = append(row, int64(0))
		} else {
			row = append(row, float64(0))
		}
	}
	return row
}

// pageOf applies an offset to an answer that was not made by DuckDB.
func pageOf(q *facts.Query, r facts.Result) facts.Result {
	r.Rows = r.Rows[min(q.Offset, len(r.Rows)):]
	return r
}

// sql joins the selects into the query.
func (pl *plan) sql(union []string) string {
	q := pl.q
	var keys []string
	for i := range q.Group {
		keys = append(keys, "k"+itoa(i))
	}
	list := slices.Clone(keys)
	for i, m := range q.Measures {
		list = append(list, pl.formula(m)+" AS m"+itoa(i))
	}
	with, from := pl.lists.with(), pl.over(union)
	switch {
	case !pl.measures(facts.StdErr) && !pl.measures(facts.Repeated):
	case pl.additive:
		from = "(" + perUnit(keys, pl.needed(), from) + ")"
	default:
		named := []string{"src AS (FROM " + from + ")"}
		from = "src"
		join := func(name string, defs ...string) {
			named = append(named, defs...)
			if len(keys) > 0 {
				from += " JOIN " + name + " USING (" + strings.Join(keys, ", ") + ")"
			} else {
				from += ", " + name
			}
		}
		if pl.measures(facts.StdErr) {
			join("spread", spread(keys)...)
		}
		if pl.measures(facts.Repeated) {
			join("again", again(keys)...)
		}
		with = pl.lists.with(named...)
	}
	return with + "SELECT " + strings.Join(list, ", ") + " FROM " + from + groupBy(keys) +
		" ORDER BY " + pl.order(keys) + " LIMIT " + strconv.Itoa(q.Limit+1) + " OFFSET " + strconv.Itoa(q.Offset)
}

func (pl *plan) measures(fn facts.Fn) bool {
	return slices.ContainsFunc(pl.q.Measures, func(m facts.Measure) bool { return m.Fn == fn })
}

func groupBy(keys []string) string {
	if len(keys) == 0 {
		return ""
	}
	return " GROUP BY " + strings.Join(keys, ", ")
}

// perUnit adds up the rows of each group of installs first; sq are the squares that
// the standard error starts from.
func perUnit(keys []string, need map[string]bool, from string) string {
	cols := append(slices.Clone(keys), "g")
	by := strings.Join(cols, ", ")
	for _, s := range sums {
		if need[s.name] {
			cols = append(cols, "sum("+s.name+") AS "+s.name)
		}
	}
	return "SELECT *, w * w AS sq FROM (SELECT " + strings.Join(cols, ", ") + " FROM " + from + " GROUP BY " + by + ")"
}

// spread names the rows (src) and their sums per group of installs, for measures
// that do not add up: they are taken over the rows, joined by the group columns.
func spread(keys []string) []string {
	per := strings.Join(append(slices.Clone(keys), "g"), ", ")
	head := strings.Join(append(slices.Clone(keys), ""), ", ")
	return []string{
		"unit AS (SELECT " + per + ", sum(w) AS s FROM src GROUP BY " + per + ")",
		"spread AS (SELECT " + head + errorOf("sum(s * s)", "sum(s)") + " AS se FROM unit" + groupBy(keys) + ")",
	}
}

// again counts, per group, the installs whose rows add up to more than one.
func again(keys []string) []string {
	per := strings.Join(append(slices.Clone(keys), "who"), ", ")
	head := strings.Join(append(slices.Clone(keys), ""), ", ")
	return []string{
		"times AS (SELECT " + per + ", sum(n) AS s FROM src GROUP BY " + per + ")",
		"again AS (SELECT " + head + "count(*) FILTER (WHERE who IS NOT NULL AND s > 1) AS rp FROM times" + groupBy(keys) + ")",
	}
}

// errorOf is the standard error from the sum of squares and the sum over units.
func errorOf(squares, sum string) string {
	return fmt.Sprintf("sqrt(greatest(coalesce(%s - %s * %s / %d, 0), 0) * %d / %d)", squares, sum, sum, facts.Units, facts.Units, facts.Units-1)
}

func (pl *plan) order(keys []string) string {
	cols := pl.q.Cols()
	var by []string
	for _, o := range pl.q.Order {
		i := slices.Index(cols, o.By) + 1
		if o.Desc {
			by = append(by, itoa(i)+" DESC")
		} else {
			by = append(by, itoa(i))
		}
	}
	for i := range keys {
		by = append(by, itoa(i+1))
	}
	if len(by) == 0 {
		return "1"
	}
	return strings.Join(by, ", ")
}

func (pl *plan) formula(m facts.Measure) string {
	switch m.Fn {
	case facts.Count:
		return total("n", "BIGINT")
	case facts.Rows:
		return total("r", "BIGINT")
	case facts.Errored:
		return total("e", "BIGINT")
	case facts.Crashed:
		return total("c", "BIGINT")
	case facts.Abnormal:
		return total("a", "BIGINT")
	case facts.Installs:
		return "count(DISTINCT who)"
	case facts.Unnamed:
		return total("CASE WHEN who IS NULL THEN n END", "BIGINT")
	case facts.Repeated:
		return "coalesce(any_value(rp), 0)"
	case facts.CrashedBy:
		return "count(DISTINCT CASE WHEN c > 0 THEN who END)"
	case facts.Weighted:
		return total("w", "DOUBLE")
	case facts.WeightSq:
		return total("wsq", "DOUBLE")
	case facts.Sum:
		return total("v", "DOUBLE")
	case facts.Mean:
		return "coalesce(sum(v) / nullif(sum(r), 0), 0)"
	case facts.Quantile:
		return "coalesce(quantile_cont(v, " + strconv.FormatFloat(m.Arg, 'f', -1, 64) + "), 0)"
	case facts.StdErr:
		if pl.additive {
			return errorOf("sum(sq)", "sum(w)")
		}
		return "coalesce(any_value(se), 0)" // the same in each row of the group
	case facts.First:
		return "coalesce(min(lo), 0)"
	}
	return "coalesce(max(hi), 0)" // Last
}

func scanGroup(rows *sql.Rows, q *facts.Query) ([]any, error) {
	n := len(q.Group)
	vals, ptrs := make([]any, n+len(q.Measures)), make([]any, n+len(q.Measures))
	for i := range vals {
		ptrs[i] = &vals[i]
	}
	if err := rows.Scan(ptrs...); err != nil {
		return nil, err
	}
	for i, v := range vals {
		switch v := v.(type) {
		case []byte: // a UUID: the id
			var id eco.ID
			copy(id[:], v)
			vals[i] = id.String()
		case string, float64, int64:
		default:
			return nil, fmt.Errorf("column %d has the type %T", i, v)
		}
		if i >= n && q.Measures[i-n].Fn.IsInt() {
			if _, ok := vals[i].(int64); !ok {
				return nil, fmt.Errorf("measure %d has the type %T", i-n, v)
			}
		}
	}
	return vals, nil
}

//go:build cgo

package duck

import (
	"math"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// plan is a query on its way to SQL: which files, and from where in each.
type plan struct {
	q        *facts.Query
	from, to int64    // of receipt
	parsed   [][]any  // values of q.Where
	dims     []string // what a rollup must have for every column of the query; nil when none can answer
	additive bool     // every measure is a sum, or made of sums
	rollable bool
	lists    lists
	family   string // the expression of the family as the query sees it
	open     bool   // without scope and conditions on free columns: for a table of settled days
}

func newPlan(q *facts.Query) (*plan, error) {
	pl := &plan{q: q, additive: true}
	pl.rollable = !q.Rows
	pl.from, pl.to = q.Span()
	cols := slices.Clone(q.Group)
	for _, c := range q.Where {
		vals, err := c.Parse()
		if err != nil {
			return nil, err
		}
		pl.parsed = append(pl.parsed, vals)
		cols = append(cols, c.Col)
	}
	for _, c := range cols {
		dims, ok := needs(c)
		pl.dims = append(pl.dims, dims...)
		pl.rollable = pl.rollable && ok
	}
	for _, m := range q.Measures {
		switch m.Fn {
		case facts.Count, facts.Rows, facts.Weighted, facts.WeightSq, facts.Errored, facts.Crashed, facts.Abnormal, facts.Sum, facts.Mean:
		case facts.StdErr:
			pl.dims = append(pl.dims, "g")
		default:
			pl.additive = false
		}
	}
	pl.rollable = pl.rollable && pl.additive
	pl.family = relabeled(q.Relabel, &pl.lists)
	return pl, nil
}

// wants reports whether a file can hold rows of the answer.
func (pl *plan) wants(p *part) bool {
	in := p.info.Load()
	if in.rows == 0 || in.hi < pl.from || in.lo >= pl.to {
		return false
	}
	for i, c := range pl.q.Where {
		var ok bool
		switch c.Col {
		case facts.Class:
			ok = holdsValue(c.Op, pl.parsed[i], string(p.class))
		case facts.Date:
			ok = holdsValue(c.Op, pl.parsed[i], int64(p.day))
		case facts.Kind:
			ok = c.Op != facts.In || slices.ContainsFunc(pl.parsed[i], func(v any) bool { return in.kinds&kindBit(eco.Kind(v.(string))) != 0 })
		case facts.Received:
			n := pl.parsed[i][0].(int64)
			ok = c.Op == facts.Ge && in.hi >= n || c.Op == facts.Lt && in.lo < n
		default:
			ok = c.Op != facts.In || in.mayFill(c.Col, pl.parsed[i])
		}
		if !ok {
			return false
		}
	}
	return true
}

// holdsValue decides a condition on a value that all rows of a file share.
func holdsValue[T string | int64](op facts.Op, vals []any, v T) bool {
	switch op {
	case facts.In:
		return slices.Contains(vals, any(v))
	case facts.NotIn:
		return !slices.Contains(vals, any(v))
	case facts.Ge:
		return v >= vals[0].(T)
	}
	return v < vals[0].(T)
}

// rollup chooses the smallest rollup of the file that answers for it, or nil.
func (pl *plan) rollup(in *info) *level {
	if !pl.rollable || in.rolled == 0 {
		return nil
	}
	whole := pl.from <= in.lo && pl.to > in.hi
	const hour = 3_600_000
	hours := (pl.from <= in.lo || pl.from%hour == 0) && (pl.to > in.hi || pl.to%hour == 0)
	for i := range levels {
		l := &levels[i]
		byHour := l.dims[0] == "hour"
		if in.kept&(1<<i) == 0 || !whole && !(byHour && hours) {
			continue
		}
		if !slices.ContainsFunc(pl.dims, func(d string) bool { return !slices.Contains(l.dims, d) }) {
			return l
		}
	}
	return nil
}

// selects returns the selects whose union has every row of the file that the query is about.
func (pl *plan) selects(p *part) []string {
	in := p.info.Load()
	l := pl.rollup(in)
	if l == nil {
		return []string{pl.fromFacts(p, in, "")}
	}
	out := []string{pl.fromRoll(p, l)}
	if in.batch > in.rolled {
		out = append(out, pl.fromFacts(p, in, " AND batch > "+itoa(in.rolled)))
	}
	return out
}

func (pl *plan) fromRoll(p *part, l *level) string {
	and := pl.where(p, true)
	if l.dims[0] == "hour" {
		and += between("hour", pl.from, pl.to)
	}
	return "SELECT " + pl.columns(p, true) + " FROM " + p.alias + "." + l.table + " WHERE " + and
}

func (pl *plan) fromFacts(p *part, in *info, and string) string {
	if in.version == schemaVersion { // an answer is that of the infos it was made with, to the row
		and += " AND batch <= " + itoa(in.batch)
	}
	return "SELECT " + pl.columns(p, false) + " FROM " + in.source + " WHERE " + pl.where(p, false) + between("received", pl.from, pl.to) + and
}

func between(col string, from, to int64) (and string) {
	if from != math.MinInt64 {
		and += " AND " + col + " >= " + itoa(from)
	}
	if to != math.MaxInt64 {
		and += " AND " + col + " < " + itoa(to)
	}
	return and
}

// where writes the scope and the conditions, but for those that choose files.
func (pl *plan) where(p *part, fromRoll bool) string {
	var and []string
	if !pl.open {
		and = append(and, pl.lists.visible(pl.q.Scope))
	}
	for i, c := range pl.q.Where {
		if c.Col != facts.Class && c.Col != facts.Date && !(pl.open && isFree(c.Col)) {
			if c.Col == facts.ClientID && p.many {
				and = append(and, "client IN ("+strings.Join(clientHashes(pl.parsed[i]), ", ")+")")
				continue
			}
			and = append(and, pl.lists.test(pl.expression(c.Col, p, fromRoll), c.Op, pl.parsed[i]))
			if c.Col == facts.Family && c.Op == facts.In && len(pl.q.Relabel) > 0 { // lets DuckDB skip row groups
				and = append(and, pl.lists.test("family", facts.In, sources(pl.q.Relabel, pl.parsed[i])))
			}
		}
	}
	if !fromRoll && !pl.q.Filters(facts.Quarantined) {
		and = append(and, "NOT quarantined")
	}
	if len(and) == 0 {
		return "true"
	}
	return strings.Join(and, " AND ")
}

// selected is a column of the select of one file.
type selected struct{ expr, name string }

func (pl *plan) columns(p *part, fromRoll bool) string {
	var cols []string
	for _, c := range pl.list(p, fromRoll) {
		if c.expr == c.name {
			cols = append(cols, c.name)
		} else {
			cols = append(cols, c.expr+" AS "+c.name)
		}
	}
	return strings.Join(cols, ", ")
}

// list is the select list of one file: the columns that the group and the
// measures are made of. What is computed from them is computed once, over the
// union: planning costs DuckDB more than reading, with hundreds of files.
func (pl *plan) list(p *part, fromRoll bool) []selected {
	var cols []selected
	add := func(expr, name string) {
		if c := (selected{expr, name}); !slices.Contains(cols, c) {
			cols = append(cols, c)
		}
	}
	for i, c := range pl.q.Group {
		switch c {
		case facts.SubjectExt, facts.SubjectVer:
			dims, _ := needs(c)
			for _, d := range dims {
				add(d, d)
			}
		default:
			add(pl.expression(c, p, fromRoll), "k"+itoa(i))
		}
	}
	need := pl.needed()
	for _, s := range sums {
		switch {
		case need[s.name] && fromRoll:
			add(s.name, s.name)
		case need[s.name]:
			add(s.of, s.name)
		}
	}
	if need["g"] {
		add("g", "g")
	}
	if need["lo"] {
		add("received", "lo")
	}
	if need["hi"] {
		add("received", "hi")
	}
	if need["who"] {
		add("install", "install")
		if !pl.fixed() {
			add("extension", "extension")
			add("host", "host")
		}
	}
	if pl.open {
		for _, c := range free {
			add(c, c)
		}
	}
	return cols
}

// over is the union of the selects, with the columns k0, k1, … of the group and
// what the measures need.
func (pl *plan) over(union []string) string {
	rows := strings.Join(union, " UNION ALL ")
	var cols []string
	for i, c := range pl.q.Group {
		if c == facts.SubjectExt || c == facts.SubjectVer {
			cols = append(cols, expression(c, nil, false)+" AS k"+itoa(i))
		}
	}
	if pl.needed()["who"] {
		cols = append(cols, pl.who()+" AS who")
	}
	if len(cols) > 0 {
		rows = "SELECT *, " + strings.Join(cols, ", ") + " FROM (" + rows + ")"
	}
	return "(" + rows + ")"
}

// needed names what the measures are made of.
func (pl *plan) needed() map[string]bool {
	need := make(map[string]bool)
	for _, m := range pl.q.Measures {
		for _, name := range ingredients(m.Fn) {
			need[name] = true
		}
	}
	return need
}

// who identifies an install. Pseudonyms are comparable within one extension, or
// host, only: where the query does not hold that fixed, they are told apart by a
// 64-bit hash of both, which is as unique as the pseudonyms are.
func (pl *plan) who() string {
	if pl.fixed() {
		return "nullif(install, 0)"
	}
	return "CASE WHEN install <> 0 THEN hash(extension, CASE WHEN extension = '' THEN host ELSE '' END, install) END"
}

// fixed reports whether all installs of a group are of one extension or host.
func (pl *plan) fixed() bool {
	fixed := slices.Contains(pl.q.Group, facts.Extension)
	for i, c := range pl.q.Where {
		fixed = fixed || c.Col == facts.Extension && c.Op == facts.In && len(pl.parsed[i]) == 1
	}
	return fixed && (slices.Contains(pl.q.Group, facts.Host) || !pl.rowsOfHosts())
}

// rowsOfHosts reports whether rows without an extension can be among the answer's.
func (pl *plan) rowsOfHosts() bool {
	for i, c := range pl.q.Where {
		if c.Col == facts.Extension && c.Op == facts.In && !slices.Contains(pl.parsed[i], any("")) {
			return false
		}
	}
	return true
}

func ingredients(fn facts.Fn) []string {
	switch fn {
	case facts.Count:
		return []string{"n"}
	case facts.Rows:
		return []string{"r"}
	case facts.Weighted:
		return []string{"w"}
	case facts.WeightSq:
		return []string{"wsq"}
	case facts.StdErr:
		return []string{"w", "g"}
	case facts.Errored:
		return []string{"e"}
	case facts.Crashed:
		return []string{"c"}
	case facts.Abnormal:
		return []string{"a"}
	case facts.Installs:
		return []string{"who"}
	case facts.Unnamed:
		return []string{"who", "n"}
	case facts.Repeated:
		return []string{"who", "n"}
	case facts.CrashedBy:
		return []string{"who", "c"}
	case facts.Sum, facts.Quantile:
		return []string{"v"}
	case facts.Mean:
		return []string{"v", "r"}
	case facts.First:
		return []string{"lo"}
	}
	return []string{"hi"} // Last
}

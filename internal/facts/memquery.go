package facts

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Query implements Store.
func (m *Mem) Query(ctx context.Context, q Query) (Result, error) {
	if err := q.Check(); err != nil {
		return Result{}, err
	}
	if err := ctx.Err(); err != nil {
		return Result{}, fault.E("facts.Query", fault.Unavailable, "The query was stopped.", err)
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	rows, err := m.match(&q)
	if err != nil {
		return Result{}, err
	}
	if q.Rows {
		var r Result
		sortFacts(&q, rows)
		r.Facts, r.More = page(&q, rows)
		return r, nil
	}
	groups := groupFacts(&q, rows)
	sortGroups(&q, groups)
	r := Result{Cols: q.Cols()}
	r.Rows, r.More = page(&q, groups)
	return r, nil
}

func page[T any](q *Query, rows []T) ([]T, bool) {
	rows = rows[min(q.Offset, len(rows)):]
	if len(rows) > q.Limit {
		return rows[:q.Limit], true
	}
	return rows, false
}

// match returns the facts the query may see and selects.
func (m *Mem) match(q *Query) ([]eco.Fact, error) {
	from, to := q.Span()
	parsed := make([][]any, len(q.Where))
	for i, c := range q.Where {
		var err error
		if parsed[i], err = c.Parse(); err != nil {
			return nil, err
		}
	}
	apart := q.Filters(Quarantined)
	var out []eco.Fact
	for _, p := range m.parts {
		for _, f := range p.rows {
			f.Family = q.Relabeled(f.Family, f.Signature)
			ok := q.Scope.Sees(&f) && f.Received >= from && f.Received < to && (apart || !f.Quarantined)
			for i, c := range q.Where {
				ok = ok && holds(c.Op, Value(&f, c.Col), parsed[i])
			}
			if ok {
				out = append(out, f)
			}
		}
	}
	return out, nil
}

func holds(op Op, v any, vals []any) bool {
	switch op {
	case In:
		return slices.Contains(vals, v)
	case NotIn:
		return !slices.Contains(vals, v)
	case Ge:
		return compare(v, vals[0]) >= 0
	}
	return compare(v, vals[0]) < 0
}

func compare(a, b any) int {
	switch a := a.(type) {
	case string:
		return cmp.Compare(a, b.(string))
	case int64:
		return cmp.Compare(a, b.(int64))
	case float64:
		return cmp.Compare(a, b.(float64))
	case eco.ID:
		x, y := a, b.(eco.ID)
		return slices.Compare(x[:], y[:])
	}
	panic("facts: no such value")
}

// Value returns a column of a fact as string, int64 or eco.ID.
func Value(f *eco.Fact, c Column) any {
	o := &f.Origin
	switch c {
	case Hour:
		return f.Received - f.Received%3_600_000
	case Date:
		return int64(f.Day())
	case ID:
		return f.ID
	case Class:
		return string(f.Class)
	case Kind:
		return string(f.Kind)
	case Project:
		return o.Project
	case Extension:
		return string(o.Extension)
	case ExtVersion:
		return o.ExtVersion
	case Host:
		return o.Host
	case HostVersion:
		return o.HostVersion
	case Channel:
		return string(o.Channel)
	case OS:
		return o.OS
	case OSVersion:
		return o.OSVersion
	case Arch:
		return o.Arch
	case Runtime:
		return o.Runtime
	case Environment:
		return o.Environment
	case Country:
		return o.Country
	case SDK:
		return o.SDK
	case Name:
		return f.Name
	case Signature:
		return f.Signature
	case Family:
		return f.Family
	case Blame:
		return string(f.Blame)
	case BlameVer:
		return f.BlameVer
	case SubjectExt, SubjectVer:
		return subject(f, c)
	case Level:
		return f.Level
	case Handled:
		return bit(f.Handled)
	case Counted:
		return bit(f.Counted())
	case Quarantined:
		return bit(f.Quarantined)
	case Dedup:
		return int64(f.Dedup)
	case Session:
		return int64(f.Session)
	case Install:
		return int64(o.Install)
	case ClientID:
		return f.ClientID
	case Received:
		return f.Received
	}
	panic("facts: no such column")
}

func subject(f *eco.Fact, c Column) any {
	ext, ver := f.Origin.Extension, f.Origin.ExtVersion
	if f.Blame != "" {
		ext, ver = f.Blame, f.BlameVer
	}
	if c == SubjectExt {
		return string(ext)
	}
	return ver
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func groupFacts(q *Query, rows []eco.Fact) [][]any {
	type group struct {
		key  []any
		rows []*eco.Fact
	}
	groups := make(map[string]*group)
	if len(q.Group) == 0 {
		groups[""] = &group{}
	}
	for i := range rows {
		var key []any
		var text strings.Builder
		for _, c := range q.Group {
			v := Value(&rows[i], c)
			if id, ok := v.(eco.ID); ok {
				v = id.String()
			}
			key = append(key, v)
			fmt.Fprintf(&text, "%v\x00", v)
		}
		g := groups[text.String()]
		if g == nil {
			g = &group{key: key}
			groups[text.String()] = g
		}
		g.rows = append(g.rows, &rows[i])
	}
	var out [][]any
	for _, g := range groups {
		row := g.key
		for _, m := range q.Measures {
			row = append(row, measure(m, g.rows))
		}
		out = append(out, row)
	}
	return out
}

func sortGroups(q *Query, rows [][]any) {
	cols := q.Cols()
	slices.SortFunc(rows, func(a, b []any) int {
		for _, o := range q.Order {
			i := slices.Index(cols, o.By)
			if c := compare(a[i], b[i]); c != 0 {
				return flip(c, o.Desc)
			}
		}
		for i := range q.Group {
			if c := compare(a[i], b[i]); c != 0 {
				return c
			}
		}
		return 0
	})
}

func sortFacts(q *Query, rows []eco.Fact) {
	slices.SortFunc(rows, func(a, b eco.Fact) int {
		for _, o := range q.Order {
			if c := compare(Value(&a, Column(o.By)), Value(&b, Column(o.By))); c != 0 {
				return flip(c, o.Desc)
			}
		}
		return slices.Compare(b.ID[:], a.ID[:])
	})
}

func flip(c int, desc bool) int {
	if desc {
		return -c
	}
	return c
}

// exported is a row of an export, without pseudonyms.
func exported(f *eco.Fact) map[string]any {
	row := map[string]any{
		"received": f.Received, "time": f.Time, "value": f.Value, "weight": f.Weight, "assumed": f.Assumed, "count": f.Count,
		"errored": f.Errored, "crashed": f.Crashed, "abnormal": f.Abnormal, "attrs": f.Attrs,
	}
	for _, c := range Exported {
		row[string(c)] = Value(f, c)
	}
	return row
}

// Exported lists the columns of an export that one can also filter by; the
// numbers of the fact, its two times and its attributes come with them.
var Exported = []Column{
	ID, Class, Kind, Project, Extension, ExtVersion, Host, HostVersion, Channel, OS, OSVersion, Arch, Runtime, Environment, Country, SDK,
	Name, Signature, Family, Blame, BlameVer, Level, Handled, Quarantined, ClientID,
}

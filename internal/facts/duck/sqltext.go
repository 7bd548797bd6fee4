//go:build cgo

package duck

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// Values are written into the text of a query and not bound: DuckDB skips row
// groups only for constants it knows while planning.

func itoa[N int | int64 | eco.Day](n N) string { return strconv.FormatInt(int64(n), 10) }

// quote writes a string as a literal. DuckDB knows no escapes in it but ”.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// sayable reports whether a string can be in the store, and in a query's text.
func sayable(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

func literal(v any) string {
	switch v := v.(type) {
	case int64:
		if v == -1<<63 {
			return "(-9223372036854775807 - 1)"
		}
		return itoa(v)
	case eco.ID:
		return "'" + v.String() + "'::UUID"
	}
	return quote(v.(string))
}

func literals(vals []any) []string {
	var out []string
	for _, v := range vals {
		if s, ok := v.(string); ok && !sayable(s) {
			continue // nothing stored equals it
		}
		out = append(out, literal(v))
	}
	return out
}

// lists holds the long lists of values of a query: each is written once, however
// many files the query reads. The nil lists writes them where they stand.
type lists struct{ defs []string }

const longList = 32

func (l *lists) set(lits []string) string {
	text := strings.Join(lits, ", ")
	if l == nil || len(lits) <= longList {
		return "(" + text + ")"
	}
	def := "(SELECT unnest([" + text + "]) AS v)"
	i := slices.Index(l.defs, def)
	if i < 0 {
		i = len(l.defs)
		l.defs = append(l.defs, def)
	}
	return "(SELECT v FROM list" + itoa(i) + ")"
}

// with begins a query with the lists and further named selects.
func (l *lists) with(more ...string) string {
	var parts []string
	for i, d := range l.defs {
		parts = append(parts, "list"+itoa(i)+" AS "+d)
	}
	if parts = append(parts, more...); len(parts) == 0 {
		return ""
	}
	return "WITH " + strings.Join(parts, ", ") + " "
}

// test writes a condition on an expression.
func (l *lists) test(expr string, op facts.Op, vals []any) string {
	lits := literals(vals)
	switch {
	case op == facts.Ge:
		return expr + " >= " + lits[0]
	case op == facts.Lt:
		return expr + " < " + lits[0]
	case op == facts.In && len(lits) == 0:
		return "false"
	case op == facts.In && len(lits) == 1:
		return expr + " = " + lits[0]
	case op == facts.In:
		return expr + " IN " + l.set(lits)
	case len(lits) == 0:
		return "true"
	}
	return expr + " NOT IN " + l.set(lits)
}

// test without lists.
func test(expr string, op facts.Op, vals []any) string { return (*lists)(nil).test(expr, op, vals) }

// visible writes the scope as a condition.
func (l *lists) visible(s facts.Scope) string {
	if s.All() {
		return "true"
	}
	or := []string{"false"}
	var ext, hosts []any
	for _, e := range s.Extensions() {
		if e != "" {
			ext = append(ext, string(e))
		}
	}
	for _, h := range s.Hosts() {
		if h != "" {
			hosts = append(hosts, h)
		}
	}
	if len(ext) > 0 {
		or = append(or, l.test("extension", facts.In, ext), l.test("blame", facts.In, ext))
	}
	if len(hosts) > 0 {
		or = append(or, "(extension = '' AND "+l.test("host", facts.In, hosts)+")")
	}
	return "(" + strings.Join(or, " OR ") + ")"
}

// expression writes a column of a row of facts or of a rollup (fromRoll) of the partition.
func expression(c facts.Column, p *part, fromRoll bool) string {
	switch c {
	case facts.Hour:
		if fromRoll {
			return "hour"
		}
		return "(" + hourOf + ")"
	case facts.Date:
		if p.many {
			return "day"
		}
		return itoa(p.day) + "::BIGINT"
	case facts.Class:
		if p.many {
			return "class"
		}
		return quote(string(p.class))
	case facts.SubjectExt:
		return "(CASE WHEN blame <> '' THEN blame ELSE extension END)"
	case facts.SubjectVer:
		return "(CASE WHEN blame <> '' THEN blame_ver ELSE ext_version END)"
	case facts.Counted:
		return "(kind = 'crash' AND value >= 1)::BIGINT"
	case facts.Handled, facts.Quarantined:
		return string(c) + "::BIGINT"
	}
	return string(c) // the others have the same name in the table
}

// expression is the same with the family as the query sees it.
func (pl *plan) expression(c facts.Column, p *part, fromRoll bool) string {
	if c == facts.Family {
		return pl.family
	}
	return expression(c, p, fromRoll)
}

// relabeled writes the family of a row of facts. Few rows are of a family that has
// another name; only those are compared one by one.
func relabeled(list []facts.Relabel, l *lists) string {
	if len(list) == 0 {
		return "family"
	}
	var from []string
	var signed, whole strings.Builder
	for _, r := range list {
		if name := quote(r.Family); !slices.Contains(from, name) {
			from = append(from, name)
		}
		if r.Signature != "" {
			signed.WriteString(" WHEN family = " + quote(r.Family) + " AND signature = " + quote(r.Signature) + " THEN " + quote(r.To))
		} else {
			whole.WriteString(" WHEN family = " + quote(r.Family) + " THEN " + quote(r.To))
		}
	}
	return "(CASE WHEN family IN " + l.set(from) + " THEN CASE" + signed.String() + whole.String() + " ELSE family END ELSE family END)"
}

// sources are the stored families of rows that a query sees under the names given.
func sources(list []facts.Relabel, names []any) []any {
	out := slices.Clone(names)
	for _, r := range list {
		if slices.Contains(names, any(r.To)) && !slices.Contains(out, any(r.Family)) {
			out = append(out, r.Family)
		}
	}
	return out
}

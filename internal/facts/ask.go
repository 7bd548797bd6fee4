package facts

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Query asks for groups with measures, or (Rows) for facts themselves.
//
// Without Group there is exactly one group, even when no row matches; its numbers
// are then 0. With Group, a group is there when a row is.
type Query struct {
	Scope    Scope
	From, To time.Time // of receipt, half open; zero = unbounded
	Where    []Cond
	Group    []Column
	Measures []Measure
	Order    []Order // by column or measure name; ties are broken by the group columns, of facts by the newest id
	Limit    int     // 0 = 10,000, the most
	Offset   int
	Rows     bool // facts, newest id first unless Order says otherwise, instead of groups
	Relabel  []Relabel
}

// Order is one sort key.
type Order struct {
	By   string
	Desc bool
}

// Result holds groups or facts. Row values are string, int64 or float64, group
// columns first, then measures, as named in Cols.
type Result struct {
	Cols  []string
	Rows  [][]any
	Facts []eco.Fact
	More  bool // the limit cut the answer
}

// Bounds of one question and one answer.
const (
	MaxLimit  = 10_000  // rows or groups in an answer
	MaxOffset = 100_000 // page further with a condition on ID instead
	maxWhere  = 32      // conditions
	maxValues = 6_000   // values in all conditions together
	maxGroup  = 8       // columns
	maxOthers = 24      // measures; sort keys
)

// Type is the type of a column's values.
type Type int

const (
	TypeText Type = iota + 1
	TypeInt       // int64, printed in decimal
	TypeID        // eco.ID, printed as 32 hex digits
)

// Type returns the type of the column, and 0 for an unknown one.
func (c Column) Type() Type {
	switch c {
	case ID:
		return TypeID
	case Hour, Date, Project, Handled, Counted, Quarantined, Dedup, Session, Install, Received:
		return TypeInt
	case Class, Kind, Extension, ExtVersion, Host, HostVersion, Channel, OS, OSVersion, Arch, Runtime, Environment, Country, SDK,
		Name, Signature, Family, Blame, BlameVer, SubjectExt, SubjectVer, Level, ClientID:
		return TypeText
	}
	return 0
}

// IsInt reports whether a measure's values are int64; the others are float64.
func (f Fn) IsInt() bool {
	switch f {
	case Count, Rows, Installs, Repeated, Unnamed, Errored, Crashed, Abnormal, CrashedBy, First, Last:
		return true
	}
	return false
}

func (f Fn) known() bool {
	switch f {
	case Weighted, WeightSq, StdErr, Sum, Mean, Quantile:
		return true
	}
	return f.IsInt()
}

// Label is the name of the measure in the result.
func (m Measure) Label() string {
	if m.As != "" {
		return m.As
	}
	return string(m.Fn)
}

// Parse returns the values of a condition as string, int64 or eco.ID.
func (c Cond) Parse() ([]any, error) {
	vals := make([]any, len(c.Values))
	for i, v := range c.Values {
		switch c.Col.Type() {
		case TypeText:
			vals[i] = v
		case TypeInt:
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				return nil, invalid("This column compares with whole numbers.")
			}
			vals[i] = n
		case TypeID:
			id, err := eco.ParseID(v)
			if err != nil {
				return nil, err
			}
			vals[i] = id
		}
	}
	return vals, nil
}

// Span returns the query's bounds of receipt in Unix milliseconds, half open.
func (q *Query) Span() (from, to int64) {
	from, to = math.MinInt64, math.MaxInt64
	if !q.From.IsZero() {
		from = ceilMilli(q.From)
	}
	if !q.To.IsZero() {
		to = ceilMilli(q.To)
	}
	return from, to
}

// ceilMilli rounds up, so that "received >= t" and "received < t" keep their
// meaning for whole milliseconds.
func ceilMilli(t time.Time) int64 {
	ms := t.UnixMilli()
	if time.UnixMilli(ms).Before(t) {
		ms++
	}
	return ms
}

// Check refuses what no engine can answer, and fills in the limit.
func (q *Query) Check() error {
	if !q.Scope.set {
		return invalid("A query needs a scope.")
	}
	if q.Limit < 0 || q.Limit > MaxLimit || q.Offset < 0 || q.Offset > MaxOffset {
		return invalid("The limit is between 1 and 10,000, the offset at most 100,000.")
	}
	if q.Limit == 0 {
		q.Limit = MaxLimit
	}
	if len(q.Where) > maxWhere || len(q.Group) > maxGroup || len(q.Measures) > maxOthers || len(q.Order) > maxOthers {
		return invalid("That is too much for one query.")
	}
	values := 0
	for _, c := range q.Where {
		values += len(c.Values)
		if err := c.check(); err != nil {
			return err
		}
	}
	if values > maxValues {
		return invalid("That is too much for one query.")
	}
	if err := checkRelabel(q.Relabel); err != nil {
		return err
	}
	if q.Rows {
		return q.checkRows()
	}
	return q.checkGroups()
}

func (c Cond) check() error {
	t := c.Col.Type()
	switch {
	case t == 0:
		return invalid("There is no such column.")
	case c.Op == Ge || c.Op == Lt:
		if t == TypeText {
			return invalid("Only numbers and ids compare with ge and lt.")
		}
		if len(c.Values) != 1 {
			return invalid("ge and lt take one value.")
		}
	case c.Op != In && c.Op != NotIn:
		return invalid("There is no such comparison.")
	case c.Col == Received:
		return invalid("The time of receipt compares with ge and lt.")
	}
	_, err := c.Parse()
	return err
}

func (q *Query) checkRows() error {
	if len(q.Group) > 0 || len(q.Measures) > 0 {
		return invalid("A query asks for rows or for groups.")
	}
	for _, o := range q.Order {
		if Column(o.By).Type() == 0 {
			return invalid("Rows are sorted by columns.")
		}
	}
	return nil
}

func (q *Query) checkGroups() error {
	names := make(map[string]bool)
	for _, c := range q.Group {
		if c.Type() == 0 || c == Received || c == Install && !q.named() {
			return invalid("There is no such column to group by.")
		}
		if names[string(c)] {
			return invalid("A column is named twice.")
		}
		names[string(c)] = true
	}
	for _, m := range q.Measures {
		if !m.Fn.known() || m.Fn == Quantile && !(m.Arg >= 0 && m.Arg <= 1) {
			return invalid("There is no such measure.")
		}
		if names[m.Label()] {
			return invalid("Two columns of the answer have one name.")
		}
		names[m.Label()] = true
	}
	for _, o := range q.Order {
		if !names[o.By] {
			return invalid("Groups are sorted by their own columns and measures.")
		}
	}
	if len(q.Group) == 0 && len(q.Measures) == 0 {
		return invalid("A query needs a group or a measure.")
	}
	return nil
}

// named reports whether the question itself names the installs that it is about:
// then a pseudonym may be a group, since the answer holds none that was not asked.
func (q *Query) named() bool {
	return slices.ContainsFunc(q.Where, func(w Cond) bool { return w.Col == Install && w.Op == In })
}

// Cols names the columns of a query for groups.
func (q *Query) Cols() []string {
	var cols []string
	for _, c := range q.Group {
		cols = append(cols, string(c))
	}
	for _, m := range q.Measures {
		cols = append(cols, m.Label())
	}
	return cols
}

// Filters reports whether a condition names the column.
func (q *Query) Filters(c Column) bool {
	return slices.ContainsFunc(q.Where, func(w Cond) bool { return w.Col == c })
}

func invalid(text string) error {
	return fault.E("facts.Query", fault.Invalid, text, nil)
}

// Units is the number of groups of installs behind StdErr.
const Units = 64

// Unit returns the group, below Units, that a row's install belongs to; a row
// without an install is its own unit and falls into a group by its id. Pseudonyms
// and ids are uniform in their low bits.
func Unit(f *eco.Fact) int {
	if f.Origin.Install != 0 {
		return int(f.Origin.Install % Units)
	}
	return int(f.ID[15] % Units)
}

// String prints a query for error messages of tests; values of conditions are left out.
func (q *Query) String() string {
	return fmt.Sprintf("group %v measures %v order %v limit %d offset %d rows %v", q.Group, q.Measures, q.Order, q.Limit, q.Offset, q.Rows)
}

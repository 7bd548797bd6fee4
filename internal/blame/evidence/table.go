package evidence

import (
	"cmp"
	"math"
	"slices"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/estimate"
)

// set is one extension or two, by number; the second is -1 for one.
type set [2]int

func one(a int) set { return set{a, -1} }

func compareSets(a, b set) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }

// row is a vote by numbers.
type row struct {
	stratum int
	weight  float64
	ext     []int // sorted
	vers    []string
	marks   [(maxScreen + 63) / 64]uint64 // of the screened ones that it has, by their place
}

func (r *row) has(e int) bool {
	_, ok := slices.BinarySearch(r.ext, e)
	return ok
}

// has tests for an extension; the screened ones are asked for thousands of times.
func (t *table) has(e int) func(*row) bool {
	if i, ok := slices.BinarySearch(t.screened, e); ok {
		word, bit := i/64, uint64(1)<<(i%64)
		return func(r *row) bool { return r.marks[word]&bit != 0 }
	}
	return func(r *row) bool { return r.has(e) }
}

func (t *table) holds(s set) func(*row) bool {
	a := t.has(s[0])
	if s[1] < 0 {
		return a
	}
	b := t.has(s[1])
	return func(r *row) bool { return a(r) && b(r) }
}

// mark notes in each row which of the screened extensions it has.
func (t *table) mark(screened []int) {
	t.screened = screened
	for _, list := range [][]row{t.crashes, t.controls, t.others} {
		for i := range list {
			r, at := &list[i], 0
			for _, e := range r.ext { // both are sorted
				for at < len(screened) && screened[at] < e {
					at++
				}
				if at < len(screened) && screened[at] == e {
					r.marks[at/64] |= 1 << (at % 64)
				}
			}
		}
	}
}

func (r *row) version(e int) string {
	if i, ok := slices.BinarySearch(r.ext, e); ok {
		return r.vers[i]
	}
	return ""
}

// table is a question by numbers: votes that can be compared, and nothing else.
type table struct {
	names    []eco.ExtensionID // sorted
	strata   int
	crashes  []row
	controls []row
	others   []row
	against  Against
	cases    int
	compared int
	leftOut  int
	screened []int // sorted
}

// newTable keeps the votes with every given extension, in strata where there is
// something to compare with: healthy sessions if they cover the larger part of
// the crashes, else the crashes of other families.
func newTable(q *Question) *table {
	crashes, sessions, others := given(q.Crashes, q.Given), given(q.Sessions, q.Given), given(q.Others, q.Given)
	t := &table{against: AgainstSessions}
	use := sessions
	in, kept := comparable(crashes, sessions)
	if in2, kept2 := comparable(crashes, others); 2*kept < len(crashes) && kept2 > kept {
		in, kept, use, t.against = in2, kept2, others, AgainstCrashes
	}
	t.cases, t.leftOut, t.strata = kept, len(crashes)-kept, len(in)
	number := t.number(in, q.Given, crashes, use)
	t.crashes, t.controls = rows(crashes, in, number), rows(use, in, number)
	if t.against == AgainstSessions {
		t.others = rows(others, in, number)
	}
	t.compared = len(t.controls)
	return t
}

// given are the votes with all of some extensions.
func given(votes []Vote, all []eco.ExtensionID) []Vote {
	if len(all) == 0 {
		return votes
	}
	var out []Vote
	for _, v := range votes {
		n := 0
		for _, id := range all {
			if slices.ContainsFunc(v.Active, func(a eco.Active) bool { return a.ID == id }) {
				n++
			}
		}
		if n == len(all) {
			out = append(out, v)
		}
	}
	return out
}

// comparable numbers the strata that have crashes and enough to compare with, and
// counts the crashes in them.
func comparable(crashes, with []Vote) (in map[string]int, kept int) {
	n := map[string]int{}
	for i := range with {
		n[with[i].Stratum]++
	}
	var names []string
	for i := range crashes {
		if s := crashes[i].Stratum; n[s] >= minCompare {
			kept++
			names = append(names, s)
		}
	}
	slices.Sort(names)
	in = map[string]int{}
	for i, s := range slices.Compact(names) {
		in[s] = i
	}
	return in, kept
}

// number names the extensions of the votes that count, in their order of name.
func (t *table) number(in map[string]int, not []eco.ExtensionID, lists ...[]Vote) map[eco.ExtensionID]int {
	seen := map[eco.ExtensionID]int{}
	for _, votes := range lists {
		for i := range votes {
			if _, ok := in[votes[i].Stratum]; !ok {
				continue
			}
			for _, a := range votes[i].Active[:min(len(votes[i].Active), maxActive)] {
				if !slices.Contains(not, a.ID) {
					seen[a.ID] = 0
				}
			}
		}
	}
	for id := range seen {
		t.names = append(t.names, id)
	}
	slices.Sort(t.names)
	for i, id := range t.names {
		seen[id] = i
	}
	return seen
}

func rows(votes []Vote, in map[string]int, number map[eco.ExtensionID]int) []row {
	type numbered struct {
		e       int
		version string
	}
	byNumber := func(a, b numbered) int { return cmp.Or(cmp.Compare(a.e, b.e), cmp.Compare(a.version, b.version)) }
	var list []numbered
	out := make([]row, 0, len(votes))
	for i := range votes {
		s, ok := in[votes[i].Stratum]
		if !ok {
			continue
		}
		r := row{stratum: s, weight: votes[i].Weight}
		if !(r.weight > 0) || math.IsInf(r.weight, 0) {
			r.weight = 1
		}
		list = list[:0]
		for _, a := range votes[i].Active[:min(len(votes[i].Active), maxActive)] {
			if e, ok := number[a.ID]; ok {
				list = append(list, numbered{e, a.Version})
			}
		}
		if !slices.IsSortedFunc(list, byNumber) {
			slices.SortFunc(list, byNumber)
		}
		r.ext, r.vers = make([]int, 0, len(list)), make([]string, 0, len(list))
		for _, a := range list {
			if len(r.ext) == 0 || r.ext[len(r.ext)-1] != a.e {
				r.ext, r.vers = append(r.ext, a.e), append(r.vers, a.version)
			}
		}
		out = append(out, r)
	}
	return out
}

// tally is a comparison by stratum. The counts of the comparison are those of an
// effective sample: installations that stand for many sessions count for less
// than their sessions (Kish).
type tally struct{ cells []cell }

// count compares how often f holds, among the votes for which also holds (nil: all).
// Each stratum may be split further by part (nil: not), into 0 … parts-1.
func (t *table) count(holds func(*row) bool, among func(*row) bool, parts int, part func(*row) int) tally {
	cells := make([]cell, t.strata*max(parts, 1))
	squares := make([]float64, len(cells))
	at := func(r *row) int {
		if part == nil {
			return r.stratum
		}
		return r.stratum*parts + part(r)
	}
	for i := range t.crashes {
		r := &t.crashes[i]
		if among != nil && !among(r) {
			continue
		}
		c := &cells[at(r)]
		c.n++
		if holds(r) {
			c.k++
		}
	}
	for i := range t.controls {
		r := &t.controls[i]
		if among != nil && !among(r) {
			continue
		}
		c := &cells[at(r)]
		c.m += r.weight
		squares[at(r)] += r.weight * r.weight
		if holds(r) {
			c.j += r.weight
		}
	}
	for i := range cells {
		if c := &cells[i]; c.m > 0 {
			shrink := c.m / squares[i] // n_eff = m^2 / squares = m * shrink
			c.m, c.j = c.m*shrink, c.j*shrink
		}
	}
	return tally{cells}
}

// shares are the share among crashes and the expected one: that of the
// comparison, weighted as crashes are spread over strata. Crashes of strata
// without a comparison do not count.
func (y tally) shares() (k, n, expected, size float64) {
	for _, c := range y.cells {
		if c.m > 0 {
			k, n = k+c.k, n+c.n
		}
	}
	if n == 0 {
		return 0, 0, 0, 0
	}
	variance, all := 0.0, 0.0
	for _, c := range y.cells {
		if c.m > 0 && c.n > 0 {
			w, p := c.n/n, c.j/c.m
			expected += w * p
			variance += w * w * p * (1 - p) / c.m
			all += c.m
		}
	}
	size = all
	if variance > 0 {
		size = min(all, expected*(1-expected)/variance)
	}
	return k, n, min(expected, 1), size
}

// difference is the share among crashes less the expected one.
func (y tally) difference() float64 {
	k, n, expected, _ := y.shares()
	if n == 0 {
		return 0
	}
	return k/n - expected
}

// numbers are shares with their intervals. That of the difference is Newcombe's
// (method 10): the two Wilson intervals, joined.
func (y tally) numbers() Numbers {
	k, n, expected, size := y.shares()
	out := Numbers{With: int(k), Share: estimate.Wilson(k, n), Expected: estimate.Wilson(expected*size, size)}
	a, b := out.Share, out.Expected
	d := a.Value - b.Value
	out.Difference = estimate.Interval{Value: d, N: n,
		Low:  d - math.Hypot(a.Value-a.Low, b.High-b.Value),
		High: d + math.Hypot(a.High-a.Value, b.Value-b.Low)}
	return out
}

// elsewhere is the share among crashes of other families.
func (t *table) elsewhere(s set) estimate.Interval {
	k, n, holds := 0.0, 0.0, t.holds(s)
	for i := range t.others {
		n++
		if holds(&t.others[i]) {
			k++
		}
	}
	if n == 0 {
		return estimate.Interval{}
	}
	return estimate.Wilson(k, n)
}

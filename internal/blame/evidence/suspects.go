package evidence

import (
	"cmp"
	"slices"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// alone is how much of a finding's difference must remain for another to be kept
// beside it, and at which p.
const alone = 0.01

// screen are the extensions that can be in a finding: those in enough of the
// crashes. It looks at the crashes' margins only, so that the tests that follow,
// which hold the margins fixed, stay valid.
func (t *table) screen() []int {
	n := make([]int, len(t.names))
	for i := range t.crashes {
		for _, e := range t.crashes[i].ext {
			n[e]++
		}
	}
	var out []int
	for e, k := range n {
		if float64(k) >= MinDifference*float64(t.cases) {
			out = append(out, e)
		}
	}
	if len(out) > maxScreen {
		slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(n[b], n[a]) })
		out = out[:maxScreen]
		slices.Sort(out)
	}
	return out
}

// candidates tests the screened extensions, and the pairs of them. The p of a pair
// is the larger of two: that of either member among the votes with the other. So
// a pair stands out only when both of its members add something to the other.
//
// Where either of two will do, each hides the other: half of the crashes have one,
// half the other. So a pair is tested the other way round as well: the larger p of
// either member among the votes without the other. tests counts them all.
func (t *table) candidates(screen []int, pairing bool) (out []Finding, pairs, tests int) {
	single := map[int]bool{}
	for _, e := range screen {
		s := one(e)
		if f, ok := t.finding(s); ok {
			f.P = upper(t.count(t.has(e), nil, 0, nil).cells)
			out = append(out, f)
			single[e] = true
		}
	}
	if !pairing {
		return out, 0, 0
	}
	for i, a := range screen {
		for _, b := range screen[i+1:] {
			pairs++
			hasA, hasB := t.has(a), t.has(b)
			if single[a] && single[b] {
				if f, ok := t.either(a, b, hasA, hasB); ok {
					out = append(out, f)
				}
			}
			f, ok := t.finding(set{a, b})
			if !ok {
				continue
			}
			givenB, givenA := t.count(hasA, hasB, 0, nil), t.count(hasB, hasA, 0, nil)
			if givenB.difference() < MinDifference || givenA.difference() < MinDifference {
				continue
			}
			f.P = max(upper(givenB.cells), upper(givenA.cells))
			out = append(out, f)
		}
	}
	return out, pairs, 2 * pairs
}

// either tests two of which one is enough.
func (t *table) either(a, b int, hasA, hasB func(*row) bool) (f Finding, ok bool) {
	not := func(has func(*row) bool) func(*row) bool { return func(r *row) bool { return !has(r) } }
	withoutB, withoutA := t.count(hasA, not(hasB), 0, nil), t.count(hasB, not(hasA), 0, nil)
	if withoutB.difference() < MinDifference || withoutA.difference() < MinDifference {
		return f, false
	}
	return Finding{P: max(upper(withoutB.cells), upper(withoutA.cells)), set: set{a, b}, either: true}, true
}

// apart replaces each find of two of which one is enough by its members, unless
// they were found by themselves, too; the lower q holds.
func (t *table) apart(found []Finding) []Finding {
	at := map[set]int{}
	var out []Finding
	for _, f := range found {
		parts := []set{f.set}
		if f.either {
			parts = []set{one(f.set[0]), one(f.set[1])}
		}
		for _, s := range parts {
			if i, ok := at[s]; ok {
				out[i].P, out[i].Q = min(out[i].P, f.P), min(out[i].Q, f.Q)
				continue
			}
			g := f
			if f.either {
				g, _ = t.finding(s)
				g.P, g.Q = f.P, f.Q
			}
			at[s] = len(out)
			out = append(out, g)
		}
	}
	return out
}

// finding is a set with its numbers; ok is false when its share differs too little.
func (t *table) finding(s set) (f Finding, ok bool) {
	y := t.count(t.holds(s), nil, 0, nil)
	if y.difference() < MinDifference {
		return f, false
	}
	f = Finding{Members: t.members(s), Numbers: y.numbers(), set: s}
	k, n, expected, _ := y.shares()
	f.strength = surprise(n, k/n, expected)
	return f, true
}

func (t *table) members(s set) []Member {
	out := []Member{{ID: t.names[s[0]]}}
	if s[1] >= 0 {
		out = append(out, Member{ID: t.names[s[1]]})
	}
	return out
}

func (t *table) setOf(m []Member) set {
	s := set{-1, -1}
	for i, x := range m {
		s[i], _ = slices.BinarySearch(t.names, x.ID)
	}
	return s
}

// separate keeps what stands by itself: pairs first, then single extensions, the
// strongest first, each only when it still stands out once everything kept before
// is held equal. So the members of a pair, and what comes along with a member, go.
func (t *table) separate(found []Finding) (kept []Finding, dropped []Dropped) {
	kept, dropped = []Finding{}, []Dropped{}
	slices.SortFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(len(b.Members), len(a.Members)), cmp.Compare(b.strength, a.strength), compareSets(a.set, b.set))
	})
	for _, f := range found {
		by, left := -1, 0.0
		for i := range kept {
			stands, rest := t.beside(f.set, kept[i].set)
			if !stands {
				by, left = i, rest
				break
			}
		}
		if by < 0 {
			kept = append(kept, f)
			continue
		}
		k := &kept[by]
		if e := t.alike(f.set, k.set); e >= 0 {
			k.Alike = append(k.Alike, t.names[e])
		}
		dropped = append(dropped, Dropped{Members: f.Members, Numbers: f.Numbers, Q: f.Q, Because: ids(k.Members), Left: left})
	}
	slices.SortStableFunc(kept, func(a, b Finding) int { return cmp.Compare(b.strength, a.strength) })
	for i := range kept {
		slices.Sort(kept[i].Alike)
		kept[i].Alike = slices.Compact(kept[i].Alike)
	}
	return kept, dropped
}

// beside reports whether a set still stands out once another is held equal: the
// strata are split by whether all of the other was active.
func (t *table) beside(s, other set) (stands bool, left float64) {
	held := t.holds(other)
	y := t.count(t.holds(s), nil, 2, func(r *row) int {
		if held(r) {
			return 1
		}
		return 0
	})
	left = y.difference()
	return left >= MinDifference && upper(y.cells) <= alone, left
}

// alike returns the extension of the weaker set which the evidence cannot tell
// from a member of the kept one, or -1: they share the other member, if any, and
// fewer than one in twenty votes of each kind have only one of the two.
func (t *table) alike(weak, kept set) int {
	in := func(s set, e int) bool { return s[0] == e || s[1] == e }
	x, y := -1, -1
	for _, e := range weak {
		if e >= 0 && !in(kept, e) {
			if x >= 0 {
				return -1
			}
			x = e
		}
	}
	if x < 0 {
		return -1
	}
	for _, e := range kept {
		if e >= 0 && (weak[1] < 0 || !in(weak, e)) && t.together(x, e) {
			y = e
		}
	}
	if y < 0 {
		return -1
	}
	return x
}

func (t *table) together(a, b int) bool {
	for _, list := range [2][]row{t.crashes, t.controls} {
		both, either, hasA, hasB := 0.0, 0.0, t.has(a), t.has(b)
		for i := range list {
			ha, hb := hasA(&list[i]), hasB(&list[i])
			if ha && hb {
				both += list[i].weight
			}
			if ha || hb {
				either += list[i].weight
			}
		}
		if both < 0.95*either || either == 0 {
			return false
		}
	}
	return true
}

func ids(m []Member) []eco.ExtensionID {
	out := make([]eco.ExtensionID, len(m))
	for i := range m {
		out[i] = m[i].ID
	}
	return out
}

// since finds for each member of a finding the version it began with: nearly all
// crashes have it or a later one, and of the comparison (with all members active)
// so many fewer that chance does not explain it.
func (t *table) since(f *Finding) {
	const sure, slack = 0.001, 0.05
	holds := t.holds(f.set)
	for i, e := range f.set {
		if e < 0 {
			continue
		}
		var versions []string
		for j := range t.crashes {
			if r := &t.crashes[j]; holds(r) && r.version(e) != "" {
				versions = append(versions, r.version(e))
			}
		}
		if len(versions) == 0 {
			continue
		}
		slices.SortFunc(versions, eco.CompareVersions)
		from := versions[int(slack*float64(len(versions)))]
		y := t.count(func(r *row) bool { return eco.CompareVersions(r.version(e), from) >= 0 },
			func(r *row) bool { return holds(r) && r.version(e) != "" }, 0, nil)
		if y.difference() >= MinDifference && upper(y.cells) <= sure {
			f.Members[i].Since = from
		}
	}
}

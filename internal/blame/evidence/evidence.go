// Package evidence is step 6 of blame: which extensions, and which pairs of them,
// were active when a family of crashes happened, more often than chance, the host
// version and the system explain. It compares crashes with healthy sessions, or,
// where sessions do not say what was active, with the crashes of other families.
// It is pure: the same votes in any order give the same answer.
//
// What it finds is an association, never a cause. Every finding carries its
// counts, intervals and what was set aside, so that a person can judge. The
// method and its sources are in docs/design/evidence.md.
package evidence

import (
	"cmp"
	"slices"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/estimate"
)

// What a finding needs.
const (
	MinCrashes    = 20   // votes of crashes with a comparison
	MinDifference = 0.15 // between the share among crashes and the one expected
	Level         = 0.05 // false discovery rate over everything that a question tests
)

// Bounds. Larger questions are cut by the caller, who draws samples.
const (
	maxActive  = 1000 // extensions of one vote that are looked at
	minCompare = 10   // votes a stratum needs to be compared with
	maxScreen  = 80   // extensions whose pairs are looked at, those with the largest difference first
)

// Vote is one installation: that it crashed with a certain set of extensions
// active, or that it ran well with them. An installation votes once.
type Vote struct {
	Stratum string  // what is held equal: host version and system
	Weight  float64 // sessions it stands for; 0 = 1. Of crashes it is not read: each counts once
	Active  []eco.Active
}

// Question is what is known of one family.
type Question struct {
	Crashes  []Vote
	Sessions []Vote // healthy ones
	Others   []Vote // crashes of other families
	// Given are extensions that are in the crash anyway (they are on the stack):
	// only votes in which they were active are compared, and they are not suspects. A
	// finding is then one extension: with the given one it is a pair already. Others
	// should be crashes of other families with the same ones on the stack.
	Given []eco.ExtensionID
	// Strict divides the level: a caller that asks this of very many families.
	Strict float64
	// Min replaces MinCrashes; for callers that act on less and say so.
	Min int
}

// Against says what crashes were compared with.
type Against string

const (
	AgainstSessions Against = "sessions"
	AgainstCrashes  Against = "crashes" // of other families
)

// Answer is what the votes say.
type Answer struct {
	Crashes  int       `json:"crashes"`  // votes that could be compared
	LeftOut  int       `json:"left_out"` // crashes without anything to compare with on their host version and system
	Compared int       `json:"compared"` // votes of the comparison
	Against  Against   `json:"against"`
	Others   int       `json:"others"` // crashes of other families, shown beside
	Strata   int       `json:"strata"` // host versions x systems that were compared
	Tested   int       `json:"tested"` // extensions
	Pairs    int       `json:"pairs"`  // pairs of extensions
	Level    float64   `json:"level"`  // findings have a q at or below it; it falls as crashes come in, because this is asked again and again
	Findings []Finding `json:"findings"`
	Dropped  []Dropped `json:"dropped"`
	Needs    int       `json:"needs,omitempty"` // further crashes until anything can be said
}

// Member is an extension of a finding.
type Member struct {
	ID eco.ExtensionID `json:"id"`
	// Since is the version from which on it is in the crashes, when healthy sessions
	// (with the partner) often ran an earlier one.
	Since string `json:"since,omitempty"`
}

// Numbers are how often something was active.
type Numbers struct {
	With       int               `json:"with"`       // crashes in which it was active
	Share      estimate.Interval `json:"share"`      // of the crashes
	Expected   estimate.Interval `json:"expected"`   // of the comparison, on the same host versions and systems
	Difference estimate.Interval `json:"difference"` // Newcombe's interval
	Elsewhere  estimate.Interval `json:"elsewhere"`  // of the crashes of other families; N is 0 when there are none
}

// Finding is one extension, or two that are in the crashes together.
type Finding struct {
	Members []Member `json:"members"`
	Numbers
	P float64 `json:"p"`
	Q float64 `json:"q"` // false discovery rate at which it would just be kept
	// Alike are extensions that were active in nearly the same crashes and
	// sessions: the evidence cannot tell them from a member.
	Alike []eco.ExtensionID `json:"alike,omitempty"`

	strength float64
	set      set
	either   bool // one of the set is enough: two findings, once discovered
}

// Dropped is what stood out by itself and does not beside a finding.
type Dropped struct {
	Members []Member `json:"members"`
	Numbers
	Q       float64           `json:"q"`
	Because []eco.ExtensionID `json:"because"` // the finding it goes along with
	// Left is its difference once the finding is held equal.
	Left float64 `json:"left"`
}

// Weigh answers a question.
func Weigh(q Question) Answer {
	least := q.Min
	if least <= 0 {
		least = MinCrashes
	}
	t := newTable(&q)
	a := Answer{Crashes: t.cases, LeftOut: t.leftOut, Compared: t.compared, Against: t.against, Others: len(t.others), Strata: t.strata,
		Findings: []Finding{}, Dropped: []Dropped{}}
	a.Level = spent(t.cases, least)
	if q.Strict > 1 {
		a.Level /= q.Strict
	}
	if t.cases < least {
		a.Needs = least - t.cases
		return a
	}
	a.Tested = len(t.names)
	screen := t.screen()
	t.mark(screen)
	found, pairs, tests := t.candidates(screen, len(q.Given) == 0)
	a.Pairs = pairs
	found = t.apart(discover(found, a.Tested+tests, a.Level))
	a.Findings, a.Dropped = t.separate(found)
	for i := range a.Findings {
		f := &a.Findings[i]
		f.Elsewhere = t.elsewhere(f.set)
		t.since(f)
	}
	for i := range a.Dropped {
		a.Dropped[i].Elsewhere = t.elsewhere(t.setOf(a.Dropped[i].Members))
	}
	return a
}

// spent is the level at this number of crashes. The question is asked again as
// crashes come in, so the level is spent: half of it on the first doubling, a
// quarter on the second, and so on.
func spent(crashes, least int) float64 {
	level := Level / 2
	for n := 2 * least; n <= crashes; n *= 2 {
		level /= 2
	}
	return level
}

// discover keeps what Benjamini and Hochberg's procedure keeps of m tests, the
// others of which found nothing, and sets the q-values.
func discover(list []Finding, m int, level float64) []Finding {
	slices.SortFunc(list, func(a, b Finding) int { return cmp.Or(cmp.Compare(a.P, b.P), compareSets(a.set, b.set)) })
	least := 1.0
	for i := len(list) - 1; i >= 0; i-- {
		least = min(least, list[i].P*float64(m)/float64(i+1))
		list[i].Q = least
	}
	n := 0
	for n < len(list) && list[n].Q <= level {
		n++
	}
	return list[:n]
}

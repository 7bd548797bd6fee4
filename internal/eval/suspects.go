package eval

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/blame/evidence"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/estimate"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// SuspectOptions fix a simulation of blame on evidence.
type SuspectOptions struct {
	Seed       uint64
	Runs       int   // of each scenario
	Extensions int   // in the ecosystem
	Sessions   int   // healthy ones that are compared with
	Crashes    []int // of the family
}

// SuspectScores are what the simulation found.
type SuspectScores struct {
	Options SuspectOptions
	Rows    []SuspectRow
}

// SuspectRow is a scenario at a number of crashes. A run is right when every seeded
// culprit is among what was named, as exactly that extension or pair.
type SuspectRow struct {
	Scenario string
	Crashes  int
	Runs     int
	Right    int // runs that named every culprit
	Named    int // findings of all runs
	True     int // of them, a culprit
	False    int // runs that named anything else
	Culprit  bool
}

// The part of a simulated family's crashes that has another cause is drawn for
// each run between these two.
const leastNoise, mostNoise = 0.05, 0.40

// scenario seeds culprits into a population: any one of them makes the crash, each
// an extension or a pair; none for a family that has no culprit. spread, if not
// nil, is where its crashes happen.
type scenario struct {
	name string
	seed func(p *population) (culprits [][]int, spread []float64)
}

var scenarios = []scenario{
	{"single", func(p *population) ([][]int, []float64) { return [][]int{{p.anybody(0.03, 0.6)}}, nil }},
	{"pair", func(p *population) ([][]int, []float64) { return [][]int{p.two()}, nil }},
	{"one of two", func(p *population) ([][]int, []float64) {
		two := p.two()
		return [][]int{two[:1], two[1:]}, nil
	}},
	{"single with a companion", func(p *population) ([][]int, []float64) {
		a := p.anybody(0.05, 0.5)
		p.companion(a)
		return [][]int{{a}}, nil
	}},
	{"pair with a companion", func(p *population) ([][]int, []float64) {
		pair := p.two()
		p.companion(pair[0])
		return [][]int{pair}, nil
	}},
	{"innocent but popular", func(p *population) ([][]int, []float64) {
		a := p.anybody(0.05, 0.4)
		return [][]int{{a}}, p.popular(a)
	}},
	{"nobody", func(p *population) ([][]int, []float64) { return nil, p.popular(-1) }},
}

func (p *population) two() []int {
	a, b := p.anybody(0.08, 0.6), p.anybody(0.08, 0.6)
	for b == a {
		b = p.anybody(0.08, 0.6)
	}
	return []int{a, b}
}

// companion makes an innocent extension come along with one in nine of ten
// installations.
func (p *population) companion(with int) {
	for i := range p.head {
		if _, taken := p.packs[i]; !taken && i != with && p.head[i] < 0.06 {
			p.packs[i] = pack{with: with, chance: 0.9, alone: 0.05}
			return
		}
	}
}

// popular makes two innocent extensions very popular where the crashes happen,
// and less so elsewhere: nine in ten crashes come from windows.
func (p *population) popular(not int) []float64 {
	chances := make([]float64, len(p.strata))
	spread, sum := make([]float64, len(p.strata)), 0.0
	for s, name := range p.strata {
		chances[s] = 0.35
		sum += 0.1 / 6
		if strings.HasSuffix(name, "windows") {
			chances[s] = 0.92
			sum += 0.3
		}
		spread[s] = sum
	}
	n := 0
	for i := range p.head {
		if _, taken := p.packs[i]; !taken && i != not && n < 2 {
			p.fixed[i] = chances
			n++
		}
	}
	return spread
}

// Suspects simulates families of crashes with known culprits, and counts what the
// evidence names.
func Suspects(o SuspectOptions) (*SuspectScores, error) {
	if o.Runs < 1 || o.Runs > 10_000 || o.Extensions < headSize || o.Extensions > 100_000 || o.Sessions < 100 || o.Sessions > 20_000 || len(o.Crashes) == 0 || slices.Max(o.Crashes) > 10_000 || slices.Min(o.Crashes) < 1 {
		return nil, fault.E("eval.Suspects", fault.Invalid, "A simulation has 1 to 10,000 runs, 250 to 100,000 extensions, 100 to 20,000 sessions and 1 to 10,000 crashes.", nil)
	}
	out := &SuspectScores{Options: o}
	for k, sc := range scenarios {
		rows := make([]SuspectRow, len(o.Crashes))
		for run := range o.Runs {
			simulate(o, sc, o.Seed*1_000_003+uint64(k*10_007+run), rows)
		}
		out.Rows = append(out.Rows, rows...)
	}
	return out, nil
}

// simulate is one run: one family, looked at when it has each number of crashes.
func simulate(o SuspectOptions, sc scenario, seed uint64, rows []SuspectRow) {
	p := newPopulation(seed, o.Extensions)
	culprits, spread := sc.seed(p)
	noise := leastNoise + (mostNoise-leastNoise)*p.dice.Float64()
	if spread == nil {
		spread = p.spread
	}
	q := evidence.Question{}
	for range o.Sessions {
		q.Sessions = append(q.Sessions, p.vote(p.stratum(p.spread)))
	}
	var crashes []evidence.Vote
	for range slices.Max(o.Crashes) {
		var has []int
		if len(culprits) > 0 && p.dice.Float64() >= noise {
			has = culprits[p.dice.IntN(len(culprits))]
		}
		crashes = append(crashes, p.vote(p.stratum(spread), has...))
	}
	for i, n := range o.Crashes {
		q.Crashes = crashes[:n]
		rows[i].note(sc, n, p.ids(culprits), evidence.Weigh(q))
	}
}

func (p *population) ids(culprits [][]int) [][]eco.ExtensionID {
	out := make([][]eco.ExtensionID, len(culprits))
	for i, c := range culprits {
		for _, e := range c {
			out[i] = append(out[i], p.names[e])
		}
		slices.Sort(out[i])
	}
	return out
}

func (r *SuspectRow) note(sc scenario, crashes int, culprits [][]eco.ExtensionID, a evidence.Answer) {
	r.Scenario, r.Crashes, r.Culprit = sc.name, crashes, len(culprits) > 0
	r.Runs++
	right, wrong := 0, false
	for _, f := range a.Findings {
		r.Named++
		var named []eco.ExtensionID
		for _, m := range f.Members {
			named = append(named, m.ID)
		}
		slices.Sort(named)
		if slices.ContainsFunc(culprits, func(c []eco.ExtensionID) bool { return slices.Equal(c, named) }) {
			right++
			r.True++
			continue
		}
		wrong = true
	}
	if right > 0 && right == len(culprits) {
		r.Right++
	}
	if wrong {
		r.False++
	}
}

// From adds the scenarios with a culprit up, at each number of crashes from n on.
func (s *SuspectScores) From(n int) (precision, recall estimate.Interval) {
	var right, runs, true_, named float64
	for _, r := range s.Rows {
		if r.Crashes < n {
			continue
		}
		named, true_ = named+float64(r.Named), true_+float64(r.True)
		if r.Culprit {
			right, runs = right+float64(r.Right), runs+float64(r.Runs)
		}
	}
	return estimate.Wilson(true_, named), estimate.Wilson(right, runs)
}

// Print writes the table as a person reads it.
func (s *SuspectScores) Print(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d extensions, %d healthy sessions, %d runs of each scenario, seed %d; intervals of 95 %%\n\n", s.Options.Extensions, s.Options.Sessions, s.Options.Runs, s.Options.Seed)
	fmt.Fprintf(&b, "%-24s  %7s  %-20s  %-20s  %s\n", "scenario", "crashes", "precision", "recall", "runs with a false name")
	interval := func(k, n int) string {
		if n == 0 {
			return "-"
		}
		i := estimate.Wilson(float64(k), float64(n))
		return fmt.Sprintf("%.3f (%.3f-%.3f)", i.Value, i.Low, i.High)
	}
	for _, r := range s.Rows {
		recall := "-"
		if r.Culprit {
			recall = interval(r.Right, r.Runs)
		}
		fmt.Fprintf(&b, "%-24s  %7d  %-20s  %-20s  %s\n", r.Scenario, r.Crashes, interval(r.True, r.Named), recall, interval(r.False, r.Runs))
	}
	precision, recall := s.From(30)
	fmt.Fprintf(&b, "\nfrom 30 crashes on: precision %.3f (%.3f-%.3f), recall %.3f (%.3f-%.3f)\n", precision.Value, precision.Low, precision.High, recall.Value, recall.Low, recall.High)
	_, err := io.WriteString(out, b.String())
	return err
}

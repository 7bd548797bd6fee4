package evidence_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bellwether-project/bellwether/internal/blame/evidence"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// crowd draws votes in which each extension is active at its chance, and those of
// must always.
func crowd(dice *rand.Rand, n int, chances map[string]float64, must ...string) []evidence.Vote {
	out := make([]evidence.Vote, n)
	for i := range out {
		out[i].Stratum = fmt.Sprint("1.", i%2, " linux")
		for _, id := range names {
			forced := false
			for _, m := range must {
				forced = forced || m == id
			}
			if dice.Float64() < chances[id] || forced {
				out[i].Active = append(out[i].Active, eco.Active{ID: eco.ExtensionID(id), Version: []string{"1.0.0", "1.1.0"}[dice.IntN(2)]})
			}
		}
	}
	return out
}

var names = []string{"a.git", "a.lint", "b.python", "b.theme", "c.draw", "c.paint"}

var usual = map[string]float64{"a.git": 0.4, "a.lint": 0.9, "b.python": 0.3, "b.theme": 0.5, "c.draw": 0.1, "c.paint": 0.05}

func named(a evidence.Answer) (out []string) {
	for _, f := range a.Findings {
		s := ""
		for _, m := range f.Members {
			s += " " + string(m.ID)
		}
		out = append(out, s[1:])
	}
	return out
}

func TestSingle(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 1))
	q := evidence.Question{Sessions: crowd(dice, 400, usual), Crashes: append(crowd(dice, 25, usual, "b.python"), crowd(dice, 5, usual)...), Others: crowd(dice, 100, usual)}
	a := evidence.Weigh(q)
	if diff := cmp.Diff([]string{"b.python"}, named(a)); diff != "" {
		t.Fatal(diff)
	}
	f := a.Findings[0]
	if f.Share.N != 30 || f.With < 25 || f.Expected.Value < 0.2 || f.Expected.Value > 0.4 || f.Difference.Low < 0.3 || f.Q > 0.001 || f.Elsewhere.N != 100 {
		t.Errorf("%+v", f)
	}
	if a.Against != evidence.AgainstSessions || a.Strata != 2 || a.Crashes != 30 || a.Compared != 400 {
		t.Errorf("%+v", a)
	}
}

// The votes' order says nothing.
func TestOrder(t *testing.T) {
	dice := rand.New(rand.NewPCG(2, 1))
	q := evidence.Question{Sessions: crowd(dice, 300, usual), Crashes: crowd(dice, 40, usual, "a.git", "b.python"), Others: crowd(dice, 50, usual)}
	want := evidence.Weigh(q)
	if diff := cmp.Diff([]string{"a.git b.python"}, named(want)); diff != "" {
		t.Fatal(diff)
	}
	for range 20 {
		for _, votes := range [][]evidence.Vote{q.Sessions, q.Crashes, q.Others} {
			dice.Shuffle(len(votes), func(i, j int) { votes[i], votes[j] = votes[j], votes[i] })
			for _, v := range votes {
				dice.Shuffle(len(v.Active), func(i, j int) { v.Active[i], v.Active[j] = v.Active[j], v.Active[i] })
			}
		}
		if diff := cmp.Diff(want, evidence.Weigh(q), cmpopts.IgnoreUnexported(evidence.Finding{}), cmpopts.EquateApprox(1e-9, 0)); diff != "" {
			t.Fatal(diff)
		}
	}
}

// What comes along with the culprit is dropped, with the reason.
func TestConfounder(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 1))
	along := func(votes []evidence.Vote) []evidence.Vote {
		for i := range votes {
			for _, a := range votes[i].Active {
				if a.ID == "c.draw" && dice.Float64() < 0.85 {
					votes[i].Active = append(votes[i].Active, eco.Active{ID: "d.along"})
				}
			}
		}
		return votes
	}
	a := evidence.Weigh(evidence.Question{Sessions: along(crowd(dice, 800, usual)), Crashes: along(crowd(dice, 50, usual, "c.draw"))})
	if diff := cmp.Diff([]string{"c.draw"}, named(a)); diff != "" {
		t.Fatal(diff)
	}
	if len(a.Dropped) != 1 || a.Dropped[0].Members[0].ID != "d.along" || a.Dropped[0].Because[0] != "c.draw" || a.Dropped[0].Left > 0.15 {
		t.Errorf("%+v", a.Dropped)
	}
}

// Two extensions that are always together are one finding that says so.
func TestAlike(t *testing.T) {
	dice := rand.New(rand.NewPCG(4, 1))
	twin := func(votes []evidence.Vote) []evidence.Vote {
		for i := range votes {
			for _, a := range votes[i].Active {
				if a.ID == "c.draw" {
					votes[i].Active = append(votes[i].Active, eco.Active{ID: "z.twin"})
				}
			}
		}
		return votes
	}
	a := evidence.Weigh(evidence.Question{Sessions: twin(crowd(dice, 800, usual)), Crashes: twin(crowd(dice, 50, usual, "c.draw"))})
	if len(a.Findings) != 1 || len(a.Findings[0].Alike) != 1 {
		t.Errorf("%+v", a.Findings)
	}
}

func TestSince(t *testing.T) {
	dice := rand.New(rand.NewPCG(5, 1))
	crashes := crowd(dice, 40, usual, "b.python")
	for _, c := range crashes {
		for i := range c.Active {
			if c.Active[i].ID == "b.python" {
				c.Active[i].Version = "1.1.0"
			}
		}
	}
	a := evidence.Weigh(evidence.Question{Sessions: crowd(dice, 800, usual), Crashes: crashes})
	if len(a.Findings) != 1 || a.Findings[0].Members[0].Since != "1.1.0" {
		t.Errorf("%+v", a.Findings)
	}
}

// With an extension given, only what ran beside it is compared, and it is no
// suspect; without healthy sessions, crashes of other families are compared with.
func TestGiven(t *testing.T) {
	dice := rand.New(rand.NewPCG(6, 1))
	q := evidence.Question{Others: crowd(dice, 900, usual), Crashes: crowd(dice, 40, usual, "b.python", "c.draw"), Given: []eco.ExtensionID{"b.python"}}
	a := evidence.Weigh(q)
	if diff := cmp.Diff([]string{"c.draw"}, named(a)); diff != "" {
		t.Fatal(diff)
	}
	if a.Against != evidence.AgainstCrashes || a.Compared >= 900 {
		t.Errorf("%+v", a)
	}
}

func TestTooFew(t *testing.T) {
	dice := rand.New(rand.NewPCG(7, 1))
	a := evidence.Weigh(evidence.Question{Sessions: crowd(dice, 300, usual), Crashes: crowd(dice, 12, usual, "c.draw")})
	if a.Needs != 8 || len(a.Findings) != 0 {
		t.Errorf("%+v", a)
	}
	nothing := evidence.Weigh(evidence.Question{Crashes: crowd(dice, 50, usual, "c.draw")})
	if nothing.LeftOut != 50 || nothing.Needs != evidence.MinCrashes {
		t.Errorf("%+v", nothing)
	}
}

// A busy machine that stands for many sessions does not decide what is expected.
func TestWeights(t *testing.T) {
	dice := rand.New(rand.NewPCG(8, 1))
	q := evidence.Question{Sessions: crowd(dice, 400, usual), Crashes: crowd(dice, 30, usual)}
	light := evidence.Weigh(q)
	q.Sessions = append(q.Sessions, evidence.Vote{Stratum: "1.0 linux", Weight: 100, Active: []eco.Active{{ID: "z.only"}}})
	heavy := evidence.Weigh(q)
	if len(light.Findings)+len(heavy.Findings) != 0 {
		t.Errorf("%v, %v", named(light), named(heavy))
	}
}

// Families without a culprit stay without one: the share of them in which anything
// is named is no higher than the level, whatever the number of crashes.
func TestNull(t *testing.T) {
	dice := rand.New(rand.NewPCG(9, 1))
	false_ := 0
	const families = 400
	for i := range families {
		q := evidence.Question{Sessions: crowd(dice, 200, usual), Crashes: crowd(dice, 20+i%60, usual)}
		if len(evidence.Weigh(q).Findings) > 0 {
			false_++
		}
	}
	if false_ > families*5/100 {
		t.Errorf("a name in %d of %d families without a culprit", false_, families)
	}
}

// FuzzWeigh: votes of any shape give shares between 0 and 1, and nothing panics.
func FuzzWeigh(f *testing.F) {
	f.Add(uint64(1), 30, 100, 20, 3)
	f.Add(uint64(2), 0, 0, 0, 1)
	f.Fuzz(func(t *testing.T, seed uint64, crashes, sessions, others, strata int) {
		dice := rand.New(rand.NewPCG(seed, 0))
		some := func(n int) []evidence.Vote {
			out := make([]evidence.Vote, max(0, n)%200)
			for i := range out {
				out[i].Stratum, out[i].Weight = fmt.Sprint(dice.IntN(max(1, strata%7))), dice.NormFloat64()*10
				for range dice.IntN(8) {
					out[i].Active = append(out[i].Active, eco.Active{ID: eco.ExtensionID(names[dice.IntN(len(names))]), Version: fmt.Sprint(dice.IntN(3))})
				}
			}
			return out
		}
		q := evidence.Question{Crashes: some(crashes), Sessions: some(sessions), Others: some(others)}
		if seed%3 == 0 {
			q.Given = []eco.ExtensionID{"a.git"}
		}
		a := evidence.Weigh(q)
		for _, x := range a.Findings {
			if x.Share.Value < 0 || x.Share.Value > 1 || x.Expected.Value < 0 || x.Expected.Value > 1 || !(x.Difference.Value >= evidence.MinDifference) || !(x.Q <= a.Level) || !(x.Difference.Low <= x.Difference.High) {
				t.Errorf("%+v", x)
			}
		}
	})
}

// BenchmarkWeigh is one family in an ecosystem of 5,000 extensions: 500 crashes
// against 2,000 sessions, thirty extensions active in each.
func BenchmarkWeigh(b *testing.B) {
	dice := rand.New(rand.NewPCG(10, 1))
	some := func(n int, must ...int) []evidence.Vote {
		out := make([]evidence.Vote, n)
		for i := range out {
			out[i].Stratum = fmt.Sprint(dice.IntN(9))
			for k := range 30 {
				e := int(5000 * dice.Float64() * dice.Float64() * dice.Float64() * dice.Float64())
				if k < len(must) {
					e = must[k]
				}
				out[i].Active = append(out[i].Active, eco.Active{ID: eco.ExtensionID(fmt.Sprintf("x.e%04d", e)), Version: "1.0.0"})
			}
		}
		return out
	}
	q := evidence.Question{Crashes: some(500, 40, 90), Sessions: some(2000), Others: some(1000)}
	for b.Loop() {
		if a := evidence.Weigh(q); len(a.Findings) != 1 {
			b.Fatalf("%v", named(a))
		}
	}
}

// BenchmarkWeighDense is the worst case: a hundred extensions that most
// installations have, so that every pair of eighty is looked at.
func BenchmarkWeighDense(b *testing.B) {
	dice := rand.New(rand.NewPCG(11, 1))
	some := func(n int) []evidence.Vote {
		out := make([]evidence.Vote, n)
		for i := range out {
			out[i].Stratum = fmt.Sprint(dice.IntN(9))
			for e := range 100 {
				if dice.Float64() < 0.6 {
					out[i].Active = append(out[i].Active, eco.Active{ID: eco.ExtensionID(fmt.Sprintf("x.e%04d", e)), Version: "1.0.0"})
				}
			}
		}
		return out
	}
	q := evidence.Question{Crashes: some(500), Sessions: some(2000)}
	for b.Loop() {
		evidence.Weigh(q)
	}
}

package evidence

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Fisher's tea: three of four cups right has a p of 17/70.
func TestUpperIsFishers(t *testing.T) {
	if p := upper([]cell{{3, 4, 1, 4}}); math.Abs(p-17.0/70) > 1e-12 {
		t.Errorf("p = %v, want %v", p, 17.0/70)
	}
	if p := upper([]cell{{0, 4, 1, 4}}); math.Abs(p-1) > 1e-12 {
		t.Errorf("p = %v, want 1", p)
	}
	if p := upper(nil); p != 1 {
		t.Errorf("p of nothing = %v", p)
	}
	// A stratum without a comparison says nothing.
	if a, b := upper([]cell{{3, 4, 1, 4}, {9, 9, 0, 0}}), upper([]cell{{3, 4, 1, 4}}); a != b {
		t.Errorf("%v and %v", a, b)
	}
}

// Over strata it is the chance that brute force counts.
func TestUpperOverStrata(t *testing.T) {
	cells := []cell{{3, 5, 2, 7}, {2, 3, 1, 4}}
	want := 0.0
	for a := range 6 {
		for b := range 4 {
			if a+b >= 5 {
				want += at(5, 7, 5, a) * at(3, 4, 3, b)
			}
		}
	}
	if p := upper(cells); math.Abs(p-want) > 1e-12 {
		t.Errorf("p = %v, want %v", p, want)
	}
}

func at(n, m, with, x int) float64 {
	if x > with || with-x > m {
		return 0
	}
	return hypergeometric(n, m, with, x, x)[0]
}

// The example of Newcombe 1998, method 10: 56 of 70 less 48 of 80.
func TestNewcombe(t *testing.T) {
	d := tally{[]cell{{56, 70, 48, 80}}}.numbers().Difference
	if math.Abs(d.Value-0.2) > 1e-9 || math.Abs(d.Low-0.0524) > 5e-5 || math.Abs(d.High-0.3339) > 5e-5 {
		t.Errorf("%.4f (%.4f to %.4f), want 0.2 (0.0524 to 0.3339)", d.Value, d.Low, d.High)
	}
}

// What discover keeps is Benjamini and Hochberg's definition, read literally.
func TestDiscover(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		m := 5 + dice.IntN(40)
		list := make([]Finding, dice.IntN(m))
		for i := range list {
			list[i] = Finding{P: math.Pow(dice.Float64(), 3), set: one(i)}
		}
		want := 0
		ps := make([]float64, len(list))
		for i := range list {
			ps[i] = list[i].P
		}
		slices.Sort(ps)
		for i, p := range ps {
			if p <= Level*float64(i+1)/float64(m) {
				want = i + 1
			}
		}
		if got := len(discover(list, m, Level)); got != want {
			t.Fatalf("kept %d of %d, want %d", got, m, want)
		}
	}
}

// The level that is spent over all looks is at most Level.
func TestSpent(t *testing.T) {
	sum := 0.0
	for n := 20; n < 1<<30; n *= 2 {
		sum += spent(n, 20)
	}
	if sum > Level {
		t.Errorf("spent %v", sum)
	}
	if spent(39, 20) != Level/2 || spent(40, 20) != Level/4 {
		t.Errorf("%v, %v", spent(39, 20), spent(40, 20))
	}
}

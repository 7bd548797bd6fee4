package estimate

import (
	"math"
	"math/rand/v2"
	"testing"
)

func near(a, b, tol float64) bool { return math.Abs(a-b) <= tol }

// Values from Brown, Cai, DasGupta (2001) and scipy's proportion_confint.
func TestWilson(t *testing.T) {
	for _, c := range []struct{ k, n, low, high float64 }{
		{0, 10, 0, 0.27753},
		{10, 10, 0.72247, 1},
		{5, 10, 0.23659, 0.76341},
		{1, 1000, 0.00017655, 0.0056426},
	} {
		i := Wilson(c.k, c.n)
		if !near(i.Low, c.low, 1e-4) || !near(i.High, c.high, 1e-4) {
			t.Errorf("Wilson(%v, %v) = %+v, want %v … %v", c.k, c.n, i, c.low, c.high)
		}
	}
	for _, c := range [][2]float64{{1, 0}, {1, -1}, {math.NaN(), 3}, {1, math.NaN()}, {1, math.Inf(1)}} {
		if i := Wilson(c[0], c[1]); i.Known() || i.Low != 0 || i.High != 1 {
			t.Errorf("Wilson(%v) = %+v, want nothing known", c, i)
		}
	}
	if i := Wilson(7, 5); i.Value != 1 {
		t.Errorf("more than all: %+v", i)
	}
	if i := CrashFree(1, 1000); !near(i.Value, .999, 1e-9) || !near(i.High, 1-0.00017655, 1e-4) || i.N != 1000 {
		t.Errorf("crash-free %+v", i)
	}
	if !Wilson(1, 29).Weak() || Wilson(500, 1000).Weak() || !Wilson(1, 1000).Weak() {
		t.Error("weak: fewer than 30, or a relative error above 30 %")
	}
}

func TestStudent(t *testing.T) {
	for df, want := range map[float64]float64{1: 12.706, 2: 4.303, 4: 2.776, 10: 2.228, 63: 1.998, 1e6: 1.95996} {
		if got := Student(df); !near(got, want, want*.006) {
			t.Errorf("t(%v) = %v, want %v", df, got, want)
		}
	}
	if !math.IsInf(Student(0), 1) || !math.IsInf(Student(math.NaN()), 1) {
		t.Error("no degrees: nothing is known")
	}
}

// The intervals must cover the truth about as often as they say, under Poisson
// sampling at unequal rates.
func TestCoverage(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	const rounds = 600
	type person struct{ y, x, pi float64 }
	var all []person
	var y, x float64
	for range 2000 {
		p := person{float64(rng.IntN(6)), float64(1 + rng.IntN(9)), .1 + .4*rng.Float64()}
		p.y = min(p.y, p.x)
		all = append(all, p)
		y, x = y+p.y, x+p.x
	}
	total, ratio := 0, 0
	for range rounds {
		var units []Unit
		for _, p := range all {
			if rng.Float64() < p.pi {
				units = append(units, Unit{p.y, p.x, p.pi})
			}
		}
		if i := Total(units); i.Low <= y && y <= i.High {
			total++
		}
		if i := Ratio(units); i.Low <= y/x && y/x <= i.High {
			ratio++
		}
	}
	for name, n := range map[string]int{"total": total, "ratio": ratio} {
		if share := float64(n) / rounds; share < .92 || share > .99 {
			t.Errorf("%s covers %.3f, want about .95", name, share)
		}
	}
}

func TestCertainUnitsHaveNoError(t *testing.T) {
	units := []Unit{{Y: 2, X: 1}, {Y: 3, X: 1, Pi: 1}, {Y: 1, X: 1, Pi: math.NaN()}}
	if i := Total(units); i.Value != 6 || i.Low != 6 || i.High != 6 || i.N != 3 {
		t.Errorf("%+v", i)
	}
	if i := Ratio(nil); i.Known() {
		t.Errorf("nothing: %+v", i)
	}
}

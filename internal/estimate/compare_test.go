package estimate

import (
	"math"
	"math/rand/v2"
	"testing"
)

func counts(before, now float64) (Count, Count) { return Count{N: before}, Count{N: now} }

// By hand from the score interval: p within (m ± z sqrt(p(1-p)/n + z²/4n²)/(1+z²/n)),
// the ratio p/(1-p).
func TestCompare(t *testing.T) {
	for _, c := range []struct{ before, now, exposure, value, low, high float64 }{
		{100, 100, 1, 1, 0.7586, 1.3183},
		{50, 100, 1, 2, 1.4270, 2.8031},
		{100, 50, 1, .5, .35675, .70077},
		{50, 100, .5, 1, .7135, 1.40155},
		{10, 0, 1, 0, 0, 0.38415}, // z²/n: 0 of n is below z²/(n+z²)
	} {
		b, n := counts(c.before, c.now)
		got := Compare(b, n, c.exposure)
		if !near(got.Value, c.value, 1e-9) || !near(got.Low, c.low, 2e-3) || !near(got.High, c.high, 2e-3) || got.N != c.before+c.now {
			t.Errorf("%v after %v: %+v, want %v (%v … %v)", c.now, c.before, got, c.value, c.low, c.high)
		}
	}
	b, n := counts(0, 40)
	if got := Compare(b, n, 1); !got.NoneBefore || got.Value != 0 || got.High != 0 || !got.Rise || !near(got.Low, 40/(z95*z95), 1e-6) {
		t.Errorf("nothing before: %+v", got)
	}
	for _, c := range [][3]float64{{0, 0, 1}, {-1, 3, 1}, {1, math.NaN(), 1}, {1, 1, 0}, {1, math.Inf(1), 1}, {1, 1, math.Inf(1)}} {
		b, n := counts(c[0], c[1])
		if got := Compare(b, n, c[2]); got.Known() || got.Rise || got.Fall {
			t.Errorf("%v says something: %+v", c, got)
		}
	}
}

// Turning time round turns the ratio round.
func TestCompareMirrors(t *testing.T) {
	for _, c := range [][2]float64{{3, 9}, {120, 80}, {1, 1000}} {
		there := Compare(Count{c[0], 4}, Count{c[1], 40}, 2)
		back := Compare(Count{c[1], 40}, Count{c[0], 4}, .5)
		if !near(there.Low*back.High, 1, 1e-9) || !near(there.High*back.Low, 1, 1e-9) || there.Rise != back.Fall || there.Fall != back.Rise {
			t.Errorf("%v: %+v and back %+v", c, there, back)
		}
	}
}

// Three standard errors are asked for, and installations that crash again and
// again ask for more.
func TestCompareClaims(t *testing.T) {
	for _, c := range []struct {
		before, now Count
		rise, fall  bool
	}{
		{Count{N: 100}, Count{N: 145}, false, false}, // 2.87 standard errors
		{Count{N: 100}, Count{N: 149}, true, false},  // 3.1
		{Count{N: 149}, Count{N: 100}, false, true},
		{Count{100, 30}, Count{149, 37}, false, false}, // the same, of a ninth as many independent things
		{Count{100, 1}, Count{149, 1}, true, false},    // an error below Poisson's is not believed
		{Count{100, 1}, Count{145, 1}, false, false},
	} {
		if got := Compare(c.before, c.now, 1); got.Rise != c.rise || got.Fall != c.fall {
			t.Errorf("%v after %v: %+v", c.now, c.before, got)
		}
	}
}

// The interval covers the truth about as often as it says, also where a few
// installations bring most of the crashes; the claim is hardly ever false.
func TestCompareCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 3))
	const rounds, installs = 1500, 150
	for _, heavy := range []int{1, 6} { // crashes per installation hit: 1, or 1 to 11
		draw := func(rate float64) Count {
			var n, squares float64
			for range installs {
				if y := float64(1 + rng.IntN(2*heavy-1)); rng.Float64() < rate {
					n, squares = n+y, squares+y*y
				}
			}
			return Count{n, math.Sqrt(squares)}
		}
		covered, claimed := 0, 0
		for range rounds {
			if c := Compare(draw(.1), draw(.2), 1); c.Low <= 2 && 2 <= c.High {
				covered++
			}
			if c := Compare(draw(.15), draw(.15), 1); c.Rise || c.Fall {
				claimed++
			}
		}
		if share := float64(covered) / rounds; share < .93 || share > .99 {
			t.Errorf("1 to %d crashes an installation: covers %.3f, want about .95", 2*heavy-1, share)
		}
		if share := float64(claimed) / rounds; share > .006 {
			t.Errorf("1 to %d crashes an installation: claims %.4f falsely, want about .003", 2*heavy-1, share)
		}
	}
}

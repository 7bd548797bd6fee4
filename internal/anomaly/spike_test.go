package anomaly

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func same(n int, w Window) []Window {
	out := make([]Window, n)
	for i := range out {
		out[i] = w
	}
	return out
}

func TestSpike(t *testing.T) {
	for _, c := range []struct {
		name   string
		now    Window
		before []Window
		want   bool
		reason string
	}{
		{"many crashes of many", Window{80, 60}, same(12, Window{4, 3}), true, "less often than once"},
		{"one machine in a loop", Window{5000, 1}, same(12, Window{4, 3}), false, "Below 10 crashes or 5 installs"},
		{"a loop beside the usual", Window{5000, 6}, same(12, Window{6, 5}), false, "less than twice"},
		{"a busy family on a busy day", Window{130, 100}, same(12, Window{100, 80}), false, "less than twice"},
		{"from nothing", Window{30, 25}, same(12, Window{}), true, ""},
		{"from nothing, small", Window{9, 9}, same(12, Window{}), false, "Below 10"},
		{"no past", Window{900, 600}, same(5, Window{1, 1}), false, "only 5 windows"},
		{"wild past", Window{100, 60}, []Window{{2, 1}, {90, 40}, {1, 1}, {140, 90}, {3, 2}, {60, 30}, {0, 0}, {110, 70}}, false, ""},
	} {
		v := Spike(c.now, c.before, FalseAlarm)
		if v.Spike != c.want || !strings.Contains(strings.Join(v.Reasons, " "), c.reason) {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
}

// Tails against sums of the probabilities themselves.
func TestAtLeast(t *testing.T) {
	for _, c := range []struct{ mean, variance float64 }{{3, 4}, {0.5, 0.9}, {40, 90}, {5, 5.5}} {
		r := c.mean * c.mean / (c.variance - c.mean)
		q := c.mean / (c.mean + r)
		lg := func(v float64) float64 { g, _ := math.Lgamma(v); return g }
		below := 0.0
		for k := range 60 {
			want := 1 - below
			if got := atLeast(float64(k), c.mean, c.variance); math.Abs(got-want) > 1e-9 {
				t.Fatalf("mean %v variance %v k %d: %v, want %v", c.mean, c.variance, k, got, want)
			}
			x := float64(k)
			below += math.Exp(lg(x+r) - lg(r) - lg(x+1) + r*math.Log1p(-q) + x*math.Log(q))
		}
	}
}

// The stated rate of false alarms holds where nothing has changed: even and
// uneven families, quiet and busy ones. Crashes alone are judged here (installs
// equal them), which is the worst case.
func TestFalseAlarms(t *testing.T) {
	const alpha, looks = 1e-3, 60_000
	for _, c := range []struct {
		name         string
		mean, spread float64
	}{{"quiet", 0.3, 1}, {"even", 6, 1}, {"busy", 60, 1}, {"uneven", 8, 3}, {"busy and uneven", 60, 5}} {
		dice := rand.New(rand.NewPCG(1, 2))
		alarms := 0
		before := make([]Window, 12)
		for range looks {
			for i := range before {
				n := draw(dice, c.mean, c.spread)
				before[i] = Window{n, n}
			}
			n := draw(dice, c.mean, c.spread)
			if Spike(Window{n, n}, before, alpha).Spike {
				alarms++
			}
		}
		if rate := float64(alarms) / looks; rate > 2*alpha {
			t.Errorf("%s: %d alarms in %d looks (%.2g, stated %.2g)", c.name, alarms, looks, rate, alpha)
		}
	}
}

// draw is a negative binomial as a Poisson whose mean is a gamma.
func draw(dice *rand.Rand, mean, spread float64) int64 {
	if spread > 1 {
		k := mean / (spread - 1)
		mean = gamma(dice, k) * (spread - 1)
	}
	n, p := int64(0), 1.0
	for limit := math.Exp(-mean); ; n++ {
		if p *= dice.Float64(); p <= limit {
			return n
		}
	}
}

// gamma is Marsaglia and Tsang's method, for shapes of at least 1.
func gamma(dice *rand.Rand, k float64) float64 {
	d := k - 1.0/3
	for {
		x := dice.NormFloat64()
		v := math.Pow(1+x/math.Sqrt(9*d), 3)
		if v > 0 && math.Log(dice.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

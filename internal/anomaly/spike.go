// Package anomaly judges whether a number is out of the ordinary, with its
// reasons. Every rule here is pure and states how often it is wrong.
//
// What it is not: a place that knows where numbers come from, or who is told.
package anomaly

import (
	"fmt"
	"math"
)

// Window is what was counted in one span of time of a fixed length.
type Window struct {
	Count    int64 // crashes
	Installs int64 // distinct installs that had them
}

// Verdict says whether a window is a spike, and why.
type Verdict struct {
	Spike    bool
	P        float64  // chance of such a window, or a busier one, when nothing has changed
	Expected float64  // crashes
	Usual    float64  // installs
	Reasons  []string // each a sentence, for people
}

// FalseAlarm is the rate that Spike is used at: a family that has not changed is
// called a spike about once in 100,000 windows. With a hundred busy families and
// one window an hour that is one false alarm in six weeks.
const FalseAlarm = 1e-5

// Below these a window is no spike, whatever it is compared with; and MinBefore
// windows to compare with are needed.
const (
	MinCount    = 10
	MinInstalls = 5
	MinRise     = 2.0 // times the expected
	MinBefore   = 6
)

// Spike compares a window with windows of the same length when the same was to be
// expected (the same hours of the weeks before). Both crashes and installs must be
// improbably many: one machine in a loop is no spike. Each is compared with a
// negative binomial whose mean is that of the windows before, and whose spread is
// theirs, at least that of Poisson, widened because the mean itself is uncertain.
// alpha is the false alarm rate of one look.
func Spike(now Window, before []Window, alpha float64) Verdict {
	v := Verdict{P: 1}
	if len(before) < MinBefore {
		v.Reasons = []string{fmt.Sprintf("There are only %d windows to compare with; it takes %d.", len(before), MinBefore)}
		return v
	}
	counts, installs := make([]float64, len(before)), make([]float64, len(before))
	for i, w := range before {
		counts[i], installs[i] = float64(w.Count), float64(w.Installs)
	}
	mean1, var1 := expect(counts)
	mean2, var2 := expect(installs)
	v.Expected, v.Usual = mean1, mean2
	p1, p2 := atLeast(float64(now.Count), mean1, var1), atLeast(float64(now.Installs), mean2, var2)
	v.P = max(p1, p2)
	v.Reasons = []string{
		fmt.Sprintf("%d crashes where %.1f were to be expected (chance %s).", now.Count, mean1, chance(p1)),
		fmt.Sprintf("%d installs where %.1f were to be expected (chance %s).", now.Installs, mean2, chance(p2)),
	}
	switch {
	case now.Count < MinCount || now.Installs < MinInstalls:
		v.Reasons = append(v.Reasons, fmt.Sprintf("Below %d crashes or %d installs nothing is called a spike.", MinCount, MinInstalls))
	case float64(now.Count) < MinRise*mean1 || float64(now.Installs) < MinRise*mean2:
		v.Reasons = append(v.Reasons, "It is less than twice what was to be expected.")
	case v.P >= alpha:
		v.Reasons = append(v.Reasons, fmt.Sprintf("That happens by itself more often than once in %.0f looks.", 1/alpha))
	default:
		v.Spike = true
		v.Reasons = append(v.Reasons, fmt.Sprintf("By itself that happens less often than once in %.0f looks.", 1/alpha))
	}
	return v
}

// expect is the mean of what comes next and its variance. The index of dispersion
// is drawn towards 3 with the weight of four windows, so that a few even ones do
// not make us sure, and raised by two standard errors of itself; half a crash is
// added, so that none at all do not make us sure either.
func expect(x []float64) (mean, variance float64) {
	n := float64(len(x))
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	m := sum / n
	mean = (sum + 0.5) / n
	ss := 0.0
	for _, v := range x {
		ss += (v - m) * (v - m)
	}
	spread := 1.0
	if m > 0 {
		spread = max(1, (ss/m+4*3)/(n-1+4)*(1+2*math.Sqrt(2/(n+3))))
	}
	return mean, mean * spread * (1 + 1/n)
}

// atLeast is P(X >= k) of a negative binomial with a mean and variance.
func atLeast(k, mean, variance float64) float64 {
	if k <= 0 {
		return 1
	}
	r := mean * mean / max(variance-mean, mean*1e-6)
	// P(X >= k) = I_q(k, r) with q = mean/(mean+r).
	return incompleteBeta(k, r, mean/(mean+r))
}

// incompleteBeta is the regularised incomplete beta function I_x(a, b), by its
// continued fraction (Lentz).
func incompleteBeta(a, b, x float64) float64 {
	if x <= 0 || x >= 1 {
		return min(max(x, 0), 1)
	}
	if x > (a+1)/(a+b+2) {
		return 1 - incompleteBeta(b, a, 1-x)
	}
	lg := func(v float64) float64 { g, _ := math.Lgamma(v); return g }
	front := math.Exp(lg(a+b)-lg(a)-lg(b)+a*math.Log(x)+b*math.Log1p(-x)) / a
	const tiny = 1e-300
	f, c, d := 1.0, 1.0, 0.0
	for i := range 500 {
		m := float64(i / 2)
		var num float64
		switch {
		case i == 0:
			num = 1
		case i%2 == 0:
			num = m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		default:
			num = -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		}
		if d = 1 + num*d; math.Abs(d) < tiny {
			d = tiny
		}
		if c = 1 + num/c; math.Abs(c) < tiny {
			c = tiny
		}
		d = 1 / d
		f *= c * d
		if math.Abs(1-c*d) < 1e-12 {
			break
		}
	}
	return min(max(front*(f-1), 0), 1)
}

func chance(p float64) string {
	switch {
	case p < 1e-12:
		return "below one in a trillion"
	case p < 0.01:
		return fmt.Sprintf("about one in %.0f", 1/p)
	}
	return fmt.Sprintf("%.0f %%", 100*p)
}

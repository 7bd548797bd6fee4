package estimate

import "math"

// Count is a number of events with its standard error, where the error is known
// by clusters (events of one installation are not independent); 0: not known,
// the count is taken as Poisson's.
type Count struct{ N, StdErr float64 }

// z3 is the quantile at which a change is claimed: three standard errors,
// two-sided 99.73 %. It is stricter than the interval shown, because a page shows
// many changes and a reader looks at those that are claimed.
const z3 = 3

// Comparison is how many times a count is of the one before, per exposure, with its
// 95 % interval; N is both counts together, divided by their overdispersion.
type Comparison struct {
	Interval
	NoneBefore bool `json:"none_before,omitempty"` // nothing before: no ratio and no upper end (both 0), only Low means something
	Rise       bool `json:"rise,omitempty"`        // the interval of 99.73 % (three standard errors) lies above 1
	Fall       bool `json:"fall,omitempty"`        // below 1
}

// Compare returns the ratio of two counts. exposure is how much longer (or more)
// was observed before than now; 1 for equal spans.
//
// Given their sum, the count of now is binomial with p = r/(r + exposure), r the
// ratio of the rates, so an interval of p is one of r = exposure*p/(1-p) (Przyborowski
// and Wilenski 1940, Biometrika 31; Lehmann and Romano, Testing Statistical
// Hypotheses, 3rd ed., section 4.5). The interval of p is Wilson's score interval,
// which covers about as often as it says where Clopper and Pearson's covers more
// (Brown, Cai and DasGupta 2001). Counts of installations that crash again and again
// vary more than Poisson's: both are divided by the common factor phi >= 1 that
// gives the logarithm of r the variance its standard errors ask for,
// phi = (se²/n² of both, summed) / (1/n of both, summed) (quasi-likelihood:
// McCullagh and Nelder 1989, section 4.5).
func Compare(before, now Count, exposure float64) Comparison {
	b, n := before.N, now.N
	if !(b >= 0 && n >= 0 && b+n > 0 && exposure > 0) || math.IsInf(b+n, 0) || math.IsInf(exposure, 0) {
		return Comparison{}
	}
	size := (b + n) / dispersion(before, now)
	p := n / (b + n)
	c := Comparison{NoneBefore: b == 0}
	at := func(p float64) float64 { return exposure * p / (1 - p) }
	w, strict := wilson(p*size, size, z95), wilson(p*size, size, z3)
	c.N, c.Low = size, at(w.Low)
	if !c.NoneBefore {
		c.Value, c.High = exposure*n/b, at(w.High)
	}
	c.Rise = at(strict.Low) > 1
	c.Fall = !c.NoneBefore && at(strict.High) < 1
	return c
}

// dispersion is phi of Compare. A count of zero has no relative error: it takes
// the other's factor.
func dispersion(counts ...Count) float64 {
	var have, poisson float64
	for _, c := range counts {
		if c.N <= 0 {
			continue
		}
		v := c.N // Poisson's variance
		if c.StdErr > 0 && !math.IsInf(c.StdErr, 0) {
			v = c.StdErr * c.StdErr
		}
		have, poisson = have+v/(c.N*c.N), poisson+1/c.N
	}
	return max(have/poisson, 1)
}

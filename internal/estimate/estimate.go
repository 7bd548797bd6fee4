// Package estimate turns counts of a sample into numbers with their error: Wilson
// intervals of proportions, Poisson totals and Hájek ratios clustered by
// installation. Pure arithmetic: no clock, no dice, no I/O. What it is not: a
// place for decisions; whether a difference matters is the business of others.
package estimate

import "math"

// Interval is a number with its 95 % interval. N is what it stands on (an
// effective sample size for weighted data).
type Interval struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	N     float64 `json:"n"`
}

// z95 is the two-sided 95 % quantile of the normal distribution.
const z95 = 1.959963984540054

// MinN and MaxRSE are the limits below and above which a number is shown only
// with a word about its uncertainty.
const (
	MinN   = 30
	MaxRSE = 0.30
)

// Known reports whether the interval stands on anything at all.
func (i Interval) Known() bool { return i.N > 0 }

// Weak reports whether a page must say, beside the number, that it stands on too little.
func (i Interval) Weak() bool {
	if i.N < MinN {
		return true
	}
	return i.Value != 0 && (i.High-i.Low)/(2*z95) > MaxRSE*math.Abs(i.Value)
}

// Wilson returns the proportion k of n with Wilson's score interval. Counts that
// contradict each other (k < 0, k > n) are clamped; n <= 0 gives the interval
// from 0 to 1 with N 0.
func Wilson(k, n float64) Interval { return wilson(k, n, z95) }

func wilson(k, n, z float64) Interval {
	if !(n > 0) || math.IsInf(n, 0) || math.IsNaN(k) {
		return Interval{Low: 0, High: 1}
	}
	k = min(max(k, 0), n)
	p := k / n
	z2 := z * z
	centre := (p + z2/(2*n)) / (1 + z2/n)
	half := z / (1 + z2/n) * math.Sqrt(p*(1-p)/n+z2/(4*n*n))
	i := Interval{Value: p, Low: max(centre-half, 0), High: min(centre+half, 1), N: n}
	if k == 0 {
		i.Low = 0
	}
	if k == n {
		i.High = 1
	}
	return i
}

// CrashFree returns 1 - crashed/total with its interval: Wilson's, mirrored.
func CrashFree(crashed, total float64) Interval {
	w := Wilson(crashed, total)
	if !w.Known() {
		return w
	}
	return Interval{Value: 1 - w.Value, Low: 1 - w.High, High: 1 - w.Low, N: w.N}
}

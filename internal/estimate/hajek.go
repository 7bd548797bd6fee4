package estimate

import "math"

// Unit is one installation in a sample: its totals, and its inclusion
// probability pi (0 < Pi <= 1; anything else counts as 1).
type Unit struct {
	Y, X float64 // numerator and denominator; X is 1 for a mean over units
	Pi   float64
}

func (u Unit) weight() float64 {
	if u.Pi > 0 && u.Pi < 1 {
		return 1 / u.Pi
	}
	return 1
}

// Total estimates the sum of Y over the population from a Poisson sample:
// sum of y/pi, with variance sum of (1-pi) y²/pi². Y must have been clipped by
// the caller, else one unit can carry the whole variance. A sample in which every
// unit was certain has no error: Low and High are the value.
func Total(units []Unit) Interval {
	var t, v float64
	for _, u := range units {
		w := u.weight()
		t += w * u.Y
		v += (w - 1) * w * u.Y * u.Y
	}
	n := EffectiveN(units)
	half := Student(n-1) * math.Sqrt(v)
	return Interval{Value: t, Low: t - half, High: t + half, N: n}
}

// Ratio is Hájek's estimate sum(y/pi)/sum(x/pi) with linearised residuals,
// clustered by unit. No denominator: an interval with N 0.
func Ratio(units []Unit) Interval {
	var y, x float64
	for _, u := range units {
		w := u.weight()
		y += w * u.Y
		x += w * u.X
	}
	if x == 0 {
		return Interval{}
	}
	r := y / x
	var v float64
	for _, u := range units {
		e := u.weight() * (u.Y - r*u.X)
		v += e * e
	}
	m := float64(len(units))
	n := EffectiveN(units)
	if m > 1 {
		v *= m / (m - 1)
	}
	half := Student(n-1) * math.Sqrt(v) / math.Abs(x)
	return Interval{Value: r, Low: r - half, High: r + half, N: n}
}

// EffectiveN is (sum w)²/sum w²: how many equally weighted units say as much.
func EffectiveN(units []Unit) float64 {
	var s, q float64
	for _, u := range units {
		w := u.weight()
		s += w
		q += w * w
	}
	if q == 0 {
		return 0
	}
	return s * s / q
}

// Normal is the interval of a value with a known standard error, such as the
// totals that facts give with StdErr.
func Normal(value, stdErr, n float64) Interval {
	half := Student(n-1) * stdErr
	return Interval{Value: value, Low: value - half, High: value + half, N: n}
}

// Student is the two-sided 95 % quantile of Student's t with df degrees of
// freedom, by the expansion of Cornish and Fisher (error below 0.5 % from df 4
// on); below 1 degree nothing is known and it is infinite.
func Student(df float64) float64 {
	switch {
	case !(df >= 1):
		return math.Inf(1)
	case df < 2:
		return 12.706
	case df < 3:
		return 4.303
	case df < 4:
		return 3.182
	}
	z := z95
	z3, z5, z7 := z*z*z, z*z*z*z*z, z*z*z*z*z*z*z
	return z + (z3+z)/(4*df) + (5*z5+16*z3+3*z)/(96*df*df) + (3*z7+19*z5+17*z3-15*z)/(384*df*df*df)
}

package evidence

import "math"

// cell is one stratum of a comparison of two groups: of n crashes k had it, of
// m votes of the comparison j had it.
type cell struct{ k, n, j, m float64 }

// upper is the exact one-sided p-value of a stratified 2 x 2 table: the chance of
// at least as many crashes with it, given the margins of every stratum, if crash
// and comparison had it equally often. It is Fisher's test, and over several
// strata the exact form of Mantel and Haenszel's.
func upper(cells []cell) float64 {
	dist := []float64{1} // of the sum over strata, from low on
	low, seen := 0, 0
	for _, c := range cells {
		n, m := int(math.Round(c.n)), int(math.Round(c.m))
		k, j := int(math.Round(c.k)), min(int(math.Round(c.j)), m)
		if n == 0 || m == 0 {
			continue
		}
		with := k + j
		from, to := max(0, with-m), min(n, with)
		pmf := hypergeometric(n, m, with, from, to)
		next := make([]float64, len(dist)+len(pmf)-1)
		for a, x := range dist {
			if x == 0 {
				continue
			}
			for b, y := range pmf {
				next[a+b] += x * y
			}
		}
		dist, low, seen = next, low+from, seen+k
	}
	p := 0.0
	for i := len(dist) - 1; i >= 0 && low+i >= seen; i-- {
		p += dist[i]
	}
	return min(p, 1)
}

// hypergeometric is the chance of x crashes with it, for x = from … to: n crashes,
// m others, with of both together have it.
func hypergeometric(n, m, with, from, to int) []float64 {
	out := make([]float64, to-from+1)
	all := choose(n+m, with)
	for x := from; x <= to; x++ {
		out[x-from] = math.Exp(choose(n, x) + choose(m, with-x) - all)
	}
	return out
}

// choose is the logarithm of n over k.
func choose(n, k int) float64 {
	return lgamma(n+1) - lgamma(k+1) - lgamma(n-k+1)
}

func lgamma(n int) float64 {
	v, _ := math.Lgamma(float64(n))
	return v
}

// surprise is n times the divergence of a share from the expected one, in nats:
// how strongly crashes speak.
func surprise(n, share, expected float64) float64 {
	const least = 1e-4
	expected = min(max(expected, least), 1-least)
	part := func(a, b float64) float64 {
		if a <= 0 {
			return 0
		}
		return a * math.Log(a/b)
	}
	return n * (part(share, expected) + part(1-share, 1-expected))
}

package facts

import (
	"math"
	"slices"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// origin is what a pseudonym is comparable within.
type origin struct {
	extension eco.ExtensionID
	host      string
	install   eco.Install
}

func measure(m Measure, rows []*eco.Fact) any {
	sum := func(of func(f *eco.Fact) float64) (t float64) {
		for _, f := range rows {
			t += of(f)
		}
		return t
	}
	count := func(of func(f *eco.Fact) int64) (t int64) {
		for _, f := range rows {
			t += of(f)
		}
		return t
	}
	n := float64(len(rows))
	switch m.Fn {
	case Count:
		return count(func(f *eco.Fact) int64 { return f.Count })
	case Rows:
		return int64(len(rows))
	case Errored:
		return count(func(f *eco.Fact) int64 { return f.Errored })
	case Crashed:
		return count(func(f *eco.Fact) int64 { return f.Crashed })
	case Abnormal:
		return count(func(f *eco.Fact) int64 { return f.Abnormal })
	case Installs, CrashedBy:
		seen := make(map[origin]bool)
		for _, f := range rows {
			if f.Origin.Install == 0 || m.Fn == CrashedBy && f.Crashed <= 0 {
				continue
			}
			o := origin{f.Origin.Extension, "", f.Origin.Install}
			if o.extension == "" {
				o.host = f.Origin.Host
			}
			seen[o] = true
		}
		return int64(len(seen))
	case Unnamed:
		return count(func(f *eco.Fact) int64 { return f.Count * bit(f.Origin.Install == 0) })
	case Repeated:
		return repeated(rows)
	case Weighted:
		return sum(weighted)
	case WeightSq:
		return sum(func(f *eco.Fact) float64 { return weighted(f) * (f.Weight - 1) })
	case StdErr:
		return stdErr(rows)
	case Sum:
		return sum(func(f *eco.Fact) float64 { return f.Value })
	case Mean:
		return sum(func(f *eco.Fact) float64 { return f.Value }) / max(n, 1)
	case Quantile:
		return quantile(rows, m.Arg)
	}
	return received(m.Fn, rows)
}

// repeated counts the installs whose rows add up to more than one.
func repeated(rows []*eco.Fact) (n int64) {
	sums := make(map[origin]int64)
	for _, f := range rows {
		if f.Origin.Install == 0 {
			continue
		}
		o := origin{f.Origin.Extension, "", f.Origin.Install}
		if o.extension == "" {
			o.host = f.Origin.Host
		}
		sums[o] += f.Count
	}
	for _, s := range sums {
		if s > 1 {
			n++
		}
	}
	return n
}

func weighted(f *eco.Fact) float64 { return float64(f.Count) * f.Weight }

func stdErr(rows []*eco.Fact) float64 {
	var units [Units]float64
	total := 0.0
	for _, f := range rows {
		units[Unit(f)] += weighted(f)
		total += weighted(f)
	}
	squares := 0.0
	for _, u := range units {
		squares += (u - total/Units) * (u - total/Units)
	}
	return math.Sqrt(squares * Units / (Units - 1))
}

func quantile(rows []*eco.Fact, p float64) float64 {
	if len(rows) == 0 {
		return 0
	}
	var vs []float64
	for _, f := range rows {
		vs = append(vs, f.Value)
	}
	slices.Sort(vs)
	at := p * float64(len(vs)-1)
	lo := int(at)
	hi := min(lo+1, len(vs)-1)
	return vs[lo] + (vs[hi]-vs[lo])*(at-float64(lo))
}

func received(fn Fn, rows []*eco.Fact) int64 {
	var t int64
	for i, f := range rows {
		if i == 0 || fn == First && f.Received < t || fn == Last && f.Received > t {
			t = f.Received
		}
	}
	return t
}

package world

import (
	"math"
	"math/rand/v2"
	"time"
)

// rhythm is how busy an hour is against the mean of a week: people in three
// parts of the world, who work on weekdays and rest at night.
func rhythm(at time.Time) float64 {
	at = at.UTC()
	sum := 0.0
	for _, zone := range [...]struct {
		hours int
		share float64
	}{{-6, 0.25}, {1, 0.50}, {8, 0.25}} {
		local := at.Add(time.Duration(zone.hours) * time.Hour)
		// Two hills, late morning and mid afternoon, over a floor of night owls.
		h := float64(local.Hour()) + 0.5
		f := 0.18 + 1.9*math.Exp(-(h-10.5)*(h-10.5)/8) + 1.7*math.Exp(-(h-15.5)*(h-15.5)/10)
		switch local.Weekday() {
		case time.Saturday:
			f *= 0.38
		case time.Sunday:
			f *= 0.45
		}
		sum += zone.share * f
	}
	return sum / 0.831 // the mean over a week
}

// poisson draws a count with the given mean.
func poisson(mean float64, dice *rand.Rand) int {
	if mean > 60 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*dice.NormFloat64())))
	}
	n, p, end := 0, 1.0, math.Exp(-mean)
	for {
		if p *= dice.Float64(); p <= end {
			return n
		}
		n++
	}
}

// log-normal lengths: most short, some very long.
func heavy(median, sigma float64, dice *rand.Rand) float64 {
	return median * math.Exp(sigma*dice.NormFloat64())
}

package eval

import (
	"slices"
	"time"

	"github.com/bellwether-project/bellwether/internal/family"
)

// Cost is what one crash takes, from its decoded form to its family, while so many
// are stored. It is measured over the last window before that number; the crashes
// are copies of the set with other function names.
type Cost struct {
	Stored   int
	P50, P99 time.Duration
	Ratio    float64 // of P50 to that of the first row
}

var costAt = []int{1_000, 10_000, 100_000}

const costWindow = 1_000

func (s *Set) cost() []Cost {
	if len(s.records) == 0 {
		return nil
	}
	x := family.NewIndex(family.Options{})
	var out []Cost
	var spent []time.Duration
	stored := 0
	for _, at := range costAt {
		spent = spent[:0]
		for ; stored < at; stored++ {
			c, o := s.records[stored%len(s.records)].vary(stored / len(s.records))
			start := time.Now()
			x.Place(judge(s.World, c, o).in)
			if stored >= at-costWindow {
				spent = append(spent, time.Since(start))
			}
		}
		slices.Sort(spent)
		c := Cost{Stored: at, P50: spent[len(spent)/2], P99: spent[len(spent)*99/100]}
		c.Ratio = 1
		if len(out) > 0 && out[0].P50 > 0 {
			c.Ratio = float64(c.P50) / float64(out[0].P50)
		}
		out = append(out, c)
	}
	return out
}

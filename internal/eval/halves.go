package eval

import (
	"math/rand/v2"
	"slices"
)

const halves = 12

// Spread says how far a score depends on which defects the set happens to hold: the
// lowest, the median and the highest F1 of families over random halves of the true
// groups, each answered by itself. The halves are the same for the same set.
type Spread struct {
	Halves                  int
	Lowest, Median, Highest float64
}

func (s *Set) spread() Spread {
	var groups []string
	for _, l := range s.labels {
		if l.Group != "" {
			groups = append(groups, l.Group)
		}
	}
	slices.Sort(groups)
	groups = slices.Compact(groups)
	if len(groups) < 2 {
		return Spread{}
	}
	dice := rand.New(rand.NewPCG(1, uint64(len(groups))))
	var f1 []float64
	for range halves {
		dice.Shuffle(len(groups), func(a, b int) { groups[a], groups[b] = groups[b], groups[a] })
		in := map[string]bool{}
		for _, g := range groups[:len(groups)/2] {
			in[g] = true
		}
		half := &Set{World: s.World}
		var truth, got []string
		for i, l := range s.labels {
			if in[l.Group] {
				half.records, truth = append(half.records, s.records[i]), append(truth, l.Group)
			}
		}
		answers, _ := half.answer()
		for i := range answers {
			got = append(got, answers[i].Family)
		}
		f1 = append(f1, compare(truth, got).F1)
	}
	slices.Sort(f1)
	return Spread{Halves: halves, Lowest: f1[0], Median: (f1[halves/2-1] + f1[halves/2]) / 2, Highest: f1[halves-1]}
}

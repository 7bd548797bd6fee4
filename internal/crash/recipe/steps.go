package recipe

import (
	"cmp"
	"slices"

	"github.com/bellwether-project/bellwether/internal/signature"
)

// steps are the breadcrumbs that most crashes have, in the order in which they
// usually came. Breadcrumbs of different crashes are the same when their
// templates are; a crash's list is counted from its end, because clients forget
// the oldest.
func (m *maker) steps() {
	type doing struct{ category, message string }
	before := map[doing][]int{} // how far before the crash, one entry for each crash
	with := 0
	for _, d := range m.open {
		list := d.Crash.Breadcrumbs
		list = list[max(0, len(list)-100):]
		seen := map[doing]bool{}
		for i := len(list) - 1; i >= 0; i-- {
			b := doing{text(list[i].Category), text(signature.Template(list[i].Message))}
			if b != (doing{}) && !seen[b] {
				seen[b] = true
				before[b] = append(before[b], len(list)-i)
			}
		}
		if len(list) > 0 {
			with++
		}
	}
	if with == 0 {
		if len(m.open) > 0 {
			m.say("The crashes come without breadcrumbs: what users did before is not known.")
		}
		return
	}
	type placed struct {
		Crumb
		median float64
	}
	var found []placed
	for b, at := range before {
		if part := float64(len(at)) / float64(len(m.open)); part >= stepPart && len(at) >= MinCrashes {
			found = append(found, placed{Crumb{b.category, b.message, part}, median(at)})
		}
	}
	slices.SortFunc(found, func(a, b placed) int {
		return cmp.Or(cmp.Compare(b.median, a.median), cmp.Compare(a.Category, b.Category), cmp.Compare(a.Message, b.Message))
	})
	for _, f := range found[max(0, len(found)-maxSteps):] {
		m.Steps = append(m.Steps, f.Crumb)
	}
	if len(m.Steps) == 0 {
		m.say("No breadcrumb is in %s of the crashes.", percent(stepPart))
		return
	}
	m.say("Steps are breadcrumbs of at least %s of the crashes, in their usual order; numbers, paths and quoted texts in them are placeholders.", percent(stepPart))
}

func median(at []int) float64 {
	slices.Sort(at)
	n := len(at)
	return float64(at[(n-1)/2]+at[n/2]) / 2
}

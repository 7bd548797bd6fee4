package web

import (
	"slices"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

// countedView is how many crashes of a family came as their signature alone, and why.
type countedView struct {
	N    int64
	List string // the address of them
	Why  string
}

func countedOf(d crash.Detail, a *answerForm) *countedView {
	if d.Counted == 0 {
		return nil
	}
	c := &countedView{N: d.Counted, List: "/crashes/list?family=" + d.ID + "&q=counted%3Ayes"}
	if a == nil || a.Why == "" {
		return c
	}
	switch a.Asked {
	case receipt.Counts:
		c.Why = "Clients that ask first are told to send counts: " + a.Why + "."
	case receipt.Nothing:
		c.Why = "Clients that ask first are told to send nothing now: " + a.Why + "."
	default:
		c.Why = "Clients that ask first are told to send full reports now: " + a.Why + "."
	}
	return c
}

// withStack are the crashes of a list that came with a stack.
func withStack(rows []crash.Row) []crash.Row {
	return slices.DeleteFunc(slices.Clone(rows), func(c crash.Row) bool { return c.Counted })
}

package api

import (
	"slices"

	"github.com/bellwether-project/bellwether/internal/estimate"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// errorName is the column that withErrors asks for and bounds takes away again; a
// caller's own names cannot begin with an underscore.
const errorName = "_std_err"

// withErrors asks for the standard error by installs wherever a question weighs
// counts: an estimate of a sample is not given without its interval.
func withErrors(q *facts.Query) {
	if slices.ContainsFunc(q.Measures, func(m facts.Measure) bool { return m.Fn == facts.Weighted }) {
		q.Measures = append(slices.Clone(q.Measures), facts.Measure{Fn: facts.StdErr, As: errorName})
	}
}

// bounds gives the intervals of the weighted measures, one per row, and takes the
// column of withErrors off the answer.
func bounds(q facts.Query, r *facts.Result) map[string][]estimate.Interval {
	at := slices.Index(r.Cols, errorName)
	if at < 0 {
		return nil
	}
	out := map[string][]estimate.Interval{}
	for _, m := range q.Measures {
		if m.Fn != facts.Weighted {
			continue
		}
		col := slices.Index(r.Cols, m.Label())
		list := make([]estimate.Interval, len(r.Rows))
		for i, row := range r.Rows {
			value, _ := row[col].(float64)
			se, _ := row[at].(float64)
			list[i] = estimate.Normal(value, se, facts.Units)
			list[i].Low = max(list[i].Low, 0)
		}
		out[m.Label()] = list
	}
	r.Cols = slices.Delete(slices.Clone(r.Cols), at, at+1)
	for i, row := range r.Rows {
		r.Rows[i] = slices.Delete(slices.Clone(row), at, at+1)
	}
	return out
}

package pipeline

import (
	"context"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// restoreKnown rebuilds the set of known ids from facts.
func (w *Worker) restoreKnown(ctx context.Context, from, to time.Time) error {
	q := facts.Query{
		Scope:    facts.Everything(),
		Where:    []facts.Cond{{Col: facts.Dedup, Op: facts.NotIn, Values: []string{"0"}}, anyQuarantine},
		Group:    []facts.Column{facts.Dedup},
		Measures: []facts.Measure{{Fn: facts.First}},
	}
	return w.slices(ctx, q, from, to, func(row []any) {
		w.known.put(uint64(number(row[0])), hourOf(number(row[1])), struct{}{})
	})
}

// restoreSessions rebuilds what is remembered of sessions: every row of a session
// carries the status that it brought and what it added.
func (w *Worker) restoreSessions(ctx context.Context, from, to time.Time) error {
	q := facts.Query{
		Scope: facts.Everything(),
		Where: []facts.Cond{
			{Col: facts.Kind, Op: facts.In, Values: []string{string(eco.KindSession)}},
			{Col: facts.Session, Op: facts.NotIn, Values: []string{"0"}}, anyQuarantine,
		},
		Group:    []facts.Column{facts.Session, facts.Name},
		Measures: []facts.Measure{{Fn: facts.Errored}, {Fn: facts.Crashed}, {Fn: facts.Abnormal}, {Fn: facts.First}},
	}
	return w.slices(ctx, q, from, to, func(row []any) {
		key := uint64(number(row[0]))
		s, _ := w.sessions.get(key)
		if number(row[2]) > 0 {
			s |= sessionErrored
		}
		if number(row[3]) > 0 {
			s |= sessionCrashed | sessionOver
		}
		if number(row[4]) > 0 {
			s |= sessionAbnormal | sessionOver
		}
		if row[1] == statusExited {
			s |= sessionOver
		}
		w.sessions.put(key, hourOf(number(row[5])), s)
	})
}

// anyQuarantine lets quarantined rows in, which queries leave out by default.
var anyQuarantine = facts.Cond{Col: facts.Quarantined, Op: facts.In, Values: []string{"0", "1"}}

// slices asks a query for every group of a span: a span whose answer was cut is
// asked again in halves, down to a millisecond, and there in pages.
func (w *Worker) slices(ctx context.Context, q facts.Query, from, to time.Time, row func([]any)) error {
	q.From, q.To = from, to
	for {
		r, err := w.o.Facts.Query(ctx, q)
		if err != nil {
			return fault.Wrap("pipeline.restore", err)
		}
		if r.More && q.Offset == 0 && to.Sub(from) > time.Millisecond {
			middle := from.Add(to.Sub(from) / 2)
			if err := w.slices(ctx, q, from, middle, row); err != nil {
				return err
			}
			return w.slices(ctx, q, middle, to, row)
		}
		for _, values := range r.Rows {
			row(values)
		}
		if !r.More {
			return nil
		}
		q.Offset += len(r.Rows)
	}
}

// number reads a value of a result that is known to be one.
func number(v any) int64 {
	switch n := v.(type) {
	case int64:
		return n
	case float64:
		return int64(n)
	}
	return 0
}

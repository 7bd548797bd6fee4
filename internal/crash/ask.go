package crash

import (
	"context"
	"slices"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// maxDays bounds a period: a longer one is cut at its beginning. Facts live for
// 90 days unless they are held.
const maxDays = 400

// period fills in what a caller left out.
func (d *Desk) period(p Period) Period {
	if p.To.IsZero() {
		p.To = d.o.Now().Truncate(time.Millisecond).Add(time.Millisecond) // half open: this moment is in
	}
	if p.From.IsZero() {
		p.From = p.To.AddDate(0, 0, -30).Truncate(time.Hour) // sums by the hour answer, and a page that is opened again asks the same
	}
	if first := p.To.AddDate(0, 0, -maxDays); p.From.Before(first) {
		p.From = first
	}
	return Period{From: p.From.UTC(), To: p.To.UTC()}
}

// before is the period of the same length before p, to the minute: a page that is
// opened again asks the same.
func (p Period) before() Period {
	return Period{From: p.From.Add(-p.To.Sub(p.From)).Truncate(time.Minute), To: p.From}
}

// days lists the UTC days that a period touches.
func (p Period) days() []eco.Day {
	var out []eco.Day
	if !p.From.Before(p.To) {
		return nil
	}
	last := eco.DayOf(p.To.Add(-1))
	for t := eco.DayOf(p.From).Time(); ; t = t.AddDate(0, 0, 1) {
		day := eco.DayOf(t)
		out = append(out, day)
		if day >= last {
			return out
		}
	}
}

// ask is a question to facts under construction.
type ask struct {
	q facts.Query
}

func (p Period) crashes(scope facts.Scope) *ask  { return p.of(scope, eco.KindCrash) }
func (p Period) sessions(scope facts.Scope) *ask { return p.of(scope, eco.KindSession) }

func (p Period) of(scope facts.Scope, kind eco.Kind) *ask {
	return &ask{facts.Query{Scope: scope, From: p.From, To: p.To, Where: []facts.Cond{{Col: facts.Kind, Op: facts.In, Values: []string{string(kind)}}}}}
}

// in narrows a column to values; no value at all does not narrow.
func (a *ask) in(col facts.Column, values ...string) *ask {
	a.q.Where = append(a.q.Where, facts.Cond{Col: col, Op: facts.In, Values: values})
	return a
}

// names reports whether at most so many values of a column are asked for.
func (a *ask) names(col facts.Column, most int) bool {
	return slices.ContainsFunc(a.q.Where, func(c facts.Cond) bool {
		return c.Col == col && c.Op == facts.In && len(c.Values) <= most
	})
}

// is narrows a column to one value, unless that is empty.
func (a *ask) is(col facts.Column, value string) *ask {
	if value != "" {
		a.in(col, value)
	}
	return a
}

func (a *ask) not(col facts.Column, values ...string) *ask {
	a.q.Where = append(a.q.Where, facts.Cond{Col: col, Op: facts.NotIn, Values: values})
	return a
}

func (a *ask) by(cols ...facts.Column) *ask { a.q.Group = cols; return a }

func (a *ask) sum(fns ...facts.Fn) *ask {
	for _, fn := range fns {
		a.q.Measures = append(a.q.Measures, facts.Measure{Fn: fn})
	}
	return a
}

func (a *ask) most(by facts.Fn) *ask {
	a.q.Order = []facts.Order{{By: string(by), Desc: true}}
	return a
}

func (a *ask) limit(n int) *ask { a.q.Limit = n; return a }

func (d *Desk) query(ctx context.Context, a *ask) (facts.Result, error) {
	l, err := d.linked(ctx)
	if err != nil {
		return facts.Result{}, err
	}
	a.q.Relabel = l.relabel
	r, err := d.o.Facts.Query(ctx, a.q)
	return r, fault.Wrap("crash.query", err)
}

// queries asks several questions, one after the other (together they need more
// memory than the store is given), and returns their answers in order.
func (d *Desk) queries(ctx context.Context, asks ...*ask) (out []facts.Result, err error) {
	out = make([]facts.Result, len(asks))
	for i, a := range asks {
		if out[i], err = d.query(ctx, a); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Values of a result are string, int64 or float64; a missing one is zero.
func text(v any) string { s, _ := v.(string); return s }

func number(v any) int64 {
	switch n := v.(type) {
	case int64:
		return n
	case float64:
		return int64(n)
	}
	return 0
}

func moment(v any) time.Time { return time.UnixMilli(number(v)).UTC() }

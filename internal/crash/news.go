package crash

import (
	"context"
	"time"

	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Fresh lists the families first seen since a moment, the oldest first, at most
// limit. For the server's own decisions, never for a page of somebody.
func (d *Desk) Fresh(ctx context.Context, since time.Time, limit int) ([]string, error) {
	list, err := column(ctx, d.o.Flow.Read(), `SELECT id FROM crash_family WHERE first_ms >= $1 ORDER BY first_ms, id LIMIT $2`, since.UnixMilli(), limit)
	return list, fault.Wrap("crash.Fresh", err)
}

// Comeback is a family that came back after a person had resolved it, or had
// ignored it until something that happened.
type Comeback struct {
	Change string // its id: a family may come back again
	Family string
	From   State
	Note   string
	At     time.Time
}

// Comebacks lists the families that the machine opened again since a moment, the oldest first, at most limit.
func (d *Desk) Comebacks(ctx context.Context, since time.Time, limit int) ([]Comeback, error) {
	const op = "crash.Comebacks"
	rows, err := d.o.Records.Read().QueryContext(ctx, `SELECT id, family, from_state, note, at_ms FROM crash_change
		WHERE at_ms >= $1 AND actor = 'system' AND from_state IN ('resolved', 'ignored') AND to_state = 'open' AND undoes = '' ORDER BY at_ms, id LIMIT $2`, since.UnixMilli(), limit)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	defer rows.Close()
	var out []Comeback
	for rows.Next() {
		var c Comeback
		var at int64
		if err := rows.Scan(&c.Change, &c.Family, &c.From, &c.Note, &at); err != nil {
			return nil, fault.Wrap(op, err)
		}
		c.At = time.UnixMilli(at).UTC()
		out = append(out, c)
	}
	return out, fault.Wrap(op, rows.Err())
}

// Hour is what a family did in one hour of receipt.
type Hour struct {
	Family   string
	Hour     time.Time // its start
	Crashes  int64
	Installs int64 // distinct ones that named themselves
}

// Hours counts families by hour over everybody's crashes, from the start of an
// hour to the end of one; no families: all that crashed, the most first, at most
// facts.MaxLimit. For the server's own decisions, never for a page of somebody.
func (d *Desk) Hours(ctx context.Context, from, to time.Time, families ...string) ([]Hour, error) {
	a := Period{From: from, To: to}.crashes(facts.Everything()).not(facts.Family, "")
	if len(families) > 0 {
		a = a.in(facts.Family, families...)
	}
	r, err := d.query(ctx, a.by(facts.Family, facts.Hour).sum(facts.Count, facts.Installs).most(facts.Count).limit(facts.MaxLimit))
	if err != nil {
		return nil, err
	}
	out := make([]Hour, 0, len(r.Rows))
	for _, v := range r.Rows {
		out = append(out, Hour{Family: text(v[0]), Hour: moment(v[1]), Crashes: number(v[2]), Installs: number(v[3])})
	}
	return out, nil
}

// Caught says of which families every crash of the last 30 days was caught by
// somebody. For the server's own decisions.
func (d *Desk) Caught(ctx context.Context, ids []string) (map[string]bool, error) {
	out := map[string]bool{}
	if len(ids) == 0 {
		return out, nil
	}
	a := d.period(Period{From: d.o.Now().AddDate(0, 0, -impactDays)}).crashes(facts.Everything()).in(facts.Family, ids...)
	r, err := d.query(ctx, a.by(facts.Family, facts.Handled).sum(facts.Count).limit(facts.MaxLimit))
	if err != nil {
		return nil, err
	}
	for _, v := range r.Rows {
		if number(v[1]) == 1 {
			if _, known := out[text(v[0])]; !known {
				out[text(v[0])] = true
			}
		} else {
			out[text(v[0])] = false
		}
	}
	return out, nil
}

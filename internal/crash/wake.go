package crash

import (
	"context"
	"fmt"
	"time"

	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// maxWoken bounds the ignored families that one run of Wake looks at, those
// decided first first; each costs a question to facts.
const maxWoken = 1000

// Wake is the desk's frequent job: it opens ignored families whose time has come
// or that crashed as often, or in as many installs, as was waited for. Releases
// are the flow's business (Reopen).
func (d *Desk) Wake(ctx context.Context) (note string, changes []Change, err error) {
	const op = "crash.Wake"
	list, err := column(ctx, d.o.Records.Read(), `SELECT family FROM crash_state WHERE state = 'ignored' AND until <> '' ORDER BY at_ms, family LIMIT $1`, maxWoken)
	if err != nil {
		return "", nil, fault.Wrap(op, err)
	}
	all, err := states(ctx, d.o.Records.Read(), list)
	if err != nil {
		return "", nil, fault.Wrap(op, err)
	}
	for _, id := range list {
		p, err := d.progress(ctx, facts.Everything(), id, all[id])
		if err != nil {
			return "", changes, err
		}
		c, done, err := d.reopen(ctx, id, func(s status) (string, bool) {
			if s.state != Ignored || s.at != all[id].at { // decided anew: counted from then
				return "", false
			}
			return Until{Crashes: s.until.Crashes, Installs: s.until.Installs, Time: s.until.Time}.Over(nil, p)
		})
		if err != nil {
			return "", changes, err
		}
		if done {
			changes = append(changes, c)
		}
	}
	if len(changes) == 0 {
		return "nothing to do", nil, nil
	}
	return fmt.Sprintf("%d opened again", len(changes)), changes, nil
}

// progress counts what happened to a family since its state was decided. Nothing
// is asked when no number is waited for.
func (d *Desk) progress(ctx context.Context, scope facts.Scope, id string, s status) (Progress, error) {
	p := Progress{Now: d.o.Now().UTC()}
	if s.until.Crashes == 0 && s.until.Installs == 0 {
		return p, nil
	}
	a := Period{From: time.UnixMilli(s.at), To: p.Now.Add(time.Millisecond)}.crashes(scope).in(facts.Family, id)
	r, err := d.query(ctx, a.sum(facts.Count, facts.Installs))
	if err == nil && len(r.Rows) > 0 {
		p.Crashes, p.Installs = number(r.Rows[0][0]), number(r.Rows[0][1])
	}
	return p, err
}

// waited is what happened to a family since it was ignored until something.
func (d *Desk) waited(ctx context.Context, scope facts.Scope, f *Family) (*Progress, error) {
	if f.State != Ignored || f.Until.IsZero() {
		return nil, nil
	}
	p, err := d.progress(ctx, scope, f.ID, status{state: f.State, until: f.Until, at: f.since})
	return &p, err
}

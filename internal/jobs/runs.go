package jobs

import (
	"context"
	"database/sql"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// run is what is kept of a job's newest run.
type run struct {
	began    time.Time
	took     time.Duration
	outcome  string
	note     string
	failures int
	next     time.Time
	holder   string // set while it runs
}

// note writes a run down. At its beginning the outcome of the one before stays.
func (t *Table) note(ctx context.Context, name string, r run, begin bool) error {
	return fault.Wrap("jobs.note", t.o.DB.Tx(ctx, func(tx *sql.Tx) error {
		set := `outcome = excluded.outcome, note = excluded.note, took_ms = excluded.took_ms,
			failures = CASE WHEN excluded.outcome = 'ok' THEN 0 ELSE job_run.failures + 1 END`
		failures := int64(0)
		if r.outcome == Failed {
			failures = 1
		}
		if begin {
			set = `failures = job_run.failures`
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO job_run (name, began_ms, took_ms, outcome, note, failures, next_ms, holder)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (name) DO UPDATE SET began_ms = excluded.began_ms, next_ms = excluded.next_ms, holder = excluded.holder, `+set,
			name, r.began.UnixMilli(), r.took.Milliseconds(), r.outcome, r.note, failures, r.next.UnixMilli(), r.holder)
		return err
	}))
}

func (t *Table) read(ctx context.Context) (map[string]run, error) {
	rows, err := t.o.DB.Read().QueryContext(ctx, `SELECT name, began_ms, took_ms, outcome, note, failures, next_ms, holder FROM job_run ORDER BY name`)
	if err != nil {
		return nil, fault.Wrap("jobs.read", err)
	}
	defer rows.Close()
	out := map[string]run{}
	for rows.Next() {
		var r run
		var name string
		var began, took, next int64
		if err := rows.Scan(&name, &began, &took, &r.outcome, &r.note, &r.failures, &next, &r.holder); err != nil {
			return nil, fault.Wrap("jobs.read", err)
		}
		r.began, r.next, r.took = time.UnixMilli(began).UTC(), time.UnixMilli(next).UTC(), time.Duration(took)*time.Millisecond
		out[name] = r
	}
	t.mu.Lock()
	for name, r := range t.local {
		out[name] = r
	}
	t.mu.Unlock()
	return out, fault.Wrap("jobs.read", rows.Err())
}

// List shows every job, in the order of the table.
func (t *Table) List(ctx context.Context) ([]Status, error) {
	runs, err := t.read(ctx)
	if err != nil {
		return nil, err
	}
	now := t.o.Now()
	out := make([]Status, len(t.jobs))
	for i, j := range t.jobs {
		s := Status{Name: j.Name, What: j.What, Every: j.Every, Limit: j.Limit}
		if r, ok := runs[j.Name]; ok {
			s.Last, s.Took, s.Outcome, s.Note, s.Failures, s.Next = r.began, r.took, r.outcome, r.note, r.failures, r.next
			// A process that died left its name; after the limit nobody believes it.
			if r.holder != "" && now.Before(r.began.Add(j.Limit+time.Minute)) {
				s.Running, s.Holder = true, r.holder
			}
			if j.Local {
				s.Running = t.isRunning(j.Name)
			}
		}
		out[i] = s
	}
	return out, nil
}

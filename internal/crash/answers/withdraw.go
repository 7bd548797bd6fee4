package answers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

// A withdrawn report leaves every count and page at once. Its row is rewritten out
// of the files within the hour; what the stream, a dead letter or a backup may
// still hold of it is gone after gone days.
const goneDays = 8

func goneBy(at time.Time) time.Time { return at.AddDate(0, 0, goneDays).Truncate(24 * time.Hour) }

// withdrawn remembers the reports that were taken back lately: the flow drops them
// when it meets them later.
type withdrawn struct {
	mu   sync.RWMutex
	when map[eco.ID]time.Time
}

func (w *withdrawn) at(id eco.ID) (time.Time, bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	t, ok := w.when[id]
	return t, ok
}

func (w *withdrawn) put(id eco.ID, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.when == nil {
		w.when = map[eco.ID]time.Time{}
	}
	w.when[id] = at
}

func (w *withdrawn) forget(before time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, at := range w.when {
		if at.Before(before) {
			delete(w.when, id)
		}
	}
}

// Withdraw takes a report back: it and what its sender added to it are erased.
// Doing it again changes nothing. The view it returns is the proof.
func (d *Desk) Withdraw(ctx context.Context, id string) (View, error) {
	const op = "answers.Withdraw"
	v, err := d.Receipt(ctx, id)
	if err != nil {
		return View{}, err
	}
	switch v.Answer.State {
	case receipt.Withdrawn:
		return v, nil
	case receipt.Expired:
		return v, fault.E(op, fault.Conflict, "This report is kept no longer; there is nothing to withdraw.", nil)
	}
	at := d.o.Now().UTC().Truncate(time.Millisecond)
	err = d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `INSERT INTO answer_withdrawn (crash, project, at_ms, done) VALUES ($1, $2, $3, 0) ON CONFLICT (crash) DO NOTHING`,
			v.crash.String(), v.project, at.UnixMilli())
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return err
		}
		for _, leave := range d.leave {
			if err := leave(ctx, tx, v.crash); err != nil {
				return err
			}
		}
		return d.o.Audit.Append(ctx, tx, audit.Entry{Actor: "system:receipt", Action: "receipt.withdraw", Ref: eco.Ref{Kind: "crash", ID: v.crash.String()}, Note: "Its sender took the report back."})
	})
	if err != nil {
		return View{}, fault.Wrap(op, err)
	}
	d.withdrawn.put(v.crash, at)
	if _, err := d.takeOut(ctx, v.crash); err != nil {
		return View{}, fault.Wrap(op, err) // the job goes on with it; asking again is right
	}
	return d.absentAt(v, at)
}

// takeOut erases one withdrawn report with its notes, and writes that down.
func (d *Desk) takeOut(ctx context.Context, id eco.ID) (int64, error) {
	rows, err := d.o.Facts.Erase(ctx, facts.Subject{Crash: id})
	if err != nil {
		return 0, err
	}
	notes, err := d.notes(ctx, id)
	if err != nil {
		return 0, err
	}
	for _, n := range notes {
		if _, err := d.o.Facts.Erase(ctx, facts.Subject{Crash: n}); err != nil {
			return 0, err
		}
		d.withdrawn.put(n, d.o.Now()) // it may still be on its way
	}
	return rows.Rows, d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE answer_withdrawn SET done = 1 WHERE crash = $1`, id.String())
		return err
	})
}

// Erased tells the flow that a record's sender took it back after it came in.
func (d *Desk) Erased(e *eco.Envelope) bool {
	_, gone := d.withdrawn.at(e.ID)
	return gone
}

// Sweep is a job: it erases what an earlier try did not, erases again what was
// withdrawn within the last hour (a batch may have been under way), and forgets
// withdrawals whose last copy is gone.
func (d *Desk) Sweep(ctx context.Context) (string, error) {
	const op = "answers.Sweep"
	now := d.o.Now()
	ids, err := d.crashes(ctx, `SELECT crash FROM answer_withdrawn WHERE done = 0 OR at_ms >= $1 ORDER BY at_ms LIMIT 1000`, now.Add(-time.Hour).UnixMilli())
	if err != nil {
		return "", fault.Wrap(op, err)
	}
	n := 0
	for _, id := range ids {
		rows, err := d.takeOut(ctx, id)
		if err != nil {
			return "", fault.Wrap(op, err)
		}
		if rows > 0 {
			n++
		}
	}
	d.withdrawn.forget(now.AddDate(0, 0, -goneDays-1))
	old := now.AddDate(0, 0, -keptDays-goneDays).UnixMilli()
	err = d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		for _, q := range []string{`DELETE FROM answer_withdrawn WHERE done = 1 AND at_ms < $1`, `DELETE FROM answer_added WHERE at_ms < $1`} {
			if _, err := tx.ExecContext(ctx, q, old); err != nil {
				return err
			}
		}
		return nil
	})
	if n == 0 {
		return "nothing to do", fault.Wrap(op, err)
	}
	return fmt.Sprintf("%d withdrawn reports erased", n), fault.Wrap(op, err)
}

func (d *Desk) loadWithdrawn(ctx context.Context) error {
	rows, err := d.o.Records.Read().QueryContext(ctx, `SELECT crash, at_ms FROM answer_withdrawn WHERE at_ms >= $1`, d.o.Now().AddDate(0, 0, -goneDays-1).UnixMilli())
	if err != nil {
		return err
	}
	defer rows.Close()
	var list []eco.ID
	for rows.Next() {
		var s string
		var at int64
		if err := rows.Scan(&s, &at); err != nil {
			return err
		}
		if id, err := eco.ParseID(s); err == nil {
			d.withdrawn.put(id, time.UnixMilli(at).UTC())
			list = append(list, id)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, id := range list {
		notes, err := d.notes(ctx, id)
		if err != nil {
			return err
		}
		for _, n := range notes {
			d.withdrawn.put(n, d.o.Now())
		}
	}
	return nil
}

func (d *Desk) wasWithdrawn(ctx context.Context, id eco.ID) (time.Time, bool, error) {
	var at int64
	err := d.o.Records.Read().QueryRowContext(ctx, `SELECT at_ms FROM answer_withdrawn WHERE crash = $1`, id.String()).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, false, nil
	}
	return time.UnixMilli(at).UTC(), err == nil, err
}

// MaxAdded bounds the notes of one report.
const MaxAdded = 5

// Attach remembers that a note was added to a report, so that withdrawing takes it
// along. add sends the note on its way and returns its id.
func (d *Desk) Attach(ctx context.Context, v View, add func() (eco.ID, error)) error {
	const op = "answers.Attach"
	switch v.Answer.State {
	case receipt.Withdrawn, receipt.Expired:
		return fault.E(op, fault.Conflict, "This report is kept no longer; nothing can be added to it.", nil)
	}
	n, err := d.added(ctx, v.crash)
	if err != nil {
		return fault.Wrap(op, err)
	}
	if n >= MaxAdded {
		return fault.E(op, fault.Conflict, "Five notes were added to this report already; that is the most.", nil)
	}
	id, err := add()
	if err != nil {
		return err
	}
	return fault.Wrap(op, d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO answer_added (crash, note, at_ms) VALUES ($1, $2, $3)`, v.crash.String(), id.String(), d.o.Now().UnixMilli())
		return err
	}))
}

func (d *Desk) added(ctx context.Context, id eco.ID) (n int, err error) {
	err = d.o.Records.Read().QueryRowContext(ctx, `SELECT count(*) FROM answer_added WHERE crash = $1`, id.String()).Scan(&n)
	return n, err
}

func (d *Desk) notes(ctx context.Context, id eco.ID) ([]eco.ID, error) {
	return d.crashes(ctx, `SELECT note FROM answer_added WHERE crash = $1`, id.String())
}

func (d *Desk) crashes(ctx context.Context, query string, args ...any) ([]eco.ID, error) {
	rows, err := d.o.Records.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []eco.ID
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		if id, err := eco.ParseID(s); err == nil {
			out = append(out, id)
		}
	}
	return out, rows.Err()
}

package outbox

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/fault"
)

const columns = `id, target, kind, subject, state, reason, created_ms, due_ms, ends_ms, done_ms, tries, code, answer, sealed`

func scan(rows *sql.Rows) ([]Delivery, error) {
	defer rows.Close()
	var out []Delivery
	for rows.Next() {
		var d Delivery
		var created, due, done int64
		if err := rows.Scan(&d.ID, &d.Target, &d.Kind, &d.Subject, &d.State, &d.Reason, &created, &due, &d.ends, &done, &d.Tries, &d.Code, &d.Answer, &d.Sealed); err != nil {
			return nil, err
		}
		d.Created, d.Due, d.Done = moment(created), moment(due), moment(done)
		out = append(out, d)
	}
	return out, rows.Err()
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func (o *Outbox) items(ctx context.Context, q Querier, id string) ([]Item, error) {
	rows, err := q.QueryContext(ctx, `SELECT item, kind, topic, note, at_ms FROM outbox_item WHERE message = $1 ORDER BY at_ms, item LIMIT $2`, id, 2*MaxItems)
	if err != nil {
		return nil, fault.Wrap("outbox.items", err)
	}
	defer rows.Close()
	var out []Item
	for rows.Next() {
		var i Item
		var at int64
		if err := rows.Scan(&i.Key, &i.Kind, &i.Topic, &i.Note, &at); err != nil {
			return nil, fault.Wrap("outbox.items", err)
		}
		i.At = moment(at)
		out = append(out, i)
	}
	return out, fault.Wrap("outbox.items", rows.Err())
}

// Filter narrows the log.
type Filter struct {
	Targets []string // nil: everybody's
	State   State
	Cursor  string
	Limit   int // 0 = 50, at most 200
}

// List lists messages, the newest first.
func (o *Outbox) List(ctx context.Context, f Filter) (list []Delivery, next string, err error) {
	const op = "outbox.List"
	if f.Limit <= 0 || f.Limit > 200 {
		f.Limit = 50
	}
	where, args := []string{"1 = 1"}, []any{}
	arg := func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) }
	if f.Targets != nil {
		marks := []string{"''"}
		for _, t := range f.Targets {
			marks = append(marks, arg(t))
		}
		where = append(where, "target IN ("+strings.Join(marks, ", ")+")")
	}
	if f.State != "" {
		where = append(where, "state = "+arg(string(f.State)))
	}
	if f.Cursor != "" {
		at, id, ok := strings.Cut(f.Cursor, ":")
		n, err := strconv.ParseInt(at, 10, 64)
		if !ok || err != nil || len(id) > 64 {
			return nil, "", fault.E(op, fault.Invalid, "This cursor is not one of ours.", nil)
		}
		a := arg(n)
		where = append(where, "(created_ms < "+a+" OR created_ms = "+a+" AND id < "+arg(id)+")")
	}
	rows, err := o.o.DB.Read().QueryContext(ctx, `SELECT `+columns+` FROM outbox_message WHERE `+strings.Join(where, " AND ")+` ORDER BY created_ms DESC, id DESC LIMIT `+arg(f.Limit+1), args...)
	if err != nil {
		return nil, "", fault.Wrap(op, err)
	}
	if list, err = scan(rows); err != nil {
		return nil, "", fault.Wrap(op, err)
	}
	if len(list) > f.Limit {
		list = list[:f.Limit]
		last := list[f.Limit-1]
		next = strconv.FormatInt(last.Created.UnixMilli(), 10) + ":" + last.ID
	}
	for i := range list {
		list[i].Sealed = nil
		if list[i].Items, err = o.items(ctx, o.o.DB.Read(), list[i].ID); err != nil {
			return nil, "", err
		}
	}
	return list, next, nil
}

// Get returns one message.
func (o *Outbox) Get(ctx context.Context, id string) (Delivery, error) {
	const op = "outbox.Get"
	rows, err := o.o.DB.Read().QueryContext(ctx, `SELECT `+columns+` FROM outbox_message WHERE id = $1`, id)
	if err != nil {
		return Delivery{}, fault.Wrap(op, err)
	}
	list, err := scan(rows)
	if err != nil {
		return Delivery{}, fault.Wrap(op, err)
	}
	if len(list) == 0 {
		return Delivery{}, fault.E(op, fault.NotFound, "There is no such thing, or it is not yours to see.", nil)
	}
	list[0].Sealed = nil
	list[0].Items, err = o.items(ctx, o.o.DB.Read(), id)
	return list[0], err
}

// Resend makes a message due again in the caller's transaction, with all its
// tries. One that was sent goes out again with the same id. One whose contents
// were sealed and are gone cannot.
func (o *Outbox) Resend(ctx context.Context, tx *sql.Tx, id string) error {
	const op = "outbox.Resend"
	var state State
	var kind string
	err := tx.QueryRowContext(ctx, `SELECT state, kind FROM outbox_message WHERE id = $1`, id).Scan(&state, &kind)
	switch {
	case err == db.ErrNoRows:
		return fault.E(op, fault.NotFound, "There is no such thing, or it is not yours to see.", nil)
	case err != nil:
		return fault.Wrap(op, err)
	case state == Sending:
		return fault.E(op, fault.Conflict, "It is being sent.", nil)
	}
	r, err := tx.ExecContext(ctx, `UPDATE outbox_message SET state = 'waiting', reason = '', due_ms = $1, done_ms = 0, tries = 0, lease_ms = 0
		WHERE id = $2 AND (sealed IS NOT NULL OR EXISTS (SELECT 1 FROM outbox_item WHERE message = $2))`, o.o.Now().UnixMilli(), id)
	if err != nil {
		return fault.Wrap(op, err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return fault.E(op, fault.Conflict, "What it said is not kept; make a new one.", err)
	}
	return nil
}

// Drop forgets what waits for a target, for good, and whatever it got: its reader
// is gone.
func (o *Outbox) Drop(ctx context.Context, tx *sql.Tx, target string) error {
	for _, q := range []string{`DELETE FROM outbox_item WHERE target = $1`, `DELETE FROM outbox_message WHERE target = $1`} {
		if _, err := tx.ExecContext(ctx, q, target); err != nil {
			return fault.Wrap("outbox.Drop", err)
		}
	}
	return nil
}

// Tidy forgets messages that were done KeepDays ago, and items without one.
func (o *Outbox) Tidy(ctx context.Context) (int64, error) {
	var n int64
	before := o.o.Now().AddDate(0, 0, -KeepDays).UnixMilli()
	err := o.o.DB.Tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `DELETE FROM outbox_message WHERE done_ms > 0 AND done_ms < $1`, before)
		if err != nil {
			return err
		}
		if n, err = r.RowsAffected(); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM outbox_item WHERE put_ms < $1 AND NOT EXISTS (SELECT 1 FROM outbox_message m WHERE m.id = outbox_item.message)`, before)
		return err
	})
	return n, fault.Wrap("outbox.Tidy", err)
}

package outbox

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
)

// atOnce bounds the messages that one run of Deliver sends side by side, perRun
// those it sends at all.
const (
	atOnce = 4
	perRun = 40
)

// Deliver sends what is due and returns how many messages it tried.
func (o *Outbox) Deliver(ctx context.Context) (int, error) {
	list, err := o.lease(ctx, `(state = 'waiting' AND due_ms <= $1 OR state = 'sending' AND lease_ms <= $1)`, nil)
	if err != nil {
		return 0, err
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	var mu sync.Mutex
	var first error
	for _, d := range list {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if _, err := o.try(ctx, d); err != nil {
				mu.Lock()
				defer mu.Unlock()
				if first == nil {
					first = err
				}
			}
		})
	}
	wg.Wait()
	return len(list), first
}

// Now sends one message at once, whatever its time, and returns what became of it.
func (o *Outbox) Now(ctx context.Context, id string) (Delivery, error) {
	const op = "outbox.Now"
	list, err := o.lease(ctx, `state IN ('waiting', 'failed') AND lease_ms <= $1 AND id = $5`, []any{id})
	if err != nil {
		return Delivery{}, err
	}
	if len(list) == 0 {
		return Delivery{}, fault.E(op, fault.Conflict, "This message is under way, or done.", nil)
	}
	return o.try(ctx, list[0])
}

// lease takes messages for this process.
func (o *Outbox) lease(ctx context.Context, where string, args []any) ([]Delivery, error) {
	const op = "outbox.Deliver"
	now := o.o.Now()
	var waiting int
	if err := o.o.DB.Read().QueryRowContext(ctx, `SELECT count(*) FROM outbox_message WHERE state IN ('waiting', 'sending') AND due_ms <= $1`, now.UnixMilli()).Scan(&waiting); err != nil {
		return nil, fault.Wrap(op, err)
	}
	if waiting == 0 && args == nil {
		return nil, nil // nothing is written while nothing is due
	}
	var list []Delivery
	err := o.o.DB.Tx(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `UPDATE outbox_message SET state = 'sending', lease_ms = $2, holder = $3, tries = tries + 1
			WHERE id IN (SELECT id FROM outbox_message WHERE `+where+` ORDER BY due_ms, id LIMIT $4) RETURNING `+columns,
			append([]any{now.UnixMilli(), now.Add(leaseTime).UnixMilli(), o.o.Holder, perRun}, args...)...)
		if err != nil {
			return err
		}
		list, err = scan(rows)
		return err
	})
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	for i := range list {
		if list[i].Items, err = o.items(ctx, o.o.DB.Read(), list[i].ID); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// try prepares and sends one leased message and notes the outcome.
func (o *Outbox) try(ctx context.Context, d Delivery) (Delivery, error) {
	m, a, err := o.send(ctx, d)
	if ctx.Err() != nil {
		// We are being stopped: whether it arrived is unknown; the lease ends, and the
		// next try has the same id.
		return d, nil
	}
	now := o.o.Now()
	d.Code, d.Answer, d.Reason = a.Code, a.Text, ""
	if m.Subject != "" {
		d.Subject = notify.Line(m.Subject, 300)
	}
	code := fault.CodeOf(err)
	switch {
	case err == nil:
		d.State, d.Done = Sent, now
	case code == fault.NotFound && m.Subject == "": // nothing was prepared
		d.State, d.Done, d.Reason = Dropped, now, fault.TextOf(err)
	case code == fault.NotFound, code == fault.Invalid, code == fault.Forbidden, d.Tries > len(Retries):
		d.State, d.Done, d.Reason = Failed, now, fault.TextOf(err)
	default:
		pause := max(Retries[max(d.Tries-1, 0)], a.After)
		d.State, d.Due, d.Reason = Waiting, now.Add(pause), fault.TextOf(err)
	}
	if d.State == Waiting && d.ends > 0 && d.Due.UnixMilli() > d.ends {
		d.State, d.Done = Failed, now
		d.Reason += " It has no use any more."
	}
	d.Reason = notify.Line(d.Reason, 500)
	if d.State != Sent {
		o.o.Log.Info("a message was not taken", "message", d.ID, "kind", d.Kind, "try", d.Tries, "code", string(code), "state", string(d.State))
	}
	return d, o.note(ctx, d, code)
}

func (o *Outbox) send(ctx context.Context, d Delivery) (m notify.Message, a notify.Answer, err error) {
	const op = "outbox.send"
	defer func() {
		if p := recover(); p != nil {
			err = fault.E(op, fault.Internal, "Something broke while it was sent.", fmt.Errorf("panic: %v", p))
		}
	}()
	if d.ends > 0 && o.o.Now().UnixMilli() > d.ends {
		return m, a, fault.E(op, fault.NotFound, "It came too late to be of use.", nil)
	}
	m, s, err := o.o.Prepare(ctx, d)
	if err != nil {
		return notify.Message{}, a, err
	}
	m.ID = d.ID
	ctx, cancel := context.WithTimeout(ctx, leaseTime/2)
	defer cancel()
	a, err = s.Send(ctx, m)
	return m, a, err
}

// note writes the outcome, unless another process has taken the message meanwhile.
func (o *Outbox) note(ctx context.Context, d Delivery, code fault.Code) error {
	return fault.Wrap("outbox.note", o.o.DB.Tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE outbox_message SET state = $1, reason = $2, due_ms = $3, done_ms = $4, code = $5, answer = $6, subject = $7, lease_ms = 0,
			sealed = CASE WHEN $1 IN ('sent', 'dropped') THEN NULL ELSE sealed END WHERE id = $8 AND state = 'sending' AND holder = $9 AND tries = $10`,
			string(d.State), d.Reason, d.Due.UnixMilli(), ms(d.Done), d.Code, d.Answer, d.Subject, d.ID, o.o.Holder, d.Tries)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if o.o.After == nil {
			return nil
		}
		return o.o.After(ctx, tx, d, code)
	}))
}

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

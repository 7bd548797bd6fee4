package account

import (
	"context"
	"database/sql"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// How long an idempotency key is remembered, how long its first request may be
// under way, and the largest answer that is kept.
const (
	onceLife   = 24 * time.Hour
	onceBusy   = 2 * time.Minute
	maxOnce    = 10_000 // keys of one actor
	MaxOnceKey = 255    // bytes of a key
	maxAnswer  = 256 << 10
)

// Answer is what a request was answered.
type Answer struct {
	Status int
	Body   string
	Kept   bool // false: the body was too large, or held a secret that is shown once
}

// Once begins a request that carries an idempotency key. done is nil: nobody made
// this request before, do it and call Finish. Otherwise it was answered so. The same
// key for another request is invalid; one that is still under way is a conflict.
// The request is given as its hash.
func (s *Service) Once(ctx context.Context, p Principal, key, request string) (done *Answer, err error) {
	const op = "account.Once"
	if key == "" || len(key) > MaxOnceKey {
		return nil, fault.E(op, fault.Invalid, "Idempotency-Key: It has 1 to 255 bytes.", nil)
	}
	now := s.nowMs()
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		var before string
		var a Answer
		var created int64
		found := true
		switch err := tx.QueryRowContext(ctx, `SELECT request, status, body, kept, created FROM account_once WHERE actor = $1 AND word = $2`,
			p.Actor(), hashOf(key)).Scan(&before, &a.Status, &a.Body, &a.Kept, &created); {
		case err == sql.ErrNoRows:
			found = false
		case err != nil:
			return fault.Wrap(op, err)
		}
		stale := now-created >= onceLife.Milliseconds() || a.Status == 0 && now-created >= onceBusy.Milliseconds()
		switch {
		case found && !stale && before != request:
			return fault.E(op, fault.Invalid, "Idempotency-Key: It was used for another request.", nil)
		case found && !stale && a.Status == 0:
			return fault.E(op, fault.Conflict, "The first request with this idempotency key is still under way.", nil)
		case found && !stale:
			done = &a
			return nil
		}
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM account_once WHERE actor = $1`, p.Actor()).Scan(&n); err != nil {
			return fault.Wrap(op, err)
		}
		if n >= maxOnce {
			return fault.E(op, fault.RateLimited, "Too many idempotency keys within a day.", nil)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO account_once (actor, word, request, status, body, kept, created) VALUES ($1, $2, $3, 0, '', 0, $4)
			ON CONFLICT (actor, word) DO UPDATE SET request = excluded.request, status = 0, body = '', kept = 0, created = excluded.created`,
			p.Actor(), hashOf(key), request, now)
		return fault.Wrap(op, err)
	})
	return done, err
}

// Finish remembers the answer of a request that Once began. An answer of 500 and
// above, and 429, is forgotten: repeating the request may cure it.
func (s *Service) Finish(ctx context.Context, p Principal, key string, a Answer) error {
	const op = "account.Finish"
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		var err error
		if a.Status >= 500 || a.Status == 429 || a.Status == 0 {
			_, err = tx.ExecContext(ctx, `DELETE FROM account_once WHERE actor = $1 AND word = $2 AND status = 0`, p.Actor(), hashOf(key))
			return fault.Wrap(op, err)
		}
		kept := 0
		if a.Kept && len(a.Body) <= maxAnswer {
			kept = 1
		} else {
			a.Body = ""
		}
		_, err = tx.ExecContext(ctx, `UPDATE account_once SET status = $1, body = $2, kept = $3 WHERE actor = $4 AND word = $5`, a.Status, a.Body, kept, p.Actor(), hashOf(key))
		return fault.Wrap(op, err)
	})
}

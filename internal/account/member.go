package account

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Account is one account as the members page shows it.
type Account struct {
	ID       string
	Email    string // personal data
	Name     string // personal data
	Grants   []Grant
	Disabled bool
	Created  time.Time
	LastSeen time.Time // day of the last sign-in; zero = never
}

const accountCols = `id, email, name, disabled, created, seen_day`

func scanAccount(row interface{ Scan(...any) error }) (Account, error) {
	var a Account
	var created, seen int64
	err := row.Scan(&a.ID, &a.Email, &a.Name, &a.Disabled, &created, &seen)
	a.Created, a.LastSeen = timeOf(created), timeOf(seen)
	return a, err
}

// memberOf reads one account with its grants.
func memberOf(ctx context.Context, q querier, op, id string) (Account, error) {
	a, err := scanAccount(q.QueryRowContext(ctx, `SELECT `+accountCols+` FROM account WHERE id = $1`, id))
	if errors.Is(err, db.ErrNoRows) {
		return a, fault.E(op, fault.NotFound, "There is no such account.", nil)
	}
	if err != nil {
		return a, fault.Wrap(op, err)
	}
	a.Grants, err = grantsOf(ctx, q, id)
	return a, err
}

// Member returns one account.
func (s *Service) Member(ctx context.Context, id string) (Account, error) {
	return memberOf(ctx, s.db.Read(), "account.Member", id)
}

// Members lists accounts by id (that is: in no order a person sees; pages sort
// one page by name) after the cursor, at most limit (1 to 200).
func (s *Service) Members(ctx context.Context, after string, limit int) (list []Account, next string, err error) {
	const op = "account.Members"
	limit = min(max(limit, 1), 200)
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+accountCols+` FROM account WHERE id > $1 ORDER BY id LIMIT $2`, after, limit+1)
	if err != nil {
		return nil, "", fault.Wrap(op, err)
	}
	defer rows.Close()
	for rows.Next() {
		a, err := scanAccount(rows)
		if err != nil {
			return nil, "", fault.Wrap(op, err)
		}
		list = append(list, a)
	}
	if err := rows.Err(); err != nil {
		return nil, "", fault.Wrap(op, err)
	}
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].ID
	}
	for i := range list {
		if list[i].Grants, err = grantsOf(ctx, s.db.Read(), list[i].ID); err != nil {
			return nil, "", err
		}
	}
	return list, next, nil
}

// SetGrants replaces an account's grants. The last operator stays one.
func (s *Service) SetGrants(ctx context.Context, by Principal, account string, grants []Grant) error {
	const op = "account.SetGrants"
	grants, err := s.checkGrants(op, grants)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		before, err := memberOf(ctx, tx, op, account)
		if err != nil {
			return err
		}
		if !slices.Contains(grants, Grant{Role: Operator}) {
			if err := keepsOperator(ctx, tx, op, account); err != nil {
				return err
			}
		}
		if err := putGrants(ctx, tx, account, grants); err != nil {
			return err
		}
		return s.log(ctx, tx, by, "account.grants", "account", account, "from "+describe(before.Grants)+" to "+describe(grants))
	})
}

// keepsOperator makes sure that somebody other than account can run the server.
func keepsOperator(ctx context.Context, tx *sql.Tx, op, account string) error {
	var others int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM account a JOIN account_grant g ON g.account = a.id
		WHERE a.disabled = 0 AND g.role = 'operator' AND a.id <> $1`, account).Scan(&others)
	if err != nil {
		return fault.Wrap(op, err)
	}
	if others == 0 {
		return fault.E(op, fault.Conflict, "This is the last operator; make another one first.", nil)
	}
	return nil
}

// Disable ends an account's sessions and keeps it and its tokens from being used;
// with disabled false it may sign in again (ended sessions stay ended).
func (s *Service) Disable(ctx context.Context, by Principal, account string, disabled bool) error {
	const op = "account.Disable"
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		a, err := memberOf(ctx, tx, op, account)
		if err != nil || a.Disabled == disabled {
			return err
		}
		action := "account.enable"
		if disabled {
			action = "account.disable"
			if err := keepsOperator(ctx, tx, op, account); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM account_session WHERE account = $1`, account); err != nil {
				return fault.Wrap(op, err)
			}
		}
		if err := setDisabled(ctx, tx, account, disabled); err != nil {
			return fault.Wrap(op, err)
		}
		return s.log(ctx, tx, by, action, "account", account, "")
	})
}

func setDisabled(ctx context.Context, tx *sql.Tx, account string, disabled bool) error {
	n := 0
	if disabled {
		n = 1
	}
	_, err := tx.ExecContext(ctx, `UPDATE account SET disabled = $1 WHERE id = $2`, n, account)
	return err
}

// Forget takes a person out of an account for good: name and address go, it is
// disabled, its sessions, tokens, links and grants end. The id stays, so that the
// audit log can still be read.
func (s *Service) Forget(ctx context.Context, by Principal, account string) error {
	const op = "account.Forget"
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := memberOf(ctx, tx, op, account); err != nil {
			return err
		}
		if err := keepsOperator(ctx, tx, op, account); err != nil {
			return err
		}
		for _, q := range []string{
			`DELETE FROM account_session WHERE account = $1`,
			`DELETE FROM account_token WHERE account = $1`,
			`DELETE FROM account_link WHERE account = $1`,
			`DELETE FROM account_grant WHERE account = $1`,
			`DELETE FROM account_once WHERE actor = 'account:' || $1`,
			`UPDATE account SET email = 'forgotten ' || id, name = 'Forgotten', password = 'none', disabled = 1, seen_day = 0 WHERE id = $1`,
		} {
			if _, err := tx.ExecContext(ctx, q, account); err != nil {
				return fault.Wrap(op, err)
			}
		}
		for _, leave := range s.leave {
			if err := leave(ctx, tx, account); err != nil {
				return err
			}
		}
		return s.log(ctx, tx, by, "account.forget", "account", account, "")
	})
}

// OnForget lets f take part in every Forget, in its transaction: whoever keeps
// something of a person. It is for the start, before anybody asks.
func (s *Service) OnForget(f func(ctx context.Context, tx *sql.Tx, account string) error) {
	s.leave = append(s.leave, f)
}

// Tidy removes sessions, links and idempotency keys that ended, and tokens that ended a year ago; a
// job calls it. It returns how many.
func (s *Service) Tidy(ctx context.Context) (int64, error) {
	const op = "account.Tidy"
	now := s.nowMs()
	var n int64
	err := s.db.Tx(ctx, func(tx *sql.Tx) error {
		for _, q := range []struct {
			text   string
			before int64
		}{
			{`DELETE FROM account_session WHERE ends <= $1`, now},
			{`DELETE FROM account_session WHERE seen <= $1`, now - s.opts.Idle.Milliseconds()},
			{`DELETE FROM account_link WHERE ends <= $1`, now},
			{`DELETE FROM account_once WHERE created <= $1`, now - onceLife.Milliseconds()},
			{`DELETE FROM account_token WHERE ends <= $1`, now - maxTokenLife.Milliseconds()},
		} {
			res, err := tx.ExecContext(ctx, q.text, q.before)
			if err != nil {
				return fault.Wrap(op, err)
			}
			k, err := res.RowsAffected()
			if err != nil {
				return fault.Wrap(op, err)
			}
			n += k
		}
		return nil
	})
	return n, err
}

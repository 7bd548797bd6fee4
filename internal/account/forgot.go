package account

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Asking for a new password costs a try, whether there is such an account or not.
var (
	forgotAccount = rate{2, 20 * time.Minute}
	forgotAddress = rate{10, 2 * time.Minute}
)

// ForgotLink makes a one-time link for whoever has the address, as ResetLink does
// for an operator. Without such an account, or with a disabled one, there is no
// token and no error: who asks is not told. The caller mails the token.
func (s *Service) ForgotLink(ctx context.Context, email, ip string) (account, token, name string, err error) {
	const op = "account.ForgotLink"
	email = strings.ToLower(strings.TrimSpace(eco.Clean(email, 254)))
	tries := []try{{s.limit.key("forgot", email), forgotAccount}, {s.limit.key("forgot from", network(ip)), forgotAddress}}
	if !s.limit.take(s.opts.Now(), tries...) {
		return "", "", "", fault.E(op, fault.RateLimited, "Too many tries. Please wait a few minutes.", nil)
	}
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT id, name FROM account WHERE email = $1 AND disabled = 0`, email).Scan(&account, &name)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fault.Wrap(op, err)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM account_link WHERE kind = 'reset' AND account = $1`, account); err != nil {
			return fault.Wrap(op, err)
		}
		if token, _, err = s.link(ctx, tx, "reset", account, Invitation{}, resetLife); err != nil {
			return err
		}
		return s.log(ctx, tx, Public(), "account.forgot", "account", account, "")
	})
	return account, token, name, err
}

// Renew makes a new link for an open invitation: the one before holds no more, and
// its seven days begin anew.
func (s *Service) Renew(ctx context.Context, by Principal, id string) (Invitation, string, error) {
	const op = "account.Renew"
	var inv Invitation
	var token string
	err := s.db.Tx(ctx, func(tx *sql.Tx) error {
		old, _, err := scanLink(tx.QueryRowContext(ctx, `DELETE FROM account_link WHERE id = $1 AND kind = 'invite' AND ends > $2 RETURNING `+linkCols, id, s.nowMs()))
		if errors.Is(err, db.ErrNoRows) {
			return fault.E(op, fault.NotFound, "There is no such invitation.", nil)
		}
		if err != nil {
			return fault.Wrap(op, err)
		}
		inv = old
		if token, inv.ID, err = s.link(ctx, tx, "invite", "", old, inviteLife); err != nil {
			return err
		}
		inv.Created, inv.Expires = timeOf(s.nowMs()), timeOf(s.nowMs()+inviteLife.Milliseconds())
		return s.log(ctx, tx, by, "account.renew", "invitation", inv.ID, describe(inv.Grants))
	})
	if err != nil {
		return Invitation{}, "", err
	}
	return inv, token, nil
}

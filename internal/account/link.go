package account

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// How long one-time links hold.
const (
	setupLife  = 24 * time.Hour // a restart makes a new one
	inviteLife = 7 * 24 * time.Hour
	resetLife  = 24 * time.Hour
)

// maxInvitations bounds the open ones.
const maxInvitations = 500

// NewAccount is what a person says when an account is made. Agent is a short
// label of the session, never a whole user agent. An invitation may have said the
// name already; Email is for the set-up only, an invitation has its own.
type NewAccount struct{ Email, Name, Password, Agent string }

// NeedsSetup reports whether no account exists yet.
func (s *Service) NeedsSetup(ctx context.Context) (bool, error) {
	var n int
	err := s.db.Read().QueryRowContext(ctx, `SELECT count(*) FROM account`).Scan(&n)
	return n == 0, fault.Wrap("account.NeedsSetup", err)
}

// SetupLink makes the one-time token of the set-up page while no account exists;
// it replaces the one made before. ok is false when there is an account.
func (s *Service) SetupLink(ctx context.Context) (token string, ok bool, err error) {
	const op = "account.SetupLink"
	if needed, err := s.NeedsSetup(ctx); err != nil || !needed {
		return "", false, err
	}
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM account_link WHERE kind = 'setup'`); err != nil {
			return fault.Wrap(op, err)
		}
		token, _, err = s.link(ctx, tx, "setup", "", Invitation{}, setupLife)
		return err
	})
	return token, err == nil, err
}

// link stores a one-time link and returns its token and public id.
func (s *Service) link(ctx context.Context, tx *sql.Tx, kind, account string, inv Invitation, life time.Duration) (token, id string, err error) {
	token, hash, err := s.secret()
	if err != nil {
		return "", "", err
	}
	if id, err = s.id("l"); err != nil {
		return "", "", err
	}
	grants, err := json.Marshal(inv.Grants)
	if err != nil {
		return "", "", fault.Wrap("account.link", err)
	}
	now := s.opts.Now()
	_, err = tx.ExecContext(ctx, `INSERT INTO account_link (hash, id, kind, account, email, name, grants, created, ends) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		hash, id, kind, account, inv.Email, inv.Name, string(grants), now.UnixMilli(), now.Add(life).UnixMilli())
	return token, id, fault.Wrap("account.link", err)
}

// use takes a link out of the table: it holds once.
func (s *Service) use(ctx context.Context, tx *sql.Tx, op, kind, token string) (inv Invitation, account string, err error) {
	inv, account, err = scanLink(tx.QueryRowContext(ctx, `DELETE FROM account_link WHERE hash = $1 AND kind = $2 AND ends > $3 RETURNING `+linkCols,
		hashOf(token), kind, s.nowMs()))
	if errors.Is(err, db.ErrNoRows) {
		return inv, "", fault.E(op, fault.NotFound, "This link was used already, or it has ended.", nil)
	}
	return inv, account, fault.Wrap(op, err)
}

const linkCols = `id, account, email, name, grants, created, ends`

func scanLink(row interface{ Scan(...any) error }) (inv Invitation, account string, err error) {
	var grants string
	var created, ends int64
	if err := row.Scan(&inv.ID, &account, &inv.Email, &inv.Name, &grants, &created, &ends); err != nil {
		return inv, "", err
	}
	inv.Created, inv.Expires = timeOf(created), timeOf(ends)
	return inv, account, json.Unmarshal([]byte(grants), &inv.Grants)
}

// SetUp uses the set-up token: the first account, with every role.
func (s *Service) SetUp(ctx context.Context, token string, n NewAccount) (SignedIn, error) {
	const op = "account.SetUp"
	email, err := checkEmail(op, n.Email)
	if err != nil {
		return SignedIn{}, err
	}
	all := []Grant{{Role: Operator}, {Role: Triager}, {Role: Support}, {Role: Steward}, {Role: Auditor}}
	return s.create(ctx, op, n, email, func(tx *sql.Tx) (Invitation, error) {
		if _, _, err := s.use(ctx, tx, op, "setup", token); err != nil {
			return Invitation{}, err
		}
		var accounts int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM account`).Scan(&accounts); err != nil {
			return Invitation{}, fault.Wrap(op, err)
		}
		if accounts > 0 {
			return Invitation{}, fault.E(op, fault.Conflict, "The server is set up already.", nil)
		}
		return Invitation{Email: email, Name: n.Name, Grants: all}, nil
	})
}

// create makes an account and its first session. The password is hashed before
// the transaction, which must be short; take uses the link inside it.
func (s *Service) create(ctx context.Context, op string, n NewAccount, email string, take func(*sql.Tx) (Invitation, error)) (SignedIn, error) {
	name, err := checkName(op, n.Name)
	if err != nil {
		return SignedIn{}, err
	}
	if err := checkPassword(op, n.Password, email); err != nil {
		return SignedIn{}, err
	}
	phc, err := s.hash(ctx, n.Password)
	if err != nil {
		return SignedIn{}, err
	}
	id, err := s.id("a")
	if err != nil {
		return SignedIn{}, err
	}
	var out SignedIn
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		inv, err := take(tx)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO account (id, email, name, password, disabled, created, seen_day) VALUES ($1, $2, $3, $4, 0, $5, $6)`,
			id, inv.Email, name, phc, s.nowMs(), s.dayMs())
		if db.IsUnique(err) {
			return fault.E(op, fault.Conflict, "There is an account with this address already.", nil)
		}
		if err != nil {
			return fault.Wrap(op, err)
		}
		if err := putGrants(ctx, tx, id, inv.Grants); err != nil {
			return err
		}
		if err := s.log(ctx, tx, Principal{Kind: KindAccount, ID: id}, "account.create", "account", id, describe(inv.Grants)); err != nil {
			return err
		}
		out, err = s.open(ctx, tx, id, name, n.Agent)
		return err
	})
	return out, err
}

// Invitation is an open invitation.
type Invitation struct {
	ID      string
	Email   string // personal data
	Name    string // personal data
	Grants  []Grant
	Created time.Time
	Expires time.Time
}

// Invite makes a one-time link for a new account, valid for seven days; the
// caller hands the token over. The name is a suggestion.
func (s *Service) Invite(ctx context.Context, by Principal, email, name string, grants []Grant) (Invitation, string, error) {
	const op = "account.Invite"
	email, err := checkEmail(op, email)
	if err != nil {
		return Invitation{}, "", err
	}
	if strings.TrimSpace(name) != "" {
		if name, err = checkName(op, name); err != nil {
			return Invitation{}, "", err
		}
	}
	if grants, err = s.checkGrants(op, grants); err != nil {
		return Invitation{}, "", err
	}
	now := s.opts.Now()
	inv := Invitation{Email: email, Name: name, Grants: grants, Created: timeOf(now.UnixMilli()), Expires: timeOf(now.Add(inviteLife).UnixMilli())}
	var token string
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		var same, open int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM account WHERE email = $1`, email).Scan(&same); err != nil {
			return fault.Wrap(op, err)
		}
		if same > 0 {
			return fault.E(op, fault.Conflict, "There is an account with this address already.", nil)
		}
		// A second invitation for the same address replaces the first.
		if _, err := tx.ExecContext(ctx, `DELETE FROM account_link WHERE kind = 'invite' AND (email = $1 OR ends <= $2)`, email, now.UnixMilli()); err != nil {
			return fault.Wrap(op, err)
		}
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM account_link WHERE kind = 'invite'`).Scan(&open); err != nil {
			return fault.Wrap(op, err)
		}
		if open >= maxInvitations {
			return fault.E(op, fault.TooLarge, "There are 500 open invitations; withdraw some.", nil)
		}
		if token, inv.ID, err = s.link(ctx, tx, "invite", "", inv, inviteLife); err != nil {
			return err
		}
		return s.log(ctx, tx, by, "account.invite", "invitation", inv.ID, describe(grants))
	})
	if err != nil {
		return Invitation{}, "", err
	}
	return inv, token, nil
}

// Invitations lists the open ones, newest first.
func (s *Service) Invitations(ctx context.Context) ([]Invitation, error) {
	const op = "account.Invitations"
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+linkCols+` FROM account_link WHERE kind = 'invite' AND ends > $1 ORDER BY created DESC, id`, s.nowMs())
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	defer rows.Close()
	var out []Invitation
	for rows.Next() {
		inv, _, err := scanLink(rows)
		if err != nil {
			return nil, fault.Wrap(op, err)
		}
		out = append(out, inv)
	}
	return out, fault.Wrap(op, rows.Err())
}

// Withdraw ends an open invitation.
func (s *Service) Withdraw(ctx context.Context, by Principal, id string) error {
	const op = "account.Withdraw"
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM account_link WHERE id = $1 AND kind = 'invite'`, id)
		if err != nil {
			return fault.Wrap(op, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return fault.E(op, fault.NotFound, "There is no such invitation.", err)
		}
		return s.log(ctx, tx, by, "account.withdraw", "invitation", id, "")
	})
}

// Invited shows what an invitation's token is good for, without using it.
func (s *Service) Invited(ctx context.Context, token string) (Invitation, error) {
	const op = "account.Invited"
	inv, _, err := scanLink(s.db.Read().QueryRowContext(ctx, `SELECT `+linkCols+` FROM account_link WHERE hash = $1 AND kind = 'invite' AND ends > $2`, hashOf(token), s.nowMs()))
	if errors.Is(err, db.ErrNoRows) {
		return Invitation{}, fault.E(op, fault.NotFound, "This link was used already, or it has ended.", nil)
	}
	return inv, fault.Wrap(op, err)
}

// Accept uses an invitation. Its address holds, whatever n says.
func (s *Service) Accept(ctx context.Context, token string, n NewAccount) (SignedIn, error) {
	const op = "account.Accept"
	inv, err := s.Invited(ctx, token)
	if err != nil {
		return SignedIn{}, err
	}
	if strings.TrimSpace(n.Name) == "" {
		n.Name = inv.Name
	}
	return s.create(ctx, op, n, inv.Email, func(tx *sql.Tx) (Invitation, error) {
		inv, _, err := s.use(ctx, tx, op, "invite", token)
		return inv, err
	})
}

// ResetLink makes a one-time link that sets a new password, valid for a day; it
// replaces the one made before. The caller hands the token over.
func (s *Service) ResetLink(ctx context.Context, by Principal, account string) (token string, err error) {
	const op = "account.ResetLink"
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := memberOf(ctx, tx, op, account); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM account_link WHERE kind = 'reset' AND account = $1`, account); err != nil {
			return fault.Wrap(op, err)
		}
		if token, _, err = s.link(ctx, tx, "reset", account, Invitation{}, resetLife); err != nil {
			return err
		}
		return s.log(ctx, tx, by, "account.resetlink", "account", account, "")
	})
	return token, err
}

// Resettable returns whose password a reset link renews, without using it.
func (s *Service) Resettable(ctx context.Context, token string) (email string, err error) {
	const op = "account.Resettable"
	err = s.db.Read().QueryRowContext(ctx, `SELECT a.email FROM account_link l JOIN account a ON a.id = l.account
		WHERE l.hash = $1 AND l.kind = 'reset' AND l.ends > $2`, hashOf(token), s.nowMs()).Scan(&email)
	if errors.Is(err, db.ErrNoRows) {
		return "", fault.E(op, fault.NotFound, "This link was used already, or it has ended.", nil)
	}
	return email, fault.Wrap(op, err)
}

// Reset uses a reset link: the new password holds and every session ends. It does
// not sign in, and it does not enable a disabled account.
func (s *Service) Reset(ctx context.Context, token, password string) error {
	const op = "account.Reset"
	email, err := s.Resettable(ctx, token)
	if err != nil {
		return err
	}
	if err := checkPassword(op, password, email); err != nil {
		return err
	}
	phc, err := s.hash(ctx, password)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		_, account, err := s.use(ctx, tx, op, "reset", token)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE account SET password = $1 WHERE id = $2`, phc, account); err != nil {
			return fault.Wrap(op, err)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM account_session WHERE account = $1`, account); err != nil {
			return fault.Wrap(op, err)
		}
		return s.log(ctx, tx, Principal{Kind: KindAccount, ID: account}, "account.reset", "account", account, "sessions ended")
	})
}

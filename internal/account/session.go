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

// SignedIn is a fresh session. Token is the secret for the cookie, shown once.
type SignedIn struct {
	Token     string
	Expires   time.Time // absolute end
	Principal Principal
}

// SignInRequest is one try. IP is used for the rate limit only, in memory. Agent
// is a short label of the session ("Firefox on Linux"), never a whole user agent.
// Previous is the session cookie the client had, if any: that session ends.
type SignInRequest struct{ Email, Password, IP, Agent, Previous string }

// maxSessions bounds the open sessions of one account; the oldest go first.
const maxSessions = 20

// SignIn checks a password and opens a session. An unknown or disabled account
// costs the same work and gets the same answer as a wrong password.
func (s *Service) SignIn(ctx context.Context, in SignInRequest) (SignedIn, error) {
	const op = "account.SignIn"
	now := s.opts.Now()
	email := strings.ToLower(strings.TrimSpace(eco.Clean(in.Email, 254)))
	from := network(in.IP)
	tries := []try{{s.limit.key("pair", email+"\x00"+from), perPair}, {s.limit.key("account", email), perAccount}, {s.limit.key("address", from), perAddress}}
	if !s.limit.take(now, tries...) { // before any work, so that tries sent side by side all count
		return SignedIn{}, fault.E(op, fault.RateLimited, "Too many tries. Please wait a few minutes.", nil)
	}
	var id, name, phc string
	var disabled bool
	err := s.db.Read().QueryRowContext(ctx, `SELECT id, name, password, disabled FROM account WHERE email = $1`, email).Scan(&id, &name, &phc, &disabled)
	known := err == nil
	if errors.Is(err, db.ErrNoRows) {
		phc = s.dummy
	} else if err != nil {
		return SignedIn{}, fault.Wrap(op, err)
	}
	if phc == noPassword {
		known, phc = false, s.dummy
	}
	password := in.Password
	if len(password) > MaxPassword {
		password = "" // nobody has it; the work stays the same
	}
	ok, stale, err := s.matches(ctx, password, phc)
	if err != nil {
		return SignedIn{}, err
	}
	if !ok || !known || disabled {
		return SignedIn{}, fault.E(op, fault.Unauthenticated, "The e-mail address or the password is wrong.", nil)
	}
	s.limit.refund(now, tries...)
	fresh := ""
	if stale {
		if fresh, err = s.hash(ctx, password); err != nil {
			return SignedIn{}, err
		}
	}
	var out SignedIn
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		// The account may have been disabled or its password changed while we hashed.
		res, err := tx.ExecContext(ctx, `UPDATE account SET seen_day = $1 WHERE id = $2 AND disabled = 0 AND password = $3`, s.dayMs(), id, phc)
		if err != nil {
			return fault.Wrap(op, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return fault.E(op, fault.Unauthenticated, "The e-mail address or the password is wrong.", err)
		}
		if fresh != "" {
			if _, err := tx.ExecContext(ctx, `UPDATE account SET password = $1 WHERE id = $2`, fresh, id); err != nil {
				return fault.Wrap(op, err)
			}
		}
		if in.Previous != "" {
			if _, err := tx.ExecContext(ctx, `DELETE FROM account_session WHERE hash = $1`, hashOf(in.Previous)); err != nil {
				return fault.Wrap(op, err)
			}
		}
		out, err = s.open(ctx, tx, id, name, in.Agent)
		return err
	})
	return out, err
}

// open starts a session in the caller's transaction and writes it to the log.
func (s *Service) open(ctx context.Context, tx *sql.Tx, account, name, agent string) (SignedIn, error) {
	const op = "account.open"
	token, hash, err := s.secret()
	if err != nil {
		return SignedIn{}, err
	}
	id, err := s.id("s")
	if err != nil {
		return SignedIn{}, err
	}
	now := s.opts.Now()
	ends := now.Add(s.opts.Absolute)
	if _, err := tx.ExecContext(ctx, `INSERT INTO account_session (hash, id, account, agent, created, seen, ends) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		hash, id, account, eco.Clean(agent, 80), now.UnixMilli(), now.UnixMilli(), ends.UnixMilli()); err != nil {
		return SignedIn{}, fault.Wrap(op, err)
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM account_session WHERE account = $1 AND hash NOT IN
		(SELECT hash FROM account_session WHERE account = $1 ORDER BY created DESC, hash LIMIT $2)`, account, maxSessions); err != nil {
		return SignedIn{}, fault.Wrap(op, err)
	}
	grants, err := grantsOf(ctx, tx, account)
	if err != nil {
		return SignedIn{}, err
	}
	p := Principal{Kind: KindAccount, ID: account, Name: name, Session: id, Grants: grants}
	if err := s.log(ctx, tx, p, "session.open", "account", account, ""); err != nil {
		return SignedIn{}, err
	}
	return SignedIn{Token: token, Expires: timeOf(ends.UnixMilli()), Principal: p}, nil
}

// SignOut ends the session of the token. An unknown one is no error.
func (s *Service) SignOut(ctx context.Context, token string) error {
	const op = "account.SignOut"
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		var account string
		err := tx.QueryRowContext(ctx, `DELETE FROM account_session WHERE hash = $1 RETURNING account`, hashOf(token)).Scan(&account)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fault.Wrap(op, err)
		}
		return s.log(ctx, tx, Principal{Kind: KindAccount, ID: account}, "session.close", "account", account, "")
	})
}

// Session returns who the session token belongs to; unauthenticated when it is
// unknown, idle too long, past its end, or its account is disabled.
func (s *Service) Session(ctx context.Context, token string) (Principal, error) {
	const op = "account.Session"
	gone := fault.E(op, fault.Unauthenticated, "Please sign in.", nil)
	if token == "" || len(token) > 100 {
		return Principal{}, gone
	}
	p := Principal{Kind: KindAccount}
	hash := hashOf(token)
	var seen, ends int64
	err := s.db.Read().QueryRowContext(ctx, `SELECT s.id, s.seen, s.ends, a.id, a.name FROM account_session s JOIN account a ON a.id = s.account
		WHERE s.hash = $1 AND a.disabled = 0`, hash).Scan(&p.Session, &seen, &ends, &p.ID, &p.Name)
	if errors.Is(err, db.ErrNoRows) {
		return Principal{}, gone
	}
	if err != nil {
		return Principal{}, fault.Wrap(op, err)
	}
	now := s.nowMs()
	if now >= ends || now-seen >= s.opts.Idle.Milliseconds() {
		return Principal{}, gone
	}
	if p.Grants, err = grantsOf(ctx, s.db.Read(), p.ID); err != nil {
		return Principal{}, err
	}
	if now-seen >= time.Minute.Milliseconds() { // one write a minute, not one a request
		err = s.db.Tx(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE account_session SET seen = $1 WHERE hash = $2`, now, hash)
			return err
		})
	}
	return p, fault.Wrap(op, err)
}

// SessionInfo is one open session of an account.
type SessionInfo struct {
	ID                         string // public
	Agent                      string
	Created, LastSeen, Expires time.Time
}

// Sessions lists p's own open sessions, newest first.
func (s *Service) Sessions(ctx context.Context, p Principal) ([]SessionInfo, error) {
	const op = "account.Sessions"
	now := s.nowMs()
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id, agent, created, seen, ends FROM account_session
		WHERE account = $1 AND ends > $2 AND seen > $3 ORDER BY created DESC, id`, p.ID, now, now-s.opts.Idle.Milliseconds())
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	defer rows.Close()
	var out []SessionInfo
	for rows.Next() {
		var x SessionInfo
		var created, seen, ends int64
		if err := rows.Scan(&x.ID, &x.Agent, &created, &seen, &ends); err != nil {
			return nil, fault.Wrap(op, err)
		}
		x.Created, x.LastSeen, x.Expires = timeOf(created), timeOf(seen), timeOf(min(ends, seen+s.opts.Idle.Milliseconds()))
		out = append(out, x)
	}
	return out, fault.Wrap(op, rows.Err())
}

// EndSession ends one of p's own sessions.
func (s *Service) EndSession(ctx context.Context, p Principal, id string) error {
	const op = "account.EndSession"
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM account_session WHERE id = $1 AND account = $2`, id, p.ID)
		if err != nil {
			return fault.Wrap(op, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return fault.E(op, fault.NotFound, "There is no such session.", err)
		}
		return s.log(ctx, tx, p, "session.close", "account", p.ID, "")
	})
}

// ChangePassword changes p's own password and ends p's other sessions.
func (s *Service) ChangePassword(ctx context.Context, p Principal, old, new string) error {
	const op = "account.ChangePassword"
	if p.Kind != KindAccount {
		return fault.E(op, fault.Forbidden, "A password is changed by its owner, signed in.", nil)
	}
	now := s.opts.Now()
	var email, phc string
	if err := s.db.Read().QueryRowContext(ctx, `SELECT email, password FROM account WHERE id = $1`, p.ID).Scan(&email, &phc); err != nil {
		return fault.Wrap(op, err)
	}
	if err := checkPassword(op, new, email); err != nil {
		return err
	}
	tried := try{s.limit.key("change", p.ID), perPair}
	if !s.limit.take(now, tried) {
		return fault.E(op, fault.RateLimited, "Too many tries. Please wait a few minutes.", nil)
	}
	if len(old) > MaxPassword {
		old = ""
	}
	ok, _, err := s.matches(ctx, old, phc)
	if err != nil {
		return err
	}
	if !ok {
		return fault.E(op, fault.Invalid, "old: This is not your password.", nil)
	}
	s.limit.refund(now, tried)
	fresh, err := s.hash(ctx, new)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE account SET password = $1 WHERE id = $2 AND password = $3`, fresh, p.ID, phc)
		if err != nil {
			return fault.Wrap(op, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return fault.E(op, fault.Conflict, "The password was changed meanwhile.", err)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM account_session WHERE account = $1 AND id <> $2`, p.ID, p.Session); err != nil {
			return fault.Wrap(op, err)
		}
		return s.log(ctx, tx, p, "account.password", "account", p.ID, "other sessions ended")
	})
}

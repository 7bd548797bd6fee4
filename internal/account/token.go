package account

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// TokenPrefix begins every API token, so that scanners for leaked secrets find it.
const TokenPrefix = "bw_"

// Bounds of tokens: how many an account has that hold, and how long one lives.
const (
	maxTokens    = 50
	maxTokenLife = 366 * 24 * time.Hour
)

// TokenInfo is an API token without its secret.
type TokenInfo struct {
	ID       string
	Label    string
	Scopes   []Scope
	Created  time.Time
	Expires  time.Time
	LastUsed time.Time // day precision; zero = never
	Revoked  bool
}

// Bearer returns who an API token ("bw_…") belongs to; unauthenticated otherwise.
func (s *Service) Bearer(ctx context.Context, token string) (Principal, error) {
	const op = "account.Bearer"
	gone := fault.E(op, fault.Unauthenticated, "This token does not hold (any more).", nil)
	if !strings.HasPrefix(token, TokenPrefix) || len(token) > 100 {
		return Principal{}, gone
	}
	p := Principal{Kind: KindToken}
	var scopes string
	var ends, used int64
	err := s.db.Read().QueryRowContext(ctx, `SELECT t.id, t.scopes, t.ends, t.used_day, a.id, a.name FROM account_token t JOIN account a ON a.id = t.account
		WHERE t.hash = $1 AND t.revoked = 0 AND a.disabled = 0`, hashOf(token)).Scan(&p.TokenID, &scopes, &ends, &used, &p.ID, &p.Name)
	if errors.Is(err, db.ErrNoRows) || err == nil && s.nowMs() >= ends {
		return Principal{}, gone
	}
	if err != nil {
		return Principal{}, fault.Wrap(op, err)
	}
	p.Scopes = scopesOf(scopes)
	if p.Grants, err = grantsOf(ctx, s.db.Read(), p.ID); err != nil {
		return Principal{}, err
	}
	if day := s.dayMs(); used < day {
		err = s.db.Tx(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE account_token SET used_day = $1 WHERE id = $2`, day, p.TokenID)
			return err
		})
	}
	return p, fault.Wrap(op, err)
}

func scopesOf(s string) []Scope {
	var out []Scope
	for w := range strings.FieldsSeq(s) {
		out = append(out, Scope(w))
	}
	return out
}

// CreateToken makes an API token for p's own account and returns its secret, once.
// A token may only make tokens with no more scopes and no later end than its own.
// A zero end is 90 days from now; a year is the most.
func (s *Service) CreateToken(ctx context.Context, p Principal, label string, scopes []Scope, expires time.Time) (TokenInfo, string, error) {
	const op = "account.CreateToken"
	bad := func(text string) (TokenInfo, string, error) {
		return TokenInfo{}, "", fault.E(op, fault.Invalid, text, nil)
	}
	if p.Kind != KindAccount && p.Kind != KindToken {
		return TokenInfo{}, "", fault.E(op, fault.Forbidden, "Tokens belong to accounts.", nil)
	}
	label = strings.TrimSpace(eco.Clean(label, 100))
	if label == "" {
		return bad("label: Please say what the token is for.")
	}
	if len(scopes) == 0 {
		return bad("scopes: A token needs at least one.")
	}
	var words []string
	for _, sc := range Scopes { // their order, each once
		if slices.Contains(scopes, sc) {
			words = append(words, string(sc))
		}
	}
	for _, sc := range scopes {
		if !slices.Contains(Scopes, sc) {
			return bad("scopes: One of them is unknown.")
		}
		if p.Kind == KindToken && !slices.Contains(p.Scopes, sc) {
			return TokenInfo{}, "", fault.E(op, fault.Forbidden, "scopes: A token cannot give more than it has.", nil)
		}
	}
	now := s.opts.Now()
	if expires.IsZero() {
		expires = now.Add(90 * 24 * time.Hour)
	}
	if !expires.After(now) || expires.Sub(now) > maxTokenLife {
		return bad("expires: A token ends within a year from now.")
	}
	secret, _, err := s.secret()
	if err != nil {
		return TokenInfo{}, "", err
	}
	secret = TokenPrefix + secret
	id, err := s.id("t")
	if err != nil {
		return TokenInfo{}, "", err
	}
	t := TokenInfo{ID: id, Label: label, Scopes: scopesOf(strings.Join(words, " ")), Created: timeOf(now.UnixMilli())}
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		if p.Kind == KindToken {
			var ends int64
			if err := tx.QueryRowContext(ctx, `SELECT ends FROM account_token WHERE id = $1 AND revoked = 0`, p.TokenID).Scan(&ends); err != nil {
				return fault.E(op, fault.Unauthenticated, "This token does not hold (any more).", err)
			}
			expires = time.UnixMilli(min(expires.UnixMilli(), ends))
		}
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM account_token WHERE account = $1 AND revoked = 0 AND ends > $2`, p.ID, now.UnixMilli()).Scan(&n); err != nil {
			return fault.Wrap(op, err)
		}
		if n >= maxTokens {
			return fault.E(op, fault.TooLarge, "An account has at most 50 tokens that hold; revoke one.", nil)
		}
		t.Expires = timeOf(expires.UnixMilli())
		if _, err := tx.ExecContext(ctx, `INSERT INTO account_token (hash, id, account, label, scopes, created, ends, used_day, revoked) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0)`,
			hashOf(secret), id, p.ID, label, strings.Join(words, " "), now.UnixMilli(), expires.UnixMilli()); err != nil {
			return fault.Wrap(op, err)
		}
		return s.log(ctx, tx, p, "token.create", "token", id, "scopes "+strings.Join(words, " "))
	})
	if err != nil {
		return TokenInfo{}, "", err
	}
	return t, secret, nil
}

// Tokens lists p's own tokens, newest first.
func (s *Service) Tokens(ctx context.Context, p Principal) ([]TokenInfo, error) {
	const op = "account.Tokens"
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id, label, scopes, created, ends, used_day, revoked FROM account_token
		WHERE account = $1 ORDER BY created DESC, id LIMIT 500`, p.ID)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	defer rows.Close()
	var out []TokenInfo
	for rows.Next() {
		var t TokenInfo
		var scopes string
		var created, ends, used int64
		if err := rows.Scan(&t.ID, &t.Label, &scopes, &created, &ends, &used, &t.Revoked); err != nil {
			return nil, fault.Wrap(op, err)
		}
		t.Scopes, t.Created, t.Expires, t.LastUsed = scopesOf(scopes), timeOf(created), timeOf(ends), timeOf(used)
		out = append(out, t)
	}
	return out, fault.Wrap(op, rows.Err())
}

// RevokeToken ends one of p's own tokens.
func (s *Service) RevokeToken(ctx context.Context, p Principal, id string) error {
	const op = "account.RevokeToken"
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE account_token SET revoked = 1 WHERE id = $1 AND account = $2 AND revoked = 0`, id, p.ID)
		if err != nil {
			return fault.Wrap(op, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return fault.E(op, fault.NotFound, "There is no such token, or it is revoked.", err)
		}
		return s.log(ctx, tx, p, "token.revoke", "token", id, "")
	})
}

package follow

import (
	"context"
	"database/sql"
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// maxToken bounds a token, in bytes.
const maxToken = 300

// token is what a link in a mail carries: sealed, so that nobody can make one, or
// read from it whose it is. It is good for nothing once its address is forgotten.
func (s *Service) token(id string) (string, error) {
	b, err := s.o.Seal([]byte("follow\n" + id))
	return base64.RawURLEncoding.EncodeToString(b), err
}

func (s *Service) path(page, id string) (string, error) {
	token, err := s.token(id)
	return s.o.Link(page + "?token=" + url.QueryEscape(token)), err
}

var errToken = fault.E("follow.token", fault.NotFound, "This link is not one of ours, or it has ended: addresses are forgotten after three days without an answer, and with the last message.", nil)

// row is one who follows a report.
type row struct {
	id, family, hash, way, who, state, told string
	crash                                   eco.ID
	sealed                                  []byte
	ends                                    int64
}

const columns = `id, crash, family, hash, way, who, sealed, state, told, ends_ms`

func scan(f func(...any) error) (r row, err error) {
	var crash string
	if err = f(&r.id, &crash, &r.family, &r.hash, &r.way, &r.who, &r.sealed, &r.state, &r.told, &r.ends); err != nil {
		return r, err
	}
	r.crash, err = eco.ParseID(crash)
	return r, err
}

func (s *Service) byID(ctx context.Context, q outboxQuerier, id string) (row, error) {
	r, err := scan(q.QueryRowContext(ctx, `SELECT `+columns+` FROM follow WHERE id = $1`, id).Scan)
	if err == db.ErrNoRows || err == nil && r.ends <= s.o.Now().UnixMilli() {
		return row{}, errToken
	}
	return r, err
}

type outboxQuerier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (s *Service) read(ctx context.Context, q outboxQuerier, token string) (row, error) {
	if len(token) > maxToken {
		return row{}, errToken
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return row{}, errToken
	}
	plain, err := s.o.Unseal(b)
	if err != nil {
		return row{}, errToken
	}
	id, ok := strings.CutPrefix(string(plain), "follow\n")
	if !ok {
		return row{}, errToken
	}
	return s.byID(ctx, q, id)
}

// Asking says what a link is about, without doing anything: mail scanners follow
// links. confirmed: its address is told already.
func (s *Service) Asking(ctx context.Context, token string) (about eco.Ref, confirmed bool, err error) {
	r, err := s.read(ctx, s.o.Records.Read(), token)
	if err != nil {
		return about, false, err
	}
	v, err := s.o.Answers.Of(ctx, r.crash)
	return v.About, r.state != "asked", err
}

// Confirm tells the address of a link from now on, and returns the receipt. Doing
// it again changes nothing.
func (s *Service) Confirm(ctx context.Context, token string) (answers.View, error) {
	const op = "follow.Confirm"
	r, err := s.read(ctx, s.o.Records.Read(), token)
	if err != nil {
		return answers.View{}, err
	}
	v, err := s.o.Answers.Of(ctx, r.crash)
	if err != nil {
		return v, err
	}
	if v.Kept.IsZero() { // withdrawn, expired
		return v, errToken
	}
	return v, fault.Wrap(op, s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE follow SET state = 'active', ends_ms = $1 WHERE id = $2 AND state = 'asked'`, v.Kept.UnixMilli(), r.id)
		return err
	}))
}

// Stop forgets the address of a link. One that was never confirmed is not asked
// again, whatever the report, for a year: its keyed hash is kept for that. Doing it
// again changes nothing; nobody needs to be signed in (RFC 8058).
func (s *Service) Stop(ctx context.Context, token string) error {
	const op = "follow.Stop"
	r, err := s.read(ctx, s.o.Records.Read(), token)
	if err != nil {
		return err
	}
	return fault.Wrap(op, s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM follow WHERE id = $1`, r.id); err != nil || r.state != "asked" {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO follow_refused (who, ends_ms) VALUES ($1, $2) ON CONFLICT (who) DO UPDATE SET ends_ms = excluded.ends_ms`,
			r.who, s.o.Now().Add(refusal).UnixMilli())
		return err
	}))
}

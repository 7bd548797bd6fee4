package follow

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/alert/outbox"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

// Kinds of messages; the last two are the last of their kind.
const (
	KindConfirm    = "report.confirm"
	KindTaken      = "report.taken"
	KindWorkaround = "report.workaround"
	KindFixed      = "report.fixed"
	KindDeclined   = "report.declined"
)

// target stands before the id of one who is told, as the outbox names them.
const target = "report:"

// settling is how long a change is left alone, so that one taken back at once is
// told nobody; checking is how often reports are looked for that were erased.
const (
	settling = 30 * time.Second
	checking = 10 * time.Minute
)

// marks are what an answer says that is worth a message, by the last word of its
// kind, the most important first.
func marks(a *receipt.Answer) []string {
	var out []string
	switch a.State {
	case receipt.Fixed:
		return []string{"fixed"}
	case receipt.Ignored:
		out = append(out, "declined")
	}
	if a.Workaround != "" {
		out = append(out, "workaround")
	}
	if a.Taken || a.Expected != "" {
		out = append(out, "taken")
	}
	return out
}

// fresh lists the marks that somebody was not told of.
func fresh(now []string, told string) []string {
	had := strings.Fields(told)
	return slices.DeleteFunc(now, func(m string) bool { return slices.Contains(had, m) })
}

// Look is a job: it looks what changed about reports that somebody follows, puts
// messages into the outbox, and forgets whose time is over. What it compares is in
// memory; a report is read only when there may be something to say.
func (s *Service) Look(ctx context.Context) (string, error) {
	const op = "follow.Look"
	gone, err := s.tidy(ctx)
	if err != nil {
		return "", fault.Wrap(op, err)
	}
	list, err := s.active(ctx)
	if err != nil {
		return "", fault.Wrap(op, err)
	}
	n := 0
	for i := range list {
		r := &list[i]
		if r.family != "" { // else it was held when somebody asked: it is read until it was let go
			st := s.o.Answers.Stands(r.family, r.hash)
			if st == nil {
				continue
			}
			a := receipt.Tell(st, "")
			if len(fresh(marks(&a), r.told)) == 0 {
				continue
			}
		}
		told, err := s.tell(ctx, r)
		if err != nil {
			return "", fault.Wrap(op, err)
		}
		if told {
			n++
		}
	}
	if n == 0 && gone == 0 {
		return "nothing to do", nil
	}
	return fmt.Sprintf("%d told, %d forgotten", n, gone), nil
}

func (s *Service) active(ctx context.Context) ([]row, error) {
	rows, err := s.o.Records.Read().QueryContext(ctx, `SELECT `+columns+` FROM follow WHERE state = 'active' AND ends_ms > $1 ORDER BY id LIMIT $2`, s.o.Now().UnixMilli(), maxFollowed)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []row
	for rows.Next() {
		r, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// tell reads a report anew and puts a message, if it is so. It reports whether it did.
func (s *Service) tell(ctx context.Context, r *row) (bool, error) {
	v, err := s.o.Answers.Of(ctx, r.crash)
	if err != nil {
		return false, err
	}
	family, hash := v.Place()
	crash, _, _ := v.Crash() // another one, once it was let go
	news := fresh(marks(&v.Answer), r.told)
	done := false
	return done, s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		switch {
		case v.Kept.IsZero():
			return s.forget(ctx, tx, r.crash)
		case len(news) == 0: // it belongs to another family by now
			if family == r.family && crash == r.crash {
				return nil
			}
			_, err := tx.ExecContext(ctx, `UPDATE follow SET family = $1, hash = $2, crash = $3 WHERE id = $4`, family, hash, crash.String(), r.id)
			return err
		}
		state := "active"
		if news[0] == "fixed" || news[0] == "declined" {
			state = "last"
		}
		res, err := tx.ExecContext(ctx, `UPDATE follow SET family = $1, told = $2, state = $3, crash = $6 WHERE id = $4 AND told = $5 AND state = 'active'`,
			family, strings.TrimSpace(r.told+" "+strings.Join(news, " ")), state, r.id, r.told, crash.String())
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		done = true
		_, err = s.o.Out.Put(ctx, tx, outbox.Letter{Target: target + r.id, Kind: "report." + news[0], Due: s.o.Now().Add(settling), Ends: v.Kept})
		return err
	})
}

// tidy forgets those whose time is over, and those whose report was erased.
func (s *Service) tidy(ctx context.Context) (gone int64, err error) {
	now := s.o.Now()
	var due int
	if err := s.o.Records.Read().QueryRowContext(ctx, `SELECT (SELECT count(*) FROM follow WHERE ends_ms <= $1) + (SELECT count(*) FROM follow_ask WHERE at_ms <= $2) + (SELECT count(*) FROM follow_refused WHERE ends_ms <= $1)`,
		now.UnixMilli(), now.Add(-24*time.Hour).UnixMilli()).Scan(&due); err != nil {
		return 0, err
	}
	if due > 0 { // nothing is written while nothing is over
		err = s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
			for _, q := range []struct {
				query string
				at    int64
			}{{`DELETE FROM follow WHERE ends_ms <= $1`, now.UnixMilli()}, {`DELETE FROM follow_refused WHERE ends_ms <= $1`, now.UnixMilli()}, {`DELETE FROM follow_ask WHERE at_ms <= $1`, now.Add(-24 * time.Hour).UnixMilli()}} {
				r, err := tx.ExecContext(ctx, q.query, q.at)
				if err != nil {
					return err
				}
				n, _ := r.RowsAffected()
				gone += n
			}
			return nil
		})
	}
	if err != nil || !s.due(now) {
		return gone, err
	}
	lost, err := s.erased(ctx)
	return gone + lost, err
}

func (s *Service) due(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.checked) < checking && !now.Before(s.checked) {
		return false
	}
	s.checked = now
	return true
}

// erased forgets those who follow a report that is there no more.
func (s *Service) erased(ctx context.Context) (n int64, err error) {
	rows, err := s.o.Records.Read().QueryContext(ctx, `SELECT DISTINCT crash FROM follow LIMIT $1`, maxFollowed)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var ids []eco.ID
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return 0, err
		}
		if id, err := eco.ParseID(text); err == nil {
			ids = append(ids, id)
		}
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	for part := range slices.Chunk(ids, 100) {
		gone, err := s.o.Answers.Gone(ctx, part)
		if err != nil {
			return n, err
		}
		for _, id := range gone {
			if err := s.o.Records.Tx(ctx, func(tx *sql.Tx) error { return s.forget(ctx, tx, id) }); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

package pipeline

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Letter is an envelope that failed three times. Its record (scrubbed before it
// was ever written) is kept for at most LetterDays.
type Letter struct {
	ID        string          `json:"id"` // envelope id, or a hash of the record when it cannot be read
	At        time.Time       `json:"at"`
	Received  time.Time       `json:"received"` // zero when the record cannot be read
	Project   int64           `json:"project"`
	Extension eco.ExtensionID `json:"extension,omitempty"`
	Host      string          `json:"host,omitempty"`
	Protocol  string          `json:"protocol,omitempty"`
	Kind      string          `json:"kind,omitempty"`
	Stage     string          `json:"stage"`
	Reason    string          `json:"reason"` // without payload
	Seq       uint64          `json:"seq"`    // position in the stream
	Bytes     int             `json:"bytes"`
	State     string          `json:"state"` // dead, replaying, replayed
}

// States of a letter. A replayed one stays, without its record, until it
// expires: a second copy of its record must not count.
const (
	letterDead      = "dead"
	letterReplaying = "replaying" // in the stream again
	letterReplayed  = "replayed"
)

// LetterDays bounds the life of a dead letter; MaxLetters their number: beyond
// it the oldest go.
const (
	LetterDays = 7
	MaxLetters = 10_000
)

// Letters lists dead letters of the scope, newest first, at most limit (at most
// 500; 0 = 100). Those that cannot be read belong to nobody: only a scope of
// everything sees them.
func (w *Worker) Letters(ctx context.Context, scope facts.Scope, limit int) ([]Letter, error) {
	if !scope.IsSet() {
		return nil, fault.E("pipeline.Letters", fault.Invalid, "A query needs a scope.", nil)
	}
	if limit <= 0 {
		limit = 100
	}
	rows, err := w.o.Flow.Read().QueryContext(ctx, `SELECT `+letterCols+` FROM flow_letter ORDER BY at_ms DESC, id LIMIT $1`, MaxLetters)
	if err != nil {
		return nil, fault.Wrap("pipeline.Letters", err)
	}
	defer rows.Close()
	var out []Letter
	for rows.Next() && len(out) < min(limit, 500) {
		l, err := scanLetter(rows)
		if err != nil {
			return nil, fault.Wrap("pipeline.Letters", err)
		}
		if l.seenBy(scope) {
			out = append(out, l)
		}
	}
	return out, fault.Wrap("pipeline.Letters", rows.Err())
}

// Letter returns one dead letter with its record, which is nil once it was
// replayed. Only people who may see data rows may see the record.
func (w *Worker) Letter(ctx context.Context, scope facts.Scope, id string) (Letter, []byte, error) {
	const op = "pipeline.Letter"
	row := w.o.Flow.Read().QueryRowContext(ctx, `SELECT `+letterCols+`, record FROM flow_letter WHERE id = $1`, id)
	var record []byte
	l, err := scanLetter(row, &record)
	if errors.Is(err, db.ErrNoRows) || err == nil && !l.seenBy(scope) {
		return Letter{}, nil, fault.E(op, fault.NotFound, "No such dead letter.", nil)
	}
	if err != nil {
		return Letter{}, nil, fault.Wrap(op, err)
	}
	if len(record) == 0 {
		record = nil
	}
	return l, record, nil
}

// Replay sends a dead letter down the same line again; it counts once, however
// often it is asked for and wherever it is interrupted.
func (w *Worker) Replay(ctx context.Context, scope facts.Scope, id, actor string) error {
	const op = "pipeline.Replay"
	l, record, err := w.Letter(ctx, scope, id)
	if err != nil {
		return err
	}
	if l.State == letterReplayed || record == nil {
		return fault.E(op, fault.Conflict, "This letter was replayed already.", nil)
	}
	if err := w.tell(ctx, actor, "letter.replay", id); err != nil {
		return err
	}
	// The mark comes first: the worker counts the first copy that it meets of a
	// letter so marked, and no other.
	err = w.o.Flow.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE flow_letter SET state = $1 WHERE id = $2 AND state <> $3`, letterReplaying, id, letterReplayed)
		return err
	})
	if err != nil {
		return fault.Wrap(op, err)
	}
	_, err = w.o.Stream.Append(ctx, [][]byte{record})
	return fault.Wrap(op, err)
}

// Discard deletes a dead letter.
func (w *Worker) Discard(ctx context.Context, scope facts.Scope, id, actor string) error {
	const op = "pipeline.Discard"
	if _, _, err := w.Letter(ctx, scope, id); err != nil {
		return err
	}
	if err := w.tell(ctx, actor, "letter.discard", id); err != nil {
		return err
	}
	return fault.Wrap(op, w.o.Flow.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM flow_letter WHERE id = $1`, id)
		return err
	}))
}

// tell writes the audit entry before the deed, because the two live in two
// databases: an entry without its deed is better than the reverse.
func (w *Worker) tell(ctx context.Context, actor, action, id string) error {
	if w.o.Audit == nil {
		return nil
	}
	return w.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		return w.o.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: action, Ref: eco.Ref{Kind: "letter", ID: id}})
	})
}

// ExpireLetters deletes dead letters older than LetterDays and returns how many.
func (w *Worker) ExpireLetters(ctx context.Context) (int64, error) {
	return w.deleteLetters(ctx, `at_ms < $1`, w.o.Now().Add(-LetterDays*24*time.Hour).UnixMilli())
}

// EraseLetters deletes the dead letters of a subject and returns how many.
func (w *Worker) EraseLetters(ctx context.Context, s facts.Subject) (int64, error) {
	if !s.Crash.IsZero() {
		return w.deleteLetters(ctx, `project = $1 AND id = $2`, s.Project, s.Crash.String())
	}
	if s.Install == 0 {
		return 0, nil
	}
	return w.deleteLetters(ctx, `project = $1 AND install = $2`, s.Project, int64(s.Install))
}

func (w *Worker) deleteLetters(ctx context.Context, where string, args ...any) (n int64, err error) {
	err = w.o.Flow.Tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `DELETE FROM flow_letter WHERE `+where, args...)
		if err != nil {
			return err
		}
		n, err = r.RowsAffected()
		return err
	})
	return n, fault.Wrap("pipeline.deleteLetters", err)
}

// replaying reads the letters that are or were in the stream again.
func (w *Worker) replaying(ctx context.Context) (map[string]string, error) {
	rows, err := w.o.Flow.Read().QueryContext(ctx, `SELECT id, state FROM flow_letter WHERE state IN ($1, $2)`, letterReplaying, letterReplayed)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var id, state string
		if err := rows.Scan(&id, &state); err != nil {
			return nil, err
		}
		out[id] = state
	}
	return out, rows.Err()
}

func replayedOf(letters map[string]string) map[string]bool {
	out := map[string]bool{}
	for id, state := range letters {
		out[id] = state == letterReplayed
	}
	return out
}

// settleLetters marks the letters that a batch replayed; their records go.
func settleLetters(ctx context.Context, tx *sql.Tx, letters map[string]string, before map[string]bool) error {
	for id, state := range letters {
		if state != letterReplayed || before[id] {
			continue
		}
		if _, err := tx.ExecContext(ctx, `UPDATE flow_letter SET state = $1, record = $2 WHERE id = $3`, letterReplayed, []byte{}, id); err != nil {
			return err
		}
	}
	return nil
}

// bury writes the dead of a batch down.
func (w *Worker) bury(ctx context.Context, tx *sql.Tx, items []item) error {
	n := 0
	now := w.o.Now().UnixMilli()
	for i := range items {
		it := &items[i]
		if it.outcome != dead {
			continue
		}
		n++
		var e eco.Envelope
		if it.env != nil {
			e = *it.env
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO flow_letter (id, at_ms, received_ms, project, extension, host, install, protocol, kind, stage, reason, seq, bytes, state, record)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
			ON CONFLICT (id) DO UPDATE SET at_ms = excluded.at_ms, stage = excluded.stage, reason = excluded.reason, seq = excluded.seq,
			state = excluded.state, record = excluded.record`,
			it.id(), now, e.Received, e.Origin.Project, string(e.Origin.Extension), e.Origin.Host, int64(e.Origin.Install), e.Protocol, string(e.Kind),
			it.stage, it.reason, int64(it.seq), len(it.raw), letterDead, it.raw)
		if err != nil {
			return err
		}
	}
	if n == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM flow_letter WHERE id IN (SELECT id FROM flow_letter ORDER BY at_ms DESC, id LIMIT 1000000 OFFSET $1)`, MaxLetters)
	return err
}

const letterCols = `id, at_ms, received_ms, project, extension, host, protocol, kind, stage, reason, seq, bytes, state`

func scanLetter(row interface{ Scan(...any) error }, more ...any) (Letter, error) {
	var l Letter
	var at, received, seq int64
	err := row.Scan(append([]any{&l.ID, &at, &received, &l.Project, &l.Extension, &l.Host, &l.Protocol, &l.Kind, &l.Stage, &l.Reason, &seq, &l.Bytes, &l.State}, more...)...)
	l.At, l.Seq = time.UnixMilli(at).UTC(), uint64(seq)
	if received != 0 {
		l.Received = time.UnixMilli(received).UTC()
	}
	return l, err
}

func (l *Letter) seenBy(s facts.Scope) bool {
	if s.All() {
		return true
	}
	if l.Extension != "" {
		return slices.Contains(s.Extensions(), l.Extension)
	}
	return l.Host != "" && slices.Contains(s.Hosts(), l.Host)
}

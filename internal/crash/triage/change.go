package triage

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"
)

// change is one step of a family's history beside its states and comments.
type change struct {
	n                    int64
	batch, family, actor string
	kind                 string // team, person, label, watch, state
	item, was, now, note string
	at                   time.Time
	undone               bool
}

// note writes a change down.
func (d *Desk) note(ctx context.Context, tx *sql.Tx, c change) error {
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(n), 0) + 1 FROM triage_change`).Scan(&c.n); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO triage_change (n, batch, family, at_ms, actor, kind, item, was, now, note, undone) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)`,
		c.n, c.batch, c.family, d.nowMs(), c.actor, c.kind, c.item, c.was, c.now, c.note)
	return err
}

func changes(ctx context.Context, q querier, where string, args ...any) ([]change, error) {
	var out []change
	err := scan(ctx, q, func(r *sql.Rows) error {
		var c change
		var at, undone int64
		err := r.Scan(&c.n, &c.batch, &c.family, &at, &c.actor, &c.kind, &c.item, &c.was, &c.now, &c.note, &undone)
		c.at, c.undone = moment(at), undone != 0
		out = append(out, c)
		return err
	}, `SELECT n, batch, family, at_ms, actor, kind, item, was, now, note, undone FROM triage_change `+where, args...)
	return out, err
}

// marks makes "$1, $2 …" and the arguments for ids.
func marks(ids []string) (string, []any) {
	args := make([]any, len(ids))
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(i+1))
		args[i] = id
	}
	return b.String(), args
}

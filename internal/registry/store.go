package registry

import (
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// change runs one change of the register: f says whether it changed anything;
// if so the register's version grows and, after the commit, a new snapshot is taken.
func (r *Registry) change(ctx context.Context, f func(*sql.Tx) (bool, error)) error {
	changed := false
	err := r.db.Tx(ctx, func(tx *sql.Tx) (err error) {
		if changed, err = f(tx); err != nil || !changed {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE registry_state SET version = version + 1 WHERE id = 1`)
		return err
	})
	if err != nil || !changed {
		return err
	}
	// The change is stored, whatever happens to the caller now.
	if err := r.refresh(context.WithoutCancel(ctx), true); err != nil {
		r.opts.Log.LogAttrs(ctx, slog.LevelError, "the register's snapshot is stale until the next refresh", slog.Any("err", err))
	}
	return nil
}

// record writes the audit entry of a change in its transaction.
func (r *Registry) record(ctx context.Context, tx *sql.Tx, actor, action string, ref eco.Ref, note string) error {
	return r.audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: action, Ref: ref, Note: note})
}

func (r *Registry) nowMs() int64 { return r.opts.Now().UnixMilli() }

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// text writes a value as JSON for a column. The values are ours and cannot fail.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("registry: " + err.Error())
	}
	return string(b)
}

// scan calls f for every row of a query.
func scan(ctx context.Context, q querier, query string, args []any, f func(row *sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// querier is a transaction or the pool of readers.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// one reads at most one row.
func one(ctx context.Context, q querier, query string, args []any, f func(row *sql.Rows) error) (found bool, err error) {
	err = scan(ctx, q, query, args, func(row *sql.Rows) error {
		found = true
		return f(row)
	})
	return found, err
}

// exists reports whether a query has a row.
func exists(ctx context.Context, q querier, query string, args ...any) (bool, error) {
	return one(ctx, q, query, args, func(*sql.Rows) error { return nil })
}

// stale compares the version a caller saw with the stored one: 0 asks to create.
func stale(op string, found bool, stored, seen int64) error {
	switch {
	case found && seen == 0:
		return fault.E(op, fault.Conflict, "There is one with this id already.", nil)
	case !found && seen != 0:
		return fault.E(op, fault.NotFound, "There is no such thing, or it is not yours to see.", nil)
	case found && seen != stored:
		return fault.E(op, fault.Conflict, "Somebody changed it meanwhile; please look again.", nil)
	}
	return nil
}

// page cuts one page out of a list that is sorted by key: entries after the
// cursor that keep holds for. next is the cursor of the following page.
func page[T any](list []T, p Page, key func(*T) string, keep func(*T) bool) (out []T, next string) {
	limit := p.Limit
	if limit <= 0 {
		limit = 100
	}
	limit = min(limit, 500)
	for i := range list {
		if k := key(&list[i]); p.After != "" && k <= p.After {
			continue
		}
		if keep != nil && !keep(&list[i]) {
			continue
		}
		if len(out) == limit {
			return out, key(&out[limit-1])
		}
		out = append(out, list[i])
	}
	return out, ""
}

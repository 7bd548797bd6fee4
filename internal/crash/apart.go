package crash

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/family"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Apart is what a person said of two families: they have not one cause, and are not
// proposed for a merge again. Somebody who merges them all the same is told.
type Apart struct {
	Family string    `json:"family"` // the other one
	Title  string    `json:"title"`
	Note   string    `json:"note,omitempty"`
	Actor  string    `json:"actor"`
	At     time.Time `json:"at"`
}

// maxKeptApart bounds the pairs that hold of one family.
const maxKeptApart = 200

// KeepApart says that two families have not one cause. Whoever may decide on both may.
func (d *Desk) KeepApart(ctx context.Context, scope facts.Scope, id, other, note, actor string) error {
	const op = "crash.KeepApart"
	if actor == "" {
		return fault.E(op, fault.Internal, "A decision names who made it.", nil)
	}
	a, err := d.owned(ctx, scope, id)
	if err != nil {
		return err
	}
	b, err := d.owned(ctx, scope, other)
	if err != nil {
		return err
	}
	if a.ID == b.ID {
		return fault.E(op, fault.Invalid, "These are one family; split it instead.", nil)
	}
	have, err := d.apart(ctx, d.o.Records.Read(), a.ID)
	if err != nil {
		return fault.Wrap(op, err)
	}
	if _, ok := have[b.ID]; ok {
		return fault.E(op, fault.Conflict, "Somebody said so already.", nil)
	}
	if len(have) >= maxKeptApart {
		return fault.E(op, fault.TooLarge, "A family is kept apart from at most 200 others.", nil)
	}
	return fault.Wrap(op, d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO crash_apart (id, one, other, note, actor, at_ms, ended_ms, ended_by) VALUES ($1, $2, $3, $4, $5, $6, 0, '')`,
			d.o.NewID(), a.ID, b.ID, strings.TrimSpace(eco.Clean(note, MaxNote)), actor, d.o.Now().UnixMilli())
		if err != nil {
			return err
		}
		return d.o.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: "family.apart", Ref: eco.Ref{Kind: "family", ID: a.ID}, Note: b.ID})
	}))
}

// UndoApart takes KeepApart back, whoever said it.
func (d *Desk) UndoApart(ctx context.Context, scope facts.Scope, id, other, actor string) error {
	const op = "crash.UndoApart"
	a, err := d.owned(ctx, scope, id)
	if err != nil {
		return err
	}
	b, err := d.owned(ctx, scope, other)
	if err != nil {
		return err
	}
	l, err := d.Links(ctx)
	if err != nil {
		return err
	}
	// What was said of a family that is part of one of the two now counts, too.
	all := func(id string) []string { return append([]string{id}, l.Merged(id)...) }
	return fault.Wrap(op, d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		var n int64
		for _, x := range all(a.ID) {
			for _, y := range all(b.ID) {
				r, err := tx.ExecContext(ctx, `UPDATE crash_apart SET ended_ms = $1, ended_by = $2 WHERE ended_ms = 0 AND (one = $3 AND other = $4 OR one = $4 AND other = $3)`, d.o.Now().UnixMilli(), actor, x, y)
				if err != nil {
					return err
				}
				k, err := r.RowsAffected()
				if err != nil {
					return err
				}
				n += k
			}
		}
		if n == 0 {
			return fault.E(op, fault.Conflict, "Nobody said so, or it was taken back already.", nil)
		}
		return d.o.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: "family.apart-back", Ref: eco.Ref{Kind: "family", ID: a.ID}, Note: b.ID})
	}))
}

// apart are the families that one is kept apart from, by id, with merges followed.
func (d *Desk) apart(ctx context.Context, q querier, id string) (map[string]Apart, error) {
	l, err := d.Links(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]Apart{}
	err = each(append([]string{id}, l.Merged(id)...), func(marks string, args []any) error {
		return scanApart(ctx, q, l, id, out, marks, args)
	})
	return out, err
}

func scanApart(ctx context.Context, q querier, l *family.Links, id string, out map[string]Apart, marks string, args []any) error {
	rows, err := q.QueryContext(ctx, `SELECT one, other, note, actor, at_ms FROM crash_apart WHERE ended_ms = 0 AND (one IN (`+marks+`) OR other IN (`+marks+`)) ORDER BY at_ms, id`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var a Apart
		var one, other string
		var at int64
		if err := rows.Scan(&one, &other, &a.Note, &a.Actor, &at); err != nil {
			return err
		}
		one, other = l.Resolve(one, ""), l.Resolve(other, "")
		if a.Family = other; other == id {
			a.Family = one
		}
		if a.At = moment(at); a.Family != id { // else they were merged all the same
			out[a.Family] = a
		}
	}
	return rows.Err()
}

// keptApart lists them for a page, the newest first: those that the scope may decide on.
func (d *Desk) keptApart(ctx context.Context, scope facts.Scope, have map[string]Apart) ([]Apart, error) {
	ids := make([]string, 0, len(have))
	for id := range have {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	known, err := d.known(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := []Apart{}
	for _, id := range ids {
		if f := known[id]; f != nil && owns(scope, f) {
			a := have[id]
			a.Title = f.Title
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b Apart) int { return b.At.Compare(a.At) })
	return out, nil
}

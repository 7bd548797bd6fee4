package crash

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/crash/priority"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Overruled is what a person says of a family's priority instead of the machine.
type Overruled struct {
	Band   string    `json:"band"`
	Reason string    `json:"reason"`
	Actor  string    `json:"actor"`
	At     time.Time `json:"at"`
	// Ended is when another word, or the machine's, took its place, and EndedBy whose that is.
	Ended   time.Time `json:"ended,omitzero"`
	EndedBy string    `json:"ended_by,omitempty"`
}

// ByRules is the actor of what the routing rules say.
const ByRules = "rules"

// maxOverrules bounds the words on a priority that a page shows.
const maxOverrules = 50

// Overrule sets a family's priority by hand, with a reason; "" as band gives it back
// to the machine. What was said before is kept.
func (d *Desk) Overrule(ctx context.Context, scope facts.Scope, family, band, reason, actor string) error {
	const op = "crash.Overrule"
	reason = strings.TrimSpace(eco.Clean(reason, MaxNote))
	switch {
	case band != "" && !slices.Contains(priority.Bands, band):
		return fault.E(op, fault.Invalid, "A priority is P1, P2, P3 or P4.", nil)
	case band != "" && reason == "":
		return fault.E(op, fault.Invalid, "Say why the priority is another one.", nil)
	case actor == "":
		return fault.E(op, fault.Internal, "A decision names who made it.", nil)
	}
	f, err := d.owned(ctx, scope, family)
	if err != nil {
		return err
	}
	return fault.Wrap(op, d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		now := d.o.Now().UnixMilli()
		r, err := tx.ExecContext(ctx, `UPDATE crash_overruled SET ended_ms = $1, ended_by = $2 WHERE family = $3 AND ended_ms = 0`, now, actor, f.ID)
		if err != nil {
			return err
		}
		action := "family.priority"
		if band != "" {
			_, err = tx.ExecContext(ctx, `INSERT INTO crash_overruled (id, family, band, reason, actor, at_ms, ended_ms, ended_by) VALUES ($1, $2, $3, $4, $5, $6, 0, '')`,
				d.o.NewID(), f.ID, band, reason, actor, now)
		} else {
			action = "family.priority-back"
			var n int64
			if n, err = r.RowsAffected(); err == nil && n == 0 {
				return fault.E(op, fault.Conflict, "Nobody set this priority by hand.", nil)
			}
		}
		if err != nil {
			return err
		}
		return d.o.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: action, Ref: eco.Ref{Kind: "family", ID: f.ID}, Note: band})
	}))
}

// OverruleByRules sets a family's priority to what the routing rules say, in the
// transaction in which they are asked; "" takes their word back. A person's word
// stands before theirs, and what a person took back they do not say again. It
// returns the band of theirs that held before and whether anything changed.
func (d *Desk) OverruleByRules(ctx context.Context, tx *sql.Tx, family, band, reason string) (was string, changed bool, err error) {
	const op = "crash.OverruleByRules"
	list, err := overrules(ctx, tx, family)
	if err != nil {
		return "", false, fault.Wrap(op, err)
	}
	if len(list) > 0 && list[0].Ended.IsZero() {
		if list[0].Actor != ByRules {
			return "", false, nil
		}
		was = list[0].Band
	}
	if was == band {
		return was, false, nil
	}
	for _, o := range list {
		if was == "" && o.Actor == ByRules && o.Band == band && o.EndedBy != ByRules {
			return "", false, nil
		}
	}
	now := d.o.Now().UnixMilli()
	if _, err := tx.ExecContext(ctx, `UPDATE crash_overruled SET ended_ms = $1, ended_by = $2 WHERE family = $3 AND ended_ms = 0`, now, ByRules, family); err != nil {
		return was, false, fault.Wrap(op, err)
	}
	if band == "" {
		return was, true, nil
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO crash_overruled (id, family, band, reason, actor, at_ms, ended_ms, ended_by) VALUES ($1, $2, $3, $4, $5, $6, 0, '')`,
		d.o.NewID(), family, band, strings.TrimSpace(eco.Clean(reason, MaxNote)), ByRules, now)
	return was, true, fault.Wrap(op, err)
}

// overrules lists every word on a family's priority, the newest first.
func overrules(ctx context.Context, q querier, family string) ([]Overruled, error) {
	rows, err := q.QueryContext(ctx, `SELECT band, reason, actor, at_ms, ended_ms, ended_by FROM crash_overruled WHERE family = $1
		ORDER BY CASE WHEN ended_ms = 0 THEN 0 ELSE 1 END, at_ms DESC, ended_ms DESC, id DESC LIMIT $2`, family, maxOverrules)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []Overruled{}
	for rows.Next() {
		var o Overruled
		var at, ended int64
		if err := rows.Scan(&o.Band, &o.Reason, &o.Actor, &at, &ended, &o.EndedBy); err != nil {
			return nil, err
		}
		if o.At = moment(at); ended != 0 {
			o.Ended = moment(ended)
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

func overruled(ctx context.Context, q querier, ids []string) (map[string]Overruled, error) {
	out := map[string]Overruled{}
	err := each(ids, func(marks string, args []any) error {
		return scanOverruled(ctx, q, out, `family IN (`+marks+`)`, args...)
	})
	return out, err
}

func scanOverruled(ctx context.Context, q querier, out map[string]Overruled, where string, args ...any) error {
	rows, err := q.QueryContext(ctx, `SELECT family, band, reason, actor, at_ms FROM crash_overruled WHERE ended_ms = 0 AND `+where, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var o Overruled
		var at int64
		if err := rows.Scan(&id, &o.Band, &o.Reason, &o.Actor, &at); err != nil {
			return err
		}
		o.At = moment(at)
		out[id] = o
	}
	return rows.Err()
}

// urgency is every family's place by priority: what people said, else the score.
func (d *Desk) urgency(ctx context.Context) (score map[string]int64, band, label map[string]string, err error) {
	score, band, label = map[string]int64{}, map[string]string{}, map[string]string{}
	rows, err := d.o.Flow.Read().QueryContext(ctx, `SELECT family, score, band, label FROM crash_rated ORDER BY score DESC, family LIMIT 20000`)
	if err != nil {
		return nil, nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id, b, l string
		var n int64
		if err := rows.Scan(&id, &n, &b, &l); err != nil {
			return nil, nil, nil, err
		}
		score[id], band[id], label[id] = n, b, l
	}
	if err := rows.Err(); err != nil {
		return nil, nil, nil, err
	}
	said := map[string]Overruled{}
	if err := scanOverruled(ctx, d.o.Records.Read(), said, `band <> ''`); err != nil {
		return nil, nil, nil, err
	}
	for id, o := range said {
		band[id] = o.Band
	}
	for id, b := range band { // within a band by score
		score[id] += 1000 * int64(len(priority.Bands)-slices.Index(priority.Bands, b))
	}
	return score, band, label, nil
}

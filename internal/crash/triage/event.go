package triage

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Kind is what happened to a family.
type Kind string

const (
	Assigned  Kind = "assigned"  // to a team or person; Recipients are those it was given to
	Mentioned Kind = "mentioned" // in a comment
	Commented Kind = "commented" // Recipients are its watchers
	Changed   Kind = "state"     // of its state, by a person; Item is the change
	Regressed Kind = "regressed" // it came back by itself
)

// Event is one line of the feed that notices are made of.
type Event struct {
	Seq        int64     `json:"seq"`
	Kind       Kind      `json:"kind"`
	Family     string    `json:"family"`
	Actor      string    `json:"actor"` // account id; "rules" or "system"
	Item       string    `json:"item,omitempty"`
	Recipients []string  `json:"recipients"` // account ids, never the actor's
	At         time.Time `json:"at"`
}

// eventDays is how long the feed is kept.
const eventDays = 30

// Since returns at most limit (at most 500) events after a place, the oldest
// first; the last one's Seq is the next place. Recipients who may not see the
// family now are left out, so an event may have none.
func (d *Desk) Since(ctx context.Context, seq int64, limit int) ([]Event, error) {
	const op = "triage.Since"
	var out []Event
	var inside []bool
	err := scan(ctx, d.o.Records.Read(), func(r *sql.Rows) error {
		var e Event
		var list string
		var at, in int64
		if err := r.Scan(&e.Seq, &e.Kind, &e.Family, &e.Actor, &e.Item, &in, &list, &at); err != nil {
			return err
		}
		e.At = moment(at)
		out, inside = append(out, e), append(inside, in != 0)
		return json.Unmarshal([]byte(list), &out[len(out)-1].Recipients)
	}, `SELECT seq, kind, family, actor, item, inside, recipients, at_ms FROM triage_event WHERE seq > $1 ORDER BY seq LIMIT $2`, seq, min(max(limit, 1), 500))
	if err != nil || len(out) == 0 {
		return out, fault.Wrap(op, err)
	}
	people, err := d.directory(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(out))
	for i := range out {
		ids[i] = out[i].Family
	}
	known, _, err := d.o.Desk.Subjects(ctx, ids, false)
	if err != nil {
		return nil, err
	}
	for i := range out {
		f, ok := known[out[i].Family]
		out[i].Recipients = slices.DeleteFunc(out[i].Recipients, func(id string) bool {
			return !ok || !d.sees(people.byID[id], &f, inside[i])
		})
	}
	return out, nil
}

// Head is the place of the newest event: where a reader that is new begins.
func (d *Desk) Head(ctx context.Context) (seq int64, err error) {
	err = d.o.Records.Read().QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM triage_event`).Scan(&seq)
	return seq, fault.Wrap("triage.Head", err)
}

// emit appends an event in the transaction of what it tells of.
func (d *Desk) emit(ctx context.Context, tx *sql.Tx, e Event, inside bool) error {
	actor := strings.TrimPrefix(e.Actor, "account:")
	to := slices.DeleteFunc(slices.Clone(e.Recipients), func(id string) bool { return id == actor })
	slices.Sort(to)
	to = slices.Compact(to)
	if len(to) == 0 {
		return nil // nobody to tell
	}
	var seq int64
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) + 1 FROM triage_event`).Scan(&seq); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO triage_event (seq, kind, family, actor, item, inside, recipients, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		seq, string(e.Kind), e.Family, actor, e.Item, bit(inside), text(to), d.nowMs())
	return err
}

// changed is the crash desk's hook: a state changed, its watchers are to know.
func (d *Desk) changed(ctx context.Context, tx *sql.Tx, c crash.Change) error {
	to, err := watching(ctx, tx, c.Family)
	if err != nil {
		return fault.Wrap("triage.changed", err)
	}
	kind := Changed
	if c.Actor == crash.System && c.To == crash.Open {
		kind = Regressed
	}
	return fault.Wrap("triage.changed", d.emit(ctx, tx, Event{Kind: kind, Family: c.Family, Actor: c.Actor, Item: c.ID, Recipients: to}, false))
}

// Tidy forgets events that are older than eventDays, all but the newest.
func (d *Desk) Tidy(ctx context.Context) (int, error) {
	var n int64
	err := d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `DELETE FROM triage_event WHERE at_ms < $1 AND seq < (SELECT max(seq) FROM triage_event)`, d.o.Now().AddDate(0, 0, -eventDays).UnixMilli())
		if err != nil {
			return err
		}
		n, err = r.RowsAffected()
		return err
	})
	return int(n), fault.Wrap("triage.Tidy", err)
}

// sees reports whether an account may see a family now, and what is not for
// authors of extensions, when it is inside.
func (d *Desk) sees(a *account.Account, f *crash.Family, inside bool) bool {
	return a != nil && !a.Disabled && d.may(a.Principal(), account.FamilyRead, f, inside)
}

package crash

import (
	"context"
	"database/sql"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Decision is a person's word on a family.
type Decision struct {
	Family     string
	To         State
	ResolvedIn string // for Resolved: a release; NextRelease; "" = from now on
	Actor      string // account id
	Note       string // why, at most MaxNote bytes; longer ones are cut
}

// NextRelease as Decision.ResolvedIn: fixed in whatever release comes after the
// highest one the family was seen in. Without any it means "from now on".
const NextRelease = "next"

// MaxNote bounds the note of a decision, MaxHistory the changes that are shown.
const (
	MaxNote    = 1000
	MaxHistory = 200
)

// System is the actor of what the flow decides.
const System = "system"

// SetState records a decision, with history and audit, in one transaction.
func (d *Desk) SetState(ctx context.Context, scope facts.Scope, c Decision) (Change, error) {
	const op = "crash.SetState"
	if c.To != Open && c.To != Resolved && c.To != Ignored {
		return Change{}, fault.E(op, fault.Invalid, "A family is open, resolved or ignored.", nil)
	}
	if c.Actor == "" {
		return Change{}, fault.E(op, fault.Internal, "A decision names who made it.", nil)
	}
	f, err := d.owned(ctx, scope, c.Family)
	if err != nil {
		return Change{}, err
	}
	to := status{state: c.To, at: d.o.Now().UnixMilli()}
	if c.To == Resolved {
		to.resolvedIn = eco.Clean(c.ResolvedIn, 128)
		if to.resolvedIn == NextRelease {
			if to.resolvedIn = ""; f.LastRelease != "" {
				to.resolvedIn = ">" + f.LastRelease
			}
		}
	}
	return d.change(ctx, c.Family, c.Actor, eco.Clean(c.Note, MaxNote), "", func(status, []Change) (status, error) { return to, nil })
}

// Undo takes back the family's newest change: what was before holds again.
// fault.Conflict when another change came after it, or it was taken back already.
func (d *Desk) Undo(ctx context.Context, scope facts.Scope, family, change, actor string) (Change, error) {
	const op = "crash.Undo"
	if _, err := d.owned(ctx, scope, family); err != nil {
		return Change{}, err
	}
	return d.change(ctx, family, actor, "", change, func(_ status, history []Change) (status, error) {
		for _, c := range history {
			if c.ID != change {
				continue
			}
			if !c.Last {
				return status{}, fault.E(op, fault.Conflict, "Another change came after this one; take that back first.", nil)
			}
			return c.before, nil
		}
		return status{}, fault.E(op, fault.NotFound, "No such change.", nil)
	})
}

// owned returns a family that the scope may decide on. One that it only sees,
// because some of its own crashes are in it, is everybody's: forbidden.
func (d *Desk) owned(ctx context.Context, scope facts.Scope, id string) (Family, error) {
	f, err := d.visible(ctx, scope, id)
	if err == nil && !owns(scope, &f) {
		err = fault.E("crash.SetState", fault.Forbidden, "This family also holds crashes of others; those it is attributed to decide on it.", nil)
	}
	return f, err
}

// Sighting is what a batch of the flow saw of one family, for regressions.
type Sighting struct {
	Family   string
	Releases []string
	Happened int64 // Unix milliseconds of the latest crash, as its client says, at most its receipt
}

// Reopen opens those resolved families that came back, and says which. Telling
// it twice changes nothing.
func (d *Desk) Reopen(ctx context.Context, seen []Sighting) ([]Change, error) {
	ids := make([]string, len(seen))
	for i := range seen {
		ids[i] = seen[i].Family
	}
	now, err := states(ctx, d.o.Records.Read(), ids)
	if err != nil {
		return nil, fault.Wrap("crash.Reopen", err)
	}
	var out []Change
	for _, s := range seen {
		if !back(now[s.Family], s) {
			continue
		}
		high := ""
		for _, r := range s.Releases {
			_, high = widen("", high, r)
		}
		note := "Seen again."
		if high != "" {
			note = "Seen again in " + high + "."
		}
		c, err := d.change(ctx, s.Family, System, note, "", func(was status, _ []Change) (status, error) {
			if !back(was, s) { // somebody was quicker
				return status{}, errUnchanged
			}
			return status{state: Open, regressed: true, at: d.o.Now().UnixMilli()}, nil
		})
		if err == errUnchanged {
			continue
		}
		if err != nil {
			return out, err
		}
		out = append(out, c)
	}
	return out, nil
}

func back(s status, seen Sighting) bool {
	if s.state != Resolved || s.resolvedIn == "" && seen.Happened <= s.at {
		return false
	}
	return Regressed(s.resolvedIn, seen.Releases)
}

var errUnchanged = fault.E("crash.Reopen", fault.Conflict, "Nothing changed.", nil)

// status is the state of a family with what goes with it. The zero status is Open.
type status struct {
	state      State
	resolvedIn string
	regressed  bool
	at         int64
}

// change moves a family to the status that next returns, with history and audit.
func (d *Desk) change(ctx context.Context, family, actor, note, undoes string, next func(status, []Change) (status, error)) (Change, error) {
	const op = "crash.change"
	var c Change
	err := d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		all, err := states(ctx, tx, []string{family})
		if err != nil {
			return err
		}
		was := all[family]
		if was.state == "" {
			was.state = Open
		}
		past, err := history(ctx, tx, family)
		if err != nil {
			return err
		}
		to, err := next(was, past)
		if err != nil {
			return err
		}
		at := d.o.Now()
		c = Change{ID: d.o.NewID(), Family: family, At: at.UTC().Truncate(time.Millisecond), Actor: actor, From: was.state, To: to.state,
			ResolvedIn: to.resolvedIn, Note: note, Undoes: undoes, Last: undoes == "", before: was}
		_, err = tx.ExecContext(ctx, `INSERT INTO crash_state (family, state, resolved_in, regressed, at_ms) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (family) DO UPDATE SET state = excluded.state, resolved_in = excluded.resolved_in,
			regressed = excluded.regressed, at_ms = excluded.at_ms`, family, string(to.state), to.resolvedIn, bit(to.regressed), to.at)
		if err != nil {
			return err
		}
		var n int64
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(n) + 1, 0) FROM crash_change WHERE family = $1`, family).Scan(&n); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO crash_change (id, family, n, at_ms, actor, from_state, from_resolved_in, from_regressed, from_at_ms,
			to_state, to_resolved_in, note, undoes, undone) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0)`,
			c.ID, family, n, at.UnixMilli(), actor, string(was.state), was.resolvedIn, bit(was.regressed), was.at, string(to.state), to.resolvedIn, note, undoes)
		if err != nil {
			return err
		}
		if undoes != "" {
			if _, err := tx.ExecContext(ctx, `UPDATE crash_change SET undone = 1 WHERE id = $1`, undoes); err != nil {
				return err
			}
		}
		return d.o.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: "family." + verb(to, undoes), Ref: eco.Ref{Kind: "family", ID: family}})
	})
	if err == errUnchanged {
		return Change{}, err
	}
	return c, fault.Wrap(op, err)
}

func verb(to status, undoes string) string {
	switch {
	case undoes != "":
		return "undo"
	case to.regressed:
		return "regress"
	case to.state == Resolved:
		return "resolve"
	case to.state == Ignored:
		return "ignore"
	}
	return "open"
}

// states reads the states of families by id; those without one are missing.
func states(ctx context.Context, q querier, ids []string) (map[string]status, error) {
	out := map[string]status{}
	err := each(ids, func(marks string, args []any) error {
		return scanStates(ctx, q, out, `WHERE family IN (`+marks+`)`, args...)
	})
	return out, err
}

// statesIn reads the families in a state, or all with regressed, at most 10,000
// (the most that one answer of facts can name).
func statesIn(ctx context.Context, q querier, where string, args ...any) (map[string]status, error) {
	out := map[string]status{}
	return out, scanStates(ctx, q, out, `WHERE `+where+` ORDER BY at_ms DESC, family LIMIT 10000`, args...)
}

func scanStates(ctx context.Context, q querier, out map[string]status, where string, args ...any) error {
	rows, err := q.QueryContext(ctx, `SELECT family, state, resolved_in, regressed, at_ms FROM crash_state `+where, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var s status
		var regressed int64
		if err := rows.Scan(&id, &s.state, &s.resolvedIn, &regressed, &s.at); err != nil {
			return err
		}
		s.regressed = regressed != 0
		out[id] = s
	}
	return rows.Err()
}

// history reads the newest changes of a family, newest first. Last is the newest
// one that neither takes one back nor was taken back, provided nothing but such
// pairs came after it.
func history(ctx context.Context, q querier, family string) ([]Change, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, at_ms, actor, from_state, from_resolved_in, from_regressed, from_at_ms,
		to_state, to_resolved_in, note, undoes, undone FROM crash_change WHERE family = $1 ORDER BY n DESC LIMIT $2`, family, MaxHistory)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Change
	last := false
	for rows.Next() {
		c := Change{Family: family}
		var at, regressed, undone int64
		err := rows.Scan(&c.ID, &at, &c.Actor, &c.before.state, &c.before.resolvedIn, &regressed, &c.before.at,
			&c.To, &c.ResolvedIn, &c.Note, &c.Undoes, &undone)
		if err != nil {
			return nil, err
		}
		c.At, c.From, c.Undone = time.UnixMilli(at).UTC(), c.before.state, undone != 0
		c.before.regressed = regressed != 0
		if !last && !c.Undone && c.Undoes == "" {
			c.Last, last = true, true
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

package crash

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/family"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Decision is a person's word on a family.
type Decision struct {
	Family     string
	To         State
	ResolvedIn string // for Resolved: a release; NextRelease; "" = from now on
	Until      Until  // for Ignored: what it waits for; Release may be NextRelease
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
			if to.resolvedIn, err = d.newest(ctx, scope, &f); err != nil {
				return Change{}, err
			}
			if to.resolvedIn != "" {
				to.resolvedIn = ">" + to.resolvedIn
			}
		}
	}
	if c.To == Ignored {
		to.until = c.Until.clean()
		if err := to.until.check(d.o.Now()); err != nil {
			return Change{}, err
		}
		if to.until.Release == NextRelease {
			if to.until.Release, err = d.newest(ctx, scope, &f); err != nil {
				return Change{}, err
			}
		}
	}
	return d.change(ctx, f.ID, c.Actor, eco.Clean(c.Note, MaxNote), "", func(status, []Change) (status, error) { return to, nil })
}

// Undo takes back the family's newest change: what was before holds again.
// fault.Conflict when another change came after it, or it was taken back already.
func (d *Desk) Undo(ctx context.Context, scope facts.Scope, id, change, actor string) (Change, error) {
	const op = "crash.Undo"
	f, err := d.owned(ctx, scope, id)
	if err != nil {
		return Change{}, err
	}
	return d.change(ctx, f.ID, actor, "", change, func(_ status, history []Change) (status, error) {
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

// newest is the last release that a family was seen in, by the register's order.
func (d *Desk) newest(ctx context.Context, scope facts.Scope, f *Family) (string, error) {
	o, err := d.order(ctx, f)
	if err != nil || len(o) == 0 {
		return f.LastRelease, err
	}
	r, err := d.query(ctx, (&ask{facts.Query{Scope: scope}}).in(facts.Family, f.ID).by(f.releases()).sum(facts.Rows))
	if err != nil {
		return "", err
	}
	seen := []string{f.LastRelease}
	for _, v := range r.Rows {
		seen = append(seen, text(v[0]))
	}
	return o.Newest(seen), nil
}

// releases is whose versions a family's releases are.
func (f *Family) releases() facts.Column {
	if f.Blame == "" && f.Target == "host" {
		return facts.HostVersion
	}
	return facts.SubjectVer
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

// Reopen opens those resolved families that came back and those ignored ones that
// were seen in the release they waited for, and says which. Telling it twice
// changes nothing.
func (d *Desk) Reopen(ctx context.Context, seen []Sighting) ([]Change, error) {
	const op = "crash.Reopen"
	l, err := d.Links(ctx)
	if err != nil {
		return nil, err
	}
	seen = resolved(l, seen)
	ids := make([]string, len(seen))
	for i := range seen {
		ids[i] = seen[i].Family
	}
	now, err := states(ctx, d.o.Records.Read(), ids)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	known, err := d.knownBy(ctx, l, slices.Sorted(maps.Keys(now)))
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	var out []Change
	for _, s := range seen {
		if !now[s.Family].waits() {
			continue
		}
		o, err := d.order(ctx, known[s.Family])
		if err != nil {
			return out, fault.Wrap(op, err)
		}
		c, done, err := d.reopen(ctx, s.Family, func(was status) (string, bool) { return back(was, s, o) })
		if err != nil {
			return out, err
		}
		if done {
			out = append(out, c)
		}
	}
	return out, nil
}

// resolved adds sightings up by the family that each is part of.
func resolved(l *family.Links, seen []Sighting) []Sighting {
	out := make([]Sighting, 0, len(seen))
	at := map[string]int{}
	for _, s := range seen {
		s.Family = l.Resolve(s.Family, "")
		i, ok := at[s.Family]
		if !ok {
			at[s.Family] = len(out)
			out = append(out, s)
			continue
		}
		out[i].Releases = append(slices.Clip(out[i].Releases), s.Releases...)
		out[i].Happened = max(out[i].Happened, s.Happened)
	}
	return out
}

// reopen opens a family when over says so of its status, now and once more in the transaction.
func (d *Desk) reopen(ctx context.Context, family string, over func(status) (why string, ok bool)) (Change, bool, error) {
	all, err := states(ctx, d.o.Records.Read(), []string{family})
	if err != nil {
		return Change{}, false, fault.Wrap("crash.reopen", err)
	}
	note, ok := over(all[family])
	if !ok {
		return Change{}, false, nil
	}
	c, err := d.change(ctx, family, System, note, "", func(was status, _ []Change) (status, error) {
		if _, ok := over(was); !ok { // somebody was quicker
			return status{}, errUnchanged
		}
		return status{state: Open, regressed: was.state == Resolved, at: d.o.Now().UnixMilli()}, nil
	})
	if err == errUnchanged {
		return Change{}, false, nil
	}
	return c, err == nil, err
}

// waits reports whether a crash can open the family.
func (s status) waits() bool { return s.state == Resolved || s.state == Ignored && !s.until.IsZero() }

// back decides whether a sighting opens a family, and says why. It is pure.
func back(s status, seen Sighting, o Order) (why string, ok bool) {
	switch {
	case s.state == Ignored && !s.until.IsZero():
		return Until{Release: s.until.Release}.Over(o, Progress{Releases: seen.Releases})
	case s.state != Resolved || s.resolvedIn == "" && seen.Happened <= s.at || !Regressed(o, s.resolvedIn, seen.Releases):
		return "", false
	}
	if r := o.Newest(seen.Releases); r != "" {
		return "Seen again in " + r + ".", true
	}
	return "Seen again.", true
}

var errUnchanged = fault.E("crash.Reopen", fault.Conflict, "Nothing changed.", nil)

// status is the state of a family with what goes with it. The zero status is Open.
type status struct {
	state      State
	resolvedIn string
	regressed  bool
	until      Until
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
			ResolvedIn: to.resolvedIn, Until: to.until, Note: note, Undoes: undoes, Last: undoes == "", before: was}
		_, err = tx.ExecContext(ctx, `INSERT INTO crash_state (family, state, resolved_in, regressed, at_ms, until) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (family) DO UPDATE SET state = excluded.state, resolved_in = excluded.resolved_in,
			regressed = excluded.regressed, at_ms = excluded.at_ms, until = excluded.until`,
			family, string(to.state), to.resolvedIn, bit(to.regressed), to.at, to.until.text())
		if err != nil {
			return err
		}
		var n int64
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(n) + 1, 0) FROM crash_change WHERE family = $1`, family).Scan(&n); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO crash_change (id, family, n, at_ms, actor, from_state, from_resolved_in, from_regressed, from_at_ms,
			to_state, to_resolved_in, note, undoes, undone, from_until, to_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, $14, $15)`,
			c.ID, family, n, at.UnixMilli(), actor, string(was.state), was.resolvedIn, bit(was.regressed), was.at, string(to.state), to.resolvedIn, note, undoes,
			was.until.text(), to.until.text())
		if err != nil {
			return err
		}
		if undoes != "" {
			if _, err := tx.ExecContext(ctx, `UPDATE crash_change SET undone = 1 WHERE id = $1`, undoes); err != nil {
				return err
			}
		}
		if err := d.changed(ctx, tx, c); err != nil {
			return err
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
	rows, err := q.QueryContext(ctx, `SELECT family, state, resolved_in, regressed, at_ms, until FROM crash_state `+where, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, until string
		var s status
		var regressed int64
		if err := rows.Scan(&id, &s.state, &s.resolvedIn, &regressed, &s.at, &until); err != nil {
			return err
		}
		s.regressed, s.until = regressed != 0, untilOf(until)
		out[id] = s
	}
	return rows.Err()
}

// history reads the newest changes of a family, newest first. Last is the newest
// one that neither takes one back nor was taken back, provided nothing but such
// pairs came after it.
func history(ctx context.Context, q querier, family string) ([]Change, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, at_ms, actor, from_state, from_resolved_in, from_regressed, from_at_ms,
		to_state, to_resolved_in, note, undoes, undone, from_until, to_until FROM crash_change WHERE family = $1 ORDER BY n DESC LIMIT $2`, family, MaxHistory)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Change
	last := false
	for rows.Next() {
		c := Change{Family: family}
		var at, regressed, undone int64
		var fromUntil, toUntil string
		err := rows.Scan(&c.ID, &at, &c.Actor, &c.before.state, &c.before.resolvedIn, &regressed, &c.before.at,
			&c.To, &c.ResolvedIn, &c.Note, &c.Undoes, &undone, &fromUntil, &toUntil)
		if err != nil {
			return nil, err
		}
		c.At, c.From, c.Undone = time.UnixMilli(at).UTC(), c.before.state, undone != 0
		c.before.regressed, c.before.until, c.Until = regressed != 0, untilOf(fromUntil), untilOf(toUntil)
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

package crash

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/family"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Merge makes families part of another one, with history and audit, in one transaction.
func (d *Desk) Merge(ctx context.Context, scope facts.Scope, m Merge) (Regrouping, error) {
	l, err := d.Links(ctx)
	if err != nil {
		return Regrouping{}, err
	}
	g, _, err := d.planMerge(ctx, scope, l, m)
	if err != nil {
		return Regrouping{}, err
	}
	return d.regroup(ctx, g, m.Actor, func(now []family.Link) []family.Link { return mergeLinks(family.NewLinks(now), now, g) })
}

// Split makes a family of signatures of another one, likewise.
func (d *Desk) Split(ctx context.Context, scope facts.Scope, s Split) (Regrouping, error) {
	g, f, err := d.planSplit(ctx, scope, s, d.o.NewID())
	if err != nil {
		return Regrouping{}, err
	}
	title := g.Note
	g.Note = eco.Clean(s.Note, MaxNote)
	// The new family's record comes first: without links it is a family that nobody
	// was seen in, and harmless.
	if err := d.found(ctx, g, f, title); err != nil {
		return Regrouping{}, fault.Wrap("crash.Split", err)
	}
	return d.regroup(ctx, g, s.Actor, func(now []family.Link) []family.Link { return append(slices.Clone(now), splitLinks(g)...) })
}

// regroup writes a merge or split down: the links that hold after it and did not
// before are its own, those that no longer hold it ended.
func (d *Desk) regroup(ctx context.Context, g Regrouping, actor string, next func([]family.Link) []family.Link) (Regrouping, error) {
	const op = "crash.Regroup"
	if actor == "" {
		return g, fault.E(op, fault.Internal, "A decision names who made it.", nil)
	}
	g.ID, g.Actor, g.At = d.o.NewID(), actor, d.o.Now().UTC().Truncate(time.Millisecond)
	err := d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		now, err := lockLinks(ctx, tx)
		if err != nil {
			return err
		}
		links := family.NewLinks(now)
		for _, f := range append([]string{g.Family}, g.Parts...) {
			if links.Resolve(f, "") != f {
				return fault.E(op, fault.Conflict, "One of these families became part of another one in the meantime.", nil)
			}
		}
		then := next(now)
		if l := linkedOf(0, then); len(l.relabel) > maxLinks || l.links.Circle() {
			return tooMany(l)
		}
		for _, k := range then {
			if !slices.Contains(now, k) {
				if err := putLink(ctx, tx, k, g.ID, "do"); err != nil {
					return err
				}
			}
		}
		for _, k := range now {
			if !slices.Contains(then, k) {
				if _, err := tx.ExecContext(ctx, `UPDATE crash_link SET ended = $1 WHERE family = $2 AND signature = $3 AND to_family = $4 AND ended = ''`, g.ID, k.Family, k.Signature, k.To); err != nil {
					return err
				}
			}
		}
		var n int64
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(n) + 1, 0) FROM crash_regroup`).Scan(&n); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO crash_regroup (id, n, kind, family, at_ms, actor, note, undone_ms, undone_by)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '')`, g.ID, n, g.Kind, g.Family, g.At.UnixMilli(), actor, g.Note)
		if err != nil {
			return err
		}
		if err := d.regrouped(ctx, tx, g, actor); err != nil {
			return err
		}
		return d.o.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: "family." + g.Kind, Ref: eco.Ref{Kind: "family", ID: g.Family}, Note: g.ID})
	})
	if err == nil {
		err = d.unrate(ctx, g)
	}
	return g, fault.Wrap(op, err)
}

// unrate forgets what the machine said of families that are others now.
func (d *Desk) unrate(ctx context.Context, g Regrouping) error {
	return d.o.Flow.Tx(ctx, func(tx *sql.Tx) error {
		for _, id := range append([]string{g.Family}, g.Parts...) {
			if _, err := tx.ExecContext(ctx, `DELETE FROM crash_rated WHERE family = $1`, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// lockLinks counts a change of links, which makes two of them wait for one another,
// and returns those that hold.
func lockLinks(ctx context.Context, tx *sql.Tx) ([]family.Link, error) {
	if _, err := tx.ExecContext(ctx, `UPDATE crash_links_at SET n = n + 1 WHERE one = 1`); err != nil {
		return nil, err
	}
	return activeLinks(ctx, tx)
}

func putLink(ctx context.Context, tx *sql.Tx, k family.Link, regroup, part string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO crash_link (family, signature, to_family, regroup, part, ended) VALUES ($1, $2, $3, $4, $5, '')`,
		k.Family, k.Signature, k.To, regroup, part)
	return err
}

// Unmerge takes a merge or split back: what was before holds again, for what came
// in since as well. fault.Conflict when a later one stands in the way.
func (d *Desk) Unmerge(ctx context.Context, scope facts.Scope, id, regroup, actor string) (Regrouping, error) {
	const op = "crash.Unmerge"
	f, err := d.owned(ctx, scope, id)
	if err != nil {
		return Regrouping{}, err
	}
	list, err := d.regroups(ctx, f.ID)
	if err != nil {
		return Regrouping{}, fault.Wrap(op, err)
	}
	i := slices.IndexFunc(list, func(g Regrouping) bool { return g.ID == regroup })
	if i < 0 {
		return Regrouping{}, fault.E(op, fault.NotFound, "No such merge or split.", nil)
	}
	g := list[i]
	if g.Undone {
		return g, fault.E(op, fault.Conflict, "It was taken back already.", nil)
	}
	if !scope.All() { // of a merge over publishers only who made it possible may part it
		for _, part := range append([]string{g.Family}, g.Parts...) {
			rec, err := families(ctx, d.o.Flow.Read(), []string{part})
			if err != nil {
				return g, fault.Wrap(op, err)
			}
			if p := rec[part]; p != nil && !owns(scope, p) {
				return g, fault.E(op, fault.Forbidden, "Families of two publishers are parted by those who triage the whole ecosystem.", nil)
			}
		}
	}
	err = d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := lockLinks(ctx, tx); err != nil {
			return err
		}
		r, err := tx.ExecContext(ctx, `UPDATE crash_regroup SET undone_ms = $1, undone_by = $2 WHERE id = $3 AND undone_ms = 0`, d.o.Now().UnixMilli(), actor, g.ID)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return fault.E(op, fault.Conflict, "It was taken back already.", err)
		}
		// Its own links end; those that it ended hold again.
		if _, err := tx.ExecContext(ctx, `UPDATE crash_link SET ended = $1 WHERE regroup = $1 AND ended = ''`, g.ID); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE crash_link SET ended = '' WHERE regroup <> $1 AND ended = $1`, g.ID); err != nil {
			return err
		}
		if g.Kind == KindSplit { // what is kept under the family that it made goes home
			if err := putLink(ctx, tx, family.Link{Family: g.Family, To: g.Parts[0]}, g.ID, "undo"); err != nil {
				return err
			}
		}
		now, err := activeLinks(ctx, tx)
		if err != nil {
			return err
		}
		for i := 1; i < len(now); i++ {
			if now[i].Family == now[i-1].Family && now[i].Signature == now[i-1].Signature { // two ways from one place
				return fault.E(op, fault.Conflict, "A merge or split since then stands in the way; take that back first.", nil)
			}
		}
		if l := linkedOf(0, now); l.links.Circle() {
			return tooMany(l)
		}
		back := g
		back.Undone = true
		if err := d.regrouped(ctx, tx, back, actor); err != nil {
			return err
		}
		return d.o.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: "family.un" + g.Kind, Ref: eco.Ref{Kind: "family", ID: g.Family}, Note: g.ID})
	})
	if g.Undone = err == nil; g.Undone {
		err = d.unrate(ctx, g)
	}
	return g, fault.Wrap(op, err)
}

// regroups lists the merges and splits that a family had a part in, the newest first.
func (d *Desk) regroups(ctx context.Context, id string) ([]Regrouping, error) {
	l, err := d.Links(ctx)
	if err != nil {
		return nil, err
	}
	out := []Regrouping{}
	at := map[string]int{}
	q := d.o.Records.Read()
	var found []string
	err = each(append([]string{id}, l.Merged(id)...), func(marks string, args []any) error {
		ids, err := column(ctx, q, `SELECT DISTINCT regroup FROM crash_link WHERE family IN (`+marks+`) OR to_family IN (`+marks+`)`, args...)
		found = append(found, ids...)
		return err
	})
	if err != nil || len(found) == 0 {
		return out, err
	}
	slices.Sort(found)
	err = each(slices.Compact(found), func(marks string, args []any) error {
		rows, err := q.QueryContext(ctx, `SELECT id, kind, family, at_ms, actor, note, undone_ms FROM crash_regroup WHERE id IN (`+marks+`) ORDER BY n DESC`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() && len(out) < MaxHistory {
			g := Regrouping{Parts: []string{}}
			var ms, undone int64
			if err := rows.Scan(&g.ID, &g.Kind, &g.Family, &ms, &g.Actor, &g.Note, &undone); err != nil {
				return err
			}
			g.At, g.Undone = moment(ms), undone != 0
			at[g.ID] = len(out)
			out = append(out, g)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	err = each(found, func(marks string, args []any) error {
		rows, err := q.QueryContext(ctx, `SELECT regroup, family, signature FROM crash_link WHERE part = 'do' AND regroup IN (`+marks+`) ORDER BY family, signature`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var of, f, sig string
			if err := rows.Scan(&of, &f, &sig); err != nil {
				return err
			}
			i, ok := at[of]
			if !ok {
				continue
			}
			g := &out[i]
			if !slices.Contains(g.Parts, f) {
				g.Parts = append(g.Parts, f)
			}
			if sig != "" && !slices.Contains(g.Signatures, sig) {
				g.Signatures = append(g.Signatures, sig)
			}
		}
		return rows.Err()
	})
	return out, err
}

// found writes the record of the family that a split makes, from what facts say of
// its signatures, and gives the old one another representative when its own goes.
func (d *Desk) found(ctx context.Context, g Regrouping, from Family, title string) error {
	mine := func() *ask {
		a := &ask{facts.Query{Scope: facts.Everything()}}
		return a.in(facts.Kind, string(eco.KindCrash)).in(facts.Family, from.ID)
	}
	r, err := d.query(ctx, mine().in(facts.Signature, g.Signatures...).by(facts.SubjectVer).sum(facts.First, facts.Last))
	if err != nil {
		return err
	}
	first, last := from.FirstSeen.UnixMilli(), from.LastSeen.UnixMilli()
	low, high := "", ""
	for i, v := range r.Rows {
		low, high = widen(low, high, text(v[0]))
		if a, b := number(v[1]), number(v[2]); i == 0 {
			first, last = a, b
		} else {
			first, last = min(first, a), max(last, b)
		}
	}
	newest := func(a *ask) (eco.ID, error) {
		a.in(facts.Counted, "0").limit(1).q.Rows = true
		r, err := d.query(ctx, a)
		if err != nil || len(r.Facts) == 0 {
			return eco.ID{}, err
		}
		return r.Facts[0].ID, nil
	}
	rep, err := newest(mine().in(facts.Signature, g.Signatures...))
	if err != nil {
		return err
	}
	old := from.Representative
	goes, err := newest(mine().in(facts.Signature, g.Signatures...).in(facts.ID, old.String()))
	if err != nil {
		return err
	}
	if !goes.IsZero() {
		rep = old
		if old, err = newest(mine().not(facts.Signature, g.Signatures...)); err != nil {
			return err
		}
	}
	return d.o.Flow.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO crash_family (id, version, title, type, platform, block, blame, target, host,
			first_ms, last_ms, first_release, last_release, representative, signatures)
			SELECT CAST($1 AS text), version, CAST($2 AS text), type, platform, block, blame, target, host, CAST($3 AS bigint), CAST($4 AS bigint),
			CAST($5 AS text), CAST($6 AS text), CAST($7 AS text), CAST($8 AS bigint) FROM crash_family WHERE id = $9 ON CONFLICT (id) DO NOTHING`,
			g.Family, title, first, last, low, high, idText(rep), len(g.Signatures), from.ID)
		if err != nil || old == from.Representative {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE crash_family SET representative = $1 WHERE id = $2`, idText(old), from.ID)
		return err
	})
}

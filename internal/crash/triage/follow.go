package triage

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// What people did with a family that is merged into another follows it there.
// Comments and history are read with the families that are part of one, so taking
// the merge back needs nothing. Who looks at it, labels and watchers are added to
// the target where it has none, each as a change with its reason; taking the merge
// back takes back those that nobody changed since.

// followBatch begins the batch of what came with a merge: it is taken back with it alone.
const followBatch = "merge-"

// parts lists a family with those that are wholly part of it, at most 500.
func (d *Desk) parts(ctx context.Context, id string) ([]string, error) {
	l, err := d.o.Desk.Links(ctx)
	if err != nil {
		return nil, err
	}
	all := append([]string{id}, l.Merged(id)...)
	return all[:min(len(all), 500)], nil
}

// partsFor are the parts whose history somebody reads: of families of another owner only those who sort for everybody read.
func (d *Desk) partsFor(ctx context.Context, s *seat) ([]string, error) {
	all, err := d.parts(ctx, s.f.ID)
	if err != nil || s.inside || len(all) == 1 {
		return all, err
	}
	known, _, err := d.o.Desk.Subjects(ctx, all, false)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(id string) bool {
		f, ok := known[id]
		return id != s.f.ID && (!ok || !sameOwner(&f, &s.f))
	}), nil
}

func sameOwner(a, b *crash.Family) bool {
	return a.Blame.Publisher() == b.Blame.Publisher() && (a.Blame != "" || a.Host == b.Host)
}

// regrouped is the crash desk's hook.
func (d *Desk) regrouped(ctx context.Context, tx *sql.Tx, g crash.Regrouping, actor string) error {
	if g.Kind != crash.KindMerge {
		return nil
	}
	if g.Undone {
		return fault.Wrap("triage.part", d.part(ctx, tx, g, actor))
	}
	return fault.Wrap("triage.follow", d.follow(ctx, tx, g, actor))
}

// follow adds to a merge's target what its parts have and it has not.
func (d *Desk) follow(ctx context.Context, tx *sql.Tx, g crash.Regrouping, actor string) error {
	all, err := d.directory(ctx)
	if err != nil {
		return err
	}
	known, _, err := d.o.Desk.Subjects(ctx, append([]string{g.Family}, g.Parts...), false)
	if err != nil {
		return err
	}
	target, ok := known[g.Family]
	if !ok {
		return nil
	}
	have, err := standings(ctx, tx, append([]string{g.Family}, g.Parts...))
	if err != nil {
		return err
	}
	now, actor := have[g.Family], strings.TrimPrefix(actor, "account:")
	note := func(part, kind, item, was, is string) error {
		return d.note(ctx, tx, change{batch: followBatch + g.ID, family: g.Family, actor: actor, kind: kind, item: item, was: was, now: is, note: "merge " + part})
	}
	for _, id := range g.Parts {
		part, ok := known[id]
		if !ok {
			continue
		}
		old, s := now, have[id]
		if now.team == "" && !now.hand && s.team != "" {
			now.team, now.rule, now.hand = s.team, "", true // a person merged them: no rule moves it
			if err := note(id, "team", "", teamOf(old), teamOf(now)); err != nil {
				return err
			}
		}
		if who := all.byID[s.person]; now.person == "" && d.works(who, &seat{f: target}) {
			now.person = s.person
			if err := note(id, "person", "", "", now.person); err != nil {
				return err
			}
		}
		if now != old {
			if err := store(ctx, tx, g.Family, now); err != nil {
				return err
			}
		}
		if err := d.followLabels(ctx, tx, &target, &part, note); err != nil {
			return err
		}
		if err := d.followWatchers(ctx, tx, &target, id, all, note); err != nil {
			return err
		}
	}
	return nil
}

type noter func(part, kind, item, was, now string) error

func (d *Desk) followLabels(ctx context.Context, tx *sql.Tx, target, part *crash.Family, note noter) error {
	has, err := wornBy(ctx, tx, target.ID)
	if err != nil {
		return err
	}
	theirs, err := labelsOf(ctx, tx, []string{part.ID})
	if err != nil {
		return err
	}
	for _, l := range theirs[part.ID] {
		if _, said := has[l.ID]; said || l.Owner != "" && !sameOwner(target, part) {
			continue
		}
		if err := d.wear(ctx, tx, target.ID, l.ID, worn{label: l.ID}, true); err != nil {
			return err
		}
		if err := note(part.ID, "label", l.ID, "off", "on"); err != nil {
			return err
		}
	}
	return nil
}

func (d *Desk) followWatchers(ctx context.Context, tx *sql.Tx, target *crash.Family, part string, all people, note noter) error {
	list, err := watching(ctx, tx, part)
	if err != nil {
		return err
	}
	known, err := column(ctx, tx, `SELECT account FROM triage_watch WHERE family = $1 ORDER BY account`, target.ID)
	if err != nil {
		return err
	}
	for _, id := range list {
		if slices.Contains(known, id) || !d.sees(all.byID[id], target, false) {
			continue
		}
		if err := setWatch(ctx, tx, target.ID, id, "merge", true); err != nil {
			return err
		}
		if err := note(part, "watch", id, "off", "on"); err != nil {
			return err
		}
	}
	return nil
}

// part takes back what came with a merge, as far as it still is as it came.
func (d *Desk) part(ctx context.Context, tx *sql.Tx, g crash.Regrouping, actor string) error {
	list, err := changes(ctx, tx, `WHERE batch = $1 AND undone = 0 ORDER BY n DESC`, followBatch+g.ID)
	if err != nil {
		return err
	}
	// The policies were asked by whoever takes the merge back.
	s := seat{f: crash.Family{ID: g.Family}, p: account.Principal{ID: strings.TrimPrefix(actor, "account:")}}
	for i := range list {
		c := &list[i]
		ok := false
		if c.kind == "watch" {
			var n int64
			r, err := tx.ExecContext(ctx, `DELETE FROM triage_watch WHERE family = $1 AND account = $2 AND why = 'merge' AND muted = 0`, c.family, c.item)
			if err == nil {
				n, err = r.RowsAffected()
			}
			if err != nil {
				return err
			}
			ok = n > 0
		} else if ok, err = d.restore(ctx, tx, &s, c); err != nil {
			return err
		}
		if !ok {
			continue
		}
		if _, err := tx.ExecContext(ctx, `UPDATE triage_change SET undone = 1 WHERE n = $1`, c.n); err != nil {
			return err
		}
		back := change{batch: followBatch + g.ID + "-back", family: c.family, actor: s.p.ID, kind: c.kind, item: c.item, was: c.now, now: c.was, note: "part " + strings.TrimPrefix(c.note, "merge ")}
		if err := d.note(ctx, tx, back); err != nil {
			return err
		}
	}
	return nil
}

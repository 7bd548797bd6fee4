package triage

import (
	"context"
	"database/sql"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Remember notes changes of state that were made together, so that Undo takes them
// back together. It returns the batch.
func (d *Desk) Remember(ctx context.Context, p account.Principal, states []crash.Change) (string, error) {
	if len(states) == 0 {
		return "", nil
	}
	batch := d.o.NewID()
	return batch, fault.Wrap("triage.Remember", d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		for _, c := range states {
			if err := d.note(ctx, tx, change{batch: batch, family: c.Family, actor: p.ID, kind: "state", item: c.ID, was: string(c.From), now: string(c.To)}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// Undo takes back what was done together, the newest first. What somebody changed
// since stays as it is and is counted as skipped.
func (d *Desk) Undo(ctx context.Context, p account.Principal, batch string) (Done, error) {
	const op = "triage.Undo"
	list, err := changes(ctx, d.o.Records.Read(), `WHERE batch = $1 AND undone = 0 ORDER BY n DESC`, batch)
	if err != nil {
		return Done{}, fault.Wrap(op, err)
	}
	if batch == "" || len(list) == 0 || strings.HasPrefix(batch, followBatch) { // those go with their merge
		return Done{}, fault.E(op, fault.NotFound, "There is nothing to take back.", nil)
	}
	seats := map[string]seat{}
	for _, c := range list {
		if _, ok := seats[c.family]; ok {
			continue
		}
		need := account.FamilyEdit
		if c.kind == "watch" {
			need = account.FamilyComment
		}
		s, err := d.sit(ctx, p, need, c.family)
		if err != nil {
			return Done{}, err
		}
		seats[c.family] = s
	}
	out := Done{Batch: d.o.NewID()}
	done, left := map[string]bool{}, map[string]bool{}
	for _, c := range list {
		if c.kind != "state" {
			continue
		}
		switch _, err := d.o.Desk.Undo(ctx, d.o.Accounts.Scope(p), c.family, c.item, p.ID); fault.CodeOf(err) {
		case "":
			done[c.family] = true
		case fault.Conflict:
			left[c.family] = true
		default:
			return Done{}, err
		}
	}
	err = d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		for i := range list {
			c := &list[i]
			s := seats[c.family]
			ok := done[c.family]
			if c.kind != "state" {
				if ok, err = d.back(ctx, tx, &s, c, out.Batch); err != nil {
					return err
				}
			}
			if ok {
				done[c.family] = true
			} else {
				left[c.family] = true
				continue
			}
			if _, err := tx.ExecContext(ctx, `UPDATE triage_change SET undone = 1 WHERE n = $1`, c.n); err != nil {
				return err
			}
		}
		return nil
	})
	out.Changed, out.Skipped = len(done), len(left)
	return out, fault.Wrap(op, err)
}

// back restores what was before one change, if that change still holds, and writes
// that down.
func (d *Desk) back(ctx context.Context, tx *sql.Tx, s *seat, c *change, batch string) (bool, error) {
	ok, err := d.restore(ctx, tx, s, c)
	if err != nil || !ok {
		return false, err
	}
	return true, d.changeOf(ctx, tx, s.p, change{batch: batch, family: c.family, actor: s.p.ID, kind: c.kind, item: c.item, was: c.now, now: c.was, note: "undo"}, "family.undo", c.kind)
}

func (d *Desk) restore(ctx context.Context, tx *sql.Tx, s *seat, c *change) (bool, error) {
	have, err := standings(ctx, tx, []string{c.family})
	if err != nil {
		return false, err
	}
	now := have[c.family]
	switch c.kind {
	case "team":
		if teamOf(now) != c.now {
			return false, nil
		}
		t := readTeam(c.was)
		now.team, now.rule, now.hand = t.Team, t.Rule, t.Hand
		now.rules = 0 // and no rule moves it by itself again
		if err := store(ctx, tx, c.family, now); err != nil {
			return false, err
		}
	case "person":
		if now.person != c.now {
			return false, nil
		}
		now.person = c.was
		if err := store(ctx, tx, c.family, now); err != nil {
			return false, err
		}
	case "label":
		has, err := wornBy(ctx, tx, c.family)
		if err != nil {
			return false, err
		}
		w, there := has[c.item]
		if wornWord(w, there) != c.now {
			return false, nil
		}
		switch {
		case c.was == "on":
			err = d.wear(ctx, tx, c.family, c.item, worn{c.item, w.rule, false}, true)
		case w.rule != "": // a rule put it on: it stays off
			err = d.wear(ctx, tx, c.family, c.item, worn{c.item, w.rule, true}, true)
		default:
			err = d.wear(ctx, tx, c.family, c.item, worn{}, false)
		}
		if err != nil {
			return false, err
		}
	case "watch":
		if c.item != s.p.ID {
			return false, nil
		}
		if err := setWatch(ctx, tx, c.family, c.item, "hand", c.was == "on"); err != nil {
			return false, err
		}
	case "priority":
		_, held, err := d.o.Desk.OverruleByRules(ctx, tx, c.family, "", "")
		if err != nil || !held || c.was == "" {
			return held, err
		}
		_, held, err = d.o.Desk.OverruleByRules(ctx, tx, c.family, c.was, byRule(c.item))
		return held, err
	default:
		return false, nil
	}
	return true, nil
}

package triage

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// MaxFamilies bounds the families of one Act.
const MaxFamilies = 200

// ByRules as Act.Team gives a family back to the rules.
const ByRules = "rules"

// Nobody as Act.Team or Act.Person takes it from whoever has it.
const Nobody = "none"

// Act is what somebody does to one or many families. Empty fields change nothing.
type Act struct {
	Families []string
	Team     string   // a team, Nobody or ByRules
	Person   string   // an account id, or Nobody
	Label    []string // ids of labels to put on
	Unlabel  []string // to take off
	NewLabel string   // a word to put on that may have to be made first
	Watch    string   // "on" or "off"
}

// Done is what came of it.
type Done struct {
	Batch   string `json:"batch,omitempty"` // takes it back (Undo); "" when nothing changed
	Changed int    `json:"changed"`         // families
	Skipped int    `json:"skipped"`         // taking back: families that somebody changed since
}

// Do does it to all of the families or, when it may not be done to one of them, to
// none.
func (d *Desk) Do(ctx context.Context, p account.Principal, a Act) (Done, error) {
	const op = "triage.Do"
	a.Families = slices.Compact(slices.Sorted(slices.Values(a.Families)))
	if len(a.Families) == 0 || len(a.Families) > MaxFamilies {
		return Done{}, fault.E(op, fault.Invalid, fmt.Sprintf("Choose 1 to %d families.", MaxFamilies), nil)
	}
	all, err := d.directory(ctx)
	if err != nil {
		return Done{}, err
	}
	if a.Team != "" && a.Team != Nobody && a.Team != ByRules && d.o.Registry.Snapshot().Teams[a.Team] == nil {
		return Done{}, fault.E(op, fault.Invalid, "There is no such team.", nil)
	}
	if a.Watch != "" && a.Watch != "on" && a.Watch != "off" || a.Watch != "" && p.Kind == account.KindSystem {
		return Done{}, fault.E(op, fault.Invalid, "Watching is on or off, for a person.", nil)
	}
	seats := make([]seat, len(a.Families))
	for i, id := range a.Families {
		need := account.FamilyEdit
		if a.Team == "" && a.Person == "" && len(a.Label)+len(a.Unlabel) == 0 && a.NewLabel == "" {
			need = account.FamilyComment
		}
		if seats[i], err = d.sit(ctx, p, need, id); err != nil {
			return Done{}, err
		}
		if a.Person != "" && a.Person != Nobody && !d.works(all.byID[a.Person], &seats[i]) {
			return Done{}, fault.E(op, fault.Invalid, "This person does not work on "+id+".", nil)
		}
	}
	out := Done{Batch: d.o.NewID()}
	err = d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		for i := range seats {
			n, err := d.doOne(ctx, tx, &seats[i], &a, all, out.Batch)
			if err != nil {
				return err
			}
			if n > 0 {
				out.Changed++
			}
		}
		return nil
	})
	if out.Changed == 0 {
		out.Batch = ""
	}
	return out, fault.Wrap(op, err)
}

// works reports whether a person may be given a family.
func (d *Desk) works(a *account.Account, s *seat) bool {
	return a != nil && !a.Disabled && d.may(a.Principal(), account.FamilyEdit, &s.f, false)
}

// doOne does it to one family and returns how many things changed.
func (d *Desk) doOne(ctx context.Context, tx *sql.Tx, s *seat, a *Act, all people, batch string) (n int, err error) {
	have, err := standings(ctx, tx, []string{s.f.ID})
	if err != nil {
		return 0, err
	}
	was := have[s.f.ID]
	now := was
	switch a.Team {
	case "":
	case ByRules:
		o := was.outcome()
		now.team, now.rule, now.hand = o.Team, o.TeamRule, false
	case Nobody:
		now.team, now.rule, now.hand = "", "", true
	default:
		now.team, now.rule, now.hand = a.Team, "", true
	}
	switch a.Person {
	case "":
	case Nobody:
		now.person = ""
	default:
		now.person = a.Person
	}
	c := change{batch: batch, family: s.f.ID, actor: s.p.ID}
	if teamOf(now) != teamOf(was) {
		n++
		c.kind, c.was, c.now = "team", teamOf(was), teamOf(now)
		if err := d.changeOf(ctx, tx, s.p, c, "family.team", now.team); err != nil {
			return n, err
		}
		if now.team != was.team {
			err := d.emit(ctx, tx, Event{Kind: Assigned, Family: s.f.ID, Actor: s.p.ID, Item: now.team, Recipients: all.members(now.team)}, true)
			if err != nil {
				return n, err
			}
		}
	}
	if now.person != was.person {
		n++
		c.kind, c.was, c.now = "person", was.person, now.person
		if err := d.changeOf(ctx, tx, s.p, c, "family.assign", now.person); err != nil {
			return n, err
		}
		if now.person != "" {
			if err := autoWatch(ctx, tx, s.f.ID, now.person, "assigned"); err != nil {
				return n, err
			}
			if err := d.emit(ctx, tx, Event{Kind: Assigned, Family: s.f.ID, Actor: s.p.ID, Item: now.person, Recipients: []string{now.person}}, false); err != nil {
				return n, err
			}
		}
	}
	if n > 0 {
		if err := store(ctx, tx, s.f.ID, now); err != nil {
			return n, err
		}
	}
	labels, err := d.doLabels(ctx, tx, s, a, batch)
	n += labels
	if err != nil || a.Watch == "" {
		return n, err
	}
	watched, err := d.doWatch(ctx, tx, s, a.Watch == "on", batch)
	return n + watched, err
}

// changeOf writes down a change with its audit entry.
func (d *Desk) changeOf(ctx context.Context, tx *sql.Tx, p account.Principal, c change, action, note string) error {
	if err := d.note(ctx, tx, c); err != nil {
		return err
	}
	return d.record(ctx, tx, p.Actor(), action, c.family, note)
}

// store writes whose a family is.
func store(ctx context.Context, tx *sql.Tx, family string, s standing) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO triage_family (family, team, team_hand, team_rule, person, rules, routed_ms, why, subject)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (family) DO UPDATE SET team = excluded.team, team_hand = excluded.team_hand,
		team_rule = excluded.team_rule, person = excluded.person, rules = excluded.rules`,
		family, s.team, bit(s.hand), s.rule, s.person, s.rules, s.routed, s.why, s.subject)
	return err
}

// teamWord is a team with who said so, as a change keeps it.
type teamWord struct {
	Team string `json:"team,omitempty"`
	Rule string `json:"rule,omitempty"`
	Hand bool   `json:"hand,omitempty"`
}

func teamOf(s standing) string { return text(teamWord{s.team, s.rule, s.hand}) }

func readTeam(word string) (t teamWord) {
	_ = json.Unmarshal([]byte(word), &t) // ours
	return t
}

// doLabels puts labels on and takes them off.
func (d *Desk) doLabels(ctx context.Context, tx *sql.Tx, s *seat, a *Act, batch string) (n int, err error) {
	if len(a.Label)+len(a.Unlabel) == 0 && a.NewLabel == "" {
		return 0, nil
	}
	has, err := wornBy(ctx, tx, s.f.ID)
	if err != nil {
		return 0, err
	}
	on := slices.Clone(a.Label)
	if word := strings.TrimSpace(eco.Clean(a.NewLabel, maxLabelName)); word != "" {
		id, err := ensureLabel(ctx, tx, s.owner(), word)
		if err != nil {
			return 0, err
		}
		on = append(on, id)
	}
	for _, id := range append(slices.Clone(on), a.Unlabel...) {
		l, err := labelByID(ctx, tx, id)
		if err != nil {
			return 0, err
		}
		if !s.uses(l) {
			return 0, fault.E("triage.Do", fault.Invalid, "There is no such label for "+s.f.ID+".", nil)
		}
		off := !slices.Contains(on, id)
		w, there := has[id]
		if off == (!there || w.off) {
			continue
		}
		next := worn{label: id, rule: "", off: off}
		if off && w.rule == "" {
			// What a person put on is simply gone; what a rule gave stays off.
			if err := d.wear(ctx, tx, s.f.ID, id, next, false); err != nil {
				return n, err
			}
		} else if err := d.wear(ctx, tx, s.f.ID, id, worn{id, w.rule, off}, true); err != nil {
			return n, err
		}
		n++
		c := change{batch: batch, family: s.f.ID, actor: s.p.ID, kind: "label", item: id, was: wornWord(w, there), now: "on"}
		action := "family.label"
		if off {
			c.now, action = "off", "family.unlabel"
		}
		if err := d.changeOf(ctx, tx, s.p, c, action, id); err != nil {
			return n, err
		}
	}
	return n, nil
}

func wornWord(w worn, there bool) string {
	if there && !w.off {
		return "on"
	}
	return "off"
}

func (d *Desk) doWatch(ctx context.Context, tx *sql.Tx, s *seat, on bool, batch string) (int, error) {
	list, err := watching(ctx, tx, s.f.ID)
	if err != nil || slices.Contains(list, s.p.ID) == on {
		return 0, err
	}
	if err := setWatch(ctx, tx, s.f.ID, s.p.ID, "hand", on); err != nil {
		return 0, err
	}
	c := change{batch: batch, family: s.f.ID, actor: s.p.ID, kind: "watch", item: s.p.ID, was: "on", now: "off"}
	action := "family.mute"
	if on {
		c.was, c.now, action = "off", "on", "family.watch"
	}
	return 1, d.changeOf(ctx, tx, s.p, c, action, "")
}

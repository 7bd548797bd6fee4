package triage

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/route"
)

// Bounds of routing.
const (
	recentDays = 30      // families seen in these days are looked at again
	maxRecent  = 5000    // of those, at most so many, the last seen first
	maxWaiting = 100_000 // names in memory, each set
	patience   = 3       // looks at a family whose document is not stored yet
	perTx      = 50      // families of one transaction
)

// recorded is the crash desk's hook: these families may be new.
func (d *Desk) recorded(families []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range families {
		if _, ok := d.known[id]; !ok && len(d.waiting) < maxWaiting {
			if _, ok := d.waiting[id]; !ok {
				d.waiting[id] = 0
			}
		}
	}
}

// Route sends the families that came in since the last time to their teams: the
// job of every few seconds, in the process that runs the flow.
func (d *Desk) Route(ctx context.Context) (note string, err error) {
	d.mu.Lock()
	ids := make([]string, 0, len(d.waiting))
	for id := range d.waiting {
		ids = append(ids, id)
	}
	d.mu.Unlock()
	if len(ids) == 0 {
		return "", nil
	}
	slices.Sort(ids)
	n, err := d.fresh(ctx, ids)
	if n == 0 {
		return "", err
	}
	return count(n, "new family", "new families"), err
}

// Reroute looks at the families of the last 30 days: those that nobody routed yet
// are, and those that the rules in force sent somewhere are asked about again when
// the rules look at what changes. Families of older versions stay where they are.
func (d *Desk) Reroute(ctx context.Context) (note string, err error) {
	ids, err := d.o.Desk.Recent(ctx, d.o.Now().AddDate(0, 0, -recentDays), maxRecent)
	if err != nil {
		return "", err
	}
	n, err := d.fresh(ctx, ids)
	if err != nil {
		return "", err
	}
	c, err := d.current(ctx)
	if err != nil || c.version == 0 || !c.dynamic() {
		return count(n, "new family", "new families"), err
	}
	have, err := standings(ctx, d.o.Records.Read(), ids)
	if err != nil {
		return "", err
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return have[id].rules != c.version })
	moved, err := d.send(ctx, c, ids, rulesActor, "")
	return count(n, "new family", "new families") + ", " + count(moved, "family moved", "families moved"), err
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// fresh routes those of the families that were never routed.
func (d *Desk) fresh(ctx context.Context, ids []string) (int, error) {
	have, err := standings(ctx, d.o.Records.Read(), ids)
	if err != nil {
		return 0, err
	}
	d.settle(slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return have[id].routed == 0 }))
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return have[id].routed != 0 })
	if len(ids) == 0 {
		return 0, nil
	}
	c, err := d.current(ctx)
	if err != nil {
		return 0, err
	}
	return d.send(ctx, c, ids, rulesActor, "")
}

// settle takes families off the list of what may be new.
func (d *Desk) settle(ids []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range ids {
		delete(d.waiting, id)
		if len(d.known) >= maxWaiting {
			clear(d.known)
		}
		d.known[id] = struct{}{}
	}
}

// verdict is what the rules say of one family.
type verdict struct {
	id      string
	out     route.Outcome
	subject string
}

// send asks the rules about families and writes down what they say. It returns how
// many changed their team or labels, or were new.
func (d *Desk) send(ctx context.Context, c *compiled, ids []string, actor, batch string) (int, error) {
	if batch == "" {
		batch = d.o.NewID()
	}
	all, err := d.directory(ctx)
	if err != nil {
		return 0, err
	}
	moved := 0
	for part := range slices.Chunk(ids, 500) {
		list, err := d.ask(ctx, c, part)
		if err != nil {
			return moved, err
		}
		for some := range slices.Chunk(list, perTx) {
			n, err := d.write(ctx, c.version, some, all, actor, batch)
			if err != nil {
				return moved, err
			}
			moved += n
			done := make([]string, len(some))
			for i := range some {
				done[i] = some[i].id
			}
			d.settle(done)
		}
	}
	return moved, nil
}

// ask asks the rules. A family that is new and whose document is not stored yet
// is left for the next time, some times.
func (d *Desk) ask(ctx context.Context, c *compiled, ids []string) ([]verdict, error) {
	have, err := standings(ctx, d.o.Records.Read(), ids)
	if err != nil {
		return nil, err
	}
	subjects, kept, young, err := d.subjects(ctx, ids, have)
	if err != nil {
		return nil, err
	}
	teams := d.o.Registry.Snapshot().Teams
	var out []verdict
	for _, id := range ids {
		s, ok := subjects[id]
		if !ok || young[id] && d.wait(id) {
			continue
		}
		o, err := c.rules.Route(ctx, s)
		if err != nil {
			return nil, err
		}
		if o.Team != "" && teams[o.Team] == nil {
			o.Steps = append(o.Steps, route.Step{Rule: o.TeamRule, Result: route.Failed, Note: "The team " + o.Team + " is not in the register any more."})
			o.Team, o.TeamRule = "", ""
		}
		out = append(out, verdict{id, o, kept[id]})
	}
	return out, nil
}

// wait reports whether to look at a family later.
func (d *Desk) wait(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, ok := d.waiting[id]
	if !ok || n >= patience {
		return false
	}
	d.waiting[id] = n + 1
	return true
}

// write stores verdicts in one transaction.
func (d *Desk) write(ctx context.Context, version int64, list []verdict, all people, actor, batch string) (moved int, err error) {
	err = d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		ids := make([]string, len(list))
		for i := range list {
			ids[i] = list[i].id
		}
		have, err := standings(ctx, tx, ids)
		if err != nil {
			return err
		}
		for i := range list {
			changed, err := d.writeOne(ctx, tx, version, &list[i], have[list[i].id], all, batch)
			if err != nil {
				return err
			}
			if changed {
				moved++
			}
		}
		if moved == 0 {
			return nil
		}
		if actor == rulesActor {
			actor = account.System(rulesActor).Actor()
		}
		return d.o.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: "rules.route", Ref: eco.Ref{Kind: "rules", ID: fmt.Sprint(version)},
			Note: count(moved, "family", "families") + " sent to teams or labelled: " + strings.Join(ids, " ")})
	})
	return moved, fault.Wrap("triage.write", err)
}

func (d *Desk) writeOne(ctx context.Context, tx *sql.Tx, version int64, v *verdict, was standing, all people, batch string) (bool, error) {
	team, rule := v.out.Team, v.out.TeamRule
	changed := false
	if was.hand {
		team, rule = was.team, ""
	} else if team != was.team {
		changed = true
		now := text(teamWord{Team: team, Rule: rule})
		if err := d.note(ctx, tx, change{batch: batch, family: v.id, actor: rulesActor, kind: "team", was: teamOf(was), now: now}); err != nil {
			return false, err
		}
		if err := d.emit(ctx, tx, Event{Kind: Assigned, Family: v.id, Actor: rulesActor, Item: team, Recipients: all.members(team)}, true); err != nil {
			return false, err
		}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO triage_family (family, team, team_hand, team_rule, person, rules, routed_ms, why, subject)
		VALUES ($1, $2, 0, $3, '', $4, $5, $6, $7) ON CONFLICT (family) DO UPDATE SET team = excluded.team, team_rule = excluded.team_rule,
		rules = excluded.rules, routed_ms = excluded.routed_ms, why = excluded.why, subject = excluded.subject`,
		v.id, team, rule, version, d.nowMs(), text(v.out), v.subject)
	if err != nil {
		return false, err
	}
	before, ranked, err := d.o.Desk.OverruleByRules(ctx, tx, v.id, v.out.Priority, byRule(v.out.PriorityRule))
	if err != nil {
		return false, err
	}
	if ranked {
		err := d.note(ctx, tx, change{batch: batch, family: v.id, actor: rulesActor, kind: "priority", item: v.out.PriorityRule, was: before, now: v.out.Priority})
		if err != nil {
			return false, err
		}
	}
	labelled, err := d.ruleLabels(ctx, tx, v.id, v.out.Labels, batch)
	return changed || labelled || ranked, err
}

// byRule is the reason of a priority that a rule sets.
func byRule(rule string) string { return "By the routing rule “" + rule + "”." }

// outcome reads what a standing says of the rules.
func (s standing) outcome() (o route.Outcome) {
	_ = json.Unmarshal([]byte(s.why), &o) // ours; an older form is shown as far as it goes
	return o
}

package triage

import (
	"context"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Query narrows a list of families by what people did. Empty fields do not narrow.
type Query struct {
	Team       string // a team
	Person     string // an account id
	Label      string // a label's id
	Mine       bool   // given to the one who asks
	Unassigned bool   // given to no person
	Watched    bool   // by the one who asks
}

// IsZero reports whether nothing is asked.
func (q Query) IsZero() bool { return q == Query{} }

// maxFound bounds the families that one query names.
const maxFound = 10_000

// Find returns the families that fit, for crash.Filter. What others do with
// families that p only shares does not count.
func (d *Desk) Find(ctx context.Context, p account.Principal, q Query) ([]crash.Among, error) {
	const op = "triage.Find"
	var out []crash.Among
	add := func(not bool, where string, args ...any) error {
		ids, err := column(ctx, d.o.Records.Read(), where, append(args, maxFound)...)
		if err != nil {
			return fault.Wrap(op, err)
		}
		if ids, err = d.knows(ctx, p, ids); err != nil {
			return err
		}
		set := make(map[string]bool, len(ids))
		for _, id := range ids {
			set[id] = true
		}
		out = append(out, crash.Among{IDs: set, Not: not})
		return nil
	}
	const from = `SELECT family FROM triage_family WHERE `
	for _, x := range []struct {
		on    bool
		not   bool
		where string
		arg   string
	}{
		{q.Team != "" && q.Team != Nobody, false, from + `team = $1 ORDER BY family LIMIT $2`, q.Team},
		{q.Team == Nobody, true, from + `team <> '' AND $1 <> '' ORDER BY family LIMIT $2`, Nobody},
		{q.Person != "", false, from + `person = $1 ORDER BY family LIMIT $2`, q.Person},
		{q.Mine, false, from + `person = $1 ORDER BY family LIMIT $2`, p.ID},
		{q.Unassigned, true, from + `person <> '' AND $1 = '' ORDER BY family LIMIT $2`, ""},
		{q.Label != "", false, `SELECT family FROM triage_family_label WHERE label = $1 AND off = 0 ORDER BY family LIMIT $2`, q.Label},
		{q.Watched, false, `SELECT family FROM triage_watch WHERE account = $1 AND muted = 0 ORDER BY family LIMIT $2`, p.ID},
	} {
		if x.on {
			if err := add(x.not, x.where, x.arg); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// knows keeps the families whose people p may know of.
func (d *Desk) knows(ctx context.Context, p account.Principal, ids []string) ([]string, error) {
	if d.o.Accounts.Scope(p).All() {
		return ids, nil
	}
	known, _, err := d.o.Desk.Subjects(ctx, ids, false)
	if err != nil {
		return nil, err
	}
	out := ids[:0]
	for _, id := range ids {
		if f, ok := known[id]; ok && d.may(p, account.FamilyRead, &f, false) {
			out = append(out, id)
		}
	}
	return out, nil
}

package triage

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// errTried ends a transaction whose changes were only to be looked at.
var errTried = errors.New("tried")

// along is the crash desk's hook: it does what the merge would do, writes down what
// that was, and takes it back by ending the transaction.
func (d *Desk) along(ctx context.Context, g crash.Regrouping) (out []crash.Along, err error) {
	const op = "triage.along"
	all, err := d.directory(ctx)
	if err != nil {
		return nil, err
	}
	g.ID = d.o.NewID()
	err = d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		if err := d.follow(ctx, tx, g, ""); err != nil {
			return err
		}
		list, err := changes(ctx, tx, `WHERE batch = $1 ORDER BY n`, followBatch+g.ID)
		if err != nil {
			return err
		}
		words, err := vocabulary(ctx, tx)
		if err != nil {
			return err
		}
		came := map[string]bool{}
		for _, c := range list {
			a := crash.Along{Family: strings.TrimPrefix(c.note, "merge "), Kind: c.kind, Name: c.item}
			switch c.kind {
			case "team":
				a.Name = d.team(readTeam(c.now).Team, &crash.Family{}).Name
			case "person":
				a.Name = all.name(c.now)
			case "watch":
				a.Name = all.name(c.item)
			case "label":
				for _, l := range words {
					if l.ID == c.item {
						a.Name = l.Name
					}
				}
			}
			came[a.Family+" "+a.Kind] = true
			out = append(out, a)
		}
		left, err := d.leftBehind(ctx, tx, g, all, came)
		out = append(out, left...)
		return cmp.Or(err, errTried)
	})
	if errors.Is(err, errTried) {
		err = nil
	}
	return out, fault.Wrap(op, err)
}

// leftBehind lists teams and persons of the parts that do not come along.
func (d *Desk) leftBehind(ctx context.Context, tx *sql.Tx, g crash.Regrouping, all people, came map[string]bool) (out []crash.Along, err error) {
	have, err := standings(ctx, tx, append([]string{g.Family}, g.Parts...))
	if err != nil {
		return nil, err
	}
	name := func(team string) string { return d.team(team, &crash.Family{}).Name }
	into := have[g.Family]
	for _, id := range g.Parts {
		s := have[id]
		if s.team != "" && s.team != into.team && !came[id+" team"] {
			a := crash.Along{Family: id, Kind: "team", Name: name(s.team), Stays: "no team"}
			if into.team != "" {
				a.Stays = name(into.team)
			}
			out = append(out, a)
		}
		if s.person != "" && s.person != into.person && !came[id+" person"] {
			a := crash.Along{Family: id, Kind: "person", Name: all.name(s.person), Stays: "nobody"}
			if into.person != "" {
				a.Stays = all.name(into.person)
			}
			out = append(out, a)
		}
	}
	return out, nil
}

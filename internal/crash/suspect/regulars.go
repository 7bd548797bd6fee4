package suspect

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/bellwether-project/bellwether/internal/blame/evidence"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// Whoever has a host's public key, which ships in its clients, can send crashes and
// sessions of installations that do not exist, and name what was active. What
// leaves the host's people therefore stands on regulars: installations that the
// host's project had heard of before they voted, on several days, the first of them
// long ago. Days are those of receipt, which no client can choose, so a burst of
// fresh installations is none, neither today nor later.
const (
	regularDays = 3                  // days on which it was heard of before the day of its vote
	regularAge  = 7 * 24 * time.Hour // the first of them is this old when it votes
)

// Installations of one question: most are heard of on few days, so many fit into an
// answer; few fit whatever their days are.
const (
	atOnce   = 2000
	surelyIn = 200 // x 38 days, below facts.MaxLimit
)

// sightings are the days on which installations were heard of, ascending.
type sightings map[eco.Install][]eco.Day

// sighted asks on which days installations of a host's own projects were heard of.
func (d *Desk) sighted(ctx context.Context, host string, from, to time.Time, votes ...[]ballot) (sightings, error) {
	out := sightings{}
	var ids []string
	for _, list := range votes {
		for i := range list {
			if id := list[i].install; id != 0 {
				if _, asked := out[id]; !asked {
					out[id] = nil
					ids = append(ids, strconv.FormatInt(int64(id), 10))
				}
			}
		}
	}
	slices.Sort(ids)
	parts := slices.Collect(slices.Chunk(ids, atOnce))
	for len(parts) > 0 {
		part := parts[0]
		parts = parts[1:]
		r, err := d.o.Facts.Query(ctx, facts.Query{Scope: facts.Everything(), From: from.Add(-regularAge), To: to,
			Where: []facts.Cond{in(facts.Extension, ""), in(facts.Host, host), in(facts.Install, part...)},
			Group: []facts.Column{facts.Install, facts.Date}, Measures: []facts.Measure{{Fn: facts.Rows}}})
		if err != nil {
			return nil, err
		}
		if r.More && len(part) > surelyIn {
			parts = append(parts, part[:len(part)/2], part[len(part)/2:])
			continue
		}
		for _, row := range r.Rows {
			id, _ := row[0].(int64)
			day, _ := row[1].(int64)
			out[eco.Install(id)] = append(out[eco.Install(id)], eco.Day(day))
		}
	}
	for _, days := range out {
		slices.Sort(days)
	}
	return out, nil
}

// regular reports whether the installation was a regular when it voted.
func (s sightings) regular(v *ballot) bool {
	days, before := s[v.install], 0
	day := eco.DayOf(time.UnixMilli(v.at))
	for before < len(days) && days[before] < day {
		before++
	}
	return v.install != 0 && before >= regularDays && time.UnixMilli(v.at).Sub(days[0].Time()) >= regularAge
}

// regulars tells which votes about a family are of regulars.
func (g *gathered) regulars(ctx context.Context, h *hostVotes, host string, crashes []ballot) (func(*ballot) bool, error) {
	var err error
	if h.seen == nil {
		if h.seen, err = g.d.sighted(ctx, host, g.from, g.to, h.sessions, h.others); err != nil {
			return nil, err
		}
	}
	mine, err := g.d.sighted(ctx, host, g.from, g.to, crashes)
	return func(v *ballot) bool { return h.seen.regular(v) || mine.regular(v) }, err
}

// stands returns what regulars say of a finding: that it stands out among them too.
func (rec *record) stands(f *evidence.Finding) *evidence.Finding {
	if rec.Told == nil {
		return nil
	}
	i := slices.IndexFunc(rec.Told.Findings, func(x evidence.Finding) bool {
		return slices.EqualFunc(x.Members, f.Members, func(a, b evidence.Member) bool { return a.ID == b.ID })
	})
	if i < 0 {
		return nil
	}
	return &rec.Told.Findings[i]
}

// withheld says which findings do not stand on regulars, and why.
func (rec *record) withheld() []Withheld {
	var out []Withheld
	for i := range rec.Answer.Findings {
		f := &rec.Answer.Findings[i]
		if rec.stands(f) != nil {
			continue
		}
		w := Withheld{Why: fmt.Sprintf("Only the host's people see this, and no crash is attributed by it: anybody who has the host's public key could invent installations. "+
			"Others are told once it stands on installations that were known before they crashed (heard of on %d earlier days, the first at least a week before). ", regularDays)}
		for _, m := range f.Members {
			w.Members = append(w.Members, m.ID)
		}
		switch {
		case rec.Told == nil:
			w.Why += "They are not counted yet."
		case rec.Told.Needs > 0:
			w.Why += fmt.Sprintf("So far %d of these crashes are; %d are needed.", rec.Told.Crashes, rec.Told.Crashes+rec.Told.Needs)
		default:
			w.Why += fmt.Sprintf("Among the %d crashes that are, it does not stand out.", rec.Told.Crashes)
		}
		out = append(out, w)
	}
	return out
}

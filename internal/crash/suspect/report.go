package suspect

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/bellwether-project/bellwether/internal/blame/evidence"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Of reports on a family that the caller may see (the crash desk says so). People
// who see everything, or the host's own, see it whole. An author sees what concerns
// the own extensions, and other names in it not.
func (d *Desk) Of(ctx context.Context, scope facts.Scope, f crash.Family) (Report, error) {
	const op = "suspect.Of"
	out := Report{Family: f.ID, Host: f.Host, Before: []Named{}, Answer: evidence.Answer{Findings: []evidence.Finding{}, Dropped: []evidence.Dropped{}}}
	if !scope.IsSet() {
		return out, fault.E(op, fault.Invalid, "A query needs a scope.", nil)
	}
	all, err := d.newest(ctx, f.ID)
	if err != nil {
		return out, fault.Wrap(op, err)
	}
	s, ok := all[f.ID]
	if !ok || s.crashes <= 0 {
		return out, nil
	}
	out.Host, out.Known, out.Given, out.Without, out.Answer = s.rec.Host, true, s.rec.Given, s.rec.Without, s.rec.Answer
	out.At, out.Since, out.From = moment(s.at), moment(s.since), moment(s.rec.From)
	if scope.All() || slices.Contains(scope.Hosts(), s.rec.Host) {
		out.Told, out.Withheld = s.rec.Told, s.rec.withheld()
		if out.Before, err = d.before(ctx, f.ID, s.since); err == nil {
			out.Kin, err = d.kin(ctx, &s)
		}
		return out, fault.Wrap(op, err)
	}
	if out.Answer = (evidence.Answer{}); s.rec.Told != nil {
		out.Answer = *s.rec.Told
	}
	return out.veil(scope.Extensions()), nil
}

// before is what was named before a time, newest first.
func (d *Desk) before(ctx context.Context, family string, since int64) ([]Named, error) {
	rows, err := d.o.Flow.Read().QueryContext(ctx, `SELECT since_ms, at_ms, named FROM suspect_answer WHERE family = $1 AND since_ms < $2 ORDER BY since_ms DESC LIMIT $3`, family, since, keepBefore)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []Named{}
	for rows.Next() {
		var from, until int64
		var named string
		if err := rows.Scan(&from, &until, &named); err != nil {
			return nil, err
		}
		n := Named{From: moment(from), Until: moment(until)}
		if err := json.Unmarshal([]byte(named), &n.Names); err != nil {
			continue
		}
		out = append(out, n)
	}
	return out, rows.Err()
}

// veil keeps, of what regulars say, the findings with one of the reader's own
// extensions, or beside one that is given, and takes the names of others out. How
// many crashes a host has is the host's to know while they are few.
func (r Report) veil(mine []eco.ExtensionID) Report {
	own := func(id eco.ExtensionID) bool { return slices.Contains(mine, id) }
	given := r.Given != "" && own(r.Given)
	out := Report{Family: r.Family, Host: r.Host, Before: []Named{}, Veiled: true}
	out.Answer = evidence.Answer{Against: r.Answer.Against, Level: r.Answer.Level, Findings: []evidence.Finding{}, Dropped: []evidence.Dropped{}}
	for _, f := range r.Answer.Findings {
		if f.Share.N < evidence.MinCrashes || !given && !slices.ContainsFunc(f.Members, func(m evidence.Member) bool { return own(m.ID) }) {
			continue
		}
		f.Members = slices.Clone(f.Members)
		for i := range f.Members {
			if !own(f.Members[i].ID) {
				f.Members[i] = evidence.Member{}
			}
		}
		f.Alike = nil
		out.Answer.Findings = append(out.Answer.Findings, f)
	}
	if len(out.Answer.Findings) > 0 {
		out.Known, out.At, out.Since, out.From = true, r.At, r.Since, r.From
		out.Answer.Crashes, out.Answer.Compared = r.Answer.Crashes, r.Answer.Compared
		if given {
			out.Given = r.Given
		}
	}
	return out
}

func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

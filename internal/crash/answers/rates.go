package answers

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/estimate"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

// Rate is how many of the installations that used some releases met a crash, as
// the public may know it: rounded, and of few that met it only that they are few.
type Rate struct {
	Installs int64              `json:"installs"`        // about so many used these releases; 0 = too few to say
	Hit      int64              `json:"hit"`             // about so many of them met the crash; 0 when Fewer
	Fewer    bool               `json:"fewer,omitempty"` // some met it, too few to say how many
	Share    *estimate.Interval `json:"share,omitempty"` // with its 95 % interval (Wilson); absent when Fewer or too few
	Days     int                `json:"days"`            // of the period
}

// exact is a rate before the rule about counts; it stays inside.
type exact struct {
	hit, installs int64
	days          int
}

// public applies the rule about counts to both numbers. The share is that of the
// rounded ones: an exact one would tell the exact numbers.
func (e exact) public(shift uint64) Rate {
	r := Rate{Days: e.days}
	if r.Installs = receipt.About(e.installs, shift); r.Installs == 0 {
		return r
	}
	if r.Hit = min(receipt.About(e.hit, shift), r.Installs); r.Hit == 0 && e.hit > 0 {
		r.Fewer = true
		return r
	}
	i := estimate.Wilson(float64(r.Hit), float64(r.Installs))
	r.Share = &i
	return r
}

// Text says a rate in words.
func (r Rate) Text() string {
	switch {
	case r.Installs == 0:
		return "too few installations to say"
	case r.Fewer:
		return "few of about " + strconv.FormatInt(r.Installs, 10) + " installations"
	case r.Hit == 0:
		return fmt.Sprintf("none of about %d installations (below %s)", r.Installs, percent(r.Share.High))
	}
	return fmt.Sprintf("%s of about %d installations (%s to %s)", percent(r.Share.Value), r.Installs, percent(r.Share.Low), percent(r.Share.High))
}

func percent(v float64) string {
	d := 1
	if v < .001 {
		d = 3
	} else if v < .01 {
		d = 2
	}
	return strconv.FormatFloat(v*100, 'f', d, 64) + " %"
}

// how sure we are that a crash is rarer than before.
const (
	sure   = "sure"
	likely = "likely"
	early  = "early" // too early to say
)

// verdict compares two rates by Fisher's exact test, one-sided: how likely so few
// would meet the crash after, if nothing had changed.
func verdict(before, after exact) (how string, p float64) {
	if before.installs < receipt.K || after.installs < receipt.K || before.hit == 0 {
		return early, 1
	}
	switch p = fisher(after.hit, after.installs, before.hit, before.installs); {
	case p < .01:
		return sure, p
	case p < .1:
		return likely, p
	}
	return early, p
}

// fisher is the probability of at most a successes of n, given the margins of the
// table (a of n, b of m).
func fisher(a, n, b, m int64) float64 {
	lg := func(x int64) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	choose := func(n, k int64) float64 { return lg(n) - lg(k) - lg(n-k) }
	a, b = min(a, n), min(b, m)
	k := a + b
	all := choose(n+m, k)
	sum := 0.0
	for i := a; i >= max(0, k-m); i-- {
		t := math.Exp(choose(n, i) + choose(m, k-i) - all)
		if sum += t; t < sum*1e-12 {
			break
		}
	}
	return min(sum, 1)
}

// sentence says in plain words how the two compare.
func sentence(before, after Rate, how string) string {
	s := "Before the fix " + before.Text() + " met it; with the fix " + after.Text() + "."
	switch {
	case how == sure && after.Hit == 0 && !after.Fewer:
		return s + " We are sure that it is gone: by chance alone a difference like this would come up less than once in a hundred times."
	case how == sure:
		return s + " We are sure that it is rarer now: by chance alone a difference like this would come up less than once in a hundred times."
	case how == likely:
		return s + " It is likely that this is the fix, but chance could still explain it: up to one time in ten."
	}
	return s + " It is too early to say from numbers whether the fix works."
}

const (
	ratePeriod  = 28  // days before the fix, and after it
	maxVersions = 400 // releases that are looked at
)

// rates counts who met a family with releases before the fix, in the four weeks
// before the first release with the fix was seen, and with the fix since then.
func (d *Desk) rates(ctx context.Context, e *Fix, family string, resolved time.Time) (before, after exact, err error) {
	now := d.o.Now()
	without, with, out, err := d.releases(ctx, e, now)
	if err != nil {
		return before, after, err
	}
	if out.IsZero() {
		out = resolved
	}
	if out.IsZero() || out.After(now) {
		out = now
	}
	to := out.AddDate(0, 0, ratePeriod)
	if to.After(now) {
		to = now
	}
	before.days, after.days = ratePeriod, max(1, int(math.Ceil(to.Sub(out).Hours()/24)))
	if before.hit, before.installs, err = d.met(ctx, e.Subject, family, out.AddDate(0, 0, -ratePeriod), out, without); err != nil {
		return before, after, err
	}
	after.hit, after.installs, err = d.met(ctx, e.Subject, family, out, to, with)
	return before, after, err
}

// used narrows a question to what installs of a subject sent.
func used(subject eco.Ref, from, to time.Time) (facts.Query, facts.Column) {
	col, of := facts.SubjectVer, facts.Cond{Col: facts.SubjectExt, Op: facts.In, Values: []string{subject.ID}}
	if subject.Kind == "host" {
		col, of = facts.HostVersion, facts.Cond{Col: facts.Host, Op: facts.In, Values: []string{subject.ID}}
	}
	return facts.Query{Scope: facts.Everything(), From: from, To: to, Where: []facts.Cond{of, {Col: facts.Kind, Op: facts.In, Values: []string{string(eco.KindSession), string(eco.KindCrash)}}}}, col
}

// releases are those of the last 90 days, without and with the fix, and when the
// first with it was seen.
func (d *Desk) releases(ctx context.Context, e *Fix, now time.Time) (without, with []string, out time.Time, err error) {
	q, col := used(e.Subject, now.AddDate(0, 0, -90), now.Add(time.Second))
	q.Group, q.Limit = []facts.Column{col}, maxVersions
	q.Measures, q.Order = []facts.Measure{{Fn: facts.Rows}, {Fn: facts.First}}, []facts.Order{{By: string(facts.Rows), Desc: true}}
	r, err := d.o.Facts.Query(ctx, q)
	if err != nil {
		return nil, nil, out, err
	}
	for _, row := range r.Rows {
		v, _ := row[0].(string)
		first, _ := row[2].(int64)
		switch {
		case v == "":
		case eco.CompareVersions(v, e.FixedIn) < 0:
			without = append(without, v)
		default:
			with = append(with, v)
			if at := time.UnixMilli(first); out.IsZero() || at.Before(out) {
				out = at
			}
		}
	}
	return without, with, out, nil
}

// met counts the installs that used releases in a period, and those of them that
// met the family.
func (d *Desk) met(ctx context.Context, subject eco.Ref, family string, from, to time.Time, versions []string) (hit, installs int64, err error) {
	if len(versions) == 0 || !from.Before(to) {
		return 0, 0, nil
	}
	q, col := used(subject, from, to)
	q.Measures = []facts.Measure{{Fn: facts.Installs}}
	q.Where = append(q.Where, facts.Cond{Col: col, Op: facts.In, Values: versions})
	if installs, err = d.one(ctx, q); err != nil {
		return 0, 0, err
	}
	q.Where = append(q.Where, facts.Cond{Col: facts.Family, Op: facts.In, Values: []string{family}})
	hit, err = d.one(ctx, q)
	return hit, installs, err
}

func (d *Desk) one(ctx context.Context, q facts.Query) (n int64, err error) {
	if q.Relabel, err = d.o.Desk.Relabels(ctx); err != nil {
		return 0, err
	}
	r, err := d.o.Facts.Query(ctx, q)
	if err != nil || len(r.Rows) == 0 {
		return 0, err
	}
	n, _ = r.Rows[0][0].(int64)
	return n, nil
}

// span writes the affected releases.
func span(first, last string) string {
	switch {
	case first == last || last == "":
		return first
	case first == "":
		return last
	}
	return strings.TrimSpace(first) + " to " + strings.TrimSpace(last)
}

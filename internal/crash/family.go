package crash

import (
	"cmp"
	"context"
	"slices"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// maxShares bounds the values of a dimension, maxListed the signatures, of a family's page.
const (
	maxShares = 50
	maxListed = 100
)

// Family returns a family's page. Another tenant's family is not_found.
func (d *Desk) Family(ctx context.Context, scope facts.Scope, id string, p Period) (Detail, error) {
	const op = "crash.Family"
	f, err := d.visible(ctx, scope, id)
	if err != nil {
		return Detail{}, err
	}
	id = f.ID // it may be part of another one
	p = d.period(p)
	out := Detail{Period: p}
	a := func() *ask { return p.crashes(scope).in(facts.Family, id) }
	r, err := d.query(ctx, a().sum(facts.Count, facts.Installs, facts.Unnamed, facts.Sum)) // of a crash, the value is 1 when it was only counted
	if err != nil {
		return Detail{}, err
	}
	if len(r.Rows) > 0 {
		f.Crashes, f.Installs, f.Unknown = number(r.Rows[0][0]), number(r.Rows[0][1]), number(r.Rows[0][2])
		out.Counted = number(r.Rows[0][3])
	}
	if r, err = d.query(ctx, a().by(facts.Date).sum(facts.Count, facts.Installs)); err != nil {
		return Detail{}, err
	}
	days := p.days()
	out.Trend, f.Days = make([]DayCount, len(days)), make([]int64, len(days))
	for i, day := range days {
		out.Trend[i].Day = day
	}
	for _, v := range r.Rows {
		if n, ok := slices.BinarySearch(days, eco.Day(number(v[0]))); ok {
			out.Trend[n].Crashes, out.Trend[n].Installs, f.Days[n] = number(v[1]), number(v[2]), number(v[1])
		}
	}
	if out.Releases, err = d.shares(ctx, a(), f.releases(), f.Crashes); err != nil {
		return Detail{}, err
	}
	slices.SortFunc(out.Releases, func(a, b Share) int { return eco.CompareVersions(b.Value, a.Value) })
	if out.HostVersions, err = d.shares(ctx, a(), facts.HostVersion, f.Crashes); err != nil {
		return Detail{}, err
	}
	if out.OSes, err = d.shares(ctx, a(), facts.OS, f.Crashes); err != nil {
		return Detail{}, err
	}
	if out.List, err = d.listed(ctx, a(), id); err != nil {
		return Detail{}, fault.Wrap(op, err)
	}
	if out.History, err = history(ctx, d.o.Records.Read(), id); err != nil {
		return Detail{}, fault.Wrap(op, err)
	}
	if !owns(scope, &f) { // others' words on what is shared
		for i := range out.History {
			out.History[i].Actor, out.History[i].Note, out.History[i].Last = "", "", false
		}
	}
	one := []Family{f}
	if err := d.judged(ctx, scope, one); err != nil {
		return Detail{}, fault.Wrap(op, err)
	}
	f = one[0]
	out.Rated = f.rated
	out.Regrouped, out.Nearby, out.Apart, out.Overrules = []Regrouping{}, []Nearby{}, []Apart{}, []Overruled{}
	if owns(scope, &f) {
		if out.Regrouped, err = d.regroups(ctx, f.ID); err != nil {
			return Detail{}, fault.Wrap(op, err)
		}
		apart, err := d.apart(ctx, d.o.Records.Read(), f.ID)
		if err != nil {
			return Detail{}, fault.Wrap(op, err)
		}
		if out.Nearby, err = d.nearby(ctx, scope, f.ID, apart); err != nil {
			return Detail{}, fault.Wrap(op, err)
		}
		if out.Apart, err = d.keptApart(ctx, scope, apart); err != nil {
			return Detail{}, fault.Wrap(op, err)
		}
		if out.Overrules, err = overrules(ctx, d.o.Records.Read(), f.ID); err != nil {
			return Detail{}, fault.Wrap(op, err)
		}
	}
	if out.Waited, err = d.waited(ctx, scope, &f); err != nil {
		return Detail{}, err
	}
	out.Family = f
	return out, nil
}

// visible returns the family's record when the scope has a crash in it, or owns
// it though its crashes have expired; else not_found.
func (d *Desk) visible(ctx context.Context, scope facts.Scope, id string) (Family, error) {
	const op = "crash.Family"
	if !scope.IsSet() {
		return Family{}, fault.E(op, fault.Invalid, "A query needs a scope.", nil)
	}
	none := fault.E(op, fault.NotFound, "No such family.", nil)
	if len(id) > 64 {
		return Family{}, none
	}
	id, err := d.root(ctx, id)
	if err != nil {
		return Family{}, err
	}
	known, err := d.known(ctx, []string{id})
	if err != nil {
		return Family{}, fault.Wrap(op, err)
	}
	f := known[id]
	if f == nil {
		return Family{}, none
	}
	if !owns(scope, f) {
		a := &ask{facts.Query{Scope: scope}}
		r, err := d.query(ctx, a.in(facts.Family, id).sum(facts.Rows))
		if err != nil {
			return Family{}, err
		}
		if len(r.Rows) == 0 || number(r.Rows[0][0]) == 0 {
			return Family{}, none
		}
	}
	now, err := states(ctx, d.o.Records.Read(), []string{id})
	if err != nil {
		return Family{}, fault.Wrap(op, err)
	}
	f.take(now[id])
	one := []Family{*f}
	if err := d.veil(ctx, scope, one); err != nil {
		return Family{}, fault.Wrap(op, err)
	}
	return one[0], nil
}

// shares are the values of a dimension, most crashes first.
func (d *Desk) shares(ctx context.Context, a *ask, col facts.Column, total int64) ([]Share, error) {
	r, err := d.query(ctx, a.by(col).sum(facts.Count, facts.Installs).most(facts.Count).limit(maxShares))
	if err != nil {
		return nil, err
	}
	out := make([]Share, 0, len(r.Rows))
	for _, v := range r.Rows {
		s := Share{Value: text(v[0]), Crashes: number(v[1]), Installs: number(v[2])}
		if total > 0 {
			s.Part = float64(s.Crashes) / float64(total)
		}
		out = append(out, s)
	}
	return out, nil
}

// listed are the family's signatures with a crash in the period and scope.
func (d *Desk) listed(ctx context.Context, a *ask, family string) ([]SignatureInfo, error) {
	r, err := d.query(ctx, a.by(facts.Signature).sum(facts.Count, facts.First, facts.Installs).most(facts.Count).limit(maxListed))
	if err != nil {
		return nil, err
	}
	hashes := make([]string, len(r.Rows))
	for i, v := range r.Rows {
		hashes[i] = text(v[0])
	}
	known, err := d.signatureRows(ctx, hashes)
	if err != nil {
		return nil, err
	}
	out := make([]SignatureInfo, 0, len(r.Rows))
	for _, v := range r.Rows {
		s, ok := known[sigKey{family, text(v[0])}]
		if !ok { // beyond MaxSignatures
			s = SignatureInfo{Hash: text(v[0]), FirstSeen: moment(v[2])}
		}
		s.Crashes, s.Installs = number(v[1]), number(v[3])
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b SignatureInfo) int {
		return cmp.Or(cmp.Compare(b.Crashes, a.Crashes), cmp.Compare(a.Hash, b.Hash))
	})
	return out, nil
}

package crash

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/estimate"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// maxReleases bounds the releases of one answer: those with the most sessions and crashes.
const maxReleases = 200

// subject narrows questions to one thing: an extension, a host's own projects,
// or nothing.
type subject struct {
	extension eco.ExtensionID
	host      string
}

// on narrows a question to the subject.
func (s subject) on(a *ask) *ask {
	switch {
	case s.extension != "":
		return a.in(facts.SubjectExt, string(s.extension))
	case s.host != "":
		return a.in(facts.SubjectExt, "").in(facts.Host, s.host)
	}
	return a
}

func (s subject) release() facts.Column {
	if s.host != "" {
		return facts.HostVersion
	}
	return facts.SubjectVer
}

// Extension returns the numbers of one extension.
func (d *Desk) Extension(ctx context.Context, scope facts.Scope, ext eco.ExtensionID, p Period) (Overview, error) {
	if scope.IsSet() && !named(scope, ext) {
		return Overview{}, fault.E("crash.Extension", fault.NotFound, "No such extension.", nil)
	}
	return d.overview(ctx, scope, subject{extension: ext}, p)
}

// Host returns the numbers of a host's own projects.
func (d *Desk) Host(ctx context.Context, scope facts.Scope, host string, p Period) (Overview, error) {
	if scope.IsSet() && !scope.All() && !slices.Contains(scope.Hosts(), host) {
		return Overview{}, fault.E("crash.Host", fault.NotFound, "No such host.", nil)
	}
	return d.overview(ctx, scope, subject{host: host}, p)
}

// Ecosystem returns the numbers of everything in the scope. It names no releases.
func (d *Desk) Ecosystem(ctx context.Context, scope facts.Scope, p Period) (Overview, error) {
	return d.overview(ctx, scope, subject{}, p)
}

// Releases returns the health of an extension's releases, newest version first.
func (d *Desk) Releases(ctx context.Context, scope facts.Scope, ext eco.ExtensionID, p Period) ([]ReleaseHealth, error) {
	if scope.IsSet() && !named(scope, ext) {
		return nil, fault.E("crash.Releases", fault.NotFound, "No such extension.", nil)
	}
	return d.releases(ctx, scope, subject{extension: ext}, d.period(p))
}

// named reports whether numbers of an extension may be shown under its name: to
// those who own it, and to a host's people, whose crashes blame it. An author
// whose own project's crash blames somebody else gets no page about them.
func named(scope facts.Scope, ext eco.ExtensionID) bool {
	return scope.All() || len(scope.Hosts()) > 0 || slices.Contains(scope.Extensions(), ext)
}

func (d *Desk) overview(ctx context.Context, scope facts.Scope, s subject, p Period) (Overview, error) {
	p = d.period(p)
	o := Overview{Extension: s.extension, Host: s.host, Period: p}
	asks := append(healthAsks(scope, s, p), healthAsks(scope, s, p.before())...)
	r, err := d.queries(ctx, append(asks,
		s.on(p.crashes(scope)).by(facts.Date).sum(facts.Count, facts.Installs),
		s.on(p.sessions(scope)).by(facts.Date).sum(facts.Count, facts.Crashed))...)
	if err != nil {
		return Overview{}, err
	}
	if o.Health, err = d.health(ctx, p, r[:4]); err != nil {
		return Overview{}, err
	}
	if o.Before, err = d.health(ctx, p.before(), r[4:8]); err != nil {
		return Overview{}, err
	}
	o.Change = estimate.Compare(o.Before.count(), o.Health.count(), 1)
	days := p.days()
	o.Trend = make([]DayHealth, len(days))
	for i, day := range days {
		o.Trend[i].Day = day
	}
	for _, v := range r[8].Rows {
		if n, ok := slices.BinarySearch(days, eco.Day(number(v[0]))); ok {
			o.Trend[n].Crashes, o.Trend[n].Installs = number(v[1]), number(v[2])
		}
	}
	for _, v := range r[9].Rows {
		if n, ok := slices.BinarySearch(days, eco.Day(number(v[0]))); ok {
			o.Trend[n].Sessions, o.Trend[n].Crashed = number(v[1]), number(v[2])
		}
	}
	if s != (subject{}) {
		o.Releases, err = d.releases(ctx, scope, s, p)
	}
	return o, err
}

// healthAsks are the questions whose answers health reads, in its order.
func healthAsks(scope facts.Scope, s subject, p Period) []*ask {
	return []*ask{
		s.on(p.crashes(scope)).sum(facts.Count, facts.Installs, facts.Unnamed),
		s.on(p.crashes(scope)).not(facts.Family, "").by(facts.Family).sum(facts.Count),
		s.on(p.sessions(scope)).sum(sessionSums...),
		// Apart from distinct installs: with them the engine would read every row twice.
		s.on(p.crashes(scope)).sum(facts.Weighted, facts.StdErr),
	}
}

// health reads the numbers of one subject and period from the answers to healthAsks.
func (d *Desk) health(ctx context.Context, p Period, r []facts.Result) (Health, error) {
	var h Health
	if len(r[0].Rows) > 0 {
		v := r[0].Rows[0]
		h.Crashes, h.Hit, h.Unknown = number(v[0]), number(v[1]), number(v[2])
	}
	if len(r[3].Rows) > 0 {
		h.CrashesErr = countErr(h.Crashes, r[3].Rows[0][0], r[3].Rows[0][1])
	}
	h.Families = int64(len(r[1].Rows))
	fresh, err := d.freshIn(ctx, p)
	if err != nil {
		return h, fault.Wrap("crash.health", err)
	}
	for _, v := range r[1].Rows {
		if fresh[text(v[0])] {
			h.New++
		}
	}
	if len(r[2].Rows) > 0 {
		h.addSessions(r[2].Rows[0])
	}
	return h, nil
}

// countErr is the standard error of a count, from the weighted count and its error.
func countErr(n int64, weighted, stdErr any) float64 {
	w, _ := weighted.(float64)
	se, _ := stdErr.(float64)
	if w <= 0 {
		return 0
	}
	return float64(n) * se / w
}

func (h *Health) count() estimate.Count {
	return estimate.Count{N: float64(h.Crashes), StdErr: h.CrashesErr}
}

// sessionSums are the measures that addSessions reads, in its order.
var sessionSums = []facts.Fn{facts.Count, facts.Installs, facts.Errored, facts.Crashed, facts.Abnormal, facts.CrashedBy}

// addSessions fills in what sessions say. Errored in facts includes crashed and
// abnormal sessions (see package pipeline); here it does not.
func (h *Health) addSessions(v []any) {
	h.Sessions, h.Installs = number(v[0]), number(v[1])
	h.Crashed, h.Abnormal = number(v[3]), number(v[4])
	h.Errored = max(number(v[2])-h.Crashed-h.Abnormal, 0)
	h.CrashFreeSessions = estimate.CrashFree(float64(h.Crashed), float64(h.Sessions))
	h.CrashFreeInstalls = estimate.CrashFree(float64(number(v[5])), float64(h.Installs))
}

// releases joins crashes and sessions by version.
func (d *Desk) releases(ctx context.Context, scope facts.Scope, s subject, p Period) ([]ReleaseHealth, error) {
	col := s.release()
	out := []ReleaseHealth{}
	at := map[string]int{}
	get := func(version string) *ReleaseHealth {
		n, ok := at[version]
		if !ok {
			n = len(out)
			at[version] = n
			out = append(out, ReleaseHealth{Version: version})
			out[n].CrashFreeSessions, out[n].CrashFreeInstalls = estimate.CrashFree(0, 0), estimate.CrashFree(0, 0)
		}
		return &out[n]
	}
	span := func(r *ReleaseHealth, first, last time.Time) {
		if r.First.IsZero() || first.Before(r.First) {
			r.First = first
		}
		if last.After(r.Last) {
			r.Last = last
		}
	}
	r, err := d.queries(ctx,
		s.on(p.sessions(scope)).by(col).sum(sessionSums...).sum(facts.First, facts.Last).most(facts.Count).limit(maxReleases),
		s.on(p.crashes(scope)).by(col).sum(facts.Count, facts.Installs, facts.Unnamed, facts.First, facts.Last).most(facts.Count).limit(maxReleases),
		s.on(p.crashes(scope)).not(facts.Family, "").by(col, facts.Family).sum(facts.Count),
		s.on(p.sessions(scope)).by(col, facts.Channel).sum(facts.Count).most(facts.Count))
	if err != nil {
		return nil, err
	}
	for _, v := range r[0].Rows {
		x := get(text(v[0]))
		x.addSessions(v[1:])
		span(x, moment(v[7]), moment(v[8]))
	}
	for _, v := range r[1].Rows {
		x := get(text(v[0]))
		x.Crashes, x.Hit, x.Unknown = number(v[1]), number(v[2]), number(v[3])
		span(x, moment(v[4]), moment(v[5]))
	}
	fresh, err := d.freshIn(ctx, p)
	if err != nil {
		return nil, fault.Wrap("crash.releases", err)
	}
	low := map[string]string{} // family -> lowest release with a crash in the period
	for _, v := range r[2].Rows {
		n, ok := at[text(v[0])]
		if !ok {
			continue
		}
		out[n].Families++
		if id := text(v[1]); fresh[id] {
			low[id], _ = widen(low[id], "", text(v[0]))
		}
	}
	for _, version := range low { // a new family counts for the release that brought it
		if n, ok := at[version]; ok {
			out[n].New++
		}
	}
	for _, v := range r[3].Rows { // the channel that most of its sessions name, the most first
		if n, ok := at[text(v[0])]; ok && out[n].Channel == "" {
			out[n].Channel = text(v[1])
		}
	}
	slices.SortFunc(out, func(a, b ReleaseHealth) int { return eco.CompareVersions(b.Version, a.Version) })
	return out[:min(len(out), maxReleases)], nil
}

// Extensions returns the numbers of every extension with a crash or session in
// the scope and period, most crashes first, at most 10,000.
func (d *Desk) Extensions(ctx context.Context, scope facts.Scope, p Period) ([]ExtensionHealth, error) {
	p = d.period(p)
	days := p.days()
	out := []ExtensionHealth{}
	at, before := map[eco.ExtensionID]int{}, map[eco.ExtensionID]float64{} // before: the errors of the counts
	get := func(v any) *ExtensionHealth {
		id := eco.ExtensionID(text(v))
		n, ok := at[id]
		if !ok {
			n = len(out)
			at[id] = n
			out = append(out, ExtensionHealth{Extension: id, Days: make([]int64, len(days))})
			out[n].CrashFreeSessions, out[n].CrashFreeInstalls = estimate.CrashFree(0, 0), estimate.CrashFree(0, 0)
		}
		return &out[n]
	}
	fresh, err := d.freshIn(ctx, p)
	if err != nil {
		return nil, fault.Wrap("crash.Extensions", err)
	}
	steps := []struct {
		a *ask
		f func([]any)
	}{
		{p.crashes(scope).by(facts.SubjectExt).sum(facts.Count, facts.Installs, facts.Unnamed).most(facts.Count), func(v []any) {
			x := get(v[0])
			x.Crashes, x.Hit, x.Unknown = number(v[1]), number(v[2]), number(v[3])
		}},
		{p.crashes(scope).by(facts.SubjectExt).sum(facts.Weighted, facts.StdErr), func(v []any) {
			x := get(v[0])
			x.CrashesErr = countErr(x.Crashes, v[1], v[2])
		}},
		{p.crashes(scope).by(facts.SubjectExt, facts.Date).sum(facts.Count), func(v []any) {
			if n, ok := slices.BinarySearch(days, eco.Day(number(v[1]))); ok {
				get(v[0]).Days[n] = number(v[2])
			}
		}},
		{p.crashes(scope).not(facts.Family, "").by(facts.SubjectExt, facts.Family).sum(facts.Count), func(v []any) {
			x := get(v[0])
			if x.Families++; fresh[text(v[1])] {
				x.New++
			}
		}},
		{p.sessions(scope).by(facts.SubjectExt).sum(sessionSums...).most(facts.Count), func(v []any) { get(v[0]).addSessions(v[1:]) }},
		{p.sessions(scope).by(facts.SubjectExt, facts.SubjectVer).sum(facts.Count, facts.Crashed), func(v []any) {
			x := get(v[0])
			_, x.Release = widen("", x.Release, text(v[1]))
			if x.Releases == nil {
				x.Releases = map[string]estimate.Interval{}
			}
			x.Releases[text(v[1])] = estimate.CrashFree(float64(number(v[3])), float64(number(v[2])))
		}},
		{p.crashes(scope).by(facts.SubjectExt, facts.SubjectVer).sum(facts.Count), func(v []any) {
			x := get(v[0])
			_, x.Release = widen("", x.Release, text(v[1]))
		}},
		{p.before().crashes(scope).by(facts.SubjectExt).sum(facts.Count, facts.Weighted, facts.StdErr), func(v []any) {
			if n, ok := at[eco.ExtensionID(text(v[0]))]; ok {
				x := &out[n]
				x.Before = number(v[1])
				before[x.Extension] = countErr(x.Before, v[2], v[3])
			}
		}},
	}
	asks := make([]*ask, len(steps))
	for i, s := range steps {
		asks[i] = s.a.not(facts.SubjectExt, "")
	}
	r, err := d.queries(ctx, asks...)
	if err != nil {
		return nil, err
	}
	for i, s := range steps {
		for _, v := range r[i].Rows {
			if named(scope, eco.ExtensionID(text(v[0]))) {
				s.f(v)
			}
		}
	}
	for i := range out {
		x := &out[i]
		x.Change = estimate.Compare(estimate.Count{N: float64(x.Before), StdErr: before[x.Extension]}, x.count(), 1)
	}
	slices.SortFunc(out, func(a, b ExtensionHealth) int {
		return cmp.Or(cmp.Compare(b.Crashes, a.Crashes), cmp.Compare(a.Extension, b.Extension))
	})
	return out, nil
}

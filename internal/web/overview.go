package web

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/estimate"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// overviewPage is the health of the ecosystem, as far as the viewer sees it.
type overviewPage struct {
	Shell
	Period     period
	Who        string
	Nothing    bool
	Empty      empty
	KPIs       []kpi
	Trend      trend
	Intake     intakeCard
	Fresh      famTable
	FreshEmpty empty
	Attention  []attention
	Releases   []releaseRow
}

// kpi is a headline number with what it must not be read without.
type kpi struct {
	Label, Value, Unit, Under string
	Delta, DeltaClass         string
	None                      bool
	Spark                     template.HTML
}

// attention is an extension that stands out, with the reasons.
type attention struct {
	ID       eco.ExtensionID
	Name     string
	Release  string
	Why      []string
	Free     estimate.Interval
	Crashes  int64
	Installs int64
	weight   float64
}

type releaseRow struct {
	Extension eco.ExtensionID
	Name      string
	Version   string
	Channel   string
	At        stamp
	Free      estimate.Interval
}

// How many lines the overview shows of each list.
const (
	overviewFamilies = 8
	overviewLines    = 7
)

func (s *Server) overview(w http.ResponseWriter, r *http.Request, v viewer) error {
	ctx, scope := r.Context(), s.scope(v)
	p := overviewPage{Shell: s.shell(r, v, "overview", "Overview"), Period: periodOf(r, v.now), Who: "The whole ecosystem"}
	if !scope.All() {
		p.Who = "What you may see"
		if pubs := v.p.Publishers(); len(pubs) > 0 {
			p.Who = "Extensions of " + strings.Join(pubs, ", ")
		}
	}
	all, err := s.o.Desk.Ecosystem(ctx, scope, p.Period.Period)
	if err != nil {
		return err
	}
	if p.Intake, err = s.intakeCard(ctx, v); err != nil {
		return err
	}
	if all.Health.Crashes == 0 && all.Health.Sessions == 0 && all.Before.Crashes == 0 && all.Before.Sessions == 0 {
		p.Nothing, p.Empty = true, s.nothingYet(v)
		return s.render(w, r, http.StatusOK, "overview", p)
	}
	exts, err := s.o.Desk.Extensions(ctx, scope, p.Period.Period)
	if err != nil {
		return err
	}
	fresh, regressed, err := s.fresh(ctx, v, p.Period)
	if err != nil {
		return err
	}
	p.KPIs = healthKPIs(all)
	p.Fresh = v.famTable(append(regressed, fresh...), p.Period)
	p.FreshEmpty = empty{Icon: "check", Title: "No new and no regressed family", Text: "In these days only known families crashed. A family is new on the day it is first seen, and regressed when it comes back after a release that was said to fix it."}
	p.Attention = s.attention(exts, regressed, comparable(all.Health, all.Before))
	if p.Releases, err = s.recentReleases(ctx, v, exts, p.Period); err != nil {
		return err
	}
	p.Trend = dayTrend("overview", "Crashes a day, and distinct installs hit.", all.Trend, v.now)
	for _, rel := range p.Releases {
		p.Trend.Marks = addMark(p.Trend, rel.At.at, shortName(string(rel.Extension))+" "+shortVersion(rel.Version), rel.Name+" "+rel.Version, rel.Channel)
	}
	return s.render(w, r, http.StatusOK, "overview", p)
}

// healthKPIs are the headline numbers of an ecosystem, a host or an extension.
func healthKPIs(o crash.Overview) []kpi {
	now, before, days := o.Health, o.Before, o.Trend
	free := make([]float64, 0, len(days))
	crashes := make([]float64, 0, len(days))
	for _, d := range days {
		crashes = append(crashes, float64(d.Crashes))
		if d.Sessions > 0 {
			free = append(free, 1-float64(d.Crashed)/float64(d.Sessions))
		}
	}
	then := before
	if !comparable(now, before) {
		then = crash.Health{}
	}
	out := []kpi{
		rateKPI("Crash-free sessions", now.CrashFreeSessions, then.CrashFreeSessions, now.Sessions, "session", "sessions"),
		rateKPI("Crash-free installs", now.CrashFreeInstalls, then.CrashFreeInstalls, now.Installs, "install", "installs"),
		{Label: "Crashes", Value: num(now.Crashes), Under: "in " + num(now.Hit) + " " + plural(now.Hit, "install", "installs")},
		{Label: "Families seen", Value: num(now.Families), Under: num(now.New) + " first seen in these days"},
	}
	if now.Unknown > 0 && now.Hit == 0 {
		out[2].Under = "of clients that name no install"
	} else if now.Unknown > 0 {
		out[2].Under += ", " + num(now.Unknown) + " unnamed"
	}
	if comparable(now, before) {
		out[2].Delta, out[2].DeltaClass = ratioText(o.Change)
	}
	out[0].Spark = area("Crash-free sessions by day", free)
	out[2].Spark = area("Crashes by day", crashes)
	return out
}

// comparable reports whether the span before was observed about as well as this
// one. A server that began in the middle of it has nothing to compare with.
func comparable(now, before crash.Health) bool {
	if now.Sessions == 0 && before.Sessions == 0 {
		return before.Crashes > 0
	}
	return before.Sessions*4 >= now.Sessions
}

func rateKPI(label string, now, before estimate.Interval, n int64, one, many string) kpi {
	k := kpi{Label: label, Value: rateText(now), Unit: "%"}
	if !now.Known() {
		k.None, k.Unit, k.Under = true, "", "no "+many+" reported"
		return k
	}
	k.Under = rateSpan(now) + " of " + num(n) + " " + plural(n, one, many)
	if now.Weak() {
		k.Under += ", few data"
	}
	if before.Known() {
		switch d := (now.Value - before.Value) * 100; {
		case now.Low > before.High:
			k.Delta, k.DeltaClass = fmt.Sprintf("+%.2f points", d), "down"
		case now.High < before.Low:
			k.Delta, k.DeltaClass = fmt.Sprintf("−%.2f points", -d), "up"
		default:
			k.Delta, k.DeltaClass = "as before", "flat"
		}
	}
	return k
}

func (s *Server) fresh(ctx context.Context, v viewer, p period) (fresh, regressed []crash.Family, err error) {
	scope := s.scope(v)
	back, err := s.o.Desk.Families(ctx, scope, crash.Filter{Period: p.Period, Regressed: true, State: crash.Open, Sort: crash.ByInstalls, Limit: overviewFamilies / 2, Brief: true})
	if err != nil {
		return nil, nil, err
	}
	made, err := s.o.Desk.Families(ctx, scope, crash.Filter{Period: p.Period, New: true, State: crash.Open, Sort: crash.ByInstalls, Limit: overviewFamilies, Brief: true})
	if err != nil {
		return nil, nil, err
	}
	for _, f := range made.Families {
		if !f.Regressed && len(fresh)+len(back.Families) < overviewFamilies {
			fresh = append(fresh, f)
		}
	}
	return fresh, back.Families, nil
}

// attention picks the extensions that stand out: those with a regressed family,
// and those that crash clearly more than in the span before.
func (s *Server) attention(exts []crash.ExtensionHealth, regressed []crash.Family, compare bool) []attention {
	var out []attention
	for _, e := range exts {
		a := attention{ID: e.Extension, Name: s.extName(e.Extension), Release: e.Release, Free: e.CrashFreeSessions, Crashes: e.Crashes, Installs: e.Hit}
		n := 0
		for _, f := range regressed {
			if f.Blame == e.Extension {
				n++
			}
		}
		if n > 0 {
			a.Why = append(a.Why, fmt.Sprintf("%d regressed %s", n, plural(n, "family", "families")))
			a.weight += 1e6 * float64(n)
		}
		if text, _ := ratioText(e.Change); compare && e.Change.Rise {
			a.Why = append(a.Why, fmt.Sprintf("crashes %s, %s → %s", text, num(e.Before), num(e.Crashes)))
			a.weight += float64(e.Hit) * float64(e.Crashes) / float64(e.Before+1)
		}
		if e.CrashFreeSessions.Known() && e.CrashFreeSessions.High < 0.98 {
			a.Why = append(a.Why, "fewer than 98 % of sessions are free of crashes")
			a.weight += 1000 * (1 - e.CrashFreeSessions.Value) * float64(e.Hit+1)
		}
		if len(a.Why) > 0 {
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b attention) int { return cmp.Compare(b.weight, a.weight) })
	return out[:min(len(out), overviewLines)]
}

// maxReleaseLookups bounds how many extensions are asked for their releases.
const maxReleaseLookups = 40

// recentReleases lists what was released in the period by the extensions with most crashes and sessions.
func (s *Server) recentReleases(ctx context.Context, v viewer, exts []crash.ExtensionHealth, p period) ([]releaseRow, error) {
	var out []releaseRow
	for _, e := range exts[:min(len(exts), maxReleaseLookups)] {
		rels, _, err := s.o.Registry.Releases(ctx, registry.Subject{Extension: e.Extension}, "", 10)
		if fault.CodeOf(err) == fault.NotFound {
			continue // crashes blame extensions that nobody registered, too
		}
		if err != nil {
			return nil, err
		}
		for _, rel := range rels {
			if rel.Published.Before(p.From) || rel.Published.After(v.now) {
				continue
			}
			row := releaseRow{Extension: e.Extension, Name: s.extName(e.Extension), Version: rel.Version, Channel: string(rel.Channel), At: v.at(rel.Published), Free: e.Releases[rel.Version]}
			out = append(out, row)
		}
	}
	slices.SortStableFunc(out, func(a, b releaseRow) int { return b.At.at.Compare(a.At.at) })
	return out[:min(len(out), overviewLines)], nil
}

// extName is an extension's name, or its id.
func (s *Server) extName(id eco.ExtensionID) string {
	if snap := s.o.Registry.Snapshot(); snap != nil {
		if e := snap.Extensions[id]; e != nil && e.Name != "" {
			return e.Name
		}
	}
	return string(id)
}

// shortName is the part of an id after the publisher.
func shortName(id string) string {
	if _, after, ok := strings.Cut(id, "."); ok {
		return after
	}
	return id
}

func dayTrend(id, caption string, days []crash.DayHealth, now time.Time) trend {
	t := trend{ID: id, Caption: caption, BarName: "crashes", LinName: "installs hit"}
	for _, d := range days {
		t.Points = append(t.Points, dayPoint(d.Day, now, d.Crashes, d.Installs))
	}
	return t
}

// addMark puts an event on the time line; marks that would lie on top of one another share one.
func addMark(t trend, at time.Time, label, title, channel string) []chartMark {
	marks := t.Marks
	i := slices.IndexFunc(t.Points, func(p point) bool { return p.Label == dayText(eco.DayOf(at)) })
	if i < 0 {
		return marks
	}
	kind := ""
	if channel != "" && channel != string(eco.Stable) {
		kind = "beta"
	}
	for j := range marks {
		if marks[j].At == i {
			marks[j].Title += "\n" + title
			marks[j].n++
			return marks
		}
	}
	m := chartMark{At: i, Label: label, Title: title, Kind: kind}
	for _, o := range marks {
		if !o.Quiet && collide(t, m, o, 560) {
			m.Quiet = true
		}
		if !o.Quiet && !o.Narrow && collide(t, m, o, 270) {
			m.Narrow = true
		}
	}
	return append(marks, m)
}

// collide reports whether the tags of two marks would lie on top of one another
// in a plot of so many pixels.
func collide(t trend, a, b chartMark, width int) bool {
	const perLetter = 7
	apart := abs(a.At-b.At) * width / max(len(t.Points), 1)
	return apart < (len(a.Tag())+len(b.Tag()))*perLetter/2+8
}

func abs(n int) int { return max(n, -n) }

package web

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// extensionPage is the author's home.
type extensionPage struct {
	Shell
	Period   period
	E        registry.Extension
	HostName string
	Tabs     []tab
	KPIs     []kpi
	Trend    trend
	Parts    []healthPart
	Families famTable
	FamEmpty empty
	FamTotal int
	Releases []releaseHealth
	Shares   []shareList
	Held     []heldRow
	Feedback []feedbackRow
	Silent   bool // nothing ever came in: the page leads to the set-up
	Empty    empty
	CanEdit  bool
}

// healthPart is one thing that makes up the health, in words and with its numbers.
type healthPart struct {
	Class, Name, Word, Text string
}

type releaseHealth struct {
	crash.ReleaseHealth
	When    stamp
	Hit     int64
	Share   float64 // of the sessions
	Worse   bool
	Current bool
}

// extensionOf reads the id in the path, checks the right to see it and returns the entry.
func (s *Server) extensionOf(r *http.Request, v viewer) (registry.Extension, error) {
	id, err := eco.ParseExtensionID(r.PathValue("id"))
	if err != nil {
		return registry.Extension{}, notFound("web.extension", "There is no such extension, or it is not yours to see.")
	}
	if err := s.check(v, account.ExtensionRead, account.OfExtension("extension", string(id), id)); err != nil {
		return registry.Extension{}, err
	}
	return s.o.Registry.Extension(r.Context(), id)
}

func (s *Server) extTabs(v viewer, e registry.Extension, at string) []tab {
	base := "/extensions/" + string(e.ID)
	tabs := []tab{{Label: "Health", Href: base}, {Label: "Crashes", Href: "/crashes?extension=" + string(e.ID)}, {Label: "Set-up", Href: base + "/setup"}}
	if s.may(v, account.FeedbackRead, account.OfExtension("feedback", "", e.ID)) {
		tabs = append(tabs, tab{Label: "Feedback", Href: "/feedback?extension=" + string(e.ID)})
	}
	if s.o.Symbols != nil && s.may(v, account.SymbolRead, account.OfExtension("symbol", "", e.ID)) {
		tabs = append(tabs, tab{Label: "Symbols", Href: "/symbols?extension=" + string(e.ID)})
	}
	if s.may(v, account.ExtensionEdit, account.OfExtension("extension", string(e.ID), e.ID)) {
		tabs = append(tabs, tab{Label: "Register", Href: base + "/edit"})
	}
	for i := range tabs {
		tabs[i].Current = tabs[i].Label == at
	}
	return tabs
}

func (s *Server) extension(w http.ResponseWriter, r *http.Request, v viewer) error {
	ctx, scope := r.Context(), s.scope(v)
	e, err := s.extensionOf(r, v)
	if err != nil {
		return err
	}
	p := extensionPage{E: e, Period: periodOf(r, v.now), HostName: s.hostName(e.Host, e.Kind), Tabs: s.extTabs(v, e, "Health")}
	p.Shell = s.shell(r, v, "extensions", cmp.Or(e.Name, string(e.ID)), crumb{"Extensions", "/extensions"})
	p.CanEdit = s.may(v, account.ExtensionEdit, account.OfExtension("extension", string(e.ID), e.ID))
	if !s.may(v, account.FactsQuery, account.OfExtension("facts", "", e.ID)) {
		p.Silent, p.Empty = true, noRows
		return s.render(w, r, http.StatusOK, "extension", p)
	}
	if err := s.sides(ctx, v, &p); err != nil {
		return err
	}
	o, err := s.o.Desk.Extension(ctx, scope, e.ID, p.Period.Period)
	if err != nil {
		return err
	}
	fams, err := s.o.Desk.Families(ctx, scope, crash.Filter{Period: p.Period.Period, Extension: e.ID, State: crash.Open, Limit: 10, Brief: true})
	if err != nil {
		return err
	}
	p.Families, p.FamTotal = v.famTable(fams.Families, p.Period).without(), fams.Total
	p.FamEmpty = empty{Icon: "check", Title: "No open family", Text: "Nothing that is open crashed in these days."}
	if o.Health.Crashes+o.Health.Sessions+o.Before.Crashes+o.Before.Sessions == 0 {
		p.Silent = true
		p.Empty = empty{Icon: "send", Title: "Nothing has come in for this extension", Text: "The set-up shows its key for your client and watches for the first event. In these days, and in those before, neither a session nor a crash came in.", Href: "/extensions/" + string(e.ID) + "/setup", Do: "Set it up"}
		return s.render(w, r, http.StatusOK, "extension", p)
	}
	p.KPIs = healthKPIs(o)
	p.Trend = dayTrend("extension", "Crashes a day, and distinct installs hit.", o.Trend, v.now)
	declared, _, err := s.o.Registry.Releases(ctx, registry.Subject{Extension: e.ID}, "", 100)
	if err != nil {
		return err
	}
	for _, rel := range declared {
		p.Trend.Marks = addMark(p.Trend, rel.Published, shortVersion(rel.Version), rel.Version+" released", string(rel.Channel))
	}
	p.Releases = v.releaseRows(o, declared)
	p.Parts = healthParts(o, fams, p.Releases)
	if p.Shares, err = s.extensionShares(r, scope, e.ID, p.Period, o.Health.Crashes); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "extension", p)
}

// maxReleases is how many releases the page shows.
const maxReleases = 10

func (v viewer) releaseRows(o crash.Overview, declared []registry.Release) []releaseHealth {
	var out []releaseHealth
	for i, h := range o.Releases {
		if i == maxReleases {
			break
		}
		row := releaseHealth{ReleaseHealth: h, When: v.at(h.First), Hit: h.Health.Hit, Current: i == 0}
		if j := slices.IndexFunc(declared, func(d registry.Release) bool { return d.Version == h.Version }); j >= 0 {
			row.When = v.at(declared[j].Published)
			row.Channel = cmp.Or(string(declared[j].Channel), h.Channel)
		}
		if o.Health.Sessions > 0 {
			row.Share = float64(h.Sessions) / float64(o.Health.Sessions)
		}
		if i+1 < len(o.Releases) {
			prev := o.Releases[i+1].CrashFreeSessions
			row.Worse = h.CrashFreeSessions.Known() && prev.Known() && h.CrashFreeSessions.High < prev.Low
		}
		out = append(out, row)
	}
	return out
}

// healthParts say what the health is made of. Each part claims something only
// when the intervals leave no doubt.
func healthParts(o crash.Overview, fams crash.Page, rels []releaseHealth) []healthPart {
	var out []healthPart
	now, before := o.Health.CrashFreeSessions, o.Before.CrashFreeSessions
	compare := comparable(o.Health, o.Before)
	part := healthPart{Class: "", Name: "Stability", Word: "No sessions", Text: "The client sends no sessions, so there is no rate, only counts."}
	switch {
	case !now.Known():
	case now.Weak():
		part.Word, part.Text = "Too little to tell", "Only "+observations(now)+" sessions in these days."
	case !compare:
		part.Word, part.Text = rateText(now)+" %", "There is no span before to compare with: it was not, or hardly, observed."
	case before.Known() && now.High < before.Low:
		part.Class, part.Word, part.Text = "bad", "Worse than before", "Crash-free sessions fell from "+rateText(before)+" % to "+rateText(now)+" %."
	case before.Known() && now.Low > before.High:
		part.Class, part.Word, part.Text = "ok", "Better than before", "Crash-free sessions rose from "+rateText(before)+" % to "+rateText(now)+" %."
	default:
		part.Class, part.Word, part.Text = "ok", "Steady", "The intervals of these days and the ones before overlap."
	}
	out = append(out, part)

	regressed, fresh := 0, 0
	for _, f := range fams.Families {
		if f.Regressed {
			regressed++
		} else if !f.FirstSeen.Before(o.Period.From) {
			fresh++
		}
	}
	part = healthPart{Class: "ok", Name: "Families", Word: "Nothing new", Text: num(fams.Total) + " open, all known before these days."}
	switch {
	case regressed > 0:
		part.Class, part.Word, part.Text = "bad", num(regressed)+" regressed", "Came back after a release that was said to fix them."
	case fresh > 0:
		part.Class, part.Word, part.Text = "warn", num(fresh)+" new", "First seen in these days, of "+num(fams.Total)+" open."
	case fams.Total == 0:
		part.Word, part.Text = "None open", "Everything that crashed is resolved or ignored."
	}
	out = append(out, part)

	part = healthPart{Name: "Latest release", Word: "Unknown", Text: "Clients name no release."}
	if len(rels) > 0 {
		l := rels[0]
		part.Word, part.Class = shortVersion(l.Version), "ok"
		part.Text = "As good as the one before, as far as the data tells."
		switch {
		case !l.CrashFreeSessions.Known():
			part.Class, part.Text = "", "No sessions of it yet."
		case l.Worse:
			part.Class, part.Text = "bad", "Clearly worse than "+rels[1].Version+": "+rateText(l.CrashFreeSessions)+" % against "+rateText(rels[1].CrashFreeSessions)+" % crash-free."
		case l.CrashFreeSessions.Weak():
			part.Class, part.Text = "", "Too few sessions to judge it."
		case len(rels) == 1:
			part.Text = "The only one in these days."
		}
	}
	return append(out, part)
}

// extensionShares splits the crashes of an extension by host and system.
func (s *Server) extensionShares(r *http.Request, scope facts.Scope, id eco.ExtensionID, p period, total int64) ([]shareList, error) {
	var out []shareList
	if s.o.Facts == nil {
		return nil, nil
	}
	for _, c := range []struct {
		title string
		col   facts.Column
	}{{"Host versions", facts.HostVersion}, {"Systems", facts.OS}} {
		l := shareList{Title: c.title, Colour: 1}
		res, err := s.o.Facts.Query(r.Context(), facts.Query{Scope: scope, From: p.From, To: p.To,
			Where:    []facts.Cond{{Col: facts.Kind, Op: facts.In, Values: []string{string(eco.KindCrash)}}, {Col: facts.SubjectExt, Op: facts.In, Values: []string{string(id)}}},
			Group:    []facts.Column{c.col},
			Measures: []facts.Measure{{Fn: facts.Count}, {Fn: facts.Installs}},
			Order:    []facts.Order{{By: string(facts.Count), Desc: true}}, Limit: 8})
		if err != nil {
			return nil, err
		}
		for _, row := range res.Rows {
			sh := crash.Share{Value: textOf(row[0]), Crashes: wholeOf(row[1]), Installs: wholeOf(row[2])}
			if c.col == facts.OS {
				sh.Value = osName(sh.Value)
			}
			if total > 0 {
				sh.Part = float64(sh.Crashes) / float64(total)
			}
			l.List = append(l.List, sh)
		}
		out = append(out, l)
	}
	return out, nil
}

func textOf(v any) string {
	t, _ := v.(string)
	return t
}

func wholeOf(v any) int64 {
	switch n := v.(type) {
	case int64:
		return n
	case float64:
		return int64(n)
	}
	return 0
}

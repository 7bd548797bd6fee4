package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/query"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// crashPage is one report.
type crashPage struct {
	Shell
	Doc      crash.Document
	ID       string
	Head     string
	Received stamp
	Happened stamp
	Facts    []pair
	Trace    *traceView
	Blame    []candidate
	Together *togetherView
	Crumbs2  []breadcrumb
	Tags     []pair
	Modules  []pair
	Active   []eco.Active
	Redacted bool
	JSON     string
	Cut      bool // the JSON is longer than what is shown
	Removed  []eco.Removal
	Steps    []stepRow
	Why      []eco.WhyStep
	Dump     *dumpView
	Near     []crash.Near
	Counted  bool // only its signature came
}

type pair struct{ Name, Value, Href string }

type breadcrumb struct {
	eco.Breadcrumb
	Offset string // before the crash
}

type stepRow struct {
	eco.Step
	When stamp
}

// maxJSON bounds the stored document as it is shown.
const maxJSON = 200 << 10

func (s *Server) crash(w http.ResponseWriter, r *http.Request, v viewer) error {
	ctx, scope := r.Context(), s.scope(v)
	doc, err := s.o.Desk.Crash(ctx, scope, r.PathValue("id"))
	if err != nil {
		return err
	}
	res := account.Resource{Kind: "crash", ID: doc.ID.String()}
	for _, e := range []eco.ExtensionID{doc.Origin.Extension, doc.Blame.Extension} {
		if e != "" && !slices.Contains(res.Extensions, e) {
			res.Extensions = append(res.Extensions, e)
		}
	}
	if len(res.Extensions) == 0 && doc.Origin.Host != "" {
		res.Hosts = []string{doc.Origin.Host}
	}
	if err := s.check(v, account.CrashRead, res); err != nil {
		return err
	}
	doc.Origin.Install, doc.Crash.SessionID = 0, "" // they would let a reader follow one person; the API leaves them out, too
	p := crashPage{Doc: doc, ID: doc.ID.String(), Trace: traceOf(doc), Blame: candidates(doc.Blame), Redacted: doc.Redacted,
		Received: v.at(time.UnixMilli(doc.Received)), Happened: v.at(time.UnixMilli(doc.Time)), Removed: doc.Removed,
		Why: doc.Signature.Why, Near: doc.Placement.Near, Active: doc.Crash.Active, Counted: doc.Crash.Counted != ""}
	if p.Dump, err = s.dumpView(ctx, v, doc); err != nil {
		return err
	}
	p.Head = headOf(doc)
	crumbs := []crumb{{"Crashes", "/crashes"}}
	if doc.Placement.Family != "" {
		crumbs = append(crumbs, crumb{"Family " + doc.Placement.Family, familyPath(doc.Placement.Family)})
	}
	p.Shell = s.shell(r, v, "crashes", p.Head, crumbs...)
	p.Facts = crashFacts(doc)
	for _, b := range doc.Crash.Breadcrumbs {
		row := breadcrumb{Breadcrumb: b}
		if b.Time > 0 && doc.Time > 0 {
			d := time.Duration(doc.Time-b.Time) * time.Millisecond
			row.Offset = "−" + span(d)
			if d < 0 {
				row.Offset = "+" + span(-d)
			}
		}
		p.Crumbs2 = append(p.Crumbs2, row)
	}
	p.Tags, p.Modules = sortedPairs(doc.Crash.Tags), sortedPairs(doc.Crash.Modules)
	for i, st := range doc.Steps {
		row := stepRow{Step: st}
		if i == 0 || st.At/60_000 != doc.Steps[i-1].At/60_000 {
			row.When = v.at(time.UnixMilli(st.At)) // said once a minute
		}
		p.Steps = append(p.Steps, row)
	}
	if body, err := json.MarshalIndent(doc, "", "  "); err == nil {
		p.JSON, p.Cut = string(body[:min(len(body), maxJSON)]), len(body) > maxJSON
	}
	if p.Counted {
		return s.render(w, r, http.StatusOK, "crash", p)
	}
	t, err := s.o.Desk.Together(ctx, scope, p.ID)
	switch code := fault.CodeOf(err); {
	case code == fault.NotFound:
	case err != nil:
		return err
	default:
		p.Together = togetherOf(t, t.Representative)
	}
	return s.render(w, r, http.StatusOK, "crash", p)
}

func headOf(d crash.Document) string {
	if d.Signature.Title != "" {
		return d.Signature.Title
	}
	if len(d.Crash.Exceptions) > 0 && d.Crash.Exceptions[0].Type != "" {
		return d.Crash.Exceptions[0].Type
	}
	return "Crash " + shortID(d.ID.String())
}

func crashFacts(d crash.Document) []pair {
	o := d.Origin
	var out []pair
	add := func(name, value, href string) {
		if strings.TrimSpace(value) != "" {
			out = append(out, pair{name, strings.TrimSpace(value), href})
		}
	}
	if o.Extension != "" {
		add("Reported by", string(o.Extension)+" "+o.ExtVersion, "/extensions/"+string(o.Extension))
	}
	add("Host", o.Host+" "+o.HostVersion, "")
	add("System", osName(o.OS)+" "+o.OSVersion, "")
	add("Architecture", o.Arch, "")
	add("Runtime", o.Runtime, "")
	add("Channel", string(o.Channel), "")
	add("Environment", o.Environment, "")
	add("Country", o.Country, "")
	add("Level", d.Crash.Level, "")
	if d.Crash.Handled != nil {
		add("Handled", map[bool]string{true: "yes", false: "no"}[*d.Crash.Handled], "")
	}
	add("Mechanism", d.Crash.Mechanism, "")
	add("Command", d.Crash.Command, "")
	add("Thread", d.Crash.Thread, "")
	add("SDK", o.SDK, "")
	add("Protocol", d.Protocol, "")
	add("Client's id", d.ClientID, "")
	if d.Weight > 1 {
		add("Stands for", "about "+strconv.FormatFloat(d.Weight, 'f', -1, 64)+" crashes (sampled)", "")
	}
	return out
}

func sortedPairs(m map[string]string) []pair {
	out := make([]pair, 0, len(m))
	for k, x := range m {
		out = append(out, pair{Name: k, Value: x})
	}
	slices.SortFunc(out, func(a, b pair) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// crashListPage is the list of crashes of a family, a signature or an extension.
type crashListPage struct {
	Shell
	Period period
	Rows   []crashRow
	First  string
	Next   string
	What   string
	Search searchBox
	Kept   map[string]string // filters beside the search
	Empty  empty
}

func (s *Server) crashList(w http.ResponseWriter, r *http.Request, v viewer) error {
	q := r.URL.Query()
	p := crashListPage{Period: periodOf(r, v.now), Empty: empty{Icon: "clock", Title: "No crash in these days", Text: "Look at a longer span, above."}}
	f := crash.CrashFilter{Period: p.Period.Period, Family: clip(q.Get("family"), 64), Signature: clip(q.Get("signature"), 64), Release: clip(q.Get("release"), 64), Query: clip(q.Get("q"), query.MaxBytes), Cursor: q.Get("cursor"), Limit: 50}
	crumbs := []crumb{{"Crashes", "/crashes"}}
	p.What = "Crashes, newest first"
	if f.Family != "" {
		crumbs = append(crumbs, crumb{"Family " + f.Family, familyPath(f.Family)})
	}
	if e := q.Get("extension"); e != "" {
		id, err := eco.ParseExtensionID(e)
		if err != nil {
			return err
		}
		f.Extension = id
		crumbs = append(crumbs, crumb{s.extName(id), "/extensions/" + string(id)})
	}
	page, err := s.o.Desk.Crashes(r.Context(), s.scope(v), f)
	status := http.StatusOK
	mistake, is := misread(err, f.Query)
	switch {
	case is:
		status = http.StatusBadRequest
		p.Empty = empty{Icon: "search", Title: "This search was not understood", Text: mistake, Href: "/crashes/list", Do: "Clear the search"}
	case err != nil:
		return err
	case f.Query != "":
		p.Empty = empty{Icon: "search", Title: "No crash fits", Text: "Nothing that fits this search crashed in these days. Take a term away or look at a longer span, above.", Href: "/crashes/list", Do: "Clear the search"}
	}
	p.Search, p.Kept = newSearchBox(f.Query), map[string]string{}
	for _, name := range []string{"family", "signature", "release", "extension", "days"} {
		if v := q.Get(name); v != "" {
			p.Kept[name] = v
		}
	}
	for _, c := range page.Crashes {
		p.Rows = append(p.Rows, v.crashRow(c))
	}
	if f.Cursor != "" {
		p.First = with(r.URL, "cursor", "")
	}
	if page.Next != "" {
		p.Next = with(r.URL, "cursor", page.Next)
	}
	p.Shell = s.shell(r, v, "crashes", p.What, crumbs...)
	return s.render(w, r, status, "crashlist", p)
}

package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/query"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// crashesPage is the list of families.
type crashesPage struct {
	Shell
	Symbols  bool // the viewer may see the page of symbol files
	Period   period
	Tabs     []tab
	Filter   famFilter
	Table    famTable
	Total    int
	Crashes  int64
	Installs int64
	Partial  bool
	First    string // address of the first page, when this is not it
	Next     string
	Back     string // where bulk changes return to
	Filtered bool
	Search   searchBox
	CanEdit  bool
	Empty    empty
	Triage   listTriage
}

type tab struct {
	Label, Href string
	Current     bool
	Count       string
}

// famFilter is what the form of filters holds.
type famFilter struct {
	Q, Extension, Host, OS, Release, Channel, State, Sort, Days string
	New, Regressed                                              bool
	Extensions, Hosts                                           []option
	OSes                                                        []option
	Bands, Labels                                               []option
	Person                                                      string // whose families, by a link of their page
	Set                                                         int    // how many of the lists narrow
}

type option struct {
	Value, Label string
	Selected     bool
}

const familiesPerPage = 40

func (s *Server) crashes(w http.ResponseWriter, r *http.Request, v viewer) error {
	q := r.URL.Query()
	p := crashesPage{Symbols: s.o.Symbols != nil && s.may(v, account.SymbolRead, account.List("symbol")), Shell: s.shell(r, v, "crashes", "Crashes"), Period: periodOf(r, v.now)}
	p.CanEdit = s.may(v, account.FamilyEdit, account.List("family"))
	f := crash.Filter{
		Period: p.Period.Period, Query: clip(q.Get("q"), query.MaxBytes), Host: q.Get("host"), OS: q.Get("os"), Release: q.Get("release"),
		Channel: eco.Channel(q.Get("channel")), State: crash.State(q.Get("state")), New: q.Get("new") == "1", Regressed: q.Get("regressed") == "1",
		Sort: crash.Sort(q.Get("sort")), Cursor: q.Get("cursor"), Limit: familiesPerPage,
		Priority: clip(q.Get("priority"), 2), Label: clip(q.Get("label"), 32),
	}
	if !slices.Contains(crash.Sorts, f.Sort) {
		f.Sort = crash.ByCrashes
	}
	state := q.Get("state")
	switch {
	case state == "all":
		f.State = ""
	case !slices.Contains(crash.States, f.State):
		f.State, state = crash.Open, "open"
	}
	if e := q.Get("extension"); e != "" {
		id, err := eco.ParseExtensionID(e)
		if err != nil {
			return err
		}
		f.Extension = id
	}
	people := triageQuery(q)
	if !people.IsZero() {
		among, err := s.o.Triage.Find(r.Context(), v.p, people)
		if err != nil {
			return err
		}
		f.Among = among
	}
	page, err := s.o.Desk.Families(r.Context(), s.scope(v), f)
	status := http.StatusOK
	mistake, is := misread(err, f.Query)
	if is {
		status = http.StatusBadRequest
	} else if err != nil {
		return err
	}
	p.Search = newSearchBox(f.Query)
	p.Filter = famFilter{Q: f.Query, Extension: string(f.Extension), Host: f.Host, OS: f.OS, Release: f.Release, Channel: string(f.Channel), State: state, Sort: q.Get("sort"), Days: q.Get("days"), New: f.New, Regressed: f.Regressed}
	p.Filter.Extensions, p.Filter.Hosts = s.extOptions(v, f.Extension), s.hostOptions(f.Host)
	for _, os := range []string{"linux", "macos", "windows", "android", "ios", "other"} {
		p.Filter.OSes = append(p.Filter.OSes, option{os, osName(os), os == f.OS})
	}
	p.Filter.Bands, p.Filter.Labels = rateOptions(f)
	p.Filtered = f.Priority != "" || f.Label != "" || f.Query != "" || f.Extension != "" || f.Host != "" || f.OS != "" || f.Release != "" || f.Channel != "" || f.New || f.Regressed || !people.IsZero()
	p.Filter.Person = people.Person
	for _, x := range []string{string(f.Extension), f.Host, f.OS, f.Release, f.Priority, f.Label, people.Team, people.Label, q.Get("who"), people.Person} {
		if x != "" {
			p.Filter.Set++
		}
	}
	p.Table = v.famTable(page.Families, p.Period).sortable(r.URL, f.Sort)
	if p.Triage, err = s.listTriage(r, v, &p.Table, page.Families); err != nil {
		return err
	}
	p.Table.Pick = p.CanEdit || p.Triage.CanWatch
	p.Total, p.Crashes, p.Installs, p.Partial = page.Total, page.Crashes, page.Installs, page.Partial
	if f.Cursor != "" {
		p.First = with(r.URL, "cursor", "", "done", "", "undo", "")
	}
	if page.Next != "" {
		p.Next = with(r.URL, "cursor", page.Next, "done", "", "undo", "")
	}
	p.Back = with(r.URL, "done", "", "undo", "")
	p.Tabs = []tab{
		{Label: "Open", Href: with(r.URL, "state", "", "new", "", "regressed", "", "cursor", "", "done", "", "undo", ""), Current: state == "open" && !f.New && !f.Regressed},
		{Label: "New", Href: with(r.URL, "state", "", "new", "1", "regressed", "", "cursor", "", "done", "", "undo", ""), Current: f.New},
		{Label: "Regressed", Href: with(r.URL, "state", "", "new", "", "regressed", "1", "cursor", "", "done", "", "undo", ""), Current: f.Regressed},
		{Label: "Resolved", Href: with(r.URL, "state", "resolved", "new", "", "regressed", "", "cursor", "", "done", "", "undo", ""), Current: state == "resolved"},
		{Label: "Ignored", Href: with(r.URL, "state", "ignored", "new", "", "regressed", "", "cursor", "", "done", "", "undo", ""), Current: state == "ignored"},
		{Label: "All", Href: with(r.URL, "state", "all", "new", "", "regressed", "", "cursor", "", "done", "", "undo", ""), Current: state == "all"},
	}
	switch {
	case is:
		p.Empty = empty{Icon: "search", Title: "This search was not understood", Text: mistake, Href: "/crashes", Do: "Clear the filters"}
	case p.Filtered:
		p.Empty = empty{Icon: "search", Title: "No family fits", Text: "Nothing with these filters crashed in the last " + num(p.Period.Days) + " days. Take a filter away or look at a longer span.", Href: "/crashes", Do: "Clear the filters"}
	case state == "open":
		any, err := s.o.Desk.Families(r.Context(), s.scope(v), crash.Filter{Limit: 1, Brief: true})
		if err != nil {
			return err
		}
		if any.Total > 0 {
			p.Empty = empty{Icon: "check", Title: "No open family", Text: "Whatever crashed in the last " + num(p.Period.Days) + " days is resolved or ignored. A family that comes back opens by itself.", Href: with(r.URL, "state", "all"), Do: "Show all states"}
		} else {
			p.Empty = s.nothingYet(v)
		}
	default:
		p.Empty = empty{Icon: "info", Title: "None in this state", Text: "A family gets its state on its own page, or for many at once with the boxes of this list.", Href: "/crashes", Do: "Show open families"}
	}
	return s.render(w, r, status, "crashes", p)
}

// bulkState changes the state of the families that were ticked, each by itself.
func (s *Server) bulkState(w http.ResponseWriter, r *http.Request, v viewer) error {
	if err := r.ParseForm(); err != nil {
		return fault.E("web.bulkState", fault.Invalid, "The form cannot be read.", err)
	}
	back := safeNext(r.PostForm.Get("back"))
	ids := r.PostForm["id"]
	if len(ids) == 0 {
		return redirect(w, r, withDone(back, "none"))
	}
	if len(ids) > familiesPerPage {
		return fault.E("web.bulkState", fault.TooLarge, "That is more than one page of families.", nil)
	}
	to := crash.State(r.PostForm.Get("to"))
	in := ""
	if to == crash.Resolved {
		in = crash.NextRelease
	}
	var all []crash.Change
	for _, id := range ids {
		c, err := s.decide(r, v, crash.Decision{Family: id, To: to, ResolvedIn: in, Actor: v.p.ID})
		if err != nil {
			return err
		}
		all = append(all, c)
	}
	batch, err := s.o.Triage.Remember(r.Context(), v.p, all)
	if err != nil {
		return err
	}
	return redirect(w, r, withUndo(withDone(back, "state"), batch))
}

// decide asks the policies about the very family, then records the decision.
func (s *Server) decide(r *http.Request, v viewer, c crash.Decision) (crash.Change, error) {
	if !slices.Contains(crash.States, c.To) {
		return crash.Change{}, fault.E("web.decide", fault.Invalid, "Choose a state.", nil)
	}
	f, err := s.o.Desk.Family(r.Context(), s.scope(v), c.Family, crash.Period{})
	if err != nil {
		return crash.Change{}, err
	}
	if err := s.check(v, account.FamilyEdit, familyResource(f.Family)); err != nil {
		return crash.Change{}, err
	}
	return s.o.Desk.SetState(r.Context(), s.scope(v), c)
}

func familyResource(f crash.Family) account.Resource {
	res := account.Resource{Kind: "family", ID: f.ID}
	if f.Blame != "" {
		res.Extensions = []eco.ExtensionID{f.Blame}
	} else if f.Host != "" {
		res.Hosts = []string{f.Host}
	}
	return res
}

func (s *Server) extOptions(v viewer, chosen eco.ExtensionID) []option {
	snap, scope := s.o.Registry.Snapshot(), s.scope(v)
	var out []option
	if snap != nil {
		for id, e := range snap.Extensions {
			if !scope.IsSet() || !scope.All() && !slices.Contains(scope.Extensions(), id) {
				continue
			}
			out = append(out, option{string(id), e.Name, id == chosen})
		}
	}
	if len(out) > maxOptions {
		return nil // a list nobody can use: the form shows a text field then
	}
	slices.SortFunc(out, func(a, b option) int { return strings.Compare(strings.ToLower(a.Label), strings.ToLower(b.Label)) })
	return out
}

// maxOptions bounds a list to choose from.
const maxOptions = 300

func (s *Server) hostOptions(chosen string) []option {
	snap := s.o.Registry.Snapshot()
	var out []option
	if snap != nil {
		for id, h := range snap.Hosts {
			out = append(out, option{id, h.Name, id == chosen})
		}
	}
	slices.SortFunc(out, func(a, b option) int { return strings.Compare(a.Label, b.Label) })
	return out
}

func osName(os string) string {
	switch os {
	case "linux":
		return "Linux"
	case "macos":
		return "macOS"
	case "windows":
		return "Windows"
	case "android":
		return "Android"
	case "ios":
		return "iOS"
	case "":
		return ""
	}
	return "Other systems"
}

func clip(s string, n int) string { return eco.Clean(strings.TrimSpace(s), n) }

// familyPath is the address of a family.
func familyPath(id string) string { return "/families/" + url.PathEscape(id) }

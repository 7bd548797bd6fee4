package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// extensionsPage is the list of extensions.
type extensionsPage struct {
	Shell
	Period     period
	Q          string
	Host       string
	Hosts      []option
	Publisher  string
	Publishers []option
	Days       string
	Heads      []famHead
	Rows       []extRow
	Total      int
	Prev, Next string
	PageText   string
	Filtered   bool
	CanCreate  bool
	Empty      empty
}

// extRow is an extension with its numbers; one without traffic has none.
type extRow struct {
	crash.ExtensionHealth
	ID         eco.ExtensionID
	Name       string
	Host       string
	Delta      string
	DeltaClass string
}

const extensionsPerPage = 50

func (s *Server) extensions(w http.ResponseWriter, r *http.Request, v viewer) error {
	q, scope := r.URL.Query(), s.scope(v)
	p := extensionsPage{Shell: s.shell(r, v, "extensions", "Extensions"), Period: periodOf(r, v.now), Q: clip(q.Get("q"), 100), Host: q.Get("host"), Publisher: q.Get("publisher"), Days: q.Get("days")}
	p.CanCreate = s.may(v, account.ExtensionCreate, account.List("extension"))
	var health []crash.ExtensionHealth
	if scope.IsSet() {
		var err error
		if health, err = s.o.Desk.Extensions(r.Context(), scope, p.Period.Period); err != nil {
			return err
		}
	}
	by := make(map[eco.ExtensionID]crash.ExtensionHealth, len(health))
	for _, h := range health {
		by[h.Extension] = h
	}
	// Crashes alone do not tell whether the span before was observed; that some
	// extensions crashed in it does.
	var now, before int64
	for _, h := range health {
		now, before = now+h.Crashes, before+h.Before
	}
	compare := before*4 >= now
	snap := s.o.Registry.Snapshot()
	rows, pubs := []extRow{}, map[string]bool{}
	for id, e := range snap.Extensions {
		if !s.may(v, account.ExtensionRead, account.OfExtension("extension", string(id), id)) {
			continue
		}
		pubs[e.Publisher()] = true
		if p.Host != "" && e.Host != p.Host || p.Publisher != "" && e.Publisher() != p.Publisher || !matches(p.Q, string(id), e.Name) {
			continue
		}
		row := extRow{ExtensionHealth: by[id], ID: id, Name: cmp.Or(e.Name, string(id)), Host: s.hostName(e.Host, e.Kind)}
		if compare && (row.Crashes > 0 || row.Before > 0) {
			row.Delta, row.DeltaClass = ratioText(row.Change)
		}
		rows = append(rows, row)
	}
	p.Hosts = s.hostOptions(p.Host)
	for pub := range pubs {
		p.Publishers = append(p.Publishers, option{pub, pub, pub == p.Publisher})
	}
	slices.SortFunc(p.Publishers, func(a, b option) int { return strings.Compare(a.Label, b.Label) })
	sortExtensions(rows, q.Get("sort"))
	p.Heads = extHeads(r, q.Get("sort"))
	p.Total = len(rows)
	p.Filtered = p.Q != "" || p.Host != "" || p.Publisher != ""
	n, _ := strconv.Atoi(q.Get("page"))
	n = min(max(n, 1), (len(rows)+extensionsPerPage-1)/extensionsPerPage+1)
	from, to := min((n-1)*extensionsPerPage, len(rows)), min(n*extensionsPerPage, len(rows))
	p.Rows = rows[from:to]
	if n > 1 {
		p.Prev = with(r.URL, "page", strconv.Itoa(n-1))
	}
	if to < len(rows) {
		p.Next = with(r.URL, "page", strconv.Itoa(n+1))
	}
	p.PageText = num(from+min(1, to-from)) + "–" + num(to) + " of " + num(len(rows))
	switch {
	case p.Filtered:
		p.Empty = empty{Icon: "search", Title: "No extension fits", Text: "Take a filter away to see more.", Href: "/extensions", Do: "Clear the filters"}
	case p.CanCreate:
		p.Empty = empty{Icon: "extensions", Title: "No extension is registered", Text: "Register the first one. You get a project with a key, and a page that shows your first event arrive.", Href: "/extensions/new", Do: "Register an extension"}
	default:
		p.Empty = empty{Icon: "extensions", Title: "No extension is yours to see", Text: "An operator can make you an author of your publisher, or a triager of a team, in Settings → Members."}
	}
	return s.render(w, r, http.StatusOK, "extensions", p)
}

func matches(q string, in ...string) bool {
	if q == "" {
		return true
	}
	q = strings.ToLower(q)
	return slices.ContainsFunc(in, func(s string) bool { return strings.Contains(strings.ToLower(s), q) })
}

func (s *Server) hostName(id string, kind registry.ExtKind) string {
	if snap := s.o.Registry.Snapshot(); snap != nil && id != "" {
		if h := snap.Hosts[id]; h != nil && h.Name != "" {
			return h.Name
		}
	}
	if kind == registry.Generic {
		return id
	}
	return cmp.Or(id, string(kind))
}

var extSorts = []famHead{
	{Label: "Crash-free sessions", Href: "free", Class: "num"}, {Label: "Crashes", Href: "crashes", Class: "num"}, {Label: "Installs hit", Href: "installs", Class: "num"},
	{Label: "Families", Href: "families", Class: "num"}, {Label: "Release", Href: "", Class: ""},
}

func extHeads(r *http.Request, by string) []famHead {
	out := slices.Clone(extSorts)
	for i := range out {
		if k := out[i].Href; k != "" {
			out[i].Href, out[i].Sorted = with(r.URL, "sort", k, "page", ""), by == k || by == "" && k == "crashes"
		}
	}
	return out
}

func sortExtensions(rows []extRow, by string) {
	slices.SortFunc(rows, func(a, b extRow) int {
		c := 0
		switch by {
		case "free": // worst first; unknown last
			c = cmp.Or(cmpBool(b.CrashFreeSessions.Known(), a.CrashFreeSessions.Known()), cmp.Compare(a.CrashFreeSessions.Value, b.CrashFreeSessions.Value))
		case "installs":
			c = cmp.Compare(b.Hit, a.Hit)
		case "families":
			c = cmp.Compare(b.Families, a.Families)
		case "name":
		default:
			c = cmp.Compare(b.Crashes, a.Crashes)
		}
		return cmp.Or(c, strings.Compare(string(a.ID), string(b.ID)))
	})
}

func cmpBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

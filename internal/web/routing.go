package web

import (
	"net/http"
	"strconv"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash/triage"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/route"
)

// routingPage is the rules that send families to teams.
type routingPage struct {
	settingsShell
	Current  int64
	Version  triage.Version // that is shown
	When     stamp
	By       string
	Old      bool // it is not the one in force
	Versions []versionRow
	Text     string // in the editor
	Note     string
	Base     int64
	CanEdit  bool
	Preview  *triage.Preview
	Mistakes []route.Mistake
	Errors   []string
	Undo     undoBar
	Vars     []routeVar
	Paged    bool // a page of the preview's families was asked for
	From, To int  // of those families, from 1
	Before   int  // the page before; -1 = none
	After    int
}

type versionRow struct {
	triage.Version
	When stamp
	By   string
	Href string
	Here bool
}

type routeVar struct{ Name, About string }

// routeVars explains the variables of a condition.
var routeVars = []routeVar{
	{"family", "id, title, type, platform, state, first_seen, last_seen, releases (lowest and highest), kind (fatal, error, warning), version"},
	{"extension", "id, publisher, kind; empty when none is blamed"},
	{"host", "the application's id"},
	{"blame", "extension, target (extension, interaction, host, unknown), confidence (0 to 1), step (1 to 7), role (culprit, caller, callee, owner)"},
	{"impact", "crashes, installs, versions of the last 30 days; share of its extension's crashes (0 to 1); trend: the last 7 days by the 7 before"},
	{"signature", "key, title, hash, tokens (frames, innermost first), low (no usable stack)"},
	{"now", "the time of asking: now - family.first_seen < duration(\"24h\")"},
}

func (s *Server) routing(w http.ResponseWriter, r *http.Request, v viewer) error {
	n, _ := strconv.ParseInt(r.URL.Query().Get("version"), 10, 64)
	version, err := s.o.Triage.Rules(r.Context(), v.p, max(n, 0))
	if err != nil {
		return err
	}
	return s.showRouting(w, r, v, routingPage{Version: version, Text: version.Text}, http.StatusOK)
}

func (s *Server) showRouting(w http.ResponseWriter, r *http.Request, v viewer, p routingPage, status int) error {
	ctx := r.Context()
	p.settingsShell = s.settings(r, v, "Routing rules", "Routing rules")
	newest, err := s.o.Triage.Rules(ctx, v.p, 0)
	if err != nil {
		return err
	}
	if p.Version.Version == 0 {
		p.Version = newest
	}
	name := s.names(ctx)
	p.Current, p.Base, p.Vars = newest.Version, newest.Version, routeVars
	p.Old = p.Version.Version != newest.Version
	p.When, p.By = v.at(p.Version.At), name(p.Version.Author)
	p.CanEdit = s.may(v, account.RuleEdit, account.OfServer("rule", ""))
	p.Undo = undoOf(r, "/settings/routing")
	list, err := s.o.Triage.Versions(ctx, v.p, 0, 50)
	if err != nil {
		return err
	}
	for _, x := range list {
		p.Versions = append(p.Versions, versionRow{x, v.at(x.At), name(x.Author), "/settings/routing?version=" + strconv.FormatInt(x.Version, 10), x.Version == p.Version.Version})
	}
	return s.render(w, r, status, "routing", p)
}

// page says which of the preview's families are shown, and what is before and after.
func (p *routingPage) page(x *triage.Preview, asked bool) {
	p.Paged, p.Before, p.After = asked, x.Page-1, -1
	p.From, p.To = x.Page*triage.PreviewPage+1, x.Page*triage.PreviewPage+len(x.Examples)
	if p.To < x.Changed {
		p.After = x.Page + 1
	}
}

// saveRouting previews or saves what is in the editor.
func (s *Server) saveRouting(w http.ResponseWriter, r *http.Request, v viewer) error {
	p := routingPage{Text: r.PostFormValue("text"), Note: clip(r.PostFormValue("note"), triage.MaxNote)}
	base, _ := strconv.ParseInt(r.PostFormValue("base"), 10, 64)
	if r.PostFormValue("do") != "save" {
		preview, err := s.o.Triage.Preview(r.Context(), v.p, p.Text, number(r.PostFormValue("page")))
		if err != nil {
			return err
		}
		p.Mistakes, p.Preview = preview.Mistakes, &preview
		if len(p.Mistakes) > 0 {
			p.Preview = nil
			return s.showRouting(w, r, v, p, http.StatusUnprocessableEntity)
		}
		p.page(&preview, r.PostFormValue("page") != "")
		return s.showRouting(w, r, v, p, http.StatusOK)
	}
	saved, mistakes, err := s.o.Triage.Save(r.Context(), v.p, triage.NewRules{Text: p.Text, Note: p.Note, Base: base, Move: r.PostFormValue("move") == "1"})
	if code := fault.CodeOf(err); code == fault.Conflict || code == fault.Invalid {
		p.Errors = []string{fault.TextOf(err)}
		return s.showRouting(w, r, v, p, http.StatusUnprocessableEntity)
	}
	if err != nil {
		return err
	}
	if p.Mistakes = mistakes; len(mistakes) > 0 {
		return s.showRouting(w, r, v, p, http.StatusUnprocessableEntity)
	}
	if saved.Moved == 0 {
		saved.Batch = ""
	}
	return redirect(w, r, withUndo("/settings/routing?done=rules", saved.Batch))
}

// number reads a whole number of a form; what is none is -1.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}

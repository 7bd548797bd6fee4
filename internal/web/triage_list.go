package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/triage"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// listTriage is what the list of families has of people's work: filters, saved
// ones, and what is done to many at once.
type listTriage struct {
	On     bool
	Who    []option // of the filter
	Teams  []option
	Labels []option
	Saved  []savedFilter
	Share  []option // teams a filter can be shared with
	Query  string   // of the list, as it would be saved
	Undo   undoBar
	// of the bulk form
	GiveTo   []option
	GiveTeam []option
	PutOn    []option
	CanEdit  bool
	CanWatch bool
}

type savedFilter struct {
	triage.Filter
	Href    string
	Current bool
}

// triageQuery reads the filter's parameters.
func triageQuery(q url.Values) triage.Query {
	t := triage.Query{Team: clip(q.Get("team"), 64), Person: clip(q.Get("person"), 64), Label: clip(q.Get("labelled"), 64)}
	switch who := q.Get("who"); who {
	case "mine":
		t.Mine = true
	case "unassigned":
		t.Unassigned = true
	case "watched":
		t.Watched = true
	}
	return t
}

// listTriage gathers it; it also sets the marks of the rows.
func (s *Server) listTriage(r *http.Request, v viewer, t *famTable, list []crash.Family) (listTriage, error) {
	var out listTriage
	ctx, q := r.Context(), r.URL.Query()
	out.On, out.Undo = true, undoOf(r, with(r.URL, "done", "", "undo", ""))
	marks, err := s.o.Triage.Marks(ctx, v.p, list)
	if err != nil {
		return out, err
	}
	for i := range t.Rows {
		m, ok := marks[t.Rows[i].ID]
		t.Rows[i].Mark, t.Rows[i].Marked = m, ok
	}
	who := q.Get("who")
	for _, x := range []option{{"", "Anybody", false}, {"mine", "Given to me", false}, {"unassigned", "Given to nobody", false}, {"watched", "That I watch", false}} {
		x.Selected = x.Value == who
		out.Who = append(out.Who, x)
	}
	teams := s.teamOptions(v, q.Get("team"))
	if len(teams) > 0 {
		out.Teams = append([]option{{"", "Any team", false}, {triage.Nobody, "No team", q.Get("team") == triage.Nobody}}, teams...)
	}
	words, err := s.o.Triage.Labels(ctx, v.p)
	if err != nil {
		return out, err
	}
	for _, l := range words {
		out.Labels = append(out.Labels, option{l.ID, l.Name, l.ID == q.Get("labelled")})
	}
	if err := s.savedFilters(r, v, &out); err != nil {
		return out, err
	}
	out.CanEdit, out.CanWatch = s.may(v, account.FamilyEdit, account.List("family")), s.may(v, account.FamilyComment, account.List("family"))
	if !out.CanEdit {
		return out, nil
	}
	out.PutOn = slices.Clone(out.Labels)
	for i := range out.PutOn {
		out.PutOn[i].Selected = false
	}
	out.GiveTo = []option{{v.p.ID, "Me", false}, {triage.Nobody, "Nobody", false}}
	people, err := s.o.Triage.Colleagues(ctx, v.p)
	if err != nil {
		return out, err
	}
	for _, x := range people {
		out.GiveTo = append(out.GiveTo, option{x.ID, x.Name, false})
	}
	if len(teams) > 0 {
		out.GiveTeam = []option{{triage.ByRules, "By the rules", false}, {triage.Nobody, "No team", false}}
		for _, x := range teams {
			out.GiveTeam = append(out.GiveTeam, option{x.Value, x.Label, false})
		}
	}
	return out, nil
}

// teamOptions are the teams that the viewer may know of.
func (s *Server) teamOptions(v viewer, chosen string) []option {
	var out []option
	for id, t := range s.o.Registry.Snapshot().Teams {
		if s.may(v, account.TeamRead, account.Resource{Kind: "team", ID: id, Team: id}) {
			out = append(out, option{id, t.Name, id == chosen})
		}
	}
	slices.SortFunc(out, func(a, b option) int { return strings.Compare(a.Label, b.Label) })
	return out
}

// savedFilters are the viewer's own and shared ones, as links.
func (s *Server) savedFilters(r *http.Request, v viewer, out *listTriage) error {
	list, teams, err := s.o.Triage.Filters(r.Context(), v.p)
	if err != nil {
		return err
	}
	now := r.URL.Query()
	for k := range now {
		if !slices.Contains(triage.FilterKeys, k) || now.Get(k) == "" {
			now.Del(k)
		}
	}
	out.Query = now.Encode()
	for _, f := range list {
		out.Saved = append(out.Saved, savedFilter{f, "/crashes?" + f.Query, f.Query == out.Query})
	}
	for _, id := range teams {
		name := id
		if t := s.o.Registry.Snapshot().Teams[id]; t != nil {
			name = t.Name
		}
		out.Share = append(out.Share, option{id, name, false})
	}
	return nil
}

// bulkTriage assigns, labels or watches the families that were ticked.
func (s *Server) bulkTriage(w http.ResponseWriter, r *http.Request, v viewer) error {
	if err := r.ParseForm(); err != nil {
		return fault.E("web.bulkTriage", fault.Invalid, "The form cannot be read.", err)
	}
	back, ids := safeNext(r.PostForm.Get("back")), r.PostForm["id"]
	if len(ids) == 0 {
		return redirect(w, r, withDone(back, "none"))
	}
	if len(ids) > familiesPerPage {
		return fault.E("web.bulkTriage", fault.TooLarge, "That is more than one page of families.", nil)
	}
	a := actOf(r.PostForm, ids)
	if a.Team == "" && a.Person == "" && a.NewLabel == "" && a.Watch == "" && len(a.Label)+len(a.Unlabel) == 0 {
		return redirect(w, r, withDone(back, "nothing"))
	}
	return s.act(w, r, v, a, back)
}

// saveFilter keeps the list's filter under a name.
func (s *Server) saveFilter(w http.ResponseWriter, r *http.Request, v viewer) error {
	f, err := s.o.Triage.SaveFilter(r.Context(), v.p, triage.Filter{Name: r.PostFormValue("name"), Query: r.PostFormValue("query"), Team: r.PostFormValue("share")})
	if err != nil {
		return err
	}
	return redirect(w, r, withDone("/crashes?"+f.Query, "saved"))
}

// dropFilter takes one's own filter away.
func (s *Server) dropFilter(w http.ResponseWriter, r *http.Request, v viewer) error {
	if err := s.o.Triage.DeleteFilter(r.Context(), v.p, r.PathValue("id")); err != nil {
		return err
	}
	return redirect(w, r, withDone(safeNext(r.PostFormValue("back")), "gone"))
}

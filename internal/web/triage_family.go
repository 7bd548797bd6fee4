package web

import (
	"html/template"
	"net/http"
	"net/url"
	"strconv"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/triage"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/route"
)

// familyPeople is what people did with a family, on its page.
type familyPeople struct {
	triage.View
	Action string // where the forms go
	Me     string
	Routed stamp
	Teams  []option
	People []option
	Steps  []routeStep
	Feed   []feedRow
	Older  string
	Undo   undoBar
	Draft  string // a comment that was not taken
	Errors []string
}

// undoBar is the offer to take back what was just done.
type undoBar struct{ Batch, Back string }

type feedRow struct {
	triage.Entry
	When   stamp
	Edited stamp
	HTML   template.HTML
	Dot    string
}

// routeStep is a routing rule with what it came to.
type routeStep struct {
	route.Step
	Word, Dot string
}

var stepWords = map[route.Result][2]string{
	route.Matched: {"matched", "ok"}, route.Not: {"does not hold", ""}, route.Failed: {"could not be decided", "bad"}, route.Skipped: {"was not asked: a rule before it ends it", ""},
}

func routeSteps(steps []route.Step) []routeStep {
	out := make([]routeStep, 0, len(steps))
	for _, x := range steps {
		w := stepWords[x.Result]
		out = append(out, routeStep{x, w[0], w[1]})
	}
	return out
}

// familyPeople gathers it; errors are those of a form that was not taken.
func (s *Server) familyPeople(r *http.Request, v viewer, d crash.Detail, draft string, errs []string) (familyPeople, error) {
	t := familyPeople{Action: familyPath(d.ID), Me: v.p.ID, Draft: draft, Errors: errs}
	view, err := s.o.Triage.View(r.Context(), v.p, d.ID, d.History, r.URL.Query().Get("before"))
	if err != nil {
		return t, err
	}
	t.View, t.Routed, t.Steps = view, v.at(view.Routed), routeSteps(view.Why.Steps)
	t.Undo = undoOf(r, familyPath(d.ID))
	a := view.Assignment
	byRules := "By the rules"
	if view.Why.Team != "" {
		byRules += " (" + view.Why.Team + ")"
	}
	t.Teams = []option{{triage.ByRules, byRules, !a.Hand}, {triage.Nobody, "No team", a.Hand && a.Team == nil}}
	for _, x := range view.Teams {
		label := x.Name
		if !x.Sees {
			label += " — does not see it"
		}
		t.Teams = append(t.Teams, option{x.ID, label, a.Hand && a.Team != nil && a.Team.ID == x.ID})
	}
	t.People = []option{{triage.Nobody, "Nobody", a.Person == nil}}
	for _, x := range view.People {
		t.People = append(t.People, option{x.ID, x.Name, a.Person != nil && a.Person.ID == x.ID})
	}
	for _, e := range view.Feed {
		row := feedRow{Entry: e, When: v.at(e.At)}
		switch e.Kind {
		case "state":
			row.Dot = stateDot(crash.Change{To: e.State, Actor: e.Actor.ID})
		case "comment":
			row.Dot = "info"
			row.Edited = v.at(e.Comment.Edited)
			if row.HTML, err = commentHTML(e.Comment); err != nil {
				return t, err
			}
		}
		if !view.CanEdit {
			row.Batch = ""
		}
		t.Feed = append(t.Feed, row)
	}
	if view.Older != "" {
		t.Older = with(r.URL, "before", view.Older, "done", "", "undo", "") + "#activity"
	}
	return t, nil
}

func undoOf(r *http.Request, back string) undoBar {
	return undoBar{clip(r.URL.Query().Get("undo"), 64), back}
}

// setTriage assigns, labels, watches one family.
func (s *Server) setTriage(w http.ResponseWriter, r *http.Request, v viewer) error {
	id := r.PathValue("id")
	if err := r.ParseForm(); err != nil {
		return fault.E("web.setTriage", fault.Invalid, "The form cannot be read.", err)
	}
	return s.act(w, r, v, actOf(r.PostForm, []string{id}), familyPath(id))
}

// actOf reads the fields of a form.
func actOf(f url.Values, families []string) triage.Act {
	a := triage.Act{Families: families, Team: f.Get("team"), Person: f.Get("person"), NewLabel: clip(f.Get("new"), 64), Watch: f.Get("watch")}
	for _, l := range f["label"] {
		if l != "" {
			a.Label = append(a.Label, l)
		}
	}
	for _, l := range f["off"] {
		if l != "" {
			a.Unlabel = append(a.Unlabel, l)
		}
	}
	return a
}

// act does it and goes back, with the offer to take it back.
func (s *Server) act(w http.ResponseWriter, r *http.Request, v viewer, a triage.Act, back string) error {
	done, err := s.o.Triage.Do(r.Context(), v.p, a)
	if err != nil {
		return err
	}
	if done.Changed == 0 {
		return redirect(w, r, withDone(back, "same"))
	}
	return redirect(w, r, withUndo(withDone(back, "triage"), done.Batch))
}

func withUndo(path, batch string) string {
	if batch == "" {
		return path
	}
	return path + "&undo=" + url.QueryEscape(batch)
}

// undoTriage takes back what was done together.
func (s *Server) undoTriage(w http.ResponseWriter, r *http.Request, v viewer) error {
	done, err := s.o.Triage.Undo(r.Context(), v.p, clip(r.PostFormValue("batch"), 64))
	if err != nil {
		return err
	}
	code := "back"
	if done.Skipped > 0 {
		code = "back-part"
	}
	return redirect(w, r, withDone(safeNext(r.PostFormValue("back")), code))
}

// addComment writes a comment.
func (s *Server) addComment(w http.ResponseWriter, r *http.Request, v viewer) error {
	id := r.PathValue("id")
	words := r.PostFormValue("text")
	c, err := s.o.Triage.Comment(r.Context(), v.p, id, words, r.PostFormValue("team") == "1")
	if code := fault.CodeOf(err); code == fault.Invalid || code == fault.TooLarge {
		return s.showFamily(w, r, v, id, stateForm{Draft: words, DraftErrors: []string{fault.TextOf(err)}}, http.StatusUnprocessableEntity)
	}
	if err != nil {
		return err
	}
	return redirect(w, r, withDone(familyPath(id), commentCode(c))+"#activity")
}

func commentCode(c triage.Comment) string {
	if len(c.Unknown) > 0 {
		return "names"
	}
	return "comment"
}

// changeComment edits or deletes one's own comment.
func (s *Server) changeComment(w http.ResponseWriter, r *http.Request, v viewer) error {
	back, id := familyPath(r.PathValue("id")), r.PathValue("comment")
	if r.PostFormValue("do") == "delete" {
		if err := s.o.Triage.DeleteComment(r.Context(), v.p, id); err != nil {
			return err
		}
		return redirect(w, r, withDone(back, "gone")+"#activity")
	}
	c, err := s.o.Triage.EditComment(r.Context(), v.p, id, r.PostFormValue("text"))
	if err != nil {
		return err
	}
	return redirect(w, r, withDone(back, commentCode(c))+"#activity")
}

// labelClass is the class of a label's colour.
func labelClass(l triage.Label) string { return "lab c" + strconv.Itoa(l.Colour) }

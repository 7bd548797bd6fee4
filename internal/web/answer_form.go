package web

import (
	"context"
	"net/http"
	"strconv"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

// answerForm is what a family's owner says to everybody, on the family's page.
type answerForm struct {
	answers.Words
	Action  string
	CanEdit bool
	Publish bool // it can be put into the public log now
	Wants   []option
	Errors  []string
	Preview receipt.Answer // what a reporter of the newest release reads
	Head    string
}

// wants are the words for what to send, in the order they are shown.
var wants = []option{{Value: "", Label: "What the state asks for"}, {Value: "full", Label: "Full reports"}, {Value: "counts", Label: "Counts only"}, {Value: "none", Label: "Nothing"}}

// answerOf reads the owner's words for the family's page; nil without the desk.
func (s *Server) answerOf(ctx context.Context, v viewer, f crash.Family) (*answerForm, error) {
	if s.o.Answers == nil {
		return nil, nil
	}
	w, err := s.o.Answers.Words(ctx, s.scope(v), f.ID)
	if err != nil {
		return nil, err
	}
	return s.answerForm(v, f, w), nil
}

func (s *Server) answerForm(v viewer, f crash.Family, w answers.Words) *answerForm {
	a := &answerForm{Words: w, Action: familyPath(f.ID), CanEdit: s.may(v, account.FamilyEdit, familyResource(f)), Publish: f.State == crash.Resolved}
	for _, o := range wants {
		o.Selected = o.Value == string(w.Wanted)
		a.Wants = append(a.Wants, o)
	}
	st := receipt.Standing{State: answers.StateFor(f.State), ResolvedIn: f.ResolvedIn, FixedIn: w.FixedIn, Expected: w.Expected}
	a.Preview = receipt.Tell(&st, f.LastRelease)
	a.Head, _, _, _ = receiptWords(a.Preview)
	return a
}

// sayAnswer changes the owner's words.
func (s *Server) sayAnswer(w http.ResponseWriter, r *http.Request, v viewer) error {
	id := r.PathValue("id")
	f, err := s.familyFor(r, v, id)
	if err != nil {
		return err
	}
	version, _ := strconv.ParseInt(r.PostFormValue("version"), 10, 64)
	words := answers.Words{Family: id, Version: version, Impact: r.PostFormValue("impact"), Expected: r.PostFormValue("expected"), Workaround: r.PostFormValue("workaround"),
		FixedIn: r.PostFormValue("fixed_in"), Wanted: receipt.Wanted(r.PostFormValue("wanted")), Title: r.PostFormValue("title"), Notes: r.PostFormValue("notes")}
	if _, err := s.o.Answers.Say(r.Context(), s.scope(v), words, v.p.Actor()); err != nil {
		switch fault.CodeOf(err) {
		case fault.Invalid, fault.Conflict:
			form := s.answerForm(v, f, words)
			form.Errors = []string{fault.TextOf(err)}
			return s.showFamily(w, r, v, id, stateForm{answer: form}, http.StatusUnprocessableEntity)
		}
		return err
	}
	return redirect(w, r, withDone(familyPath(id), "answered")+"#answer")
}

// familyFor returns a family that the viewer may decide on.
func (s *Server) familyFor(r *http.Request, v viewer, id string) (crash.Family, error) {
	if s.o.Answers == nil {
		return crash.Family{}, notFound("web.family", "Answers are not kept here.")
	}
	d, err := s.o.Desk.Family(r.Context(), s.scope(v), id, crash.Period{})
	if err != nil {
		return crash.Family{}, err
	}
	return d.Family, s.check(v, account.FamilyEdit, familyResource(d.Family))
}

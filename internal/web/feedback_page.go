package web

import (
	"context"
	"net/http"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// feedbackPage is what users wrote, newest first.
type feedbackPage struct {
	Shell
	Period      period
	Tabs        []tab
	Rows        []feedbackRow
	First, Next string
	Empty       empty
}

type feedbackRow struct {
	crash.Feedback
	When stamp
	Href string // the crash
}

func (s *Server) feedbackOf(ctx context.Context, v viewer, f crash.FeedbackFilter) ([]feedbackRow, string, error) {
	f.Contact = func(ext eco.ExtensionID, host string) bool {
		return s.may(v, account.FeedbackContact, subjectResource("feedback", "", registry.Subject{Extension: ext, Host: host}))
	}
	page, err := s.o.Desk.Feedback(ctx, s.scope(v), f)
	if err != nil {
		return nil, "", err
	}
	var out []feedbackRow
	for _, x := range page.Feedback {
		row := feedbackRow{Feedback: x, When: v.at(x.Received)}
		if !x.Crash.IsZero() {
			row.Href = "/crashes/" + x.Crash.String()
		}
		out = append(out, row)
	}
	return out, page.Next, nil
}

func (s *Server) feedback(w http.ResponseWriter, r *http.Request, v viewer) error {
	p := feedbackPage{Shell: s.shell(r, v, "extensions", "Feedback", crumb{"Extensions", "/extensions"}), Period: periodOf(r, v.now),
		Empty: empty{Icon: "mail", Title: "Nobody wrote in these days", Text: "What users write in a client's feedback form shows up here, with the crash it is about, when the project's consent covers support."}}
	f := crash.FeedbackFilter{Period: p.Period.Period, Cursor: r.URL.Query().Get("cursor"), Limit: 50}
	if q := r.URL.Query().Get("extension"); q != "" {
		id, err := eco.ParseExtensionID(q)
		if err != nil {
			return err
		}
		if err := s.check(v, account.FeedbackRead, account.OfExtension("feedback", "", id)); err != nil {
			return err
		}
		e, err := s.o.Registry.Extension(r.Context(), id)
		if err != nil {
			return err
		}
		f.Extension, p.Tabs = id, s.extTabs(v, e, "Feedback")
	}
	var err error
	var next string
	if p.Rows, next, err = s.feedbackOf(r.Context(), v, f); err != nil {
		return err
	}
	if f.Cursor != "" {
		p.First = with(r.URL, "cursor", "")
	}
	if next != "" {
		p.Next = with(r.URL, "cursor", next)
	}
	return s.render(w, r, http.StatusOK, "feedback", p)
}

// sides fills in what an extension's page shows beside its health.
func (s *Server) sides(ctx context.Context, v viewer, p *extensionPage) (err error) {
	if p.Held, err = s.held(ctx, v, registry.Subject{Extension: p.E.ID}); err != nil {
		return err
	}
	if s.may(v, account.FeedbackRead, account.OfExtension("feedback", "", p.E.ID)) {
		p.Feedback, _, err = s.feedbackOf(ctx, v, crash.FeedbackFilter{Period: p.Period.Period, Extension: p.E.ID, Limit: 5})
	}
	return err
}

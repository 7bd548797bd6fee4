package web

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// heldPage is what of a project is held because a burst looked forged, and the
// decision about it.
type heldPage struct {
	Shell
	ID        int64
	Name      string
	Home      string // of the extension; "" for a host
	H         crash.Held
	Since     stamp
	Rows      []heldGroup
	Rule      registry.Quarantine // with its defaults
	Before    string              // decisions are about what this page shows
	CanDecide bool
	Empty     empty
}

type heldGroup struct {
	crash.HeldGroup
	From, Till stamp
	Href       string
}

// heldRow is a project with something held, for other pages.
type heldRow struct {
	crash.HeldSum
	Name, Href string
	Since      stamp
}

func heldPath(project int64) string { return "/projects/" + strconv.FormatInt(project, 10) + "/held" }

// held lists projects with something held; of one subject, or of all.
func (s *Server) held(ctx context.Context, v viewer, of registry.Subject) ([]heldRow, error) {
	if !s.may(v, account.CrashRead, account.List("crash")) {
		return nil, nil
	}
	snap := s.o.Registry.Snapshot()
	var projects []int64
	if of != (registry.Subject{}) {
		projects = []int64{}
		for id, p := range snap.Projects {
			if p.Subject == of {
				projects = append(projects, id)
			}
		}
	}
	sums, err := s.o.Desk.HeldSums(ctx, s.scope(v), projects)
	if err != nil {
		return nil, err
	}
	var out []heldRow
	for _, h := range sums {
		if p := snap.Projects[h.Project]; p != nil {
			out = append(out, heldRow{HeldSum: h, Name: cmp.Or(string(p.Subject.Extension), p.Subject.Host), Href: heldPath(h.Project), Since: v.at(h.First)})
		}
	}
	return out, nil
}

func (s *Server) showHeld(w http.ResponseWriter, r *http.Request, v viewer) error {
	pr, err := s.projectOf(r, v, account.CrashRead)
	if err != nil {
		return err
	}
	p := heldPage{ID: pr.ID, Name: cmp.Or(string(pr.Subject.Extension), pr.Subject.Host), Rule: pr.Quarantine.WithDefaults(), Before: v.now.UTC().Format(time.RFC3339Nano),
		CanDecide: s.o.Worker != nil && s.may(v, account.CrashRelease, subjectResource("crash", "", pr.Subject)),
		Empty:     empty{Icon: "check", Title: "Nothing is held", Text: "Every crash that this project sent in the last 90 days counts. When a burst looks forged, it waits here for a person."}}
	crumbs := []crumb{{"Intake", "/intake"}}
	if pr.Subject.Extension != "" {
		p.Home = "/extensions/" + string(pr.Subject.Extension)
		crumbs = []crumb{{"Extensions", "/extensions"}, {p.Name, p.Home}}
	}
	p.Shell = s.shell(r, v, "intake", p.Name+": held crashes", crumbs...)
	if p.H, err = s.o.Desk.Held(r.Context(), s.scope(v), pr.ID); err != nil {
		return err
	}
	p.Since = v.at(p.H.First)
	for _, g := range p.H.Groups {
		p.Rows = append(p.Rows, heldGroup{g, v.at(g.First), v.at(g.Last), "/crashes/" + g.Newest.String()})
	}
	return s.render(w, r, http.StatusOK, "held", p)
}

func (s *Server) settleHeld(w http.ResponseWriter, r *http.Request, v viewer) error {
	pr, err := s.projectOf(r, v, account.CrashRelease)
	if err != nil {
		return err
	}
	if s.o.Worker == nil {
		return notFound("web.held", "This process has no flow.")
	}
	h := pipeline.Held{Project: pr.ID, Signature: clip(r.PostFormValue("signature"), 64), Actor: v.p.Actor()}
	if h.Before, err = time.Parse(time.RFC3339Nano, r.PostFormValue("before")); err != nil {
		return fault.E("web.held", fault.Invalid, "The form does not say what it was about; open the page again.", nil)
	}
	code := "released"
	switch r.PostFormValue("do") {
	case "release":
		var done pipeline.HeldResult
		if done, err = s.o.Worker.ReleaseHeld(r.Context(), h); done.More {
			code = "released-part"
		}
	case "discard":
		code = "thrown"
		_, err = s.o.Worker.DiscardHeld(r.Context(), h)
	default:
		err = fault.E("web.held", fault.Invalid, "Choose to release or to discard.", nil)
	}
	if err != nil {
		return err
	}
	return redirect(w, r, withDone(heldPath(pr.ID), code))
}

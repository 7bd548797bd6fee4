package web

import (
	"net/http"
	"strconv"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/recipe"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// recipeView is how a family's crashes may be made to happen again.
type recipeView struct {
	recipe.Recipe
	Href  string // of the files
	Run   string // what starts them
	Quiet empty  // when there are too few crashes
}

// mayReproduce says whether somebody may read what single crashes hold.
func (s *Server) mayReproduce(v viewer, f crash.Family) error {
	r := familyResource(f)
	r.Kind = "crash"
	return s.check(v, account.CrashRead, r)
}

// recipeOf is nil for those who may not read single crashes.
func (s *Server) recipeOf(r *http.Request, v viewer, d crash.Detail) (*recipeView, error) {
	if s.mayReproduce(v, d.Family) != nil {
		return nil, nil
	}
	in, err := recipe.Gather(r.Context(), s.scope(v), s.o.Desk, s.o.Suspects, s.o.Registry.Snapshot(), d)
	if err != nil {
		return nil, err
	}
	return recipeViewOf(recipe.Of(in), periodOf(r, v.now)), nil
}

func recipeViewOf(r recipe.Recipe, per period) *recipeView {
	p := &recipeView{Recipe: r, Href: familyPath(r.Family) + "/recipe.zip?days=" + strconv.Itoa(per.Days),
		Quiet: empty{Icon: "clock", Title: "Too few crashes yet", Text: "From " + strconv.Itoa(recipe.MinCrashes) + " crashes on, what they have in common is written down here as files that start a clean host. Look at a longer span, above."}}
	switch r.Kind {
	case recipe.VSCode:
		p.Run = "sh launch.sh"
	case recipe.Blender:
		p.Run = "blender --factory-startup --python repro.py"
	}
	return p
}

// Percent is a share in whole percents.
func (recipeView) Percent(share float64) string { return wholePercent(share) }

func (s *Server) recipeZip(w http.ResponseWriter, r *http.Request, v viewer) error {
	const op = "web.recipeZip"
	d, err := s.o.Desk.Family(r.Context(), s.scope(v), r.PathValue("id"), periodOf(r, v.now).Period)
	if err != nil {
		return err
	}
	if err := s.check(v, account.FamilyRead, familyResource(d.Family)); err != nil {
		return err
	}
	if err := s.mayReproduce(v, d.Family); err != nil {
		return err
	}
	p, err := s.recipeOf(r, v, d)
	if err != nil {
		return err
	}
	if !p.Enough {
		return fault.E(op, fault.NotFound, "Too few crashes of these days for a recipe.", nil)
	}
	body, err := p.Zip()
	if err != nil {
		return fault.Wrap(op, err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="recipe-`+d.ID+`.zip"`) // the id is one of ours: letters, digits, '-'
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, no-store")
	_, err = w.Write(body)
	return err
}

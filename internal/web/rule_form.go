package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// setRule changes when a burst of a project is held. An empty field means the
// usual, which the page shows in its place.
func (s *Server) setRule(w http.ResponseWriter, r *http.Request, v viewer) error {
	pr, err := s.projectOf(r, v, account.ProjectEdit)
	if err != nil {
		return err
	}
	q := registry.Quarantine{All: r.PostFormValue("all") == "1"}
	for _, f := range []struct {
		name, what string
		set        func(float64)
	}{
		{"per_minute", "Crashes in a minute", func(n float64) { q.PerMinute = int(min(n, 1e9)) }},
		{"factor", "Times the hour before", func(n float64) { q.FactorOfHour = n }},
		{"installs", "Share of installs and networks", func(n float64) { q.InstallsBelow = n }},
	} {
		text := strings.ReplaceAll(strings.TrimSpace(r.PostFormValue(f.name)), ",", "")
		if text == "" {
			continue
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !(n >= 0) {
			return s.keyMistake(w, r, v, pr, fault.E("web.setRule", fault.Invalid, f.what+": a number, or nothing for the usual.", err))
		}
		f.set(n)
	}
	version, _ := strconv.ParseInt(r.PostFormValue("version"), 10, 64)
	_, err = s.o.Registry.UpdateProject(r.Context(), v.p.Actor(), registry.Project{ID: pr.ID, Name: pr.Name, Sampling: pr.Sampling, Quarantine: q, Version: version})
	if err != nil {
		return s.keyMistake(w, r, v, pr, err)
	}
	return redirect(w, r, withDone(setupPath(pr.Subject)+"?project="+strconv.FormatInt(pr.ID, 10), "saved"))
}

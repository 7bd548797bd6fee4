package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/dumps"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// dumpView is what the page of a crash says of its minidump; nil when there was none.
type dumpView struct {
	By      string // who unwound it
	Note    string // how far that can be trusted
	Own     bool   // it was unwound here, without rules
	Again   bool   // once more, from the kept dump, when symbols came
	Guessed bool   // a frame was found by scanning
	Kept    bool
	Since   stamp
	Until   stamp
	Size    int64
	Href    string // of the download, for who may
}

func (s *Server) dumpView(ctx context.Context, v viewer, d crash.Document) (*dumpView, error) {
	i := slices.IndexFunc(d.Steps, func(x eco.Step) bool { return x.Stage == "walk" })
	if i < 0 {
		return nil, nil
	}
	out := &dumpView{By: d.Steps[i].Version, Note: d.Steps[i].Note, Own: d.Steps[i].Version == "bellwether"}
	for _, x := range d.Steps[i+1:] {
		if x.Stage == "walk" {
			out.Again, out.Own, out.Note = true, false, x.Note
		}
	}
	if _, counts, cut := strings.Cut(out.Note, ": low trust ("); cut && out.Own { // the head says the rest
		out.Note = strings.TrimSuffix(counts, ")")
	}
	out.Note = strings.ReplaceAll(out.Note, string(eco.TrustFP), trustWord(eco.TrustFP))
	for _, e := range d.Crash.Exceptions {
		out.Guessed = out.Guessed || slices.ContainsFunc(e.Frames, func(f eco.Frame) bool { return f.Trust == eco.TrustScan })
	}
	if s.o.Dumps == nil {
		return out, nil
	}
	kept, ok, err := s.o.Dumps.Of(ctx, d.ID)
	if err != nil || !ok {
		return out, err
	}
	out.Kept, out.Since, out.Until, out.Size = true, v.at(kept.Kept), v.at(kept.Until), kept.Size
	if r, ok := s.dumpResource(kept); ok && s.may(v, account.DumpRead, r) {
		out.Href = "/crashes/" + d.ID.String() + "/dump"
	}
	return out, nil
}

// trustWord is how a frame was found, in words.
func trustWord(t eco.FrameTrust) string { return strings.ReplaceAll(string(t), "_", " ") }

// dumpResource: a dump belongs to its project's own extension or host.
func (s *Server) dumpResource(d dumps.Dump) (account.Resource, bool) {
	p, ok := s.o.Registry.ProjectByID(d.Project)
	if !ok {
		return account.Resource{}, false
	}
	return subjectResource("dump", d.Crash.String(), p.Subject), true
}

// dumpFile downloads a dump. The act is in the audit log before the first byte.
func (s *Server) dumpFile(w http.ResponseWriter, r *http.Request, v viewer) error {
	gone := fault.E("web.dumpFile", fault.NotFound, "There is no dump of this crash, or it is not yours to see.", nil)
	id, err := eco.ParseID(r.PathValue("id"))
	if err != nil || s.o.Dumps == nil {
		return gone
	}
	d, ok, err := s.o.Dumps.Of(r.Context(), id)
	if err != nil {
		return err
	}
	res, known := s.dumpResource(d)
	if !ok || !known {
		return gone
	}
	if err := s.check(v, account.DumpRead, res); err != nil {
		return err
	}
	b, err := s.o.Dumps.Read(r.Context(), v.p.Actor(), id)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", `attachment; filename="`+id.String()+`.dmp"`)
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(b)
	return nil
}

// keepChoices are the days that the form offers.
var keepChoices = []int{0, 1, 3, 7, 14, dumps.MaxDays}

type keepChoice struct {
	Days    int
	Checked bool
}

// keepForm is for how long a project keeps dumps, as the form shows it; nil where
// none are kept by this process.
func (s *Server) keepForm(project int64) []keepChoice {
	if s.o.Dumps == nil {
		return nil
	}
	days, out := s.o.Dumps.Days(project), []keepChoice(nil)
	for _, d := range keepChoices {
		out = append(out, keepChoice{d, d == days})
	}
	if !slices.Contains(keepChoices, days) {
		out = append(out, keepChoice{days, true})
	}
	return out
}

func (s *Server) setDumps(w http.ResponseWriter, r *http.Request, v viewer) error {
	pr, err := s.projectOf(r, v, account.ProjectPolicy)
	if err != nil {
		return err
	}
	days, err := strconv.Atoi(r.PostFormValue("days"))
	if err != nil || s.o.Dumps == nil {
		return fault.E("web.setDumps", fault.Invalid, "For how many days: a number from 0 to 30.", err)
	}
	if err := s.o.Dumps.SetDays(r.Context(), v.p.Actor(), pr.ID, days); err != nil {
		return err
	}
	return redirect(w, r, withDone(projectPath(pr), "saved"))
}

func projectPath(pr registry.Project) string {
	return setupPath(pr.Subject) + "?project=" + strconv.FormatInt(pr.ID, 10)
}

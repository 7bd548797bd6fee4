package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// familyTriage is what people decide with on a family's page.
type familyTriage struct {
	Waiting   *waiting
	Rating    *rating
	Near      []nearRow
	Apart     []apartRow
	Regrouped []regroupRow
}

// regroupRow is a merge or split in a family's history.
type regroupRow struct {
	crash.Regrouping
	When stamp
	Who  string
	Text string
	Undo string // the address that takes it back; "" when that cannot be done
}

func (v viewer) regroupRows(d crash.Detail, name func(string) string, may bool) []regroupRow {
	var out []regroupRow
	for _, g := range d.Regrouped {
		r := regroupRow{Regrouping: g, When: v.at(g.At), Who: name(g.Actor)}
		many := num(int64(len(g.Signatures))) + " " + plural(len(g.Signatures), "signature", "signatures")
		switch {
		case g.Kind == crash.KindMerge && g.Family == d.ID:
			r.Text = "merged " + strings.Join(g.Parts, ", ") + " into this one"
		case g.Kind == crash.KindMerge:
			r.Text = "merged " + strings.Join(g.Parts, ", ") + " into " + g.Family
		case g.Family == d.ID:
			r.Text = "split this off " + strings.Join(g.Parts, ", ") + ", " + many
		default:
			r.Text = "split " + many + " off, as " + g.Family
		}
		if may && !g.Undone {
			r.Undo = familyPath(d.ID) + "/regroup/undo"
		}
		out = append(out, r)
	}
	return out
}

// nearRow is a family that a person may want to merge.
type nearRow struct {
	crash.Nearby
	Score string
	Href  string
	Merge string
}

func nearRows(d crash.Detail) []nearRow {
	var out []nearRow
	for _, n := range d.Nearby {
		out = append(out, nearRow{Nearby: n, Score: similarity(n.Score), Href: familyPath(n.Family), Merge: mergePath(d.ID, n.Family)})
	}
	return out
}

// apartRow is a family that somebody said is not this one.
type apartRow struct {
	crash.Apart
	Who  string
	When stamp
}

func (v viewer) apartRows(d crash.Detail, name func(string) string) []apartRow {
	var out []apartRow
	for _, a := range d.Apart {
		out = append(out, apartRow{a, name(a.Actor), v.at(a.At)})
	}
	return out
}

// keepApart says that two families have not one cause, or takes that back.
func (s *Server) keepApart(w http.ResponseWriter, r *http.Request, v viewer) error {
	id, other := r.PathValue("id"), clip(r.PostFormValue("other"), 64)
	for _, x := range []string{id, other} {
		if _, err := s.editable(r, v, x); err != nil {
			return err
		}
	}
	done, err := "apart", error(nil)
	if r.PostFormValue("do") == "back" {
		done, err = "apart-back", s.o.Desk.UndoApart(r.Context(), s.scope(v), id, other, v.p.ID)
	} else {
		err = s.o.Desk.KeepApart(r.Context(), s.scope(v), id, other, clip(r.PostFormValue("note"), 1000), v.p.ID)
	}
	if err != nil && fault.CodeOf(err) != fault.Conflict {
		return err
	}
	return redirect(w, r, withDone(familyPath(id), done))
}

func similarity(score float64) string { return strconv.FormatFloat(score, 'f', 2, 64) }

func mergePath(ids ...string) string { return "/crashes/merge?" + url.Values{"id": ids}.Encode() }

// mergePage shows what a merge would do.
type mergePage struct {
	Shell
	IDs    []string
	Into   []option
	More   string // what was typed as another family
	Note   string
	G      *crash.Regrouping
	Alike  []likeView
	Errors []string
	Fatal  bool // it cannot be done so
}

type likeView struct {
	crash.Likeness
	View *togetherView
}

// alongWord is what comes along with a merge, as a heading.
func alongWord(kind string) string {
	switch kind {
	case "team":
		return "Team"
	case "person":
		return "Given to"
	case "label":
		return "Label"
	}
	return "Watcher"
}

// Like reports whether the rules would have put them together.
func (l likeView) Like() bool { return l.Score >= 0 }

func (s *Server) mergeForm(w http.ResponseWriter, r *http.Request, v viewer) error {
	return s.showMerge(w, r, v, r.URL.Query(), nil, http.StatusOK)
}

// showMerge renders the preview of what the form or the list named.
func (s *Server) showMerge(w http.ResponseWriter, r *http.Request, v viewer, in url.Values, errs []string, status int) error {
	m, more := mergeOf(in)
	p := mergePage{IDs: append([]string{m.Into}, m.Families...), More: more, Note: m.Note, Errors: errs}
	p.Shell = s.shell(r, v, "crashes", "Merge families", crumb{"Crashes", "/crashes"})
	if m.Into == "" {
		p.IDs = nil
		return s.render(w, r, status, "merge", p)
	}
	for _, id := range slices.Clone(p.IDs) {
		d, err := s.editable(r, v, id)
		if typed := strings.TrimPrefix(more, "/families/"); fault.CodeOf(err) == fault.NotFound && id == typed && id != m.Into {
			// A slip of the pen; what was chosen stays chosen.
			gone := func(x string) bool { return x == id }
			p.IDs, m.Families = slices.DeleteFunc(p.IDs, gone), slices.DeleteFunc(m.Families, gone)
			p.Errors, status = append(p.Errors, "There is no family "+id+", or it is not yours to change."), http.StatusUnprocessableEntity
			continue
		}
		if err != nil {
			return err
		}
		p.Into = append(p.Into, option{d.ID, v.famRow(d.Family, v.now).Short + " (" + d.ID + ")", d.ID == m.Into})
	}
	if len(m.Families) == 0 {
		return s.render(w, r, status, "merge", p)
	}
	g, err := s.o.Desk.PreviewMerge(r.Context(), s.scope(v), m)
	switch code := fault.CodeOf(err); {
	case code == fault.Invalid, code == fault.Conflict, code == fault.Forbidden, code == fault.TooLarge:
		p.Errors, p.Fatal, status = append(p.Errors, fault.TextOf(err)), true, http.StatusUnprocessableEntity
	case err != nil:
		return err
	default:
		p.G = &g
		for _, a := range g.Alike {
			p.Alike = append(p.Alike, likeView{a, togetherOf(crash.Together{Score: a.Score, Matched: a.Matched, OnlyHere: a.Left, OnlyThere: a.Right}, eco.ID{})})
		}
	}
	return s.render(w, r, status, "merge", p)
}

// mergeOf reads which families are meant: those ticked, one more that was typed,
// and the one that the others go into (else the first).
func mergeOf(in url.Values) (m crash.Merge, more string) {
	more = clip(in.Get("more"), 64)
	var ids []string
	for _, id := range append(slices.Clone(in["id"]), more) {
		id = strings.TrimPrefix(clip(id, 64), "/families/")
		if id != "" && !slices.Contains(ids, id) && len(ids) <= crash.MaxMerge {
			ids = append(ids, id)
		}
	}
	m.Note = clip(in.Get("note"), 1000)
	if into := clip(in.Get("into"), 64); slices.Contains(ids, into) {
		m.Into = into
	} else if len(ids) > 0 {
		m.Into = ids[0]
	}
	for _, id := range ids {
		if id != m.Into {
			m.Families = append(m.Families, id)
		}
	}
	return m, more
}

// editable is a family that the viewer may change.
func (s *Server) editable(r *http.Request, v viewer, id string) (crash.Detail, error) {
	d, err := s.o.Desk.Family(r.Context(), s.scope(v), id, crash.Period{})
	if err != nil {
		return d, err
	}
	return d, s.check(v, account.FamilyEdit, familyResource(d.Family))
}

func (s *Server) merge(w http.ResponseWriter, r *http.Request, v viewer) error {
	if err := r.ParseForm(); err != nil {
		return fault.E("web.merge", fault.Invalid, "The form cannot be read.", err)
	}
	m, _ := mergeOf(r.PostForm)
	for _, id := range append([]string{m.Into}, m.Families...) {
		if _, err := s.editable(r, v, id); err != nil {
			return err
		}
	}
	m.Actor = v.p.ID
	g, err := s.o.Desk.Merge(r.Context(), s.scope(v), m)
	if code := fault.CodeOf(err); code == fault.Invalid || code == fault.Conflict || code == fault.Forbidden || code == fault.TooLarge {
		return s.showMerge(w, r, v, r.PostForm, []string{fault.TextOf(err)}, http.StatusUnprocessableEntity)
	}
	if err != nil {
		return err
	}
	return redirect(w, r, withDone(familyPath(g.Family), "merged"))
}

func (s *Server) undoRegroup(w http.ResponseWriter, r *http.Request, v viewer) error {
	id := r.PathValue("id")
	if _, err := s.editable(r, v, id); err != nil {
		return err
	}
	g, err := s.o.Desk.Unmerge(r.Context(), s.scope(v), id, r.PostFormValue("change"), v.p.ID)
	if err != nil {
		return err
	}
	to := g.Family
	if g.Kind == crash.KindSplit {
		to = g.Parts[0]
	}
	return redirect(w, r, withDone(familyPath(to), "regrouped"))
}

// splitPage chooses signatures of a family and shows what splitting them off would do.
type splitPage struct {
	Shell
	ID         string
	Signatures int // that it has, of all time
	Rows       []splitRow
	Containing string
	Note       string
	G          *crash.Regrouping
	Errors     []string
}

type splitRow struct {
	crash.SignatureInfo
	Chosen bool
}

func (s *Server) splitForm(w http.ResponseWriter, r *http.Request, v viewer) error {
	return s.showSplit(w, r, v, r.URL.Query(), nil, http.StatusOK)
}

func splitOf(id string, in url.Values) crash.Split {
	sp := crash.Split{Family: id, Containing: clip(in.Get("containing"), 200), Note: clip(in.Get("note"), 1000)}
	for _, h := range in["signature"] {
		if len(sp.Signatures) <= crash.MaxSplit {
			sp.Signatures = append(sp.Signatures, clip(h, 64))
		}
	}
	return sp
}

func (s *Server) showSplit(w http.ResponseWriter, r *http.Request, v viewer, in url.Values, errs []string, status int) error {
	d, err := s.editable(r, v, r.PathValue("id"))
	if err != nil {
		return err
	}
	sp := splitOf(d.ID, in)
	p := splitPage{ID: d.ID, Signatures: d.Signatures, Containing: sp.Containing, Note: sp.Note, Errors: errs}
	f := v.famRow(d.Family, v.now)
	p.Shell = s.shell(r, v, "crashes", "Split a family", crumb{"Crashes", "/crashes"}, crumb{f.Short, familyPath(d.ID)})
	chosen := sp.Signatures
	if len(sp.Signatures) > 0 || sp.Containing != "" {
		g, err := s.o.Desk.PreviewSplit(r.Context(), s.scope(v), sp)
		switch code := fault.CodeOf(err); {
		case code == fault.Invalid, code == fault.Conflict, code == fault.TooLarge:
			if !slices.Contains(p.Errors, fault.TextOf(err)) {
				p.Errors = append(p.Errors, fault.TextOf(err))
			}
			status = http.StatusUnprocessableEntity
		case err != nil:
			return err
		default:
			p.G, chosen = &g, g.Signatures
		}
	}
	for _, sig := range d.List {
		p.Rows = append(p.Rows, splitRow{sig, slices.Contains(chosen, sig.Hash)})
	}
	return s.render(w, r, status, "split", p)
}

func (s *Server) split(w http.ResponseWriter, r *http.Request, v viewer) error {
	if err := r.ParseForm(); err != nil {
		return fault.E("web.split", fault.Invalid, "The form cannot be read.", err)
	}
	d, err := s.editable(r, v, r.PathValue("id"))
	if err != nil {
		return err
	}
	sp := splitOf(d.ID, r.PostForm)
	sp.Actor = v.p.ID
	g, err := s.o.Desk.Split(r.Context(), s.scope(v), sp)
	if code := fault.CodeOf(err); code == fault.Invalid || code == fault.Conflict || code == fault.TooLarge {
		return s.showSplit(w, r, v, r.PostForm, []string{fault.TextOf(err)}, http.StatusUnprocessableEntity)
	}
	if err != nil {
		return err
	}
	return redirect(w, r, withDone(familyPath(g.Family), "split"))
}

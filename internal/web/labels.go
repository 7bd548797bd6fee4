package web

import (
	"net/http"
	"net/url"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash/triage"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// labelsPage is the vocabulary of labels.
type labelsPage struct {
	settingsShell
	Groups []labelGroup
	Owners []option // whose labels the viewer keeps
	Edit   labelForm
	Gone   []goneRow // what can be brought back
	Errors []string
	Empty  empty
}

// goneRow is a label that was deleted or merged.
type goneRow struct {
	triage.Gone
	Into  string // name of the label that it became part of
	When  stamp
	Until stamp
}

// labelGroup is one owner's labels.
type labelGroup struct {
	Owner string // a publisher; "" = the ecosystem's
	Mine  bool
	Rows  []labelRow
}

type labelRow struct {
	triage.Word
	Href string // families that wear it
	Edit string
}

// labelForm is a label that is made or changed.
type labelForm struct {
	triage.Word
	Colours []colourChoice
	Into    []option // labels that it can be merged into
}

// colourChoice is a colour of the palette with its word.
type colourChoice struct {
	N      int
	Name   string
	Chosen bool
}

var colourNames = [triage.Colours]string{"blue", "orange", "green", "pink", "yellow", "sky", "grey", "ink"}

func (s *Server) labels(w http.ResponseWriter, r *http.Request, v viewer) error {
	return s.showLabels(w, r, v, triage.Label{ID: clip(r.URL.Query().Get("edit"), 64)}, nil, http.StatusOK)
}

// showLabels renders the vocabulary; form is what is in the form, with errors when
// it was not taken.
func (s *Server) showLabels(w http.ResponseWriter, r *http.Request, v viewer, form triage.Label, errs []string, status int) error {
	p := labelsPage{settingsShell: s.settings(r, v, "Labels", "Labels"), Errors: errs, Edit: labelForm{Word: triage.Word{Label: form}},
		Empty: empty{Icon: "info", Title: "No labels yet", Text: "A label is a word that families are found by: needs a repro, bad release, docs. Make the first one here, or on the page of a family."}}
	list, err := s.o.Triage.Vocabulary(r.Context(), v.p)
	if err != nil {
		return err
	}
	at := map[string]int{}
	for _, x := range list {
		i, ok := at[x.Owner]
		if !ok {
			i = len(p.Groups)
			at[x.Owner] = i
			p.Groups = append(p.Groups, labelGroup{Owner: x.Owner, Mine: x.Mine})
		}
		row := labelRow{Word: x, Href: "/crashes?" + url.Values{"labelled": {x.ID}, "state": {"all"}}.Encode()}
		if x.Mine {
			row.Edit = "/settings/labels?" + url.Values{"edit": {x.ID}}.Encode() + "#label-form"
		}
		p.Groups[i].Rows = append(p.Groups[i].Rows, row)
		if x.Mine && x.ID == form.ID {
			p.Edit.Word = x
			if len(errs) > 0 {
				p.Edit.Label = form
			}
		}
	}
	gone, err := s.o.Triage.GoneLabels(r.Context(), v.p)
	if err != nil {
		return err
	}
	for _, g := range gone {
		row := goneRow{Gone: g, When: v.at(g.At), Until: v.at(g.Until)}
		for _, x := range list {
			if x.ID == g.Merged {
				row.Into = x.Name
			}
		}
		p.Gone = append(p.Gone, row)
	}
	if p.Edit.ID != "" && !p.Edit.Mine {
		return notFound("web.labels", "There is no such label of yours.")
	}
	for _, x := range list {
		if x.ID != p.Edit.ID && x.Owner == p.Edit.Owner {
			p.Edit.Into = append(p.Edit.Into, option{x.ID, x.Name, false})
		}
	}
	for i, name := range colourNames {
		p.Edit.Colours = append(p.Edit.Colours, colourChoice{i, name, i == p.Edit.Colour})
	}
	for _, o := range s.o.Triage.Owners(v.p) {
		word := "everybody's"
		if o != "" {
			word = "of " + o
		}
		p.Owners = append(p.Owners, option{o, word, o == p.Edit.Owner})
	}
	return s.render(w, r, status, "labels", p)
}

// saveLabel makes or changes a label.
func (s *Server) saveLabel(w http.ResponseWriter, r *http.Request, v viewer) error {
	l := triage.Label{ID: clip(r.PostFormValue("id"), 64), Owner: clip(r.PostFormValue("owner"), 64), Name: clip(r.PostFormValue("name"), 64), About: clip(r.PostFormValue("about"), 200), Colour: number(r.PostFormValue("colour"))}
	_, err := s.o.Triage.PutLabel(r.Context(), v.p, l)
	return s.labelled(w, r, v, l, "saved", err)
}

// changeLabel merges a label into another one, deletes it, or brings it back.
func (s *Server) changeLabel(w http.ResponseWriter, r *http.Request, v viewer) error {
	id := r.PathValue("id")
	switch r.PostFormValue("do") {
	case "delete":
		return s.labelled(w, r, v, triage.Label{ID: id}, "label-gone", s.o.Triage.DeleteLabel(r.Context(), v.p, id))
	case "restore":
		_, err := s.o.Triage.RestoreLabel(r.Context(), v.p, id)
		if fault.CodeOf(err) == fault.Conflict {
			return s.showLabels(w, r, v, triage.Label{}, []string{fault.TextOf(err)}, http.StatusConflict)
		}
		return s.labelled(w, r, v, triage.Label{}, "label-back", err)
	}
	return s.labelled(w, r, v, triage.Label{ID: id}, "labels-one", s.o.Triage.MergeLabels(r.Context(), v.p, id, clip(r.PostFormValue("into"), 64)))
}

func (s *Server) labelled(w http.ResponseWriter, r *http.Request, v viewer, l triage.Label, code string, err error) error {
	switch fault.CodeOf(err) {
	case "":
		return redirect(w, r, "/settings/labels?done="+code)
	case fault.Invalid, fault.Conflict:
		if r.PostFormValue("name") == "" { // it was not the form of the label itself
			l = triage.Label{ID: l.ID}
			if all, verr := s.o.Triage.Labels(r.Context(), v.p); verr == nil {
				for _, x := range all {
					if x.ID == l.ID {
						l = x
					}
				}
			}
		}
		return s.showLabels(w, r, v, l, []string{fault.TextOf(err)}, http.StatusUnprocessableEntity)
	}
	return err
}

// keepsLabels reports whether the tab of labels is of use to the viewer.
func (s *Server) keepsLabels(v viewer) bool {
	return s.may(v, account.FamilyRead, account.List("family"))
}

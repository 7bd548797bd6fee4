package web

import (
	"net/http"
	"slices"
	"sync"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/diagnosis"
	"github.com/bellwether-project/bellwether/internal/crash/priority"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// rating is how urgent a family is and what it looks like, with the reasons.
type rating struct {
	crash.Rated
	Band      string
	Overruled *crash.Overruled
	Who       string
	When      stamp
	Sure      string
	Bands     []option
	Errors    []string
	Past      []pastRank // words that hold no more
}

// pastRank is a priority that was set by hand, or by the rules, once.
type pastRank struct {
	crash.Overruled
	Who, Ended string
	From, Till stamp
}

func (v viewer) ratingOf(d crash.Detail, name func(string) string) *rating {
	if d.Rated == nil {
		return nil
	}
	r := &rating{Rated: *d.Rated, Band: d.Priority, Overruled: d.Overruled, Sure: part(d.Rated.Diagnosis.Confidence)}
	if o := d.Overruled; o != nil {
		r.Who, r.When = name(o.Actor), v.at(o.At)
	}
	for _, o := range d.Overrules {
		if o.Ended.IsZero() {
			continue
		}
		p := pastRank{Overruled: o, Who: name(o.Actor), From: v.at(o.At), Till: v.at(o.Ended), Ended: name(o.EndedBy) + " took it back"}
		for _, next := range d.Overrules {
			if next.At.Equal(o.Ended) {
				p.Ended = name(next.Actor) + " said " + next.Band
			}
		}
		r.Past = append(r.Past, p)
	}
	for _, b := range priority.Bands {
		r.Bands = append(r.Bands, option{b, b + ", " + bandWords[b], b == d.Priority})
	}
	return r
}

var bandWords = map[string]string{"P1": "now", "P2": "soon", "P3": "when there is time", "P4": "perhaps never"}

// BandClass is the colour of a priority beside its word.
func (f famRow) BandClass() string { return bandClass(f.Priority) }

func (r rating) BandClass() string { return bandClass(r.Band) }

func bandClass(b string) string {
	switch b {
	case "P1":
		return "bad"
	case "P2":
		return "warn"
	case "P3":
		return "info"
	}
	return ""
}

// LabelTitle is what the crash looks like, in words.
func (f famRow) LabelTitle() string {
	if f.Label == "" || f.Label == diagnosis.Unknown {
		return ""
	}
	return labels().Title(f.Label)
}

var labels = sync.OnceValue(diagnosis.Load)

// rateOptions fills the two lists of the filter.
func rateOptions(f crash.Filter) (bands, names []option) {
	for _, b := range priority.Bands {
		bands = append(bands, option{b, b + ", " + bandWords[b], b == f.Priority})
	}
	ids, titles := labels().Labels()
	for i := range ids {
		names = append(names, option{ids[i], titles[i], ids[i] == f.Label})
	}
	return bands, names
}

func (s *Server) overrule(w http.ResponseWriter, r *http.Request, v viewer) error {
	d, err := s.editable(r, v, r.PathValue("id"))
	if err != nil {
		return err
	}
	band := r.PostFormValue("priority")
	if !slices.Contains(priority.Bands, band) {
		band = ""
	}
	err = s.o.Desk.Overrule(r.Context(), s.scope(v), d.ID, band, clip(r.PostFormValue("reason"), 1000), v.p.ID)
	if code := fault.CodeOf(err); code == fault.Invalid || code == fault.Conflict {
		return s.showFamily(w, r, v, d.ID, stateForm{Errors: []string{fault.TextOf(err)}}, http.StatusUnprocessableEntity)
	}
	if err != nil {
		return err
	}
	return redirect(w, r, withDone(familyPath(d.ID), "priority"))
}

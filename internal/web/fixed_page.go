package web

import (
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// fixedPage is the public log, newest first.
type fixedPage struct {
	Shell
	Q, Subject  string
	Name        string // of the subject
	Rows        []fixedRow
	First, Next string
	Feed        string
	Empty       empty
}

type fixedRow struct {
	answers.Fix
	Href  string
	About string
	When  stamp
}

// fixedOnePage is one entry.
type fixedOnePage struct {
	Shell
	E       answers.ProvenFix
	About   string
	When    stamp
	Updated stamp
	Before  string
	After   string
	How     string
	Class   string
	JSON    string
}

// sureWords say how sure we are.
var sureWords = map[string][2]string{"sure": {"We are sure", "ok"}, "likely": {"Likely", "info"}, "early": {"Too early to say", ""}}

func (s *Server) fixedFilter(r *http.Request) (answers.FixedFilter, error) {
	if s.o.Answers == nil {
		return answers.FixedFilter{}, notFound("web.fixed", "There is no public log here.")
	}
	q := r.URL.Query()
	f := answers.FixedFilter{Query: clip(q.Get("q"), 200), Cursor: clip(q.Get("cursor"), 64), Subject: clip(q.Get("extension"), 128)}
	return f, s.spend(r, "fixed", readRate, readBurst)
}

func (s *Server) fixed(w http.ResponseWriter, r *http.Request) error {
	f, err := s.fixedFilter(r)
	if err != nil {
		return err
	}
	list, err := s.o.Answers.Fixed(r.Context(), f)
	if err != nil {
		return err
	}
	p := fixedPage{Shell: s.public(r, "fixed", "Fixed"), Q: f.Query, Subject: f.Subject, Feed: "/fixed.atom",
		Empty: empty{Icon: "check", Title: "Nothing is published yet", Text: "When an owner resolves a crash and publishes it, it stands here, with how often it came before and after."}}
	if f.Query != "" || f.Subject != "" {
		p.Empty = empty{Icon: "search", Title: "Nothing fits", Text: "Try fewer words, or look at everything.", Href: "/fixed", Do: "Everything that was fixed"}
	}
	if f.Subject != "" {
		p.Name = s.subjectName(eco.Ref{Kind: "extension", ID: f.Subject})
		p.Feed += "?extension=" + url.QueryEscape(f.Subject)
	}
	for _, e := range list.Entries {
		p.Rows = append(p.Rows, fixedRow{e, "/fixed/" + e.ID, s.subjectName(e.Subject), stamp{e.Published, s.o.Now()}})
	}
	if list.Next != "" {
		p.Next = with(r.URL, "cursor", list.Next)
	}
	if f.Cursor != "" {
		p.First = with(r.URL, "cursor", "")
	}
	w.Header().Set("Cache-Control", "public, max-age=30")
	return s.render(w, r, http.StatusOK, "fixed", p)
}

func (s *Server) subjectName(ref eco.Ref) string {
	if ref.Kind == "host" {
		return s.hostName(ref.ID, "")
	}
	return s.extName(eco.ExtensionID(ref.ID))
}

func (s *Server) fixedOne(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.fixedFilter(r); err != nil {
		return err
	}
	e, err := s.o.Answers.FixedOne(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "fixed-one", s.fixedOneOf(e, s.o.Now(), s.public(r, "fixed", e.Title), s.subjectName(e.Subject)))
}

func (s *Server) fixedOneOf(e answers.ProvenFix, now time.Time, sh Shell, about string) fixedOnePage {
	p := fixedOnePage{Shell: sh, E: e, About: about, When: stamp{e.Published, now}, Updated: stamp{e.Fix.Updated, now}, Before: e.Before.Text(), After: e.After.Text()}
	p.How, p.Class = sureWords[e.Sure][0], sureWords[e.Sure][1]
	p.JSON = "/api/v1/fixed/" + e.ID
	return p
}

// fixedJSON is the public log for machines, with the proof of each entry.
func (s *Server) fixedJSON(w http.ResponseWriter, r *http.Request) error {
	f, err := s.fixedFilter(r)
	if err != nil {
		return err
	}
	f.Limit = 25
	list, err := s.o.Answers.Fixed(r.Context(), f)
	if err != nil {
		return err
	}
	out := struct {
		Items []answers.ProvenFix `json:"items"`
		Next  string              `json:"next,omitempty"`
	}{Items: []answers.ProvenFix{}}
	for _, e := range list.Entries {
		one, err := s.o.Answers.FixedOne(r.Context(), e.ID)
		if fault.CodeOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		out.Items = append(out.Items, one)
	}
	if list.Next != "" {
		out.Next = s.base(r).String() + with(r.URL, "cursor", list.Next)
	}
	return s.feed(w, r, "application/json; charset=utf-8", func() ([]byte, error) { return json.Marshal(out) })
}

// feed answers with a body that everybody may read, from any site.
func (s *Server) feed(w http.ResponseWriter, r *http.Request, kind string, make func() ([]byte, error)) error {
	body, err := make()
	if err != nil {
		return fault.E("web.feed", fault.Internal, "", err)
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "public, max-age=30")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
	return nil
}

// publishFamily and unpublishFamily put a family into the public log, and take it out.
func (s *Server) publishFamily(w http.ResponseWriter, r *http.Request, v viewer) error {
	id := r.PathValue("id")
	d, err := s.familyFor(r, v, id)
	if err != nil {
		return err
	}
	code := "published"
	if r.PostFormValue("do") == "unpublish" {
		code, err = "unpublished", s.o.Answers.Unpublish(r.Context(), s.scope(v), id, v.p.Actor())
	} else {
		_, err = s.o.Answers.Publish(r.Context(), s.scope(v), id, v.p.Actor())
	}
	switch fault.CodeOf(err) {
	case "":
		return redirect(w, r, withDone(familyPath(id), code)+"#answer")
	case fault.Conflict, fault.Invalid:
		words, werr := s.o.Answers.Words(r.Context(), s.scope(v), id)
		if werr != nil {
			return werr
		}
		form := s.answerForm(v, d, words)
		form.Errors = []string{fault.TextOf(err)}
		return s.showFamily(w, r, v, id, stateForm{answer: form}, http.StatusUnprocessableEntity)
	}
	return err
}

// safeHTML is Markdown for a feed.
func safeHTML(parts ...string) (template.HTML, error) {
	var out strings.Builder
	for _, p := range parts {
		h, err := markdown(p)
		if err != nil {
			return "", err
		}
		out.WriteString(string(h))
	}
	return template.HTML(out.String()), nil
}

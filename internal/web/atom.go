package web

import (
	"encoding/xml"
	"html"
	"net/http"
	"net/url"
	"time"

	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// The feed of the public log, RFC 4287 and RFC 5005. It is written by hand:
// gorilla/feeds knows one link of a feed (self and prev-archive are needed beside
// alternate) and writes a category as text, where the RFC wants the attribute term.

type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Sub     string      `xml:"subtitle"`
	Updated string      `xml:"updated"`
	Links   []atomLink  `xml:"link"`
	Author  atomAuthor  `xml:"author"`
	Entries []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomAuthor struct {
	Name string `xml:"name"`
}

type atomEntry struct {
	ID        string       `xml:"id"`
	Title     string       `xml:"title"`
	Published string       `xml:"published"`
	Updated   string       `xml:"updated"`
	Links     []atomLink   `xml:"link"`
	Category  atomCategory `xml:"category"`
	Content   atomContent  `xml:"content"`
}

type atomCategory struct {
	Term  string `xml:"term,attr"`
	Label string `xml:"label,attr,omitempty"`
}

type atomContent struct {
	Type string `xml:"type,attr"`
	Body string `xml:",chardata"`
}

func (s *Server) fixedAtom(w http.ResponseWriter, r *http.Request) error {
	f, err := s.fixedFilter(r)
	if err != nil {
		return err
	}
	f.Limit = 25
	list, err := s.o.Answers.Fixed(r.Context(), f)
	if err != nil {
		return err
	}
	feed, err := s.atomOf(s.base(r), r.URL, f, list)
	if err != nil {
		return err
	}
	return s.feed(w, r, "application/atom+xml; charset=utf-8", func() ([]byte, error) {
		body, err := xml.MarshalIndent(feed, "", " ")
		return append([]byte(xml.Header), body...), err
	})
}

// atomOf lays a part of the log out. Identifiers are tag URIs: host, day of the
// first publication, id; they never change.
func (s *Server) atomOf(base, self *url.URL, f answers.FixedFilter, list answers.FixedPage) (atomFeed, error) {
	feed := atomFeed{ID: "tag:" + base.Hostname() + ",2026:fixed", Title: "Fixed", Sub: "Crashes that were fixed, as their owners publish them", Author: atomAuthor{"Bellwether at " + base.Host}}
	page := "/fixed"
	if f.Subject != "" {
		name := s.subjectName(eco.Ref{Kind: "extension", ID: f.Subject})
		feed.ID, feed.Title = feed.ID+":"+f.Subject, "Fixed: "+name
		page += "?extension=" + url.QueryEscape(f.Subject)
	}
	feed.Links = []atomLink{{"self", "application/atom+xml", base.String() + self.RequestURI()}, {"alternate", "text/html", base.String() + page}}
	if list.Next != "" {
		feed.Links = append(feed.Links, atomLink{"prev-archive", "application/atom+xml", base.String() + with(self, "cursor", list.Next)})
	}
	newest := time.Unix(0, 0)
	for _, e := range list.Entries {
		if e.Updated.After(newest) {
			newest = e.Updated
		}
		about := s.subjectName(e.Subject)
		words, err := safeHTML(e.Notes, e.Workaround)
		if err != nil {
			return feed, err
		}
		feed.Entries = append(feed.Entries, atomEntry{
			ID: "tag:" + base.Hostname() + "," + e.Published.UTC().Format(time.DateOnly) + ":fixed/" + e.ID, Title: about + ": " + e.Title,
			Published: e.Published.UTC().Format(time.RFC3339), Updated: e.Updated.UTC().Format(time.RFC3339),
			Links: []atomLink{{"alternate", "text/html", base.String() + "/fixed/" + e.ID}}, Category: atomCategory{e.Subject.ID, about},
			Content: atomContent{"html", "<p>Fixed in " + html.EscapeString(e.FixedIn) + "; seen in " + html.EscapeString(e.Affected) + ".</p><p>" + html.EscapeString(e.Sentence) + "</p>" + string(words)},
		})
	}
	feed.Updated = newest.UTC().Format(time.RFC3339)
	return feed, nil
}

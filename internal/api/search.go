package api

import (
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/query"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// found is what the search box of the pages finds.
type found struct {
	Crash      eco.ID         `json:"crash,omitzero" doc:"The crash, when the words are its id or its client's."`
	Extensions []foundExt     `json:"extensions" doc:"Extensions whose id or name contains the words, at most 8."`
	Families   []crash.Family `json:"families" doc:"Families of the last 90 days, most crashes first, at most 20."`
	Total      int            `json:"total" doc:"Families that match."`
}

type foundExt struct {
	ID   eco.ExtensionID `json:"id"`
	Name string          `json:"name"`
}

const (
	maxFoundExt = 8
	maxFoundFam = 20
	searchDays  = 90
)

func (s *Server) searchRoutes() {
	type search struct {
		Q string `query:"q" required:"true" minLength:"1" maxLength:"400" doc:"An id, words of titles, messages and frames, or a search as in GET /search/keys."`
	}
	add(s, op{Method: "GET", Path: "/search", ID: "search.get", Action: account.ExtensionRead, Doc: "Extensions, families and crashes by id or words: the search box of the pages."}, listed[search]("extension"),
		func(c *call, in *search) (found, error) {
			out := found{Extensions: s.extensionsLike(c, in.Q), Families: []crash.Family{}}
			scope := c.scope()
			if !c.may(account.FamilyRead, account.List("family")) {
				return out, nil
			}
			if _, err := eco.ParseID(in.Q); err == nil {
				d, err := s.o.Desk.Crash(c.ctx, scope, in.Q)
				if err == nil {
					out.Crash = d.ID
				} else if code := fault.CodeOf(err); code != fault.NotFound && code != fault.Invalid {
					return out, err
				}
			}
			now := s.o.Now()
			page, err := s.o.Desk.Families(c.ctx, scope, crash.Filter{Period: crash.Period{From: eco.DayOf(now).Time().AddDate(0, 0, 1-searchDays)}, Query: in.Q, Limit: maxFoundFam, Brief: true})
			out.Families, out.Total = listOf(page.Families, "").Items, page.Total
			return out, err
		})
}

// searchKey is something to search by.
type searchKey query.Key

// completion is how a search that is being typed may go on.
type completion struct {
	From  int                `json:"from" doc:"First byte of the text that a suggestion replaces."`
	To    int                `json:"to" doc:"The byte behind the last."`
	Items []query.Suggestion `json:"items"`
}

func (s *Server) completionRoutes() {
	add(s, op{Method: "GET", Path: "/search/keys", ID: "search.keys", Action: account.FamilyRead, Doc: "What one can search crashes by. All terms of a search hold at once; ! before a term: it does not hold; key:[a, b]: one of these; * stands for any text; > >= < <= compare."}, listed[struct{}]("family"),
		func(*call, *struct{}) (list[searchKey], error) {
			items := make([]searchKey, len(query.Keys))
			for i, k := range query.Keys {
				items[i] = searchKey(k)
			}
			return listOf(items, ""), nil
		})
	type typed struct {
		Q  string `query:"q" maxLength:"400"`
		At int    `query:"at" default:"400" minimum:"0" doc:"Where one types, in bytes; absent: at the end."`
	}
	add(s, op{Method: "GET", Path: "/search/complete", ID: "search.complete", Action: account.FamilyRead, Doc: "How a search may go on; values are those of the last 30 days."}, listed[typed]("family"),
		func(c *call, in *typed) (completion, error) {
			from, to, items, err := s.o.Desk.Complete(c.ctx, c.scope(), in.Q, in.At)
			return completion{from, to, listOf(items, "").Items}, err
		})
}

// extensionsLike finds extensions that the caller may see.
func (s *Server) extensionsLike(c *call, q string) []foundExt {
	q = strings.ToLower(q)
	out := []foundExt{}
	for id, e := range s.o.Registry.Snapshot().Extensions {
		if (strings.Contains(string(id), q) || strings.Contains(strings.ToLower(e.Name), q)) && c.may(account.ExtensionRead, ofExtension("extension", string(id))) {
			out = append(out, foundExt{id, e.Name})
		}
	}
	slices.SortFunc(out, func(a, b foundExt) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out[:min(len(out), maxFoundExt)]
}

package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/query"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// searchPage is what the search box finds: extensions, families, one crash.
type searchPage struct {
	Shell
	Q          string
	Extensions []found
	Families   famTable
	Total      int
	More       string
	Nothing    bool
	Mistake    string // what is wrong with q, as a search for crashes
}

type found struct{ ID, Name, Href string }

const maxFound = 8

func (s *Server) search(w http.ResponseWriter, r *http.Request, v viewer) error {
	q := clip(r.URL.Query().Get("q"), query.MaxBytes)
	p := searchPage{Shell: s.shell(r, v, "", "Search"), Q: q}
	p.Shell.Query = q
	if q == "" {
		p.Nothing = true
		return s.render(w, r, http.StatusOK, "search", p)
	}
	scope := s.scope(v)
	if scope.IsSet() && looksLikeID(q) {
		if doc, err := s.o.Desk.Crash(r.Context(), scope, q); err == nil {
			return redirect(w, r, "/crashes/"+doc.ID.String())
		} else if code := fault.CodeOf(err); code != fault.NotFound && code != fault.Invalid {
			return err
		}
	}
	snap := s.o.Registry.Snapshot()
	for id, e := range snap.Extensions {
		if matches(q, string(id), e.Name) && s.may(v, account.ExtensionRead, account.OfExtension("extension", string(id), id)) {
			if strings.EqualFold(q, string(id)) {
				return redirect(w, r, "/extensions/"+string(id))
			}
			p.Extensions = append(p.Extensions, found{string(id), e.Name, "/extensions/" + string(id)})
		}
	}
	slices.SortFunc(p.Extensions, func(a, b found) int { return strings.Compare(a.ID, b.ID) })
	p.Extensions = p.Extensions[:min(len(p.Extensions), maxFound)]
	if scope.IsSet() {
		per := period{Days: 90}
		per.From, per.To = eco.DayOf(v.now).Time().AddDate(0, 0, -89), v.now
		page, err := s.o.Desk.Families(r.Context(), scope, crash.Filter{Period: per.Period, Query: q, Limit: 20, Brief: true})
		var is bool
		if p.Mistake, is = misread(err, q); !is && err != nil {
			return err
		}
		for _, f := range page.Families {
			if strings.EqualFold(q, f.ID) {
				return redirect(w, r, familyPath(f.ID))
			}
		}
		p.Families, p.Total = v.famTable(page.Families, per), page.Total
		if page.Next != "" {
			p.More = with(r.URL, "q", q)
			p.More = "/crashes?state=all&days=90&" + strings.TrimPrefix(p.More, "/search?")
		}
	}
	p.Nothing = len(p.Extensions) == 0 && len(p.Families.Rows) == 0
	return s.render(w, r, http.StatusOK, "search", p)
}

// looksLikeID reports whether q may be the id of a crash: 32 hex digits, with or without dashes.
func looksLikeID(q string) bool {
	_, err := eco.ParseID(q)
	return err == nil
}

package web

import (
	"net/http"
	"net/url"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/triage"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// givenDays is how far back a page about a person looks for their families.
const givenDays = 90

// given are the families that somebody was given, as far as the viewer sees them.
type given struct {
	Table famTable
	Total int
	All   string // address of the whole list
	Sees  bool   // the viewer's roles show families at all
	Me    bool
}

// givenTo lists the open families of a person, the most urgent first.
func (s *Server) givenTo(r *http.Request, v viewer, person string) (given, error) {
	scope := s.scope(v)
	g := given{Me: person == v.p.ID, Sees: s.may(v, account.FamilyRead, account.List("family")) && (scope.All() || len(scope.Extensions())+len(scope.Hosts()) > 0)}
	if !g.Sees {
		return g, nil
	}
	among, err := s.o.Triage.Find(r.Context(), v.p, triage.Query{Person: person})
	if err != nil {
		return g, err
	}
	per := period{Days: givenDays}
	per.From, per.To = eco.DayOf(v.now).Time().AddDate(0, 0, 1-givenDays), v.now
	page, err := s.o.Desk.Families(r.Context(), scope, crash.Filter{Period: per.Period, State: crash.Open, Among: among, Sort: crash.ByPriority, Limit: 10})
	if err != nil {
		return g, err
	}
	g.Table, g.Total = v.famTable(page.Families, per), page.Total
	q := url.Values{"person": {person}, "days": {"90"}, "sort": {string(crash.ByPriority)}}
	if g.Me {
		q.Del("person")
		q.Set("who", "mine")
	}
	g.All = "/crashes?" + q.Encode()
	return g, nil
}

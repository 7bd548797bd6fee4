package api

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/estimate"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// question is a question to the facts: groups with measures, never rows.
type question struct {
	From     time.Time `json:"from,omitzero" doc:"Start of receipt, inclusive. Default: 30 days before the end."`
	To       time.Time `json:"to,omitzero" doc:"End of receipt, exclusive. Default: now."`
	Where    []cond    `json:"where,omitempty" maxItems:"20"`
	Group    []string  `json:"group,omitempty" maxItems:"4" doc:"Columns to group by."`
	Measures []measure `json:"measures" minItems:"1" maxItems:"10"`
	Order    []order   `json:"order,omitempty" maxItems:"4"`
	Limit    int       `json:"limit,omitempty" minimum:"0" maximum:"10000" doc:"Most groups; 0 = 1,000."`
	Offset   int       `json:"offset,omitempty" minimum:"0" maximum:"1000000"`
}

type cond struct {
	Column string   `json:"column" maxLength:"32"`
	Op     facts.Op `json:"op" enum:"in,not_in,ge,lt"`
	Values []string `json:"values" maxItems:"1000"`
}

type measure struct {
	Fn  facts.Fn `json:"fn" enum:"count,rows,installs,unnamed,weighted,weight_sq,std_err,errored,crashed,abnormal,crashed_installs,sum,mean,quantile,first,last"`
	Arg float64  `json:"arg,omitempty" minimum:"0" maximum:"1" doc:"For quantile: between 0 and 1."`
	As  string   `json:"as,omitempty" maxLength:"32" pattern:"^[a-z][a-z0-9_]*$"`
}

type order struct {
	By   string `json:"by" maxLength:"32"`
	Desc bool   `json:"desc,omitempty"`
}

// answer holds groups; the columns first, then the measures.
type answer struct {
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"`
	More    bool     `json:"more,omitempty" doc:"The limit cut the answer."`
	Note    string   `json:"note,omitempty" doc:"What was left out, and why."`
	// Intervals are those of the weighted measures by name, one per row.
	Intervals map[string][]estimate.Interval `json:"intervals,omitempty" doc:"95 % intervals of weighted measures, by name, one per row; by installs."`
}

// open are the columns one may ask about. Columns that single out an installation,
// a session or one report are not among them.
var open = []facts.Column{
	facts.Hour, facts.Date, facts.Class, facts.Kind, facts.Project, facts.Extension, facts.ExtVersion, facts.Host, facts.HostVersion,
	facts.Channel, facts.OS, facts.OSVersion, facts.Arch, facts.Runtime, facts.Environment, facts.Country, facts.SDK, facts.Name,
	facts.Signature, facts.Family, facts.Blame, facts.BlameVer, facts.SubjectExt, facts.SubjectVer, facts.Level, facts.Handled, facts.Counted, facts.Quarantined,
}

// private are the columns that tell whose project a row came in through. People
// who see a row only because their extension is blamed for it must not learn that:
// for them these columns answer about their own projects alone.
var private = []facts.Column{facts.Project, facts.Extension, facts.ExtVersion, facts.Environment, facts.Country, facts.SDK, facts.Name}

const (
	defaultGroups = 1000
	queryTime     = 30 * time.Second
	maxPeriod     = 400 * 24 * time.Hour
)

// build turns the question into a query within the caller's scope.
func (q *question) build(scope facts.Scope, now time.Time) (facts.Query, string, error) {
	const op = "api.facts"
	bad := func(text string) (facts.Query, string, error) {
		return facts.Query{}, "", fault.E(op, fault.Invalid, text, nil)
	}
	out := facts.Query{Scope: scope, From: q.From, To: q.To, Limit: q.Limit, Offset: q.Offset}
	if out.Limit == 0 {
		out.Limit = defaultGroups
	}
	if out.To.IsZero() {
		out.To = now
	}
	if out.From.IsZero() {
		out.From = out.To.AddDate(0, 0, -30)
	}
	if !out.From.Before(out.To) || out.To.Sub(out.From) > maxPeriod {
		return bad("from, to: The period is positive and at most 400 days long.")
	}
	asks := false
	for _, c := range q.Where {
		col := facts.Column(c.Column)
		if !slices.Contains(open, col) {
			return bad("where: One of the columns is not open to questions.")
		}
		asks = asks || slices.Contains(private, col)
		out.Where = append(out.Where, facts.Cond{Col: col, Op: c.Op, Values: c.Values})
	}
	for _, g := range q.Group {
		col := facts.Column(g)
		if !slices.Contains(open, col) {
			return bad("group: One of the columns is not open to questions.")
		}
		asks = asks || slices.Contains(private, col)
		out.Group = append(out.Group, col)
	}
	for _, m := range q.Measures {
		out.Measures = append(out.Measures, facts.Measure{Fn: m.Fn, Arg: m.Arg, As: m.As})
	}
	for _, o := range q.Order {
		out.Order = append(out.Order, facts.Order{By: o.By, Desc: o.Desc})
	}
	if !asks || scope.All() {
		return out, "", nil
	}
	own := make([]string, 0, len(scope.Extensions())+1)
	for _, e := range scope.Extensions() {
		own = append(own, string(e))
	}
	note := "Only rows of your own extensions' projects are counted, because the question is about projects."
	if hosts := scope.Hosts(); len(hosts) > 0 && asksOf(q.Where, facts.Host, hosts) && asksOf(q.Where, facts.Extension, []string{""}) {
		return out, "", nil // own hosts' own projects
	}
	out.Where = append(out.Where, facts.Cond{Col: facts.Extension, Op: facts.In, Values: own})
	return out, note, nil
}

// asksOf reports whether the conditions keep a column within the words.
func asksOf(where []cond, col facts.Column, words []string) bool {
	return slices.ContainsFunc(where, func(c cond) bool {
		return c.Column == string(col) && c.Op == facts.In && !slices.ContainsFunc(c.Values, func(v string) bool { return !slices.Contains(words, v) })
	})
}

func (s *Server) factRoutes() {
	type post struct{ Body question }
	type get struct {
		Q string `query:"q" required:"true" maxLength:"8000" doc:"The question as JSON, as POST takes it."`
	}
	run := func(c *call, q *question) (answer, error) {
		query, note, err := q.build(c.scope(), s.o.Now())
		if err != nil {
			return answer{}, err
		}
		ctx, cancel := context.WithTimeout(c.ctx, queryTime)
		defer cancel()
		if query.Relabel, err = s.o.Desk.Relabels(ctx); err != nil { // families as people merged and split them
			return answer{}, err
		}
		withErrors(&query)
		r, err := s.o.Facts.Query(ctx, query)
		if err != nil && ctx.Err() != nil && c.ctx.Err() == nil {
			err = fault.E("api.facts", fault.TooLarge, "The question takes too long; please narrow it.", err)
		}
		if r.Rows == nil {
			r.Rows = [][]any{}
		}
		intervals := bounds(query, &r)
		return answer{r.Cols, r.Rows, r.More, note, intervals}, err
	}
	add(s, op{Method: "POST", Path: "/facts/query", ID: "facts.query", Action: account.FactsQuery, Doc: "Asks for groups of facts with measures."}, listed[post]("facts"),
		func(c *call, in *post) (answer, error) { return run(c, &in.Body) })
	add(s, op{Method: "GET", Path: "/facts/query", ID: "facts.get", Action: account.FactsQuery, Doc: "The same, by GET."}, listed[get]("facts"),
		func(c *call, in *get) (answer, error) {
			var q question
			d := json.NewDecoder(strings.NewReader(in.Q))
			d.DisallowUnknownFields()
			if err := d.Decode(&q); err != nil || len(q.Measures) == 0 || len(q.Measures) > 10 || len(q.Group) > 4 || len(q.Where) > 20 || len(q.Order) > 4 || q.Limit < 0 || q.Offset < 0 {
				return answer{}, fault.E("api.facts", fault.Invalid, "q: It is not a question in the form that POST takes.", nil)
			}
			return run(c, &q)
		})
}

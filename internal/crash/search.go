package crash

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/crash/query"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// search is a query (package query) taken apart by who answers it: facts get
// conditions, full text and records become sets of families or signatures, and
// what only the counts know is tested on them.
type search struct {
	q      query.Query
	only   []map[string]bool // families: of each set
	not    []map[string]bool // and of none of these
	hashes []map[string]bool // signatures that hold the words, of each set
	rest   []map[string]bool // and of none of these
	cut    bool              // full text found more than it may
}

// columns are the keys that facts answer.
var columns = map[string]facts.Column{
	"extension": facts.SubjectExt, "publisher": facts.SubjectExt, "blame": facts.Blame, "release": facts.SubjectVer,
	"host": facts.Host, "host_version": facts.HostVersion, "os": facts.OS, "os_version": facts.OSVersion, "arch": facts.Arch,
	"channel": facts.Channel, "runtime": facts.Runtime, "environment": facts.Environment, "level": facts.Level, "type": facts.Name,
	"signature": facts.Signature, "handled": facts.Handled, "counted": facts.Counted,
}

// lower are the columns whose values are in lower case.
var lower = []string{"extension", "publisher", "blame", "host", "os", "arch", "channel", "level", "signature"}

// parseSearch reads a query; p becomes the part of it that time: leaves.
func parseSearch(text string, p Period, now time.Time) (query.Query, Period, error) {
	q, err := query.Parse(strings.TrimSpace(text))
	if err != nil {
		var e *query.Error
		errors.As(err, &e)
		return nil, p, fault.E("crash.search", fault.Invalid, e.Error()+".", nil)
	}
	for _, t := range q.Of("time") {
		from, to := t.Span(now)
		if t.Not {
			return nil, p, fault.E("crash.search", fault.Invalid, "time: takes no !; turn its comparison round.", nil)
		}
		if from.After(p.From) {
			p.From = from
		}
		if !to.IsZero() && to.Before(p.To) {
			p.To = to
		}
	}
	if p.To.Before(p.From) {
		p.To = p.From
	}
	return q, p, nil
}

// understand asks full text and records, and narrows the question to facts.
func (d *Desk) understand(ctx context.Context, scope facts.Scope, p Period, q query.Query, release facts.Column, a *ask) (*search, error) {
	s := &search{q: q}
	for _, t := range q {
		var err error
		switch t.Key {
		case "", "time", "crashes", "installs", "first", "last":
		case "is":
			err = d.inState(ctx, p, t, s)
		case "message":
			err = d.holding(ctx, messageIndex, t, s)
		case "frame":
			err = d.holding(ctx, frameIndex, t, s)
		case "family":
			err = d.byFamily(ctx, t, s)
		case "id":
			err = d.byID(ctx, scope, t, s, a)
		case "install":
			err = d.byInstall(scope, q, t, a)
		default:
			col := columns[t.Key]
			if t.Key == "release" {
				col = release
			}
			err = d.among(ctx, scope, p, q, col, t, a)
		}
		if err != nil {
			return nil, err
		}
	}
	return s, d.words(ctx, scope, q.Words(), s, a)
}

func (s *search) put(families map[string]bool, not bool) {
	if not {
		s.not = append(s.not, families)
	} else {
		s.only = append(s.only, families)
	}
}

// among narrows a column. Values with *, comparisons and text of which nobody
// knows the case are looked up among the values there are.
func (d *Desk) among(ctx context.Context, scope facts.Scope, p Period, q query.Query, col facts.Column, t query.Term, a *ask) error {
	values := slices.Clone(t.Values)
	exact := t.Op == query.Is && (slices.Contains(lower, t.Key) || col.Type() == facts.TypeInt)
	for i, v := range values {
		if slices.Contains(lower, t.Key) {
			v = strings.ToLower(v)
		}
		switch {
		case t.Key == "publisher":
			v += ".*"
		case t.Key == "blame" && v == "none":
			v = ""
		case (t.Key == "handled" || t.Key == "counted") && v == "yes":
			v = "1"
		case t.Key == "handled" || t.Key == "counted":
			v = "0"
		}
		exact = exact && !strings.Contains(v, "*")
		values[i] = v
	}
	if col == facts.Environment {
		ownProjects(scope, q, a)
	}
	if !exact {
		t.Values = values
		all, err := d.valuesOf(ctx, scope, p, col, q)
		if err != nil {
			return err
		}
		values = slices.DeleteFunc(all, func(v string) bool { return !t.Version(v) })
	}
	if t.Not {
		if len(values) > 0 {
			a.not(col, values...)
		}
		return nil
	}
	a.in(col, values...)
	return nil
}

// ownProjects narrows a question that is about the project a crash came in through
// (its environment, its install) to the projects of whoever asks: those who see a
// crash only because their extension is blamed for it must not learn that.
func ownProjects(scope facts.Scope, q query.Query, a *ask) {
	if scope.All() {
		return
	}
	own := make([]string, 0, len(scope.Extensions())+1)
	for _, e := range scope.Extensions() {
		own = append(own, string(e))
	}
	if len(own) == 0 { // whoever has hosts alone sees nothing but their own projects
		own = append(own, "")
	}
	for _, t := range q.Of("host") { // the own hosts' own projects
		if !t.Not && t.Op == query.Is && !slices.ContainsFunc(t.Values, func(v string) bool { return !slices.Contains(scope.Hosts(), strings.ToLower(v)) }) {
			own = append(own, "")
			break
		}
	}
	a.in(facts.Extension, own...)
}

// valuesOf lists the values of a column in the scope and period, those of most
// crashes first.
func (d *Desk) valuesOf(ctx context.Context, scope facts.Scope, p Period, col facts.Column, q query.Query) ([]string, error) {
	a := p.crashes(scope)
	if col == facts.Environment {
		ownProjects(scope, q, a)
	}
	r, err := d.query(ctx, a.by(col).sum(facts.Count).most(facts.Count).limit(maxFound))
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, len(r.Rows))
	for _, v := range r.Rows {
		out = append(out, text(v[0]))
	}
	return out, nil
}

func (d *Desk) inState(ctx context.Context, p Period, t query.Term, s *search) error {
	any, others := map[string]bool{}, map[string]bool{} // families in one of the states; with open: those in another
	open := false
	for _, v := range t.Values {
		var in map[string]status
		var err error
		switch v {
		case "open":
			open = true
			if in, err = statesIn(ctx, d.o.Records.Read(), `state <> 'open'`); err == nil {
				others = keys(in)
			}
			in = nil
		case "regressed":
			in, err = statesIn(ctx, d.o.Records.Read(), `state = 'open' AND regressed = 1`)
		case "new":
			var ids map[string]bool
			ids, err = d.freshIn(ctx, p)
			for id := range ids {
				any[id] = true
			}
		default:
			in, err = statesIn(ctx, d.o.Records.Read(), `state = $1`, v)
		}
		if err != nil {
			return err
		}
		for id := range in {
			any[id] = true
		}
	}
	if open { // most families have no record of a state: they are open
		for id := range any {
			delete(others, id)
		}
		s.put(others, !t.Not)
		return nil
	}
	s.put(any, t.Not)
	return nil
}

// holding finds signatures by words of one part.
func (d *Desk) holding(ctx context.Context, index string, t query.Term, s *search) error {
	found := map[string]bool{}
	for _, v := range t.Values {
		if strings.ContainsAny(v, " \t") {
			v = `"` + strings.ReplaceAll(v, `"`, " ") + `"`
		}
		hashes, err := d.o.Flow.Search().Find(ctx, index, v, maxFound)
		if err != nil {
			return err
		}
		s.cut = s.cut || len(hashes) == maxFound
		for _, h := range hashes {
			found[h] = true
		}
	}
	if t.Not {
		s.rest = append(s.rest, found)
	} else {
		s.hashes = append(s.hashes, found)
	}
	return nil
}

// words looks for what stands without a key: one word may be an id.
func (d *Desk) words(ctx context.Context, scope facts.Scope, terms []query.Term, s *search, a *ask) error {
	if len(s.q) == 1 && len(terms) == 1 && !terms[0].Not && !terms[0].Phrase {
		word := terms[0].Values[0]
		_, err := eco.ParseID(word)
		switch {
		case strings.HasPrefix(strings.ToUpper(word), "F-"):
			return d.byFamily(ctx, terms[0], s)
		case err == nil:
			return d.byID(ctx, scope, terms[0], s, a)
		case isHash(word):
			s.hashes = append(s.hashes, map[string]bool{strings.ToLower(word): true})
			return nil
		}
	}
	var all []string
	for _, t := range terms {
		v := t.Values[0]
		if t.Phrase {
			v = `"` + strings.ReplaceAll(v, `"`, " ") + `"`
		}
		if t.Not {
			if err := d.holding(ctx, SearchIndex, t, s); err != nil {
				return err
			}
			continue
		}
		all = append(all, v)
	}
	if len(all) == 0 {
		return nil
	}
	hashes, err := d.o.Flow.Search().Find(ctx, SearchIndex, strings.Join(all, " "), maxFound)
	s.cut = s.cut || len(hashes) == maxFound
	s.hashes = append(s.hashes, setOf(hashes))
	return err
}

// resolve turns the signatures that were found into the families that hold them.
func (d *Desk) resolve(ctx context.Context, s *search) error {
	for i, sets := range [][]map[string]bool{s.hashes, s.rest} {
		for _, hashes := range sets {
			ids, err := d.familiesOf(ctx, slices.Collect(mapKeys(hashes)))
			if err != nil {
				return err
			}
			s.put(ids, i == 1)
		}
	}
	return nil
}

// familiesOf lists the families that hold one of the signatures.
func (d *Desk) familiesOf(ctx context.Context, hashes []string) (map[string]bool, error) {
	l, err := d.Links(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	err = each(hashes, func(marks string, args []any) error {
		rows, err := d.o.Flow.Read().QueryContext(ctx, `SELECT DISTINCT family, hash FROM crash_signature WHERE hash IN (`+marks+`) ORDER BY family`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, hash string
			if err := rows.Scan(&id, &hash); err != nil {
				return err
			}
			out[l.Resolve(id, hash)] = true
		}
		return rows.Err()
	})
	return out, err
}

// counts reports whether what facts counted of a family fits; first must be that
// of all time when the query names it.
func (s *search) counts(c *counted, now time.Time) bool {
	for _, t := range s.q {
		ok := true
		switch t.Key {
		case "crashes":
			ok = t.Number(c.crashes)
		case "installs":
			ok = t.Number(c.installs)
		case "first":
			ok = within(t, now, c.first)
		case "last":
			ok = within(t, now, c.last)
		default:
			continue
		}
		if ok == t.Not {
			return false
		}
	}
	return true
}

func within(t query.Term, now time.Time, ms int64) bool {
	from, to := t.Span(now)
	return (from.IsZero() || ms >= from.UnixMilli()) && (to.IsZero() || ms < to.UnixMilli())
}

// Complete says how a query that is being typed may go on: the bytes of the text
// that a suggestion replaces, and the suggestions. Values are those of the scope's
// crashes of the last 30 days.
func (d *Desk) Complete(ctx context.Context, scope facts.Scope, text string, at int) (from, to int, list []query.Suggestion, err error) {
	if len(text) > query.MaxBytes {
		return at, at, nil, nil
	}
	p := d.period(Period{})
	from, to, list = query.Complete(text, at, func(key, begin string) []string {
		col, ok := columns[key]
		if !ok || col.Type() != facts.TypeText {
			return nil
		}
		var all []string
		if all, err = d.valuesOf(ctx, scope, p, col, nil); err != nil {
			return nil
		}
		var out []string
		for _, v := range all {
			if key == "publisher" {
				v = eco.ExtensionID(v).Publisher()
			}
			if v != "" && !slices.Contains(out, v) && strings.HasPrefix(strings.ToLower(v), strings.ToLower(begin)) {
				out = append(out, v)
			}
			if len(out) == query.MaxSuggestions {
				break
			}
		}
		return out
	})
	return from, to, list, err
}

package crash

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Bounds of lists.
const (
	defaultFamilies = 50
	maxPage         = 200
	maxFound        = 2000 // signatures that one search may find
	maxApart        = 400  // families that a second question names, beside a filter's own 500
	maxContaining   = 200  // bytes of the words that a split names
)

// Families lists families with crashes in the scope and period. One question to
// facts finds and counts them all; records are read for the page only.
func (d *Desk) Families(ctx context.Context, scope facts.Scope, f Filter) (Page, error) {
	const op = "crash.Families"
	q, p, err := parseSearch(f.Query, d.period(f.Period), d.o.Now())
	if err != nil {
		return Page{}, err
	}
	if len(q.Of("is")) > 0 {
		f.State = "" // the search says it
	}
	if f.Sort == "" {
		f.Sort = ByCrashes
	}
	if !slices.Contains(Sorts, f.Sort) || f.State != "" && !slices.Contains(States, f.State) {
		return Page{}, fault.E(op, fault.Invalid, "No such order or state.", nil)
	}
	a := p.crashes(scope).not(facts.Family, "").
		is(facts.SubjectExt, string(f.Extension)).
		is(facts.Host, f.Host).is(facts.HostVersion, f.HostVersion).is(facts.OS, f.OS).is(facts.Channel, string(f.Channel)).
		by(facts.Family).sum(facts.Count, facts.First, facts.Last).most(facts.Count).limit(facts.MaxLimit)
	if f.Release != "" {
		a.in(releaseColumn(f.Extension, f.Publisher, f.Host), f.Release)
	}
	s, err := d.understand(ctx, scope, p, q, releaseColumn(f.Extension, f.Publisher, f.Host), a)
	if err == nil {
		err = d.resolve(ctx, s)
	}
	if err != nil {
		return Page{}, fault.Wrap(op, err)
	}
	keep, err := d.narrow(ctx, p, f, s, a)
	if err != nil || keep == nil {
		return Page{Families: []Family{}}, fault.Wrap(op, err)
	}
	// Distinct installs of thousands of families cost more than all else together:
	// they are counted for the page alone, unless they decide what is on it, or few
	// families are asked for.
	byInstalls := f.Sort == ByInstalls || len(q.Of("installs")) > 0 || a.names(facts.Family, maxPage)
	if byInstalls {
		a.sum(facts.Installs)
	}
	r, err := d.query(ctx, a)
	if err != nil {
		return Page{}, err
	}
	rows := make([]counted, 0, len(r.Rows))
	page := Page{Partial: r.More || s.cut}
	for _, v := range r.Rows {
		c := counted{id: text(v[0]), crashes: number(v[1]), first: number(v[2]), last: number(v[3])}
		if byInstalls {
			c.installs = number(v[4])
		}
		if !keep(c.id) {
			continue
		}
		rows = append(rows, c)
	}
	if f.Sort == ByFirstSeen || len(q.Of("first")) > 0 {
		if err := d.firstSeen(ctx, rows); err != nil {
			return Page{}, fault.Wrap(op, err)
		}
	}
	now := d.o.Now()
	rows = slices.DeleteFunc(rows, func(c counted) bool { return !s.counts(&c, now) })
	for i := range rows {
		page.Crashes += rows[i].crashes
	}
	page.Total = len(rows)
	if f.Sort == ByPriority {
		score, _, _, err := d.urgency(ctx)
		if err != nil {
			return Page{}, fault.Wrap(op, err)
		}
		for i := range rows {
			rows[i].urgency = score[rows[i].id]
		}
	}
	shown, next, err := cut(rows, f.Sort, f.Cursor, f.Limit)
	if err != nil {
		return Page{}, err
	}
	page.Next = next
	if !byInstalls {
		if err := d.installsEach(ctx, a, shown); err != nil {
			return Page{}, err
		}
	}
	if !f.Brief {
		if len(rows) == 1 && len(shown) == 1 {
			page.Installs = shown[0].installs
		} else if page.Installs, err = d.installsOf(ctx, a, rows, r.Rows); err != nil {
			return Page{}, err
		}
	}
	page.Families, err = d.dress(ctx, scope, p, a, shown)
	return page, fault.Wrap(op, err)
}

// releaseColumn says whose version a release is.
func releaseColumn(ext eco.ExtensionID, publisher, host string) facts.Column {
	if ext == "" && publisher == "" && host != "" {
		return facts.HostVersion
	}
	return facts.SubjectVer
}

// narrow turns the parts of a filter that facts do not know into conditions or
// into a test of ids. A nil test: nothing can match.
func (d *Desk) narrow(ctx context.Context, p Period, f Filter, s *search, a *ask) (keep func(string) bool, err error) {
	var only map[string]bool // nil: all
	both := func(ids map[string]bool) {
		if only == nil {
			only = ids
			return
		}
		for id := range only {
			if !ids[id] {
				delete(only, id)
			}
		}
	}
	for _, ids := range s.only {
		both(ids)
	}
	if f.New {
		ids, err := d.freshIn(ctx, p)
		if err != nil {
			return nil, err
		}
		both(ids)
	}
	if f.Priority != "" || f.Label != "" {
		_, band, label, err := d.urgency(ctx)
		if err != nil {
			return nil, err
		}
		ids := map[string]bool{}
		for id := range band {
			if (f.Priority == "" || band[id] == f.Priority) && (f.Label == "" || label[id] == f.Label) {
				ids[id] = true
			}
		}
		both(ids)
	}
	if f.Publisher != "" {
		// Publishers are the part of an id before the first dot; facts know whole ids.
		ids, err := d.idsWhere(ctx, `blame LIKE $1 ESCAPE '!'`, escapeLike(f.Publisher)+".%")
		if err != nil {
			return nil, err
		}
		both(ids)
	}
	not := map[string]status{}
	switch {
	case f.Regressed:
		var in map[string]status
		if in, err = statesIn(ctx, d.o.Records.Read(), `state = 'open' AND regressed = 1`); err == nil {
			both(keys(in))
		}
	case f.State == Open:
		not, err = statesIn(ctx, d.o.Records.Read(), `state <> 'open'`)
	case f.State != "":
		var in map[string]status
		if in, err = statesIn(ctx, d.o.Records.Read(), `state = $1`, string(f.State)); err == nil {
			both(keys(in))
		}
	}
	if err != nil {
		return nil, err
	}
	for _, x := range f.Among {
		if !x.Not {
			both(maps.Clone(x.IDs))
		}
	}
	if only != nil && len(only) == 0 {
		return nil, nil
	}
	if n := len(only); n > 0 && n <= chunk {
		a.in(facts.Family, slices.Sorted(mapKeys(only))...)
	}
	return func(id string) bool {
		if _, out := not[id]; out {
			return false
		}
		for _, ids := range s.not {
			if ids[id] {
				return false
			}
		}
		for _, x := range f.Among {
			if x.Not && x.IDs[id] {
				return false
			}
		}
		return only == nil || only[id]
	}, nil
}

func keys(m map[string]status) map[string]bool {
	out := make(map[string]bool, len(m))
	for k := range m {
		out[k] = true
	}
	return out
}

func mapKeys(m map[string]bool) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func escapeLike(s string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s)
}

// idsWhere reads at most 10,000 ids of families, the newest first.
func (d *Desk) idsWhere(ctx context.Context, where string, args ...any) (map[string]bool, error) {
	rows, err := d.o.Flow.Read().QueryContext(ctx, `SELECT id FROM crash_family WHERE `+where+` ORDER BY first_ms DESC, id LIMIT 10000`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]bool{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out[id] = true
	}
	return out, rows.Err()
}

func isHash(s string) bool {
	_, err := strconv.ParseUint(s, 16, 64)
	return len(s) == 16 && err == nil
}

// firstSeen replaces the first sight within the period by the first of all.
func (d *Desk) firstSeen(ctx context.Context, rows []counted) error {
	l, err := d.Links(ctx)
	if err != nil {
		return err
	}
	var ids []string
	at := make(map[string]int, len(rows)) // of the row that a family counts in
	for i := range rows {
		of := []string{rows[i].id}
		if l.Names(rows[i].id) {
			of = append(of, l.Merged(rows[i].id)...)
		}
		for _, id := range of {
			ids = append(ids, id)
			at[id] = i
		}
	}
	sure := make([]bool, len(rows))
	return each(ids, func(marks string, args []any) error {
		found, err := d.o.Flow.Read().QueryContext(ctx, `SELECT id, first_ms FROM crash_family WHERE id IN (`+marks+`)`, args...)
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			var id string
			var ms int64
			if err := found.Scan(&id, &ms); err != nil {
				return err
			}
			if i := at[id]; !sure[i] || ms < rows[i].first {
				rows[i].first, sure[i] = ms, true
			}
		}
		return found.Err()
	})
}

// dress joins the page with what the flow and people know, the trend, and the
// crashes without an install.
func (d *Desk) dress(ctx context.Context, scope facts.Scope, p Period, a *ask, rows []counted) ([]Family, error) {
	out := make([]Family, len(rows))
	if len(rows) == 0 {
		return out, nil
	}
	ids := make([]string, len(rows))
	at := map[string]int{}
	for i, c := range rows {
		ids[i], at[c.id] = c.id, i
	}
	known, err := d.known(ctx, ids)
	if err != nil {
		return nil, err
	}
	now, err := states(ctx, d.o.Records.Read(), ids)
	if err != nil {
		return nil, err
	}
	days := p.days()
	for i, c := range rows {
		f := Family{ID: c.id, Title: "(family without a record)", State: Open, FirstSeen: moment(c.first), LastSeen: moment(c.last)}
		if k := known[c.id]; k != nil {
			f = *k
		}
		f.take(now[c.id])
		f.Crashes, f.Installs, f.Days = c.crashes, c.installs, make([]int64, len(days))
		out[i] = f
	}
	// The same conditions as the list, so that the numbers of a row fit together.
	where := slices.Clone(a.q.Where)
	trend := &ask{facts.Query{Scope: scope, From: p.From, To: p.To, Where: where}}
	r, err := d.query(ctx, trend.in(facts.Family, ids...).by(facts.Family, facts.Date).sum(facts.Count, facts.Unnamed))
	if err != nil {
		return nil, err
	}
	for _, v := range r.Rows {
		if n, ok := slices.BinarySearch(days, eco.Day(number(v[1]))); ok {
			out[at[text(v[0])]].Days[n] = number(v[2])
		}
		out[at[text(v[0])]].Unknown += number(v[3])
	}
	if err := d.judged(ctx, scope, out); err != nil {
		return nil, err
	}
	return out, d.veil(ctx, scope, out)
}

// take sets the state of a family.
func (f *Family) take(s status) {
	if s.state != "" {
		f.State, f.ResolvedIn, f.Regressed, f.Until, f.since = s.state, s.resolvedIn, s.regressed, s.until, s.at
	}
}

package crash

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/crash/query"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

const defaultCrashes = 20

// Crashes lists crashes, newest first.
func (d *Desk) Crashes(ctx context.Context, scope facts.Scope, f CrashFilter) (CrashPage, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = defaultCrashes
	}
	limit = min(limit, maxPage)
	q, p, err := parseSearch(f.Query, d.period(f.Period), d.o.Now())
	if err != nil {
		return CrashPage{}, err
	}
	if f.Family, err = d.root(ctx, f.Family); err != nil {
		return CrashPage{}, err
	}
	a := p.crashes(scope).is(facts.Family, f.Family).is(facts.Signature, f.Signature).
		is(facts.SubjectExt, string(f.Extension)).limit(limit + 1)
	if f.Release != "" {
		a.in(facts.SubjectVer, f.Release)
	}
	if f.Project != 0 {
		a.in(facts.Project, strconv.FormatInt(f.Project, 10))
	}
	if f.Stacks {
		a.in(facts.Counted, "0")
	}
	if f.Cursor != "" {
		id, err := eco.ParseID(f.Cursor)
		if err != nil {
			return CrashPage{}, fault.E("crash.Crashes", fault.Invalid, "This cursor is not one of ours.", nil)
		}
		a.q.Where = append(a.q.Where, facts.Cond{Col: facts.ID, Op: facts.Lt, Values: []string{id.String()}})
	}
	a.q.Rows = true
	a.q.Order = []facts.Order{{By: string(facts.ID), Desc: true}} // ids are ordered by the time of receipt
	if err := d.narrowCrashes(ctx, scope, p, q, a); err != nil {
		return CrashPage{}, err
	}
	r, err := d.query(ctx, a)
	if err != nil {
		return CrashPage{}, err
	}
	page := CrashPage{Crashes: make([]Row, 0, len(r.Facts))}
	for i := range r.Facts {
		if i == limit {
			page.Next = r.Facts[i-1].ID.String()
			break
		}
		page.Crashes = append(page.Crashes, row(scope, &r.Facts[i]))
	}
	return page, nil
}

// maxNamed bounds the families and signatures that a question for crashes names.
const maxNamed = 5000

// narrowCrashes makes conditions of a search for single crashes.
func (d *Desk) narrowCrashes(ctx context.Context, scope facts.Scope, p Period, q query.Query, a *ask) error {
	const op = "crash.Crashes"
	for _, t := range q {
		switch t.Key {
		case "crashes", "installs", "first", "last":
			return fault.E(op, fault.Invalid, t.Key+": is about families, and this is a list of crashes.", nil)
		}
	}
	s, err := d.understand(ctx, scope, p, q, facts.SubjectVer, a)
	if err != nil {
		return fault.Wrap(op, err)
	}
	for _, c := range []struct {
		sets []map[string]bool
		col  facts.Column
		not  bool
	}{{s.only, facts.Family, false}, {s.not, facts.Family, true}, {s.hashes, facts.Signature, false}, {s.rest, facts.Signature, true}} {
		for _, set := range c.sets {
			values := slices.Sorted(mapKeys(set))
			switch {
			case len(values) > maxNamed:
				return fault.E(op, fault.TooLarge, "Too many families fit a part of this search. Add a part that fits fewer.", nil)
			case !c.not:
				a.in(c.col, values...)
			case len(values) > 0:
				a.not(c.col, values...)
			}
		}
	}
	return nil
}

func row(scope facts.Scope, f *eco.Fact) Row {
	r := Row{
		ID: f.ID, Received: moment(f.Received), Time: moment(f.Time), Family: f.Family, Signature: f.Signature, Type: f.Name,
		Extension: f.Origin.Extension, ExtVersion: f.Origin.ExtVersion, Blame: f.Blame, Release: f.BlameVer,
		Host: f.Origin.Host, HostVersion: f.Origin.HostVersion, OS: f.Origin.OS, OSVersion: f.Origin.OSVersion, Level: f.Level, Handled: f.Handled, Counted: f.Counted(),
	}
	if f.Blame == "" {
		if r.Release = f.Origin.ExtVersion; f.Origin.Extension == "" {
			r.Release = f.Origin.HostVersion
		}
	}
	if !whole(scope, f.Origin) {
		r.Extension, r.ExtVersion = "", ""
	}
	return r
}

// Crash returns one crash, by its id or by the id its client gave it, redacted
// for whoever is blamed but does not own the project it came in through.
func (d *Desk) Crash(ctx context.Context, scope facts.Scope, id string) (Document, error) {
	doc, err := d.crash(ctx, scope, id)
	if err != nil {
		return Document{}, err
	}
	return Redact(doc, scope), nil
}

func (d *Desk) crash(ctx context.Context, scope facts.Scope, id string) (Document, error) {
	const op = "crash.Crash"
	none := fault.E(op, fault.NotFound, "No such crash.", nil)
	if len(id) > 128 {
		return Document{}, none
	}
	var ids []eco.ID
	if own, err := eco.ParseID(id); err == nil {
		ids = []eco.ID{own}
	}
	doc, ok, err := d.document(ctx, scope, ids)
	if err != nil || ok {
		return doc, err
	}
	f, err := d.byClient(ctx, scope, id)
	if err != nil {
		return Document{}, err
	}
	if f == nil {
		return Document{}, none
	}
	if doc, ok, err = d.document(ctx, scope, []eco.ID{f.ID}); err == nil && !ok {
		err = none
	}
	return doc, err
}

func (d *Desk) document(ctx context.Context, scope facts.Scope, ids []eco.ID) (Document, bool, error) {
	if len(ids) == 0 {
		return Document{}, false, nil
	}
	docs, err := d.o.Facts.Documents(ctx, scope, ids)
	if err != nil || len(docs) == 0 {
		return Document{}, false, fault.Wrap("crash.document", err)
	}
	var doc Document
	if err := json.Unmarshal(docs[0].Body, &doc); err != nil {
		return Document{}, false, fault.E("crash.document", fault.Internal, "The document cannot be read.", err)
	}
	l, err := d.Links(ctx)
	if err != nil {
		return Document{}, false, err
	}
	doc.Placement = doc.Placement.linked(l, doc.Signature.Hash)
	return doc, doc.Version != 0, nil // other kinds of records keep other documents
}

// byClient finds the newest crash with a client's id.
func (d *Desk) byClient(ctx context.Context, scope facts.Scope, id string) (*eco.Fact, error) {
	forms := []string{id}
	if plain := strings.ToLower(strings.ReplaceAll(id, "-", "")); plain != id {
		forms = append(forms, plain)
	}
	a := (&ask{facts.Query{Scope: scope}}).in(facts.Kind, string(eco.KindCrash)).in(facts.ClientID, forms...).in(facts.Quarantined, "0", "1").limit(1)
	a.q.Rows = true
	r, err := d.query(ctx, a)
	if err != nil || len(r.Facts) == 0 {
		return nil, err
	}
	return &r.Facts[0], nil
}

// locate finds a crash's fact by its own id, else by its client's.
func (d *Desk) locate(ctx context.Context, scope facts.Scope, id, client string) (*eco.Fact, error) {
	a := (&ask{facts.Query{Scope: scope}}).in(facts.Kind, string(eco.KindCrash)).in(facts.ID, id).limit(1)
	a.q.Rows = true
	r, err := d.query(ctx, a)
	if err != nil {
		return nil, err
	}
	if len(r.Facts) > 0 {
		return &r.Facts[0], nil
	}
	return d.byClient(ctx, scope, client)
}

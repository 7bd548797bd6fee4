package crash

import (
	"context"
	"encoding/json"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Feedback is what a user wrote, with the crash it is about when that is known
// and the scope sees it.
type Feedback struct {
	ID          eco.ID          `json:"id"`
	Received    time.Time       `json:"received"`
	Message     string          `json:"message"`
	Name        string          `json:"name,omitempty"`    // for those who answer users, and where users agreed
	Contact     string          `json:"contact,omitempty"` // likewise
	HasContact  bool            `json:"has_contact,omitempty"`
	Extension   eco.ExtensionID `json:"extension,omitempty"`
	ExtVersion  string          `json:"ext_version,omitempty"`
	Host        string          `json:"host,omitempty"`
	HostVersion string          `json:"host_version,omitempty"`
	OS          string          `json:"os,omitempty"`
	From        string          `json:"from,omitempty"` // origin of the page it was written on
	Crash       eco.ID          `json:"crash,omitzero"`
	CrashType   string          `json:"crash_type,omitempty"`
	Family      string          `json:"family,omitempty"`
}

// FeedbackFilter narrows a list of feedback.
type FeedbackFilter struct {
	Period
	Extension eco.ExtensionID
	Cursor    string
	Limit     int // 0 = 20, at most 200
	// Contact says whether the reader may see how to reach who wrote about a thing of
	// an extension, or (with "") of a host; nil: never.
	Contact func(eco.ExtensionID, string) bool
}

// FeedbackPage is a part of a list of feedback, newest first.
type FeedbackPage struct {
	Feedback []Feedback `json:"feedback"`
	Next     string     `json:"next,omitempty"`
}

// Feedback lists what users wrote to the projects of the scope, newest first.
func (d *Desk) Feedback(ctx context.Context, scope facts.Scope, f FeedbackFilter) (FeedbackPage, error) {
	const op = "crash.Feedback"
	limit := f.Limit
	if limit <= 0 {
		limit = defaultCrashes
	}
	limit = min(limit, maxPage)
	a := d.period(f.Period).of(scope, eco.KindFeedback).is(facts.Extension, string(f.Extension)).limit(limit + 1)
	if f.Cursor != "" {
		id, err := eco.ParseID(f.Cursor)
		if err != nil {
			return FeedbackPage{}, fault.E(op, fault.Invalid, "This cursor is not one of ours.", nil)
		}
		a.q.Where = append(a.q.Where, facts.Cond{Col: facts.ID, Op: facts.Lt, Values: []string{id.String()}})
	}
	a.q.Rows, a.q.Order = true, []facts.Order{{By: string(facts.ID), Desc: true}}
	r, err := d.query(ctx, a)
	if err != nil {
		return FeedbackPage{}, err
	}
	page := FeedbackPage{Feedback: []Feedback{}}
	rows := r.Facts
	if len(rows) > limit {
		rows = rows[:limit]
		page.Next = rows[limit-1].ID.String()
	}
	ids := make([]eco.ID, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	docs, err := d.o.Facts.Documents(ctx, scope, ids)
	if err != nil {
		return FeedbackPage{}, fault.Wrap(op, err)
	}
	wrote := map[eco.ID]eco.Feedback{}
	var about []string
	for _, doc := range docs {
		var w eco.Feedback
		if json.Unmarshal(doc.Body, &w) == nil {
			wrote[doc.ID] = w
			if w.CrashID != "" {
				about = append(about, w.CrashID)
			}
		}
	}
	crashes, err := d.byClients(ctx, scope, about)
	if err != nil {
		return FeedbackPage{}, err
	}
	for i := range rows {
		page.Feedback = append(page.Feedback, feedback(&rows[i], wrote[rows[i].ID], crashes, f.Contact))
	}
	return page, nil
}

// client names a report by the project it came in through and its client's id.
type client struct {
	project int64
	id      string
}

func feedback(row *eco.Fact, w eco.Feedback, crashes map[client]*eco.Fact, contact func(eco.ExtensionID, string) bool) Feedback {
	o := &row.Origin
	f := Feedback{ID: row.ID, Received: moment(row.Received), Message: w.Message, HasContact: w.Contact != "", Extension: o.Extension, ExtVersion: o.ExtVersion,
		Host: o.Host, HostVersion: o.HostVersion, OS: o.OS, From: w.URLOrigin}
	host := o.Host
	if o.Extension != "" {
		host = ""
	}
	if contact != nil && contact(o.Extension, host) {
		f.Name, f.Contact = w.Name, w.Contact
	}
	if c := crashes[client{o.Project, w.CrashID}]; w.CrashID != "" && c != nil {
		f.Crash, f.CrashType, f.Family = c.ID, c.Name, c.Family
	}
	return f
}

// byClients finds the newest crashes with clients' ids.
func (d *Desk) byClients(ctx context.Context, scope facts.Scope, ids []string) (map[client]*eco.Fact, error) {
	out := map[client]*eco.Fact{}
	if len(ids) == 0 {
		return out, nil
	}
	a := (&ask{facts.Query{Scope: scope}}).in(facts.Kind, string(eco.KindCrash)).in(facts.ClientID, ids...).in(facts.Quarantined, "0", "1").limit(2 * maxPage)
	a.q.Rows, a.q.Order = true, []facts.Order{{By: string(facts.ID)}}
	r, err := d.query(ctx, a)
	if err != nil {
		return nil, err
	}
	for i := range r.Facts {
		f := &r.Facts[i]
		out[client{f.Origin.Project, f.ClientID}] = f
	}
	return out, nil
}

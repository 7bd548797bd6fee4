package answers

import (
	"context"
	"time"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

// View is what a receipt says today. It is about the reader's own report and what
// the owner tells everybody; nothing in it is about another reporter.
type View struct {
	ID        string          `json:"id"`
	Answer    receipt.Answer  `json:"answer"`
	Received  time.Time       `json:"received"`
	About     eco.Ref         `json:"about"`             // whose project took the report
	What      string          `json:"what,omitempty"`    // the report in a line: its exception and place
	Counted   bool            `json:"counted,omitempty"` // its sender sent the signature, not the stack
	Blame     eco.ExtensionID `json:"blame,omitempty"`   // the extension it is attributed to
	Release   string          `json:"release,omitempty"` // the version it came from
	Added     int             `json:"added,omitempty"`   // notes its sender added
	Kept      time.Time       `json:"kept_until,omitzero"`
	Withdrawn time.Time       `json:"withdrawn,omitzero"`
	Gone      time.Time       `json:"gone_by,omitzero"` // of a withdrawn one: when the last copy is gone
	Signed    string          `json:"signed"`           // a signed note of the above; see /api/v1/receipts/key

	crash   eco.ID
	project int64
	client  string

	family, signature string
}

// Crash returns what the report is called inside; the doors need it to attach to it.
func (v *View) Crash() (id eco.ID, project int64, client string) { return v.crash, v.project, v.client }

// keptDays is how long a crash report is kept.
var keptDays = eco.ClassCrash.Days()

// Receipt reads a receipt by its id. fault.NotFound: it is none of ours, or (made
// by a client) of a report that never came in or is kept no longer.
func (d *Desk) Receipt(ctx context.Context, id string) (View, error) {
	const op = "answers.Receipt"
	name, err := d.o.Book.Parse(id)
	if err != nil {
		return View{}, err
	}
	var project int64
	if name.Key != "" {
		var ok bool
		if project, ok = d.o.KeyOf(name.Key); !ok {
			return View{}, fault.E(op, fault.NotFound, "There is no receipt with this id.", nil)
		}
	}
	doc, err := d.o.Desk.Report(ctx, name.Crash, project, name.Client)
	if fault.CodeOf(err) == fault.NotFound && !name.Crash.IsZero() { // it may have been held, and let go since
		doc, err = d.o.Desk.Report(ctx, crash.Freed(name.Crash), 0, "")
	}
	switch code := fault.CodeOf(err); {
	case code == fault.NotFound && name.Crash.IsZero():
		return View{}, fault.E(op, fault.NotFound, "No report with this id is stored here: it has not arrived, was not accepted, was withdrawn, or is kept no longer.", nil)
	case code == fault.NotFound:
		return d.absent(ctx, name.Crash)
	case err != nil:
		return View{}, fault.Wrap(op, err)
	}
	v := View{ID: d.o.Book.ID(doc.ID), Received: time.UnixMilli(doc.Received).UTC(), What: doc.Signature.Title, Counted: doc.Crash.Counted != "", Blame: doc.Blame.Extension,
		Release: release(&doc), Kept: time.UnixMilli(doc.Received).UTC().AddDate(0, 0, keptDays).Truncate(24 * time.Hour),
		crash: doc.ID, project: doc.Origin.Project, client: doc.ClientID, family: doc.Placement.Family, signature: doc.Signature.Hash}
	if at, ok := d.withdrawn.at(doc.ID); ok { // still there for a moment
		return d.absentAt(v, at)
	}
	switch s := d.o.Board.Family(v.family); {
	case doc.Quarantined:
		v.Answer = receipt.Answer{State: receipt.Held, Wanted: receipt.Full}
	case v.family == "" || s == nil:
		v.Answer = receipt.Answer{State: receipt.Received, Wanted: receipt.Full}
	default:
		v.Answer = receipt.Tell(s, v.Release)
		if doc.Placement.New && v.Answer.State == receipt.Known && !v.Answer.Others {
			v.Answer.State = receipt.New
		}
	}
	if v.Added, err = d.added(ctx, doc.ID); err != nil {
		return View{}, fault.Wrap(op, err)
	}
	return d.sign(v)
}

// release is the version a report came from: of the extension it is attributed to,
// else of whose project it came in through.
func release(doc *crash.Document) string {
	o := &doc.Origin
	switch {
	case doc.Blame.Extension != "" && doc.Blame.Version != "":
		return doc.Blame.Version
	case doc.Blame.Extension != "" && doc.Blame.Extension == o.Extension, doc.Blame.Extension == "" && o.Extension != "":
		return o.ExtVersion
	case doc.Blame.Extension == "":
		return o.HostVersion
	}
	return ""
}

// absent is the view of a report with an id of ours that is not stored.
func (d *Desk) absent(ctx context.Context, id eco.ID) (View, error) {
	v := View{ID: d.o.Book.ID(id), Received: id.Time(), crash: id}
	for _, id := range []eco.ID{id, crash.Freed(id)} {
		if at, ok := d.withdrawn.at(id); ok {
			return d.absentAt(v, at)
		}
		at, ok, err := d.wasWithdrawn(ctx, id)
		if err != nil {
			return View{}, fault.Wrap("answers.Receipt", err)
		}
		if ok {
			return d.absentAt(v, at)
		}
	}
	v.Answer = receipt.Answer{State: receipt.Expired, Wanted: receipt.Full}
	if stored := d.o.Stored(ctx); stored.Before(v.Received) && d.o.Now().Sub(v.Received) < 25*time.Hour {
		v.Answer.State = receipt.Received
	}
	return d.sign(v)
}

func (d *Desk) absentAt(v View, at time.Time) (View, error) {
	v.Answer, v.Withdrawn, v.Gone = receipt.Answer{State: receipt.Withdrawn, Wanted: receipt.Full}, at, goneBy(at)
	v.What, v.Counted, v.Blame, v.Release, v.Kept = "", false, "", "", time.Time{}
	return d.sign(v)
}

// sign fills in whose report it was and the signed slip.
func (d *Desk) sign(v View) (View, error) {
	if a, ok := d.o.Project(v.project); ok {
		v.About = eco.Ref{Kind: "host", ID: a.Host}
		if a.Extension != "" {
			v.About = eco.Ref{Kind: "extension", ID: string(a.Extension)}
		}
	}
	var err error
	v.Signed, err = d.o.Book.Sign(receipt.Slip{Receipt: v.ID, Received: v.Received, About: v.About, State: v.Answer.State, FixedIn: v.Answer.FixedIn,
		At: d.o.Now(), Gone: v.Gone})
	return v, err
}

// Verifier is the key by which outsiders check signed receipts.
func (d *Desk) Verifier() (string, error) { return d.o.Book.Verifier() }

package ingest

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
	"github.com/bellwether-project/bellwether/internal/ingest/native"
	"github.com/bellwether-project/bellwether/internal/receipt"
	"github.com/bellwether-project/bellwether/internal/registry"
	"github.com/bellwether-project/bellwether/internal/signature"
	"github.com/bellwether-project/bellwether/internal/stack"
)

// Receipts is what the door tells the senders of crashes from: all of it in memory.
type Receipts struct {
	Book  *receipt.Book
	Board *receipt.Board
	World func() *blame.World
	Base  string // address of the pages, without a slash at the end
}

// receiptHeader names the page of a report's receipt, where the body of a foreign
// protocol has no room for it: the first crash that was kept of the request.
const receiptHeader = "X-Bellwether-Receipt"

func (r *Receipts) url(id string) string { return r.Base + "/receipts/" + id }

func (b *batch) receiptHeader(h http.Header) {
	if r := b.s.o.Receipts; r != nil && h != nil && !b.first.IsZero() {
		if id := r.Book.ID(b.first); id != "" {
			h.Set(receiptHeader, r.url(id))
		}
	}
}

// Told is an answer with how to send what it wants.
type Told struct {
	receipt.Answer
	Send *receipt.Send `json:"send,omitempty"`
}

const crashesPath = "/api/v1/intake/crashes"

// send says how to send what an answer wants of its signature. A client of a host
// names the extension that it is about; in an extension's own project it is that one.
func (r *Receipts) send(subject registry.Subject, ext eco.ExtensionID, a *receipt.Answer) *receipt.Send {
	if subject.Extension != "" {
		ext = ""
	}
	return receipt.SendTo(r.Base+crashesPath, a.Signature, ext, a.Wanted)
}

// unknown says that a crash of which only the signature came cannot be counted,
// and what is told its sender then: nobody knows the signature. ok is false when
// it is known, or when only the flow can tell.
func (r *Receipts) unknown(subject registry.Subject, c *eco.Crash) (a receipt.Answer, ok bool) {
	s, sure := r.Board.Look(receipt.Asker{Extension: subject.Extension, Host: subject.Host}, c.Owner, c.Counted)
	if !sure || s != nil {
		return a, false
	}
	a = receipt.Tell(nil, "")
	a.Signature = receipt.SignaturePrefix + c.Counted
	return a, true
}

// answer tells what is known of a crash. It works on the crash itself: the record
// must have been encoded before. What breaks here costs the answer, not the crash.
func (r *Receipts) answer(subject registry.Subject, e *eco.Envelope) (a Told) {
	defer func() {
		if recover() != nil {
			a = Told{Answer: received}
		}
		if a.Receipt = r.Book.ID(e.ID); a.Receipt != "" {
			a.URL = r.url(a.Receipt)
		}
	}()
	if e.Quarantined {
		return Told{Answer: receipt.Answer{State: receipt.Held, Wanted: receipt.Full}}
	}
	hash, by := r.sign(e.Crash, e.Origin)
	defer func() { a.Signature = receipt.SignaturePrefix + hash }()
	s, ok := r.Board.Look(receipt.Asker{Extension: subject.Extension, Host: subject.Host}, by.Extension, hash)
	if !ok {
		return Told{Answer: received}
	}
	a.Answer = r.tell(s, version(&e.Origin, &by))
	if a.Signature = receipt.SignaturePrefix + hash; a.Wanted == receipt.Counts {
		a.Send = r.send(subject, by.Extension, &a.Answer)
	}
	return a
}

// received is what is told when nothing can be said yet.
var received = receipt.Answer{State: receipt.Received, Wanted: receipt.Full}

// sign is the flow's line without symbols: the same stages, on one crash.
func (r *Receipts) sign(c *eco.Crash, o eco.Origin) (hash string, by eco.Blame) {
	if c.Counted != "" { // its client signed it
		by.Extension = c.Owner
		for _, a := range c.Active {
			if a.ID == c.Owner {
				by.Version = a.Version
			}
		}
		return c.Counted, by
	}
	w := r.World()
	stack.Fill(c)
	stack.Normalise(c)
	w.Classify(c, o)
	sig := signature.Sign(c)
	return sig.Hash, blame.Decide(w, c, o)
}

func (r *Receipts) tell(s *receipt.Standing, version string) receipt.Answer {
	a := receipt.Tell(s, version)
	if a.Public != "" {
		a.Public = r.Base + "/fixed/" + a.Public
	}
	return a
}

// version is the one the crash counts for: of whom it is attributed to.
func version(o *eco.Origin, by *eco.Blame) string {
	switch {
	case by.Extension != "" && by.Version != "":
		return by.Version
	case by.Extension != "" && by.Extension != o.Extension:
		return ""
	case o.Extension != "":
		return o.ExtVersion
	}
	return o.HostVersion
}

// Note is what the sender of a report adds to it on the receipt's page, after being
// shown what becomes of it and saying yes: that consent covers it, whatever the
// project's users were asked before.
type Note struct {
	Project *registry.ProjectView
	Crash   string // the client's id of the report, else ours
	Message string
	From    netip.Addr
}

// MaxNote bounds a note in bytes.
const MaxNote = 4 << 10

// Add sends a note down the ordinary way: scrubbed, durable, counted.
func (s *Server) Add(ctx context.Context, n Note) (eco.ID, error) {
	const op = "ingest.Add"
	if err := s.full(); err != nil {
		return eco.ID{}, err
	}
	if n.Project == nil || n.Message == "" {
		return eco.ID{}, fault.E(op, fault.Invalid, "Please write something first.", nil)
	}
	if len(n.Message) > MaxNote {
		return eco.ID{}, fault.E(op, fault.TooLarge, "That is longer than a note may be (4,000 characters).", nil)
	}
	g := gate{key: registry.KeyView{Project: n.Project}, protocol: native.Protocol, from: n.From, now: s.o.Now(), asked: true}
	batch := s.newBatch(g)
	appended := false
	defer func() { batch.done(appended) }()
	out := batch.add(&item.Item{Name: "feedback", Kind: eco.KindFeedback, Feedback: &eco.Feedback{Message: eco.Clean(n.Message, MaxNote), CrashID: n.Crash}})
	if !out.Kept {
		return eco.ID{}, fault.E(op, fault.Forbidden, "This note cannot be taken.", nil)
	}
	if err := batch.flush(ctx); err != nil {
		return eco.ID{}, err
	}
	appended = true
	return out.ID, nil
}

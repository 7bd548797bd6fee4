package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// countOf makes a crash that says of another one nothing but its signature.
func (h *house) countOf(e *eco.Envelope) *eco.Envelope {
	h.t.Helper()
	it := item{raw: eco.EncodeEnvelope(nil, e)}
	w := &Worker{stages: crashLine}
	if at, err := w.line(&it, h.world, time.Now()); err != nil {
		h.t.Fatal(at, err)
	}
	c := h.envelope(eco.KindCrash, eco.ClassCrash)
	c.Origin.Extension, c.Origin.ExtVersion = e.Origin.Extension, e.Origin.ExtVersion
	c.Crash = &eco.Crash{Level: "error", Counted: it.sig.Hash}
	return c
}

func (h *house) docOf(id eco.ID) crash.Document {
	h.t.Helper()
	docs, err := h.mem.Documents(h.t.Context(), facts.Everything(), []eco.ID{id})
	if err != nil || len(docs) != 1 {
		h.t.Fatal(len(docs), err)
	}
	var doc crash.Document
	if err := json.Unmarshal(docs[0].Body, &doc); err != nil {
		h.t.Fatal(err)
	}
	return doc
}

func (h *house) dropped() (n int64) {
	h.t.Helper()
	list, err := h.counts.List(h.t.Context(), CountFilter{})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, c := range list {
		if c.Outcome == Dropped && c.Reason == Unknown {
			n += c.N
		}
	}
	return n
}

// A key of an extension's project counts in that extension's families, whatever
// other extension its request names; so nobody reopens another's fixed families.
func TestCountedInOwnFamiliesOnly(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		full := h.crash("draw", "")
		h.send(full)
		h.drain()
		forged := h.countOf(full)
		forged.Origin.Extension, forged.Origin.ExtVersion = "rival.x", "9.0.0"
		forged.Crash.Owner = "acme.theme"
		h.send(forged)
		h.drain()
		if n := len(h.rows()); n != 1 || h.dropped() != 1 {
			t.Errorf("%d rows, %d dropped", n, h.dropped())
		}
	})
}

func TestCountedBySignature(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		full := h.crash("draw", "")
		h.send(full)
		h.drain()
		f := h.rows()[0].Family
		sent := h.countOf(h.crashIn("1.4.0", "draw", ""))
		sent.Dedup, sent.ClientID = 77, "again"
		again := *sent
		again.ID = h.envelope(eco.KindCrash, eco.ClassCrash).ID
		unknown := h.countOf(h.crash("never", ""))
		foreign := h.countOf(full)
		foreign.Origin.Extension = ""   // through a host
		foreign.Crash.Owner = "rival.x" // it is no signature of theirs
		h.send(sent, &again, unknown, foreign)
		h.drain()
		h.drain() // a restart decides nothing anew

		rows := h.rows()
		if len(rows) != 2 {
			t.Fatalf("%d rows", len(rows))
		}
		r := rows[1]
		if r.Family != f || r.Signature != rows[0].Signature || r.Blame != "acme.theme" || r.BlameVer != "1.4.0" || r.Count != 1 || !r.Counted() || r.Name != "TypeError" {
			t.Errorf("%+v", r)
		}
		if n := h.dropped(); n != 2 {
			t.Errorf("%d dropped as unknown, want 2", n)
		}
		doc := h.docOf(r.ID)
		if doc.Placement.Family != f || !doc.Placement.Known || doc.Signature.Title == "" || doc.Signature.Title == countedTitle || len(doc.Crash.Exceptions) != 0 {
			t.Errorf("%+v", doc)
		}
		if c := doc.Blame.Candidates; len(c) != 1 || c[0].Step != 0 || !strings.HasPrefix(c[0].Reason, "Counted by signature; no stack came with it.") {
			t.Errorf("%+v", doc.Blame)
		}
		var steps []string
		for _, s := range doc.Steps {
			steps = append(steps, s.Stage)
		}
		if d := cmp.Diff([]string{"count", "store"}, steps); d != "" {
			t.Error(d)
		}
		d, err := h.desk.Family(t.Context(), facts.Everything(), f, crash.Period{})
		if err != nil || d.Crashes != 2 || d.Counted != 1 || d.Installs != 2 || d.LastRelease != "1.4.0" || d.Representative != rows[0].ID || d.Signatures != 1 {
			t.Errorf("%+v, %v", d.Family, err)
		}
		sample, err := h.desk.Sample(t.Context(), facts.Everything(), f, crash.Period{}, 10)
		if err != nil || len(sample) != 1 || sample[0].ID != rows[0].ID {
			t.Errorf("%d samples, %v", len(sample), err)
		}
		p, err := h.desk.Crashes(t.Context(), facts.Everything(), crash.CrashFilter{Family: f})
		if err != nil || len(p.Crashes) != 2 || !p.Crashes[0].Counted || p.Crashes[1].Counted {
			t.Errorf("%+v, %v", p, err)
		}
		both, err := h.desk.Together(t.Context(), facts.Everything(), r.ID.String())
		if err != nil || !both.Counted || !both.Same || len(both.Matched) != 0 {
			t.Errorf("%+v, %v", both, err)
		}
		// A count never stands for its family, also when nothing else is left.
		if _, err := h.mem.Erase(t.Context(), facts.Subject{Crash: rows[0].ID}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.desk.Tend(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d, err = h.desk.Family(t.Context(), facts.Everything(), f, crash.Period{}); err != nil || !d.Representative.IsZero() || d.Crashes != 1 {
			t.Errorf("%+v, %v", d.Family, err)
		}
		// An erasure by install takes its counts along, a purge those whose time is up.
		more := h.countOf(full)
		more.Origin.Install = 99
		h.send(more)
		h.drain()
		if _, err := h.mem.Erase(t.Context(), facts.Subject{Project: 7, Install: r.Origin.Install}); err != nil {
			t.Fatal(err)
		}
		if rows = h.rows(); len(rows) != 1 || rows[0].ID != more.ID {
			t.Errorf("after an erasure: %+v", rows)
		}
		if _, err := h.mem.Purge(t.Context(), time.Now().AddDate(0, 0, 92)); err != nil || len(h.rows()) != 0 {
			t.Errorf("after a purge: %+v, %v", h.rows(), err)
		}
	})
}

// A count of what came in before it, in the very same batch, finds its family;
// one that comes before is unknown. A batch that is stored again after a fault,
// by another worker, says the same.
func TestCountedInItsBatch(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		full := h.crash("draw", "")
		early, sent := h.countOf(full), h.countOf(full)
		h.send(early, full, sent)
		w := h.worker()
		broken := false
		w.trip = func(step string, done bool) error {
			if step == "facts" && !done && !broken {
				broken = true
				return errors.New("the disk is full")
			}
			return nil
		}
		h.run(w)
		once := h.rows()
		if len(once) != 2 || once[1].Family != once[0].Family || once[0].Family == "" || !once[1].Counted() && !once[0].Counted() {
			t.Fatalf("%+v", once)
		}
	})
}

// TestCountedReplay kills the worker between the decision and the facts.
func TestCountedReplay(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		full := h.crash("draw", "")
		sent := h.countOf(full)
		h.send(full, sent, h.countOf(h.crash("never", "")))
		first := h.worker()
		died := errors.New("killed")
		first.pause = func(_ context.Context, _ int) error { return died }
		first.trip = func(step string, done bool) error {
			if step == "facts" && !done {
				return died
			}
			return nil
		}
		_ = first.Run(t.Context())
		if len(h.rows()) != 0 {
			t.Fatal("facts were stored")
		}
		h.drain()
		rows := h.rows()
		if len(rows) != 2 || rows[0].Family == "" || rows[0].Family != rows[1].Family {
			t.Fatalf("%+v", rows)
		}
		doc := h.docOf(sent.ID)
		if len(doc.Blame.Candidates) != 1 || doc.Signature.Title == countedTitle || doc.Placement.Family != rows[0].Family || doc.Blame.Target == "" {
			t.Errorf("%+v", doc)
		}
	})
}

// Counts reopen what was resolved: that is why a fixed crash is still counted.
func TestCountedReopens(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		full := h.crash("draw", "")
		h.send(full)
		h.drain()
		f := h.rows()[0].Family
		if _, err := h.desk.SetState(t.Context(), facts.Everything(), crash.Decision{Family: f, To: crash.Resolved, ResolvedIn: "1.3.0", Actor: "a-1"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		h.send(h.countOf(h.crashIn("1.4.0", "draw", "")))
		h.drain()
		d, err := h.desk.Family(t.Context(), facts.Everything(), f, crash.Period{})
		if err != nil || d.State != crash.Open || !d.Regressed {
			t.Errorf("%+v, %v", d.Family, err)
		}
	})
}

// A held count is placed when a person lets it go, and is in no number before.
func TestCountedHeld(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		full := h.crash("draw", "")
		sent, lost := h.countOf(full), h.countOf(h.crash("never", ""))
		for _, e := range []*eco.Envelope{sent, lost} {
			e.Quarantined, e.Steps = true, []eco.Step{{Stage: "received", Version: "native", Note: "quarantined: 31 crashes in a minute"}}
		}
		h.send(full, sent, lost)
		h.drain()
		if n := h.counted()[h.rows()[0].Family]; n != 1 {
			t.Fatalf("%d count before", n)
		}
		held, err := h.desk.Held(t.Context(), facts.Everything(), 7)
		if err != nil || len(held.Groups) != 2 || held.Groups[0].Title != countedTitle {
			t.Errorf("%+v, %v", held, err)
		}
		h.during(func(w *Worker) {
			if _, err := w.ReleaseHeld(t.Context(), Held{Project: 7, Before: time.Now().Add(time.Second), Actor: "a-1"}); err != nil {
				t.Fatal(err)
			}
		})
		rows := h.rows()
		if len(rows) != 2 || h.counted()[rows[0].Family] != 2 {
			t.Errorf("%+v", rows)
		}
	})
}

// Of a host's client the count names the extension; only the active set that came
// with it lets the evidence speak.
func TestCountedOfAHost(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		full := h.hostCrash("draw", "acme.git")
		bare, with := h.countOf(full), h.countOf(full)
		with.Crash.Active = []eco.Active{{ID: "acme.git", Version: "3.1.0"}}
		elsewhere := h.countOf(full)
		elsewhere.Origin.Host = "other"
		w := h.worker()
		w.o.Suspects = func(_ string, active []eco.Active) []eco.Candidate {
			return []eco.Candidate{{Extension: "acme.git", Version: active[0].Version, Step: 6, Role: "associated", Confidence: .6, Reason: "Associated."}}
		}
		full.Crash.Active = nil
		h.send(full, bare, with, elsewhere)
		h.run(w)
		rows := h.rows()
		if len(rows) != 3 || rows[1].Blame != "" || rows[2].Blame != "acme.git" || rows[2].BlameVer != "3.1.0" || rows[1].Family != rows[2].Family {
			t.Fatalf("%+v", rows)
		}
		if n := h.dropped(); n != 1 {
			t.Errorf("%d dropped as unknown: another host's", n)
		}
	})
}

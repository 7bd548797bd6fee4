package pipeline

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// during runs a worker for as long as f takes.
func (h *house) during(f func(*Worker)) {
	h.t.Helper()
	w := h.worker()
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	f(w)
	cancel()
	if err := <-done; err != nil {
		h.t.Fatal(err)
	}
}

// hold sends three held crashes of one function and one of another, beside one that counts.
func (h *house) hold() (upto time.Time) {
	h.t.Helper()
	list := []*eco.Envelope{h.crash("draw", "")}
	for _, fn := range []string{"draw", "draw", "draw", "blend"} {
		e := h.crash(fn, "")
		e.Quarantined, e.Steps = true, []eco.Step{{Stage: "received", Version: "native", Note: "quarantined: 31 crashes in a minute"}}
		list = append(list, e)
	}
	h.send(list...)
	h.drain()
	return time.Now().Add(time.Second)
}

func (h *house) counted() map[string]int64 {
	h.t.Helper()
	r, err := h.mem.Query(h.t.Context(), facts.Query{Scope: facts.Everything(), Group: []facts.Column{facts.Family}, Measures: []facts.Measure{{Fn: facts.Count}}})
	if err != nil {
		h.t.Fatal(err)
	}
	out := map[string]int64{}
	for _, row := range r.Rows {
		out[row[0].(string)] += row[1].(int64)
	}
	return out
}

func TestHeldCrashesAreReleased(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		upto := h.hold()
		time.Sleep(time.Minute) // of the bubble
		late := h.crash("draw", "")
		late.Quarantined = true
		h.send(late)
		h.drain()
		held, err := h.desk.Held(ctx, facts.Everything(), 7)
		if err != nil || held.Crashes != 5 || len(held.Groups) != 2 || held.Groups[0].Crashes != 4 || !held.Groups[0].Known || held.Groups[1].Known {
			t.Fatalf("%+v, %v", held, err)
		}
		if g := held.Groups[1]; g.Why != "31 crashes in a minute" || g.Newest.IsZero() {
			t.Errorf("%+v", g)
		}
		if other, err := h.desk.Held(ctx, facts.Only([]eco.ExtensionID{"rival.x"}, nil), 7); err != nil || other.Crashes != 0 {
			t.Errorf("another's: %+v, %v", other, err)
		}
		h.during(func(w *Worker) {
			r, err := w.ReleaseHeld(ctx, Held{Project: 7, Before: upto, Actor: "a-1"})
			if err != nil || r.Crashes != 4 || r.More {
				t.Fatalf("%+v, %v", r, err)
			}
		})
		n := h.counted()
		if len(n) != 2 || n[""] != 0 {
			t.Fatalf("families: %v", n)
		}
		page, err := h.desk.Families(ctx, facts.Everything(), crash.Filter{})
		if err != nil || page.Crashes != 5 || page.Families[0].Crashes != 4 || page.Families[0].Blame != "acme.theme" {
			t.Fatalf("%+v, %v", page, err)
		}
		if held, _ = h.desk.Held(ctx, facts.Everything(), 7); held.Crashes != 1 {
			t.Errorf("the later one is not held any more: %+v", held)
		}
		c, err := h.desk.Crash(ctx, facts.Everything(), "client-2")
		if err != nil || c.Quarantined || c.Placement.Family == "" || c.Steps[1].Stage != releaseStep {
			t.Errorf("%+v, %v", c.Steps, err)
		}
		log, err := h.audit.List(ctx, 0, 10)
		if err != nil || log[0].Action != "quarantine.release" || log[0].Ref.ID != "7" || log[0].Actor != "a-1" {
			t.Errorf("%+v, %v", log, err)
		}
	})
}

// A release that broke off between storing and erasing counts nothing twice.
func TestReleaseIsFinishedLater(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.hold()
		h.facts = noErase{h.mem}
		h.during(func(w *Worker) {
			if _, err := w.ReleaseHeld(t.Context(), Held{Project: 7, Actor: "a-1"}); !errors.Is(err, errFault) {
				t.Fatal(err)
			}
		})
		h.facts = h.mem
		h.during(func(w *Worker) {
			if _, err := w.ReleaseHeld(t.Context(), Held{Project: 7, Actor: "a-1"}); err != nil {
				t.Fatal(err)
			}
		})
		if rows := h.rows(); len(rows) != 5 {
			t.Errorf("%d rows", len(rows))
		}
	})
}

type noErase struct{ facts.Store }

func (noErase) Erase(context.Context, facts.Subject) (facts.Receipt, error) {
	return facts.Receipt{}, errFault
}

func TestHeldCrashesAreDiscarded(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.hold()
		w := h.worker()
		held, err := h.desk.Held(t.Context(), facts.Everything(), 7)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		r, err := w.DiscardHeld(t.Context(), Held{Project: 7, Actor: "a-1", Signature: held.Groups[0].Signature})
		if err != nil || r.Crashes != 3 {
			t.Fatalf("%+v, %v", r, err)
		}
		if rows := h.rows(); len(rows) != 2 {
			t.Errorf("%d rows", len(rows))
		}
		if _, err := w.ReleaseHeld(t.Context(), Held{Project: 7, Actor: "a-1"}); fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("released without a worker: %v", err)
		}
	})
}

// More than one page: each is let go once.
func TestManyHeldCrashesAreReleased(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		const n = crash.MaxHeldPage + 100
		for range n {
			e := h.crash("draw", "")
			e.Quarantined = true
			h.send(e)
		}
		h.drain()
		time.Sleep(time.Second)
		h.during(func(w *Worker) {
			if r, err := w.ReleaseHeld(t.Context(), Held{Project: 7, Actor: "a-1"}); err != nil || r.Crashes != n {
				t.Fatalf("%+v, %v", r, err)
			}
		})
		page, err := h.desk.Families(t.Context(), facts.Everything(), crash.Filter{})
		if err != nil || page.Crashes != n || len(h.rows()) != n {
			t.Errorf("%d crashes, %v", page.Crashes, err)
		}
	})
}

package pipeline

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/stream"
)

// Two processes: the second waits for the lease, and takes over when the first
// ends; the first stands in line again when it loses the lease.
func TestOneWorkerAtATime(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		started := func(holder string) (w *Worker, stop func()) {
			w = h.worker()
			w.o.Holder = holder
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- w.Run(ctx) }()
			return w, func() {
				cancel()
				if err := <-done; err != nil {
					t.Errorf("%s: %v", holder, err)
				}
			}
		}
		position := func(w *Worker) uint64 {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.view.position
		}
		one, stopOne := started("one")
		time.Sleep(time.Second)
		two, stopTwo := started("two")
		h.send(h.crash("draw", ""))
		time.Sleep(time.Minute + 3*time.Second) // off the beat of those who wait
		if position(one) != 1 || position(two) != 0 {
			t.Fatalf("positions %d and %d: only the first works", position(one), position(two))
		}
		// Somebody takes the lease away (its holder slept too long).
		if err := h.db.Release(t.Context(), leaseName, "one"); err != nil {
			t.Fatal(err)
		}
		if ok, err := h.db.Lease(t.Context(), leaseName, "nobody", time.Now().Add(time.Minute), time.Now()); !ok || err != nil {
			t.Fatal(ok, err)
		}
		time.Sleep(30 * time.Second)
		h.send(h.crash("draw", ""))
		time.Sleep(5 * time.Minute)
		if s, err := h.stream.Stats(t.Context()); err != nil || s.Committed != 2 {
			t.Errorf("committed %d, %v: nobody went on", s.Committed, err)
		}
		stopOne()
		h.send(h.crash("draw", ""))
		time.Sleep(time.Minute)
		stopTwo()
		if rows := h.rows(); len(rows) != 3 {
			t.Errorf("%d rows, want 3", len(rows))
		}
	})
}

// A store that is down keeps the flow waiting, says so, and loses nothing.
func TestWaitsForTheStore(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.send(h.crash("draw", ""))
		w := h.worker()
		var down atomic.Bool
		down.Store(true)
		w.trip = func(step string, done bool) error {
			if down.Load() && step == "facts" {
				return fault.E("test", fault.Unavailable, "The disk is full.", nil)
			}
			return nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		time.Sleep(time.Minute)
		in, err := w.Intake(t.Context())
		if err != nil || in.LastError != "facts: The disk is full." || in.Waiting != 1 || in.Lag < time.Minute {
			t.Errorf("intake: %+v %v", in, err)
		}
		down.Store(false)
		time.Sleep(time.Minute)
		if in, err = w.Intake(t.Context()); err != nil || in.LastError != "" || in.Waiting != 0 || in.Lag != 0 || in.Families != 1 {
			t.Errorf("intake: %+v %v", in, err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if len(h.rows()) != 1 {
			t.Errorf("%d rows", len(h.rows()))
		}
	})
}

// A stream that lost what was stored from it (restored from an old copy, alone)
// must not be read as if it were the same.
func TestOlderStreamIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.send(h.crash("draw", ""))
		h.send(h.crash("draw", ""))
		h.drain()
		h.stream = stream.NewMem(1 << 20)
		h.send(h.crash("draw", ""))
		if err := h.worker().Run(t.Context()); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("got %v, want conflict", err)
		}
	})
}

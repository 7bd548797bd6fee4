package pipeline

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/stream"
)

// house is everything a worker stands on; workers come and go.
type house struct {
	t      testing.TB
	db     *db.DB
	stream *stream.Mem
	mem    *facts.Mem
	facts  facts.Store // mem, or something faulty before it
	counts *Counts
	desk   *crash.Desk
	audit  *audit.Log
	world  *blame.World
	erased func(*eco.Envelope) bool
	told   []Release
	n      int // envelopes made
	day    time.Time
}

func newHouse(t testing.TB, d *db.DB) *house {
	t.Helper()
	h := &house{t: t, db: d, stream: stream.NewMem(1 << 30), mem: facts.NewMem(), day: time.Now()}
	h.facts = h.mem
	var err error
	if h.audit, err = audit.New(t.Context(), d, time.Now); err != nil {
		t.Fatal(err)
	}
	ids := 0
	h.desk, err = crash.New(t.Context(), crash.Options{Flow: d, Records: d, Audit: h.audit, Facts: h.mem, Now: time.Now,
		NewID: func() string { ids++; return fmt.Sprintf("c-%d", ids) }})
	if err != nil {
		t.Fatal(err)
	}
	if h.counts, err = NewCounts(t.Context(), d, time.Now); err != nil {
		t.Fatal(err)
	}
	if h.world, err = blame.NewWorld(nil, nil); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) worker() *Worker {
	h.t.Helper()
	w, err := New(h.t.Context(), Options{Stream: h.stream, Flow: h.db, Facts: h.facts, Desk: h.desk, Counts: h.counts, Records: h.db, Audit: h.audit,
		World: func() *blame.World { return h.world }, Now: time.Now, Erased: h.erased,
		Releases: func(_ context.Context, r []Release) error { h.told = append(h.told, r...); return nil }})
	if err != nil {
		h.t.Fatal(err)
	}
	w.stages = append(w.stages[:len(w.stages):len(w.stages)], stage{"poison", "test", func(it *item, _ *blame.World) (string, error) {
		switch {
		case strings.Contains(it.env.Crash.Message, "poison"):
			panic("poison: " + it.env.Crash.Message)
		case strings.Contains(it.env.Crash.Message, "refuse"):
			return "", fault.E("test", fault.Invalid, "The stage refuses.", errors.New(it.env.Crash.Message))
		}
		return "", nil
	}})
	return w
}

// until runs a worker until the stream is committed, or ctx of the test ends.
func (h *house) drain() {
	h.t.Helper()
	h.run(h.worker())
}

func (h *house) run(w *Worker) {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	for {
		s, err := h.stream.Stats(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		if s.Committed == s.Last {
			break
		}
		select {
		case err := <-done:
			h.t.Fatalf("the worker ended: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
	cancel()
	if err := <-done; err != nil {
		h.t.Fatal(err)
	}
}

// envelope makes the next envelope, received now.
func (h *house) envelope(kind eco.Kind, class eco.Class) *eco.Envelope {
	h.n++
	var random [16]byte
	binary.BigEndian.PutUint64(random[8:], uint64(h.n))
	at := time.Now()
	return &eco.Envelope{ID: eco.NewID(at, random), Received: at.UnixMilli(), Time: at.UnixMilli(), Protocol: "native", Kind: kind, Tier: eco.TierCrash, Class: class,
		Origin: eco.Origin{Project: 7, Extension: "acme.theme", ExtVersion: "1.2.0", Host: "studio", HostVersion: "5.0", OS: "linux", Install: eco.Install(h.n % 5)}}
}

// crash makes a crash in a function; the same function makes the same family.
func (h *house) crash(function, message string) *eco.Envelope {
	return h.crashIn("1.2.0", function, message)
}

func (h *house) crashIn(version, function, message string) *eco.Envelope {
	e := h.envelope(eco.KindCrash, eco.ClassCrash)
	e.Origin.ExtVersion = version
	e.ClientID = fmt.Sprintf("client-%d", h.n)
	e.Crash = &eco.Crash{Platform: "javascript", Level: "error", Message: message, Exceptions: []eco.Exception{{
		Type: "TypeError", Value: "cannot read " + function, Parent: -1,
		Frames: []eco.Frame{
			{Function: function, File: "/home/(user)/.studio/extensions/acme.theme-" + version + "/out/" + function + ".js", Line: 10},
			{Function: "activate", File: "/home/(user)/.studio/extensions/acme.theme-" + version + "/out/main.js", Line: 20},
		},
	}}}
	return e
}

func (h *house) session(key uint64, status string, errs int64) *eco.Envelope {
	e := h.envelope(eco.KindSession, eco.ClassCrash)
	e.Session = &eco.Session{Key: key, Status: status, Started: e.Received, Errors: errs, Duration: 3}
	return e
}

func (h *house) event(name string) *eco.Envelope {
	e := h.envelope(eco.KindEvent, eco.Short)
	e.Tier = eco.Usage
	e.Event = &eco.Event{Name: name, Value: 1, Attrs: map[string]string{"b": "2", "a": "1\n"}}
	return e
}

// send appends envelopes as one message.
func (h *house) send(list ...*eco.Envelope) {
	h.t.Helper()
	var records [][]byte
	for _, e := range list {
		records = append(records, eco.EncodeEnvelope(nil, e))
	}
	h.sendRaw(records...)
}

func (h *house) sendRaw(records ...[]byte) {
	h.t.Helper()
	if _, err := h.stream.Append(h.t.Context(), records); err != nil {
		h.t.Fatal(err)
	}
}

// rows are all facts, the oldest first.
func (h *house) rows() []eco.Fact {
	h.t.Helper()
	var out []eco.Fact
	for {
		r, err := h.mem.Query(h.t.Context(), facts.Query{Scope: facts.Everything(), Rows: true, Offset: len(out),
			Where: []facts.Cond{anyQuarantine}, Order: []facts.Order{{By: string(facts.ID)}}})
		if err != nil {
			h.t.Fatal(err)
		}
		if out = append(out, r.Facts...); !r.More {
			return out
		}
	}
}

func (h *house) letters() []Letter {
	h.t.Helper()
	list, err := h.worker().Letters(h.t.Context(), facts.Everything(), 0)
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

// open is a database for a test inside a synctest bubble.
func open(t *testing.T) *db.DB { return dbtest.Open(t) }

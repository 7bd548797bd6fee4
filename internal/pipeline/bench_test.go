package pipeline

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/family"
	"github.com/bellwether-project/bellwether/internal/stream"
)

// typical makes a crash of about 2.4 KB: 24 frames over the extension, a vendored
// library, the host and the runtime, 12 breadcrumbs, of one of many bugs.
func typical(h *house, rng *rand.Rand, bugs int) *eco.Envelope {
	bug := int(float64(bugs) * rng.Float64() * rng.Float64()) // some are frequent
	e := h.crashIn("1.2.0", fmt.Sprintf("render%c%d", 'A'+bug%26, bug/26), "")
	x := &e.Crash.Exceptions[0]
	x.Value = fmt.Sprintf("Cannot read properties of undefined (reading 'k%d')", rng.IntN(1000))
	x.Frames = x.Frames[:1]
	place := []string{"/home/(user)/.studio/extensions/acme.theme-1.2.0/out/%s.js", "/home/(user)/.studio/extensions/acme.theme-1.2.0/node_modules/lib/%s.js",
		"/usr/share/studio/resources/app/out/%s.js", "node:internal/%s"}
	for i := range 23 {
		name := fmt.Sprintf("caller%d_%d", bug%7, i)
		x.Frames = append(x.Frames, eco.Frame{Function: name, File: fmt.Sprintf(place[i/6], name), Line: rng.IntN(900), Col: rng.IntN(90)})
	}
	for i := range 12 {
		e.Crash.Breadcrumbs = append(e.Crash.Breadcrumbs, eco.Breadcrumb{Time: e.Time, Category: "command", Message: fmt.Sprintf("ran acme.command%d", i), Level: "info"})
	}
	e.Dedup = rng.Uint64()
	return e
}

func (h *house) ready(b *testing.B) *Worker {
	w := h.worker()
	w.index = family.NewIndex(family.Options{})
	w.known, w.sessions = newAging[struct{}](maxDedup), newAging[sessionState](maxSessions)
	w.releases, w.changed, w.newest = map[Release]struct{}{}, map[string]bool{}, time.UnixMilli(0)
	return w
}

// The stage line alone: decode to family, no I/O, one goroutine.
func BenchmarkLine(b *testing.B) {
	h := newHouse(b, dbtest.Open(b))
	w := h.ready(b)
	w.stages = crashLine
	rng := rand.New(rand.NewPCG(1, 1))
	var records [][]byte
	size := 0
	for range 2000 {
		r := eco.EncodeEnvelope(nil, typical(h, rng, 300))
		size += len(r)
		records = append(records, r)
	}
	b.ReportMetric(float64(size)/2000, "bytes/record")
	b.ReportAllocs()
	now := time.Now()
	n := 0
	for b.Loop() {
		it := item{raw: records[n%len(records)]}
		w.prepareOne(&it, h.world, now)
		if err := w.settle(&it, now); err != nil || it.outcome != stored {
			b.Fatal(it.outcome, it.reason, err)
		}
		n++
	}
}

// Each stage on its own, to see where the time goes.
func BenchmarkStages(b *testing.B) {
	h := newHouse(b, dbtest.Open(b))
	rng := rand.New(rand.NewPCG(1, 1))
	record := eco.EncodeEnvelope(nil, typical(h, rng, 300))
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			if _, err := eco.DecodeEnvelope(record); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, s := range crashLine {
		env, err := eco.DecodeEnvelope(record)
		if err != nil {
			b.Fatal(err)
		}
		it := item{env: env, crashPart: new(crashPart)}
		for _, before := range crashLine {
			if before.name == s.name {
				break
			}
			if _, err := before.do(&it, h.world); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(s.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.do(&it, h.world); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("document", func(b *testing.B) {
		w := h.ready(b)
		w.stages = crashLine
		it := item{raw: record}
		w.prepareOne(&it, h.world, time.Now())
		for b.Loop() {
			if _, _, err := document(&it); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// A batch of 750 crashes (what a quarter second brings at 3,000 a second) through
// the whole line and every commit, with facts in memory and SQLite on disk.
func BenchmarkBatch(b *testing.B) {
	h := newHouse(b, dbtest.Open(b))
	w := h.ready(b)
	w.stages = crashLine
	rng := rand.New(rand.NewPCG(1, 1))
	const rows = 750
	seq := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		var records [][]byte
		for range rows {
			records = append(records, eco.EncodeEnvelope(nil, typical(h, rng, 300)))
		}
		if _, err := h.stream.Append(b.Context(), records); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		one := &batch{after: seq}
		seq++
		w.addAll(one, []stream.Message{{Seq: seq, Records: records}})
		if err := w.store(context.Background(), one); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*rows), "µs/crash")
}

// The same with telemetry events.
func BenchmarkBatchEvents(b *testing.B) {
	h := newHouse(b, dbtest.Open(b))
	w := h.ready(b)
	const rows = 10_000
	seq := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		var records [][]byte
		for range rows {
			records = append(records, eco.EncodeEnvelope(nil, h.event("opened")))
		}
		if _, err := h.stream.Append(b.Context(), records); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		one := &batch{after: seq}
		seq++
		w.addAll(one, []stream.Message{{Seq: seq, Records: records}})
		if err := w.store(context.Background(), one); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*rows), "µs/event")
}

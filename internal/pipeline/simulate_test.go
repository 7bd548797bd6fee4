package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// The simulation: random records go through a worker that fails and is killed at
// random steps, before and after each, with a fact store that applies some
// partitions and not others; then the same records through one that never fails.
// Both must hold the same facts, families, letters and sums. A failing seed is
// the subtest's name.

var errFault = errors.New("planted fault")

// patchy applies some partitions of a batch, then fails.
type patchy struct {
	facts.Store
	rng *rand.Rand
}

func (p *patchy) Insert(ctx context.Context, b facts.Batch) error {
	if p.rng.IntN(4) != 0 {
		return p.Store.Insert(ctx, b)
	}
	type part struct {
		day   eco.Day
		class eco.Class
	}
	parts := map[part]bool{} // applied?
	some := facts.Batch{Position: b.Position}
	ids := map[eco.ID]bool{}
	for _, f := range b.Facts {
		k := part{f.Day(), f.Class}
		if _, ok := parts[k]; !ok {
			parts[k] = p.rng.IntN(2) == 0
		}
		if parts[k] {
			some.Facts = append(some.Facts, f)
			ids[f.ID] = true
		}
	}
	for _, d := range b.Docs {
		if ids[d.ID] {
			some.Docs = append(some.Docs, d)
		}
	}
	return errors.Join(p.Store.Insert(ctx, some), errFault)
}

// traffic makes messages of records; the same seed makes the same.
func traffic(h *house, rng *rand.Rand) [][]*eco.Envelope {
	var out [][]*eco.Envelope
	var before []*eco.Envelope
	for range 4 + rng.IntN(8) {
		var m []*eco.Envelope
		for range 1 + rng.IntN(6) {
			var e *eco.Envelope
			switch rng.IntN(12) {
			case 0, 1, 2, 3:
				e = h.crash(fmt.Sprintf("function%c", 'A'+rng.IntN(6)), []string{"", "", "", "poison", "refuse"}[rng.IntN(5)])
				if rng.IntN(2) == 0 {
					e.Dedup = uint64(100 + rng.IntN(6))
				}
				e.Crash.Exceptions[0].Frames = append(e.Crash.Exceptions[0].Frames, eco.Frame{
					Function: fmt.Sprintf("caller%d", rng.IntN(4)), File: "/x/extensions/acme.theme-1.2.0/out/c.js"})
				if rng.IntN(4) == 0 {
					e.Class = eco.Hold
				}
			case 4, 5, 6:
				e = h.session(uint64(1+rng.IntN(4)), []string{"ok", "exited", "crashed", "abnormal"}[rng.IntN(4)], int64(rng.IntN(2)))
			case 7, 8:
				e = h.event("opened")
			case 9, 10: // only the signature of one that came, or did not
				e = h.countOf(h.crash(fmt.Sprintf("function%c", 'A'+rng.IntN(6)), ""))
				if rng.IntN(2) == 0 && len(before) > 0 && before[0].Kind == eco.KindCrash && before[0].Crash.Counted == "" {
					e = h.countOf(before[0])
				}
				if rng.IntN(2) == 0 {
					e.Dedup = uint64(300 + rng.IntN(4))
				}
			default:
				if e = h.event("again"); len(before) > 0 { // the very same record twice
					e = before[rng.IntN(len(before))]
				}
			}
			if e.Kind == eco.KindEvent && rng.IntN(3) == 0 {
				e.Dedup = uint64(200 + rng.IntN(3))
			}
			before = append(before, e)
			m = append(m, e)
		}
		out = append(out, m)
		time.Sleep(time.Duration(rng.IntN(7)) * time.Hour) // several days, and the ends of 48 hours
	}
	return out
}

// outcomeOf is what must not depend on faults.
type outcomeOf struct {
	Facts    []string
	Families []string
	Letters  []string
}

func (h *house) outcome() outcomeOf {
	var o outcomeOf
	for _, f := range h.rows() {
		o.Facts = append(o.Facts, fmt.Sprintf("%s %s %s fam=%s sig=%s counted=%v by=%s %s n=%d e=%d c=%d a=%d", f.ID, f.Kind, f.Name, f.Family, f.Signature, f.Counted(), f.Blame, f.BlameVer, f.Count, f.Errored, f.Crashed, f.Abnormal))
	}
	for _, l := range h.letters() {
		o.Letters = append(o.Letters, l.ID+" "+l.Stage)
	}
	rows, err := h.db.Read().QueryContext(h.t.Context(), `SELECT id, first_ms, last_ms, signatures, representative FROM crash_family ORDER BY id`)
	if err != nil {
		h.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, rep string
		var first, last, n int64
		if err := rows.Scan(&id, &first, &last, &n, &rep); err != nil {
			h.t.Fatal(err)
		}
		o.Families = append(o.Families, fmt.Sprint(id, " ", first, " ", last, " ", n, " ", rep))
	}
	slices.Sort(o.Letters)
	return o
}

func simulate(t *testing.T, seed uint64) {
	time.Sleep(10 * 24 * time.Hour)
	rng := rand.New(rand.NewPCG(seed, 1))
	faulty, calm := newHouse(t, open(t)), newHouse(t, open(t))
	faulty.facts = &patchy{faulty.mem, rng}
	messages := traffic(faulty, rand.New(rand.NewPCG(seed, 2)))
	for _, m := range messages {
		calm.send(m...)
	}
	calm.drain()

	kills := 0
	for life := 0; ; life++ {
		ctx, kill := context.WithCancel(t.Context())
		w := faulty.worker()
		w.pause = func(ctx context.Context, _ int) error { return wait(ctx, time.Second) }
		w.trip = func(string, bool) error {
			switch n := rng.IntN(20); {
			case life > 60: // enough
			case n == 0:
				kills++
				kill()
				return ctx.Err()
			case n < 4:
				return errFault
			}
			return nil
		}
		for range rng.IntN(3) { // a few messages a life, so that batches differ from those of calm
			if len(messages) > 0 {
				faulty.send(messages[0]...)
				messages = messages[1:]
			}
		}
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		time.Sleep(time.Duration(1+rng.IntN(20)) * time.Second)
		kill()
		if err := <-done; err != nil && !errors.Is(err, errFault) {
			t.Fatalf("life %d: %v", life, err)
		}
		s, err := faulty.stream.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(messages) == 0 && s.Committed == s.Last {
			break
		}
		if life > 500 {
			t.Fatal("it never ends")
		}
	}
	faulty.facts = faulty.mem
	if diff := cmp.Diff(calm.outcome(), faulty.outcome()); diff != "" {
		t.Errorf("after %d kills (-calm +faulty):\n%s", kills, diff)
	}
}

func TestSimulation(t *testing.T) {
	seeds := uint64(200)
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { simulate(t, seed) })
		})
	}
}

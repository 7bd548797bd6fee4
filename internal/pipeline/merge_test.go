package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// shown is what people see of every family: its signatures, crashes and installs,
// without ids, which a split makes up.
func (h *house) shown() []string {
	h.t.Helper()
	p, err := h.desk.Families(h.t.Context(), facts.Everything(), crash.Filter{Period: crash.Period{From: h.day.AddDate(0, 0, -1), To: time.Now().Add(time.Hour)}})
	if err != nil {
		h.t.Fatal(err)
	}
	var out []string
	for _, f := range p.Families {
		d, err := h.desk.Family(h.t.Context(), facts.Everything(), f.ID, crash.Period{From: h.day.AddDate(0, 0, -1), To: time.Now().Add(time.Hour)})
		if err != nil {
			h.t.Fatal(err)
		}
		var sigs []string
		for _, s := range d.List {
			sigs = append(sigs, fmt.Sprintf("%s=%d/%d", s.Title, s.Crashes, s.Installs))
		}
		slices.Sort(sigs)
		out = append(out, fmt.Sprintf("crashes %d installs %d signatures %d: %s", d.Crashes, d.Installs, d.Signatures, strings.Join(sigs, ", ")))
	}
	slices.Sort(out)
	return out
}

// familyOf finds the family that shows a function's crashes.
func (h *house) familyOf(function string) string {
	h.t.Helper()
	p, err := h.desk.Families(h.t.Context(), facts.Everything(), crash.Filter{Query: function, Period: crash.Period{From: h.day.AddDate(0, 0, -1), To: time.Now().Add(time.Hour)}})
	if err != nil || len(p.Families) != 1 {
		h.t.Fatalf("%s is in %d families: %v", function, len(p.Families), err)
	}
	return p.Families[0].ID
}

// regroup merges B into A, splits B's signature off again, and takes either back.
func (h *house) regroup(step int, done map[string]crash.Regrouping) {
	h.t.Helper()
	ctx := h.t.Context()
	do := func(name string, g crash.Regrouping, err error) {
		if err != nil {
			h.t.Fatalf("%s: %v", name, err)
		}
		done[name] = g
	}
	switch step {
	case 1:
		g, err := h.desk.Merge(ctx, facts.Everything(), crash.Merge{Into: h.familyOf("functionA"), Families: []string{h.familyOf("functionB")}, Actor: "a"})
		do("merge", g, err)
	case 2:
		g, err := h.desk.Split(ctx, facts.Everything(), crash.Split{Family: h.familyOf("functionA"), Containing: "functionB", Actor: "a"})
		do("split", g, err)
	case 3:
		g, err := h.desk.Unmerge(ctx, facts.Everything(), done["split"].Family, done["split"].ID, "a")
		do("unsplit", g, err)
	case 4:
		g, err := h.desk.Unmerge(ctx, facts.Everything(), h.familyOf("functionA"), done["merge"].ID, "a")
		do("unmerge", g, err)
	}
}

// Merges and splits hold for what came before, what is under way, and what comes,
// over kills and replays: after each of them, and after each is taken back, the
// same is seen as where nothing ever failed and nothing was ever under way.
func TestMergesUnderKills(t *testing.T) {
	seeds := uint64(40)
	if testing.Short() {
		seeds = 8
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { mergeUnderKills(t, seed) })
		})
	}
}

func mergeUnderKills(t *testing.T, seed uint64) {
	time.Sleep(10 * 24 * time.Hour)
	rng := rand.New(rand.NewPCG(seed, 7))
	faulty, calm := newHouse(t, open(t)), newHouse(t, open(t))
	faulty.facts = &patchy{faulty.mem, rng}
	kills := 0
	work := func(most int) { // lives of the faulty worker, which may leave work undone
		for life := range most {
			ctx, kill := context.WithCancel(t.Context())
			w := faulty.worker()
			w.pause = func(ctx context.Context, _ int) error { return wait(ctx, time.Second) }
			w.trip = func(string, bool) error {
				switch n := rng.IntN(20); {
				case life > 30:
				case n < 2:
					kills++
					kill()
					return ctx.Err()
				case n < 5:
					return errFault
				}
				return nil
			}
			done := make(chan error, 1)
			go func() { done <- w.Run(ctx) }()
			time.Sleep(time.Duration(1+rng.IntN(10)) * time.Second)
			kill()
			if err := <-done; err != nil && !errors.Is(err, errFault) {
				t.Fatal(err)
			}
			if s, err := faulty.stream.Stats(t.Context()); err != nil {
				t.Fatal(err)
			} else if s.Committed == s.Last {
				return
			}
		}
	}
	a, b := map[string]crash.Regrouping{}, map[string]crash.Regrouping{}
	for step := range 5 {
		faulty.regroup(step, a)
		calm.regroup(step, b)
		for range 1 + rng.IntN(4) {
			e := calm.crash("function"+string(rune('A'+rng.IntN(3))), "")
			calm.send(e)
			faulty.send(e)
			if rng.IntN(2) == 0 {
				work(1)
			}
		}
		if step == 0 { // all of them were seen once before anybody decides
			for _, fn := range []string{"functionA", "functionB", "functionC"} {
				e := calm.crash(fn, "")
				calm.send(e)
				faulty.send(e)
			}
		}
		calm.drain()
		if step == 0 || rng.IntN(2) == 0 { // else the next merge comes while work is undone
			work(500)
			if diff := cmp.Diff(calm.shown(), faulty.shown()); diff != "" {
				t.Fatalf("step %d, after %d kills (-calm +faulty):\n%s", step, kills, diff)
			}
		}
	}
	work(500)
	if diff := cmp.Diff(calm.shown(), faulty.shown()); diff != "" {
		t.Errorf("at the end, after %d kills (-calm +faulty):\n%s", kills, diff)
	}
	if got := calm.shown(); len(got) != 3 {
		t.Errorf("everything was taken back, and there are %d families", len(got))
	}
}

package pipeline

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

func inBubble(t *testing.T, f func(*testing.T, *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(10 * 24 * time.Hour) // the bubble's clock starts at the first day that is sound
		f(t, newHouse(t, open(t)))
	})
}

func TestFromStreamToFacts(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		a, b, c := h.crash("draw", ""), h.crash("draw", ""), h.crashIn("1.3.0", "open", "")
		h.send(a, h.event("opened"))
		h.send(b, c)
		h.drain()
		rows := h.rows()
		if len(rows) != 4 {
			t.Fatalf("%d rows, want 4", len(rows))
		}
		if rows[0].Family == "" || rows[0].Family != rows[1].Family || rows[2].Family == rows[0].Family {
			t.Errorf("families %q %q %q: want the first two alike", rows[0].Family, rows[1].Family, rows[2].Family)
		}
		if f := rows[0]; f.Name != "TypeError" || f.Blame != "acme.theme" || f.BlameVer != "1.2.0" || f.Signature == "" || f.Count != 1 || f.Weight != 1 || !f.Assumed {
			t.Errorf("crash: %+v", f)
		}
		if f := rows[3]; f.Name != "opened" || f.Attrs != `{"a":"1\n","b":"2"}` || f.Value != 1 {
			t.Errorf("event: %+v", f)
		}
		docs, err := h.mem.Documents(t.Context(), facts.Everything(), []eco.ID{a.ID})
		if err != nil || len(docs) != 1 {
			t.Fatalf("documents: %d %v", len(docs), err)
		}
		var doc crash.Document
		if err := json.Unmarshal(docs[0].Body, &doc); err != nil {
			t.Fatal(err)
		}
		var stages []string
		for _, s := range doc.Steps {
			stages = append(stages, s.Stage)
		}
		if diff := cmp.Diff([]string{"stack", "classify", "sign", "blame", "describe", "poison", "place", "store"}, stages); diff != "" {
			t.Error(diff)
		}
		if !doc.Placement.New || doc.Placement.Family != rows[0].Family || len(doc.Signature.Why) == 0 || doc.ClientID != a.ClientID {
			t.Errorf("document: %+v", doc)
		}
		want := []Release{{Extension: "acme.theme", Version: "1.2.0"}, {Host: "studio", Version: "5.0"}, {Extension: "acme.theme", Version: "1.3.0"}}
		for i := range h.told {
			h.told[i].Seen = time.Time{}
		}
		if diff := cmp.Diff(want, h.told); diff != "" {
			t.Error(diff)
		}
		in, err := h.worker().Intake(t.Context())
		if err != nil || in.Waiting != 0 || in.Position != 2 || in.Newest.IsZero() {
			t.Errorf("intake: %+v %v", in, err)
		}
	})
}

func TestRepeatsAndErasedDrop(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		gone := h.crash("draw", "")
		h.erased = func(e *eco.Envelope) bool { return e.ID == gone.ID }
		a, b, c := h.crash("draw", ""), h.crash("draw", ""), h.crash("draw", "")
		a.Dedup, b.Dedup, c.Dedup = 5, 5, 5
		h.send(gone, a)
		h.send(b)
		h.drain()
		h.send(c) // after a restart the set is rebuilt from facts
		h.drain()
		if rows := h.rows(); len(rows) != 1 || rows[0].ID != a.ID {
			t.Fatalf("%d rows, want the first of three", len(rows))
		}
		time.Sleep(50 * time.Hour)
		d := h.crash("draw", "")
		d.Dedup = 5
		h.send(d)
		h.drain()
		if rows := h.rows(); len(rows) != 2 {
			t.Fatalf("%d rows: after two days the id is free again", len(rows))
		}
		list, err := h.counts.List(t.Context(), CountFilter{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]int64{Stored: 2, Duplicate: 2, Dropped: 1}, Total(list)); diff != "" {
			t.Error(diff)
		}
		if r := Reasons(list); len(r) != 1 || r[0].Reason != "erased" {
			t.Errorf("reasons: %+v", r)
		}
	})
}

func TestQuarantinedStaysApart(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		e := h.crash("draw", "")
		e.Quarantined = true
		h.send(e)
		h.drain()
		if rows := h.rows(); len(rows) != 1 || rows[0].Family != "" || rows[0].Blame != "" || !rows[0].Quarantined {
			t.Fatalf("rows: %+v", rows)
		}
	})
}

func TestSessionsBecomeSums(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		first := h.session(1, "ok", 0)
		h.send(first, h.session(2, "ok", 0), h.session(3, "crashed", 1), h.session(4, "ok", 0))
		h.send(h.session(1, "ok", 1), h.session(1, "ok", 2), h.session(2, "exited", 0))
		h.drain() // and a new worker for the rest
		h.send(h.session(1, "abnormal", 2), h.session(2, "exited", 4), h.session(3, "crashed", 1), h.session(3, "ok", 0), first)
		agg := h.envelope(eco.KindSession, eco.ClassCrash)
		agg.Session = &eco.Session{Status: "ok", Started: agg.Received, Exited: 10, Errored: 2, Crashed: 1, Abnormal: 3}
		lie := h.envelope(eco.KindSession, eco.ClassCrash)
		lie.Session = &eco.Session{Exited: -5}
		old := h.session(9, "ok", 0)
		old.Session.Started = old.Received - (6 * 24 * time.Hour).Milliseconds()
		h.send(agg, lie, old)
		h.drain()
		r, err := h.mem.Query(t.Context(), facts.Query{Scope: facts.Everything(), Measures: []facts.Measure{{Fn: facts.Count}, {Fn: facts.Errored}, {Fn: facts.Crashed}, {Fn: facts.Abnormal}}})
		if err != nil {
			t.Fatal(err)
		}
		// 4 sessions of which one crashed and one ended abnormally, and the bucket.
		if diff := cmp.Diff([]any{int64(4 + 16), int64(2 + 6), int64(1 + 1), int64(1 + 3)}, r.Rows[0]); diff != "" {
			t.Error(diff)
		}
		list, err := h.counts.List(t.Context(), CountFilter{})
		if err != nil {
			t.Fatal(err)
		}
		reasons := map[string]int64{}
		for _, c := range list {
			if c.Reason != "" {
				reasons[c.Reason] += c.N
			}
		}
		if diff := cmp.Diff(map[string]int64{"session": 5, "session:aggregate": 1, "session:late": 1}, reasons); diff != "" {
			t.Error(diff)
		}
	})
}

func TestResolvedFamilyComesBack(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		ctx, all := t.Context(), facts.Everything()
		at := func(version string) {
			h.send(h.crashIn(version, "draw", ""))
			h.drain()
			time.Sleep(time.Minute)
		}
		at("1.2.0")
		id := h.rows()[0].Family
		state := func(want crash.State, regressed bool) {
			t.Helper()
			f, err := h.desk.Family(ctx, all, id, crash.Period{})
			if err != nil || f.State != want || f.Regressed != regressed {
				t.Fatalf("state %s regressed %v (%v), want %s %v", f.State, f.Regressed, err, want, regressed)
			}
		}
		if _, err := h.desk.SetState(ctx, all, crash.Decision{Family: id, To: crash.Resolved, ResolvedIn: "1.3.0", Actor: "a-1"}); err != nil {
			t.Fatal(err)
		}
		at("1.2.9")
		state(crash.Resolved, false)
		at("1.3.0-beta.1")
		state(crash.Resolved, false)
		at("1.10.0")
		state(crash.Open, true)
		if _, err := h.desk.SetState(ctx, all, crash.Decision{Family: id, To: crash.Resolved, ResolvedIn: crash.NextRelease, Actor: "a-1"}); err != nil {
			t.Fatal(err)
		}
		at("1.10.0")
		state(crash.Resolved, false)
		at("1.10.1")
		state(crash.Open, true)
	})
}

// With hardly any memory for families, blocks come and go; the flow must not
// stand still, and its snapshots must stay few.
func TestFamiliesWithoutMemory(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		for round := range 3 * allEvery {
			e := h.crash(fmt.Sprintf("draw%c", 'a'+round%26), "")
			e.Crash.Exceptions[0].Type = fmt.Sprintf("Error%d", round)
			h.send(e)
		}
		w := h.worker()
		w.o.Families.MaxBytes = 20_000
		w.maxRows = 1
		h.run(w)
		if n := len(h.rows()); n != 3*allEvery {
			t.Errorf("%d rows", n)
		}
		var blocks int
		if err := h.db.Read().QueryRow(`SELECT count(*) FROM crash_block`).Scan(&blocks); err != nil || blocks == 0 || blocks > allEvery+64 {
			t.Errorf("%d snapshots, %v", blocks, err)
		}
		h.send(h.crash("drawa", ""))
		h.drain()
	})
}

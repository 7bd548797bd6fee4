package pipeline

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
)

func TestAging(t *testing.T) {
	a := newAging[int](100)
	for i := range 100 {
		a.put(uint64(i), int32(10+i/10), i)
	}
	if v, ok := a.get(37); !ok || v != 37 {
		t.Errorf("get: %d %v", v, ok)
	}
	a.put(37, 99, 38) // a new value, the old hour
	a.put(1000, 20, 0)
	if _, ok := a.get(5); ok || a.len() != 91 {
		t.Errorf("full: %d keys, and the oldest hour is there: %v", a.len(), ok)
	}
	a.forget(14)
	if _, ok := a.get(37); ok || a.len() != 61 {
		t.Errorf("forgotten: %d keys", a.len())
	}
	a.forget(1_000_000)
	if a.len() != 0 || len(a.hours) != 0 {
		t.Errorf("all forgotten: %d keys, %d hours", a.len(), len(a.hours))
	}
	a.put(1, 5, 1) // an hour before what was forgotten is no hole in the memory
	a.forget(6)
	if a.len() != 0 {
		t.Error("an old hour stays")
	}
}

// Against a plain map with the whole history.
func TestAgingAgainstAPlainMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	a, plain := newAging[int](1<<20), map[uint64]int32{}
	hour := int32(500_000)
	for range 20_000 {
		switch key := uint64(rng.IntN(3000)); rng.IntN(50) {
		case 0:
			hour += int32(rng.IntN(3))
			a.forget(hour - 48)
			maps.DeleteFunc(plain, func(_ uint64, h int32) bool { return h < hour-48 })
		default:
			at := hour - int32(rng.IntN(40))
			a.put(key, at, 0)
			if _, ok := plain[key]; !ok {
				plain[key] = at
			}
		}
		if a.len() != len(plain) {
			t.Fatalf("%d keys, want %d", a.len(), len(plain))
		}
	}
}

func TestSessionSteps(t *testing.T) {
	type step struct {
		status string
		errors int64
		want   string // count errored crashed abnormal name, "" when nothing is new
	}
	for name, steps := range map[string][]step{
		"healthy":             {{"ok", 0, "1 0 0 0 ok"}, {"ok", 0, ""}, {"exited", 0, "0 0 0 0 exited"}, {"exited", 0, ""}},
		"errors":              {{"ok", 0, "1 0 0 0 ok"}, {"ok", 1, "0 1 0 0 errored"}, {"ok", 2, ""}, {"exited", 2, "0 0 0 0 exited"}},
		"crash":               {{"ok", 1, "1 1 0 0 errored"}, {"crashed", 2, "0 0 1 0 crashed"}, {"exited", 0, ""}, {"abnormal", 0, ""}},
		"only the end":        {{"crashed", 1, "1 1 1 0 crashed"}},
		"abnormal":            {{"abnormal", 0, "1 1 0 1 abnormal"}, {"crashed", 0, ""}},
		"unhandled is no end": {{"unhandled", 1, "1 1 0 0 errored"}, {"crashed", 1, "0 0 1 0 crashed"}},
		"a word of tomorrow":  {{"sleeping", 0, "1 0 0 0 ok"}},
	} {
		var s sessionState
		known := false
		for i, st := range steps {
			next, d, ok := s.step(&eco.Session{Status: st.status, Errors: st.errors}, known)
			got := ""
			if ok {
				got = fmt.Sprint(d.count, d.errored, d.crashed, d.abnormal, " ", d.name)
			}
			if got != st.want {
				t.Errorf("%s, update %d: %q, want %q", name, i, got, st.want)
			}
			s, known = next, true
		}
	}
}

// Updates in any order, repeated at will, add up to one session that is at most
// once each of the things it can be.
func TestSessionsAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	words := []string{"ok", "exited", "crashed", "abnormal", "errored", "unhandled"}
	for range 5000 {
		var s sessionState
		var sum delta
		for i := range 8 {
			next, d, _ := s.step(&eco.Session{Status: words[rng.IntN(len(words))], Errors: int64(rng.IntN(3))}, i > 0)
			sum.count, sum.errored, sum.crashed, sum.abnormal = sum.count+d.count, sum.errored+d.errored, sum.crashed+d.crashed, sum.abnormal+d.abnormal
			s = next
		}
		if sum.count != 1 || sum.errored > 1 || sum.crashed+sum.abnormal > sum.errored {
			t.Fatalf("one session adds up to %+v", sum)
		}
	}
}

func TestDecisionsRoundTrip(t *testing.T) {
	env := func(kind eco.Kind) *eco.Envelope {
		return &eco.Envelope{ID: eco.ID{1}, Kind: kind, Crash: &eco.Crash{}}
	}
	items := []item{
		{env: env(eco.KindEvent)},
		{env: env(eco.KindCrash), crashPart: &crashPart{sig: eco.Signature{Hash: "0011223344556677"}, release: "1.2", blame: eco.Blame{Extension: "a.b"},
			place: crash.Placement{Family: "F-1", New: true, Score: -.25}}},
		{raw: []byte("x"), outcome: dead},
		{env: env(eco.KindSession), session: delta{1, 1, 0, 0, "errored"}},
		{env: env(eco.KindEvent), outcome: duplicate, reason: "letter"},
		{env: env(eco.KindCrash), outcome: dead, stage: "place", reason: "It broke."},
	}
	b := encodeDecisions(items)
	got, err := decodeDecisions(b)
	if err != nil {
		t.Fatal(err)
	}
	want := map[int]decision{
		1: {family: "F-1", isNew: true, score: -.25, signature: "0011223344556677", blame: "a.b", release: "1.2"},
		3: {sessionName: "errored", count: [4]int64{1, 1, 0, 0}},
		4: {outcome: duplicate, reason: "letter"},
		5: {outcome: dead, stage: "place", reason: "It broke."},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(decision{})); diff != "" {
		t.Error(diff)
	}
	for i := range b {
		if _, err := decodeDecisions(b[:i]); err == nil && i > 1 && !slices.Contains(ends(items), i) {
			t.Errorf("cut at %d: no error", i)
		}
	}
	if m, err := decodeDecisions(nil); m != nil || err != nil {
		t.Errorf("nothing: %v %v", m, err)
	}
	if _, err := decodeDecisions([]byte{99}); err == nil {
		t.Error("a version of tomorrow was read")
	}
}

// ends are the lengths at which an encoding of the first items ends.
func ends(items []item) []int {
	var out []int
	for i := range items {
		out = append(out, len(encodeDecisions(items[:i])))
	}
	return out
}

func FuzzDecisions(f *testing.F) {
	f.Add([]byte{decisionsVersion, 1, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) { decodeDecisions(b) })
}

func TestAttrsAreJSON(t *testing.T) {
	m := map[string]string{"b": "\x00\x1f\"\\\n\r\t</é色", "a": "", "c": "bad \xff utf8 \xc3"}
	var got map[string]string
	s := attrs(m)
	if err := json.Unmarshal([]byte(s), &got); err != nil {
		t.Fatal(err, s)
	}
	m["c"] = "bad \uFFFD utf8 \uFFFD"
	if diff := cmp.Diff(m, got); diff != "" {
		t.Error(diff)
	}
	if attrs(nil) != "" {
		t.Error("no attributes are no text")
	}
}

func TestFactOfForeignNumbers(t *testing.T) {
	for _, w := range []float64{0, .5, -1, math.NaN(), math.Inf(1)} {
		it := item{env: &eco.Envelope{Kind: eco.KindMetric, Weight: w, Event: &eco.Event{Name: "m", Value: math.NaN()}}}
		if f := it.fact(); f.Weight != 1 || !f.Assumed || f.Value != 0 {
			t.Errorf("weight %v: %+v", w, f)
		}
	}
	it := item{env: &eco.Envelope{Kind: eco.KindMetric, Weight: 20, Event: &eco.Event{Value: 3}}}
	if f := it.fact(); f.Weight != 20 || f.Assumed || f.Value != 3 {
		t.Errorf("%+v", f)
	}
}

func TestAddRelease(t *testing.T) {
	var list []string
	for i := range 500 {
		list = addRelease(list, fmt.Sprintf("1.%d", (i*37)%500))
	}
	if len(list) != maxReleases || !slices.Contains(list, "1.0") || !slices.Contains(list, "1.499") {
		t.Errorf("%d releases: %v; the lowest and highest must stay", len(list), list)
	}
}

func TestCounts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		now := time.Date(2026, 11, 21, 10, 59, 0, 0, time.UTC)
		c, err := NewCounts(t.Context(), d, func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		in := Count{Project: 7, Protocol: "sentry", Kind: "crash", Outcome: Accepted, N: 5}
		c.Add(in)
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.Add(in)
		now = now.Add(time.Hour)
		c.Add(Count{Project: 7, Protocol: "sentry", Kind: "crash", Outcome: Dropped, Reason: "consent:usage"})
		c.Add(Count{Project: 8, Protocol: "otlp", Kind: "event", Outcome: Accepted, N: 100})
		ten, eleven := now.Add(-time.Hour).Truncate(time.Hour).UnixMilli(), now.Truncate(time.Hour).UnixMilli()
		list := func(f CountFilter) []Count {
			t.Helper()
			got, err := c.List(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		want := []Count{
			{Hour: ten, Project: 7, Protocol: "sentry", Kind: "crash", Outcome: Accepted, N: 10},
			{Hour: eleven, Project: 7, Protocol: "sentry", Kind: "crash", Outcome: Dropped, Reason: "consent:usage", N: 1},
		}
		if diff := cmp.Diff(want, list(CountFilter{ByHour: true, Projects: []int64{7}})); diff != "" {
			t.Error(diff)
		}
		if got := list(CountFilter{From: now}); len(got) != 2 || got[0].Hour != 0 {
			t.Errorf("from this hour: %+v", got)
		}
		if got := list(CountFilter{Projects: []int64{}}); len(got) != 0 {
			t.Errorf("no project: %+v", got)
		}
		if err := c.Prune(t.Context(), now.Truncate(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := Total(list(CountFilter{})); got[Accepted] != 100 || got[Dropped] != 1 {
			t.Errorf("after pruning: %v", got)
		}
		for i := range maxCounts + 100 { // bounded, and the sum stays true
			c.Add(Count{Project: int64(i), Outcome: Accepted})
		}
		if len(c.sums) > maxCounts+1 {
			t.Errorf("%d rows in memory", len(c.sums))
		}
	})
}

// TestCountsByReceipt: what was received earlier is counted there.
func TestCountsByReceipt(t *testing.T) {
	now := time.Date(2026, 11, 21, 10, 59, 0, 0, time.UTC)
	c, err := NewCounts(t.Context(), dbtest.Open(t), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	old := now.AddDate(0, 0, -20)
	for range 2 {
		c.Add(Count{Hour: old.UnixMilli(), Project: 7, Outcome: Accepted})
		old = old.Add(time.Second) // the same hour, another moment
	}
	c.Add(Count{Project: 7, Outcome: Accepted})
	got, err := c.List(t.Context(), CountFilter{ByHour: true})
	if err != nil {
		t.Fatal(err)
	}
	want := []Count{
		{Hour: old.Truncate(time.Hour).UnixMilli(), Project: 7, Outcome: Accepted, N: 2},
		{Hour: now.Truncate(time.Hour).UnixMilli(), Project: 7, Outcome: Accepted, N: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkCountsAdd(b *testing.B) {
	c, err := NewCounts(b.Context(), dbtest.Open(b), time.Now)
	if err != nil {
		b.Fatal(err)
	}
	n := Count{Project: 7, Protocol: "sentry", Kind: "crash", Outcome: Accepted, N: 5}
	for b.Loop() {
		c.Add(n)
	}
}

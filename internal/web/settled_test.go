package web

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/estimate"
	"github.com/bellwether-project/bellwether/internal/pipeline"
)

func TestSettled(t *testing.T) {
	n := func(outcome string, n int64) pipeline.Count {
		return pipeline.Count{Protocol: "sentry", Kind: "crash", Outcome: outcome, N: n}
	}
	got := settled([]pipeline.Count{n(pipeline.Accepted, 5), n(pipeline.Dropped, 2), n(pipeline.Duplicate, 1), n(pipeline.Stored, 3)})
	want := []pipeline.Count{n(pipeline.Accepted, 1), n(pipeline.Dropped, 2), n(pipeline.Duplicate, 1), n(pipeline.Stored, 3)}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got := settled([]pipeline.Count{n(pipeline.Accepted, 3), n(pipeline.Stored, 3)}); len(got) != 1 {
		t.Errorf("what is stored still counts as on its way: %v", got)
	}
}

// A change is claimed only where chance does not explain it, always with its
// interval, and never against a span that was not observed.
func TestChange(t *testing.T) {
	for _, c := range []struct {
		before, now int64
		text, class string
	}{
		{100, 110, "change unclear (−16 to +44 %)", "flat"}, {1000, 1010, "about as before (−7 to +10 %)", "flat"}, {100, 160, "+60 % (25–105 %)", "up"},
		{160, 90, "−44 % (27–57 %)", "down"}, {100, 300, "×3.0 of before (2.4–3.8)", "up"}, {0, 3, "none before, too few to tell", "flat"},
		{0, 40, "none before (at least ×10)", "up"}, {2, 1, "change unclear (×0.1 to ×3.8)", "flat"}, {0, 0, "", ""},
	} {
		if text, class := ratioText(compared(c.before, c.now)); text != c.text || class != c.class {
			t.Errorf("%d after %d: %q (%s), want %q (%s)", c.now, c.before, text, class, c.text, c.class)
		}
	}
	if comparable(crash.Health{Sessions: 1000}, crash.Health{Sessions: 10, Crashes: 5}) {
		t.Error("a span with a hundredth of the sessions counts as observed")
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range [][2]string{
		{num(1234567), "1,234,567"}, {num(-999), "−999"}, {num(1000), "1,000"}, {short(1500), "1.5k"}, {part(0.0004), "<0.1 %"}, {part(0.345), "34 %"},
		{rateText(estimate.CrashFree(0, 100)), "100.0"}, {rateText(estimate.CrashFree(1, 1000000)), "99.999"}, {rateText(estimate.Interval{}), "—"},
		{rateText(estimate.CrashFree(536, 100000)), "99.46"},
	} {
		if c[0] != c[1] {
			t.Errorf("%q, want %q", c[0], c[1])
		}
	}
}

func TestAHeldBurstIsSaid(t *testing.T) {
	if got := acceptedUnder(5, 1, 0); got != "5 stored, 1 repeats" {
		t.Error(got)
	}
	if got := acceptedUnder(5, 1, 900); !strings.Contains(got, "900 quarantined") {
		t.Error(got)
	}
}

func TestALetterNamesNoInstall(t *testing.T) {
	e := &eco.Envelope{ID: eco.ID{1}, Kind: eco.KindCrash, Dedup: 7, Origin: eco.Origin{Project: 1, Install: 99}, Crash: &eco.Crash{Message: "m", SessionID: "feedfeed"}}
	got := string(readable(eco.EncodeEnvelope(nil, e)))
	if !strings.Contains(got, `"message": "m"`) || strings.Contains(got, "install") || strings.Contains(got, "feedfeed") || strings.Contains(got, "dedup") {
		t.Error(got)
	}
	if got := string(readable([]byte("no record"))); got != "no record" {
		t.Error(got)
	}
}

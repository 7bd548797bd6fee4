package ingest

import (
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/door"
)

// What a small text unfolds to is bounded: four megabytes of empty frames would be
// hundreds in memory, and side by side they would end the process.
func TestJSONThatUnfoldsIsRefused(t *testing.T) {
	exception := `{"frames":[` + strings.Repeat("{},", 299) + "{}]}"
	crash := `{"type":"x","exceptions":[` + strings.Repeat(exception+",", 7) + exception + "]}"
	crashes := `{"crashes":[` + strings.Repeat(crash+",", 550) + crash + "]}"
	if len(crashes) > MaxNative {
		t.Fatal(len(crashes))
	}
	track := strings.Repeat(`{"data":{"baseData":{"exceptions":[{"parsedStack":[`+strings.Repeat("{},", 800)+"{}]}]}}}\n", 1500)
	for _, tt := range []struct{ path, body string }{
		{"/api/v1/intake/crashes", crashes},
		{"/v2/track", track},
	} {
		w := newWorld(t, everyTier)
		if rec := w.post(tt.path, tt.body, "X-Bellwether-Key", linterKey); rec.Code != 413 || len(w.kept()) != 0 {
			t.Errorf("%s: %d", tt.path, rec.Code)
		}
		if n := w.server.budget.Used(); n != 0 {
			t.Errorf("%s: %d bytes were not given back", tt.path, n)
		}
	}
}

// It counts against the memory of all requests under way.
func TestJSONUnderWayIsBounded(t *testing.T) {
	w := newWorld(t, everyTier)
	w.server.budget = &door.Budget{Max: 100 << 10}
	body := `{"crashes":[{"type":"x","exceptions":[{"frames":[` + strings.Repeat("{},", 299) + "{}]}]}]}"
	if rec := w.post("/api/v1/intake/crashes", body, "X-Bellwether-Key", linterKey); rec.Code != 200 {
		t.Errorf("with room: %d", rec.Code)
	}
	w.server.budget = &door.Budget{Max: 80 << 10}
	rec := w.post("/api/v1/intake/crashes", body, "X-Bellwether-Key", linterKey)
	if rec.Code != 503 || rec.Header().Get("Retry-After") == "" || w.server.budget.Used() != 0 {
		t.Errorf("without: %d %v, %d used", rec.Code, rec.Header(), w.server.budget.Used())
	}
}

// A list of what are no frames makes none.
func TestFramesAreObjects(t *testing.T) {
	w := newWorld(t, everyTier)
	body := `{"crashes":[{"type":"x","exceptions":[{"type":"E","frames":[0,"a",{"function":"f"},null,[]]}]}]}`
	if rec := w.post("/api/v1/intake/crashes", body, "X-Bellwether-Key", linterKey); rec.Code != 200 {
		t.Fatal(rec.Code)
	}
	if f := w.one().Crash.Exceptions[0].Frames; len(f) != 1 || f[0].Function != "f" {
		t.Errorf("%+v", f)
	}
}

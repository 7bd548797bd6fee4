package ingest

import (
	"maps"
	"slices"
	"testing"

	"github.com/bellwether-project/bellwether/internal/pipeline"
)

// Everything is counted at the time of its receipt, which in the demo world is
// not the time of the process.
func TestCountsAreOfTheReceipt(t *testing.T) {
	w := newWorld(t, everyTier)
	if rec := w.envelope("{}\n{\"type\":\"event\"}\n{\"level\":\"fatal\",\"message\":\"m\"}\n{\"type\":\"transaction\"}\n{}\n"); rec.Code != 200 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if rec := w.post("/v1/logs", "{}", "Content-Type", "application/json", "Authorization", "Bearer ffffffffffffffffffffffffffffffff"); rec.Code != 401 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if got := slices.Collect(maps.Keys(w.hours)); len(got) != 1 || got[0] != testNow {
		t.Errorf("counted at %v, want %d alone", w.hours, int64(testNow))
	}
	if w.total(pipeline.Dropped, "request", "key:unknown") != 1 || w.total(pipeline.Accepted, "crash", "") != 1 {
		t.Errorf("counts %v", w.counts)
	}
}

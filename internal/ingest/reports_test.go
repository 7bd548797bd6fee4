package ingest

import (
	"testing"
	"time"
)

// Client reports are never rate limited; nothing else may pass for them.
func TestOnlyClientReportsAreUnlimited(t *testing.T) {
	for name, tt := range map[string]struct {
		body string
		want bool
	}{
		"a report":          {"{}\n{\"type\":\"client_report\"}\n{\"timestamp\":1,\"discarded_events\":[]}\n", true},
		"a report, spaced":  {"{}\n{\"type\": \"client_report\"}\n{}\n", true},
		"an event":          {"{}\n{\"type\":\"event\"}\n{}\n", false},
		"both":              {"{}\n{\"type\":\"client_report\"}\n{}\n{\"type\":\"event\"}\n{}\n", false},
		"an escaped type":   {"{}\n{\"\\u0074ype\":\"event\"}\n{\"type\":\"client_report\"}\n", false},
		"nothing":           {"{}\n", false},
		"a type in payload": {"{}\n{\"type\":\"event\"}\n{\"type\":\"client_report\"}\n", false},
	} {
		if got := onlyClientReports([]byte(tt.body)); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	w := newWorld(t, everyTier)
	k := w.keys[linterKey]
	k.Key.RatePerMinute, k.Key.Burst = 60, 1
	w.keys[linterKey] = k
	body := "{}\n{\"\\u0074ype\":\"event\"}\n{\"type\":\"client_report\",\"message\":\"m\"}\n"
	if rec := w.envelope(body); rec.Code != 200 {
		t.Fatalf("first: %d", rec.Code)
	}
	w.now = w.now.Add(100 * time.Millisecond)
	if rec := w.envelope(body); rec.Code != 429 {
		t.Errorf("an event that calls itself a report: %d", rec.Code)
	}
}

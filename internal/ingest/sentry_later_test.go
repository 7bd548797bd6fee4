package ingest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/pipeline"
)

func TestSentryLater(t *testing.T) {
	w := newWorld(t, everyTier)
	body := "{}\n{\"type\":\"event\"}\n" + anEvent
	w.full = true
	if rec := w.envelope(body); rec.Code != 503 || rec.Header().Get("Retry-After") == "" {
		t.Errorf("full: %d %v", rec.Code, rec.Header())
	}
	w.full, w.fail = false, fault.E("t", fault.Unavailable, "no", nil)
	if rec := w.envelope(body); rec.Code != 503 || rec.Header().Get("Retry-After") == "" || w.total(pipeline.Dropped, "crash", "later") != 1 || w.total(pipeline.Accepted, "", "") != 0 {
		t.Errorf("append failed: %d %v %v", rec.Code, rec.Header(), w.counts)
	}
	w.fail = nil
	if rec := w.envelope(body); rec.Code != 200 {
		t.Errorf("recovered: %d", rec.Code)
	}
}

func TestRateLimitAndQuota(t *testing.T) {
	w := newWorld(t, everyTier)
	k := w.keys[linterKey]
	k.Key.RatePerMinute, k.Key.Burst = 60, 2
	w.keys[linterKey] = k
	body := "{}\n{\"type\":\"event\"}\n" + anEvent
	report := "{}\n{\"type\":\"client_report\"}\n" + `{"discarded_events":[{"reason":"sample_rate","category":"error","quantity":1}]}`
	var codes []int
	for range 3 {
		codes = append(codes, w.envelope(body).Code)
	}
	if fmt.Sprint(codes) != "[200 200 429]" {
		t.Fatalf("codes %v", codes)
	}
	rec := w.envelope(body)
	if rec.Header().Get("Retry-After") != "1" || rec.Header().Get("X-Sentry-Rate-Limits") != "1::key:rate_limited" {
		t.Errorf("headers %v", rec.Header())
	}
	if rec := w.envelope(report); rec.Code != 200 {
		t.Errorf("a client report was rate limited: %d", rec.Code)
	}
	w.now = w.now.Add(time.Second)
	if rec := w.envelope(body); rec.Code != 200 {
		t.Errorf("after a second: %d", rec.Code)
	}
	k.Key.RatePerMinute, k.Key.Burst, k.Key.DailyQuota = 60_000_000, 1_000_000, 4
	w.keys[linterKey] = k
	w.now = w.now.Add(time.Second)
	if rec := w.envelope(body); rec.Code != 200 {
		t.Errorf("fourth item of the day: %d", rec.Code)
	}
	if rec := w.envelope(body); rec.Code != 429 {
		t.Errorf("fifth item of the day: %d", rec.Code)
	}
	w.now = w.now.AddDate(0, 0, 1)
	if rec := w.envelope(body); rec.Code != 200 {
		t.Errorf("the next day: %d", rec.Code)
	}
}

func TestFailuresAreSlowedByAddress(t *testing.T) {
	w := newWorld(t, everyTier)
	codes := map[int]int{}
	for range 150 {
		codes[w.post("/api/44/envelope/?sentry_key=ffffffffffffffffffffffffffffffff", "{}").Code]++
	}
	if codes[401] != 100 || codes[429] != 50 {
		t.Errorf("codes %v", codes)
	}
	if rec := w.envelope("{}"); rec.Code != 200 {
		t.Errorf("a good key from the same address: %d", rec.Code)
	}
}

func TestSentryCORS(t *testing.T) {
	w := newWorld(t, everyTier)
	r := httptest.NewRequest(http.MethodOptions, "/api/44/envelope/?sentry_key="+linterKey, nil)
	r.Header.Set("Origin", "https://app.example.test")
	r.Header.Set("Access-Control-Request-Method", "POST")
	rec := httptest.NewRecorder()
	w.web.ServeHTTP(rec, r)
	h := rec.Header()
	if rec.Code != 204 || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Max-Age") != "3600" || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "x-sentry-auth") {
		t.Errorf("preflight %d %v", rec.Code, h)
	}
	rec = w.envelope("{}", "Origin", "https://app.example.test")
	if h := rec.Header(); h.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(h.Get("Access-Control-Expose-Headers"), "x-sentry-rate-limits") || h.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("answer %v", h)
	}
}

func TestOptOutHeaders(t *testing.T) {
	for _, name := range []string{"Sec-GPC", "DNT"} {
		w := newWorld(t, everyTier)
		rec := w.envelope("{}\n{\"type\":\"event\"}\n"+anEvent, name, "1")
		if rec.Code != 200 || len(w.kept()) != 0 || w.total(pipeline.Dropped, "crash", "optout:crash") != 1 {
			t.Errorf("%s: %d %v", name, rec.Code, w.counts)
		}
		if got := rec.Header().Get("X-Sentry-Rate-Limits"); got != "86400:error:project:not_consented" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestSwitchOff(t *testing.T) {
	w := newWorld(t, consent.Policy{Tiers: []eco.Tier{eco.TierCrash}, Text: "t", AskedBy: "host"})
	rec := w.envelope("{}\n{\"type\":\"transaction\"}\n{}\n{\"type\":\"replay_event\"}\n{}\n{\"type\":\"profile\"}\n{}\n{\"type\":\"event\"}\n" + anEvent)
	if got := rec.Header().Get("X-Sentry-Rate-Limits"); got != "86400:profile;replay;transaction:project:not_consented" {
		t.Errorf("rate limits %q", got)
	}
	if len(w.kept()) != 1 {
		t.Error("the event was not kept")
	}
}

func TestSentrySizes(t *testing.T) {
	w := newWorld(t, everyTier)
	gz := func(n int) string {
		var b bytes.Buffer
		zw := gzip.NewWriter(&b)
		_, _ = zw.Write([]byte("{}\n{\"type\":\"attachment\"}\n"))
		_, _ = zw.Write(bytes.Repeat([]byte{'a'}, n))
		_ = zw.Close()
		return b.String()
	}
	if rec := w.envelope(gz(64<<20), "Content-Encoding", "gzip"); rec.Code != 413 {
		t.Errorf("bomb: %d", rec.Code)
	}
	if rec := w.envelope(gz(900<<10), "Content-Encoding", "gzip"); rec.Code != 200 {
		t.Errorf("small body of one letter: %d", rec.Code)
	}
	if rec := w.envelope(gz(100)[:40], "Content-Encoding", "gzip"); rec.Code != 400 {
		t.Errorf("truncated: %d", rec.Code)
	}
	big := `{"message":"` + strings.Repeat("x", MaxEvent) + `"}`
	if rec := w.envelope("{}\n{\"type\":\"event\"}\n" + big); rec.Code != 200 || w.total(pipeline.Dropped, "event", "limit:item_size") != 1 {
		t.Errorf("large event: %d %v", rec.Code, w.counts)
	}
	if rec := w.post("/api/44/store/?sentry_key="+linterKey, big); rec.Code != 413 {
		t.Errorf("large store body: %d", rec.Code)
	}
	if rec := w.envelope(strings.Repeat("x", MaxSentryRaw+1)); rec.Code != 413 {
		t.Errorf("large body: %d", rec.Code)
	}
	if used := w.server.budget.Used(); used != 0 {
		t.Errorf("%d bytes of the budget were not given back", used)
	}
}

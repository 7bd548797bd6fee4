package ingest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// Every address of the protocol answers with and without its last slash.
func TestSentryAddresses(t *testing.T) {
	for _, tt := range []struct {
		path  string
		want  int
		kind  string // counted as not served
		about string
	}{
		{"/api/abc/envelope", 400, "", "a project that is no number"},
		{"/api/0/store", 400, "", "nor is 0"},
		{"/api/-4/minidump", 400, "", "nor a negative one"},
		{"/api/99999999999999999999/envelope", 400, "", "nor one past 64 bits"},
		{"/api/44/minidump", 400, "", "what is no dump"},
		{"/minidump", 400, "", "the key alone"},
		{"/api/44/unreal/" + linterKey, 404, "unreal", "key in the address"},
		{"/api/44/cron/nightly", 200, "cron", ""},
		{"/api/44/cron/nightly/" + linterKey, 200, "cron", ""},
		{"/api/44/events/99999999999999999999999999999999/attachments", 200, "attachments", ""},
		{"/api/7/nel", 403, "", "the project of another key"},
		{"/api/44/nothing", 404, "", ""},
		{"/api/44", 404, "", ""},
	} {
		for _, slash := range []string{"", "/"} {
			w := newWorld(t, everyTier)
			path := tt.path + slash
			if !strings.Contains(path, linterKey) {
				path += "?sentry_key=" + linterKey
			}
			rec := w.post(path, "MDMP SECRET")
			if rec.Code != tt.want || strings.Contains(rec.Body.String(), "SECRET") {
				t.Errorf("%s (%s): %d %s, want %d", path, tt.about, rec.Code, rec.Body, tt.want)
			}
			if tt.want == 400 && (rec.Header().Get("X-Sentry-Error") == "" || !strings.Contains(rec.Body.String(), `"detail":`)) {
				t.Errorf("%s: not in the protocol's form: %v %s", path, rec.Header(), rec.Body)
			}
			if n := w.total(pipeline.Dropped, "", "not_served"); tt.kind == "" && n != 0 || tt.kind != "" && w.total(pipeline.Dropped, tt.kind, "not_served") != 1 {
				t.Errorf("%s: counts %v", path, w.counts)
			}
		}
	}
}

// A dump's sender does not come again: 429 would lose the answer that it was lost.
func TestMinidumpIsNeverLimited(t *testing.T) {
	w := newWorld(t, everyTier)
	for i := range int(failureBurst) + 20 {
		if rec := w.post("/api/44/minidump/?sentry_key=ffffffffffffffffffffffffffffffff", "MDMP"); rec.Code != http.StatusUnauthorized && rec.Code != http.StatusNotFound {
			t.Fatalf("%d: %d %s", i, rec.Code, rec.Body)
		}
	}
}

// OTLP below a project works with a DSN's key, wherever it is.
func TestSentryOTLP(t *testing.T) {
	const logs = `{"resourceLogs":[{"scopeLogs":[{"scope":{"name":"acme.linter"},"logRecords":[{"eventName":"started"}]}]}]}`
	const spans = `{"resourceSpans":[{"scopeSpans":[{"scope":{"name":"acme.linter"},"spans":[{"name":"work","startTimeUnixNano":"1795218900000000000","endTimeUnixNano":"1795218901000000000"}]}]}]}`
	for _, prefix := range []string{"/api/44/otlp/v1/", "/api/44/integration/otlp/v1/"} {
		for _, slash := range []string{"", "/"} {
			for name, body := range map[string]string{"logs": logs, "traces": spans} {
				for _, key := range []string{"query", "header"} {
					w := newWorld(t, everyTier)
					path, headers := prefix+name+slash, []string{"Content-Type", "application/json"}
					if key == "query" {
						path += "?sentry_key=" + linterKey
					} else {
						headers = append(headers, "X-Sentry-Auth", "Sentry sentry_version=7, sentry_key="+linterKey)
					}
					if rec := w.post(path, body, headers...); rec.Code != 200 || rec.Body.String() != "{}" {
						t.Errorf("%s, key in the %s: %d %s", path, key, rec.Code, rec.Body)
						continue
					}
					if e := w.one(); e.Origin.Project != 44 || e.Kind != eco.KindEvent && e.Kind != eco.KindSpan {
						t.Errorf("%s: %+v", path, e)
					}
				}
			}
		}
	}
	w := newWorld(t, everyTier)
	for path, want := range map[string]int{"/api/7/otlp/v1/logs": 403, "/api/x/otlp/v1/logs": 400, "/api/44/otlp/v1/metrics": 404} {
		if rec := w.post(path+"?sentry_key="+linterKey, logs, "Content-Type", "application/json"); rec.Code != want {
			t.Errorf("%s: %d %s, want %d", path, rec.Code, rec.Body, want)
		}
	}
	if rec := w.post("/api/44/otlp/v1/logs", logs, "Content-Type", "application/json"); rec.Code != 401 {
		t.Errorf("no key: %d", rec.Code)
	}
}

// A restart lifts no quota: what the day had before it counts.
func TestQuotaOutlivesTheProcess(t *testing.T) {
	w := newWorld(t, everyTier)
	k := projectKey(linterKey, 44, registry.Subject{Extension: "acme.linter"}, everyTier)
	k.Key.DailyQuota = 10
	w.keys[linterKey] = k
	o := w.server.o
	o.Spent = func(project int64) int64 { return map[int64]int64{44: 9}[project] }
	w.server = New(o)
	w.web = w.front(w.server)
	send := func() int {
		return w.envelope("{}\n{\"type\":\"event\"}\n{\"level\":\"fatal\",\"message\":\"m\"}\n").Code
	}
	if a, b := send(), send(); a != 200 || b != 429 {
		t.Errorf("the tenth and eleventh report of the day: %d %d", a, b)
	}
	w.now = w.now.AddDate(0, 0, 1)
	if c := send(); c != 200 {
		t.Errorf("the next day: %d", c)
	}
}

// No catalog declares attachments yet, so none is kept; the counts say so, and the
// report beside it is kept all the same.
func TestAttachmentsAreNotKept(t *testing.T) {
	w := newWorld(t, everyTier)
	rec := w.envelope("{}\n{\"type\":\"event\"}\n{\"level\":\"fatal\",\"message\":\"m\"}\n{\"type\":\"attachment\",\"filename\":\"a.log\",\"length\":6}\nSECRET\n")
	if rec.Code != 200 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	e := w.one()
	if e.Kind != eco.KindCrash || strings.Contains(string(eco.EncodeEnvelope(nil, e)), "SECRET") {
		t.Errorf("kept %+v", e)
	}
	if w.total(pipeline.Dropped, "attachment", "consent:never") != 1 {
		t.Errorf("counts %v", w.counts)
	}
}

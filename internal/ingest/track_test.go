package ingest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/registry"
)

func trackItem(key, base, data string) string {
	return fmt.Sprintf(`{"time":"2026-11-20T23:50:00.123Z","iKey":%q,"name":"Microsoft.ApplicationInsights.x.Event","sampleRate":25,
	"tags":{"ai.user.id":"SECRETMACHINE","ai.user.authUserId":"SECRETMACHINE","ai.session.id":"SECRETSESSION","ai.cloud.roleInstance":"SECRETHOST","ai.internal.sdkVersion":"javascript:3.4.4"},
	"data":{"baseType":%q,"baseData":%s}}`, key, base, data)
}

const trackEvent = `{"ver":2,"name":"acme.linter/activated","properties":{"common.extname":"acme.linter","common.extversion":"3.1.0","common.vscodeversion":"1.102.3","common.os":"darwin",
 "common.vscodemachineid":"SECRETMACHINE","common.vscodesessionid":"SECRETSESSION","common.remotename":"SECRETREMOTE","mode":"strict"},"measurements":{"duration":12.5}}`

const trackException = `{"ver":2,"exceptions":[{"typeName":"TypeError","message":"x is undefined","hasFullStack":true,"stack":"TypeError: x is undefined\n    at f (/a/b.js:1:2)\n    at g (/a/c.js:3:4)"}],"severityLevel":4,"properties":{"common.extname":"acme.linter"}}`

func TestTrack(t *testing.T) {
	array := "[" + strings.Join([]string{trackItem(linterKey, "EventData", trackEvent), trackItem(linterKey, "ExceptionData", trackException), trackItem(linterKey, "MetricData", `{}`)}, ",") + "]"
	lines := strings.ReplaceAll(trackItem(linterKey, "EventData", trackEvent), "\n", " ") + "\n" + strings.ReplaceAll(trackItem(linterKey, "ExceptionData", trackException), "\n", " ") + "\n\n" + strings.ReplaceAll(trackItem(linterKey, "MetricData", `{}`), "\n", " ")
	dashed := strings.ReplaceAll(array, linterKey, registry.UUID(linterKey)) // as connection strings have it
	for name, body := range map[string]string{"array": array, "lines": lines, "dashed": dashed} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, everyTier)
			rec := w.post("/v2/track", body, "Content-Type", "application/json")
			if rec.Code != 206 || !strings.Contains(rec.Body.String(), `"itemsReceived":3,"itemsAccepted":2`) || !strings.Contains(rec.Body.String(), `"index":2,"statusCode":439`) {
				t.Fatalf("%d %s", rec.Code, rec.Body)
			}
			kept := w.kept()
			if len(kept) != 2 {
				t.Fatalf("kept %d", len(kept))
			}
			e := kept[0]
			if e.Event.Name != "acme.linter/activated" || e.Event.Value != 12.5 || e.Event.Attrs["mode"] != "strict" || e.Weight != 4 || e.Origin.Install == 0 ||
				e.Origin.ExtVersion != "3.1.0" || e.Origin.Host != "vscode" || e.Origin.HostVersion != "1.102.3" || e.Origin.OS != "macos" {
				t.Errorf("event %+v %+v", e, e.Event)
			}
			if c := kept[1].Crash; c.Level != "fatal" || c.Platform != "javascript" || len(c.Exceptions) != 1 || c.Exceptions[0].Type != "TypeError" || len(c.Exceptions[0].Frames) != 2 || c.Exceptions[0].Frames[0].Function != "f" {
				t.Errorf("crash %+v", c)
			}
			for _, e := range kept {
				if strings.Contains(string(eco.EncodeEnvelope(nil, e)), "SECRET") {
					t.Errorf("%s holds what must not be kept", e.Kind)
				}
			}
			if w.total(pipeline.Dropped, "MetricData", "not_served") != 1 {
				t.Errorf("counts %v", w.counts)
			}
		})
	}
}

// A released client wraps its report in the message of another, with the raw
// machine id inside.
func TestTrackWrappedException(t *testing.T) {
	inner := `{"exceptions":[{"typeName":"TypeError","message":"m","stack":"TypeError: m\n    at f (/a/b.js:1:2)","parsedStack":[]}],"properties":{"common.vscodemachineid":"SECRETMACHINE"}}`
	for name, tt := range map[string]struct {
		message string
		kept    int
	}{"whole": {inner, 1}, "cut": {inner[:len(inner)-60], 1}, "cut before anything": {inner[:20], 0}, "twice": {`{"exceptions":[{"typeName":"Object","message":"{\"exceptions\":[{SECRET"}]}`, 0}} {
		quoted, err := json.Marshal(tt.message)
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, everyTier)
		rec := w.post("/v2/track", "["+trackItem(linterKey, "ExceptionData", `{"exceptions":[{"typeName":"Object","message":`+string(quoted)+`,"hasFullStack":false,"stack":""}],"properties":{"typeName":"Object"}}`)+"]")
		kept := w.kept()
		if len(kept) != tt.kept {
			t.Errorf("%s: kept %d: %d %s", name, len(kept), rec.Code, rec.Body)
			continue
		}
		for _, e := range kept {
			if x := e.Crash.Exceptions[0]; x.Type != "TypeError" || x.Value != "m" || len(x.Frames) != 1 || strings.Contains(string(eco.EncodeEnvelope(nil, e)), "SECRET") || len(e.Crash.Tags) != 0 {
				t.Errorf("%s: %+v", name, e.Crash)
			}
		}
	}
}

// An answer without a body leaves the client's batch pending for ever.
func TestTrackAlwaysAnswersJSON(t *testing.T) {
	w := newWorld(t, everyTier)
	one := trackItem(linterKey, "EventData", trackEvent)
	check := func(name string, want int, body string) {
		t.Helper()
		rec := w.post("/v2/track", body)
		if rec.Code != want || !strings.Contains(rec.Body.String(), `"itemsReceived":`) || !strings.Contains(rec.Body.String(), `"errors":[`) {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
	}
	check("one", 200, "["+one+"]")
	check("none", 200, "[]")
	check("empty", 400, "")
	check("broken", 400, "[{")
	check("unknown key", 403, strings.ReplaceAll("["+one+"]", linterKey, "ffffffff-ffff-ffff-ffff-ffffffffffff"))
	check("key with dashes that is no key", 400, strings.ReplaceAll("["+one+"]", linterKey, "a b"))
	check("two keys", 206, "["+one+","+strings.ReplaceAll(one, linterKey, hostKey)+"]")
	check("too many", 413, "["+strings.Repeat("{},", MaxBatch)+"{}]")
	check("too large", 413, strings.Repeat("x", MaxTrack+1))
	k := w.keys[linterKey]
	k.Key.DailyQuota = 1
	w.keys[linterKey] = k
	check("quota", 402, "["+one+"]")
	w.full = true
	check("full", 503, "["+one+"]")
	w.full = false
	w.keys[linterKey] = projectKey(linterKey, 44, registry.Subject{Extension: "acme.linter"}, consent.Policy{})
	check("no consent", 206, "["+one+"]")
	if w.total(pipeline.Dropped, "event", "consent:usage") != 1 {
		t.Errorf("counts %v", w.counts)
	}
}

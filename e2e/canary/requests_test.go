package canary_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/bellwether-project/bellwether/internal/registry"
)

type request struct {
	protocol, path string
	header         map[string]string
	body           []byte
}

// planted are the forms in which people's data turns up in free text. %d makes
// each one different. The last ones sit where a bound on lengths may cut them.
var planted = []string{
	" mail zqcanary%d@leak.example",
	" from 203.0.113.%d",
	" from [2001:db8::%d]",
	" at /home/zqcanary%d/work/main.js",
	` at C:\Users\zqcanary%d\AppData\Local\x.py`,
	" file:///Users/zqcanary%d/a.js",
	" password=zqcanary%dsecret",
	" Authorization: Bearer zqcanary%dAbCdEf0123456789AbCdEf0123456789",
	" https://zquser:zqcanary%d@db.example.org/x",
	" https://api.example.org/v1?token=zqcanary%d&x=1",
	" eyJhbGciOiJIUzI1NiJ9.zqcanary%dAAAAAAAAAAAAAAAAAAAA.c2lnbmF0dXJlc2lnbmF0dXJl",
	` {"api_key":"zqcanary%dk3y"}`,
	strings.Repeat(" filler", 8) + " mail zqcanary%d@leak.example.org",
	strings.Repeat(" filler", 35) + " mail zqcanary%d@leak.example.org",
	strings.Repeat(" filler", 144) + " mail zqcanary%d@leak.example.org and more",
}

// plain are fields that name a person or a machine: whatever they hold is never read.
const plain = `{
 "server_name":"zqcanary-host","user":{"id":"zqcanary-id","email":"zqcanary@leak.example","username":"zqcanary","ip_address":"203.0.113.9","name":"zqcanary","geo":{"city":"zqcanary"}},
 "request":{"url":"https://a.example/zqcanary?x=zqcanary","query_string":"x=zqcanary","data":"zqcanary","cookies":"a=zqcanary","headers":{"Cookie":"zqcanary","User-Agent":"zqcanary","X-Forwarded-For":"203.0.113.4"},"env":{"REMOTE_ADDR":"203.0.113.5"}},
 "extra":{"free":"zqcanary","arguments":["zqcanary"]},
 "contexts":{"device":{"name":"zqcanary","id":"zqcanary","boot_time":"zqcanary","arch":"amd64"},"culture":{"timezone":"zqcanary"},"profile":{"profile_id":"zqcanary"},"unknown_zqcanary":{"a":"zqcanary"}}
}`

// never are attribute keys of telemetry whose values are never kept.
var never = []string{"host.name", "host.ip", "host.mac", "process.command_line", "process.command", "process.owner", "process.executable.path",
	"user.name", "user.email", "user.id", "enduser.id", "client.address", "server.address", "url.full", "url.query", "password", "authorization", "cookie"}

type planter struct{ n int }

// plant walks a JSON value and puts a canary behind every string that is free
// text; structural words stay, or the request would only be refused.
func (p *planter) plant(key string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = p.plant(k, v[k])
		}
		if !free[key] {
			v["zqcanary_unknown"] = "zqcanary"
		}
		return v
	case []any:
		for i := range v {
			v[i] = p.plant(key, v[i])
		}
		return v
	case string:
		if structural[key] {
			return v
		}
		p.n++
		return v + fmt.Sprintf(planted[p.n%len(planted)], p.n%200)
	}
	return v
}

var structural = map[string]bool{}

// free are maps in which clients may put names of their own.
var free = map[string]bool{"tags": true, "properties": true, "attrs": true, "attributes": true, "modules": true, "measurements": true, "dependencies": true}

func init() {
	for _, k := range strings.Fields(`type event_id sid timestamp started sent_at status level platform key eventName time timeUnixNano observedTimeUnixNano
		startTimeUnixNano endTimeUnixNano traceId spanId parentSpanId trace_id span_id parent_span_id intValue traceState trace iKey baseType name dsn
		public_key sample_rate debug_id category asInt count bucketCounts sum quantity reason associated_event_id id platform content_type`) {
		structural[k] = true
	}
}

func requests(t *testing.T, key registry.Key) []request {
	t.Helper()
	var out []request
	p := &planter{}
	for round := range len(planted) {
		p.n = round
		out = append(out, captures(t, key, p)...)
		out = append(out, insights(t, key, p)...)
		out = append(out, native(t, key, p)...)
		out = append(out, feedback(key, round))
		out = append(out, browserReports(t, key, p)...)
	}
	out = append(out, wholeReports(t, key, 1)...)
	out = append(out, packed(t, out)...)
	out = append(out, optedOut(key)...)
	return append(out, malformed(key)...)
}

// captures plants canaries into the recorded requests of real clients.
func captures(t *testing.T, key registry.Key, p *planter) []request {
	t.Helper()
	var out []request
	root := filepath.Join("..", "..", "internal", "ingest", "testdata", "wire")
	for _, dir := range []string{"sentry-go", "sentry-node", "sentry-browser", "otel-js"} {
		files, err := filepath.Glob(filepath.Join(root, dir, "*.http"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no captures of %s: %v", dir, err)
		}
		for _, f := range files {
			r, body := readCapture(t, f)
			switch {
			case strings.HasPrefix(r.URL.Path, "/api/") && r.Method == http.MethodPost && r.Header.Get("Content-Encoding") == "":
				out = append(out, sentry(key, p, body)...)
			case strings.Contains(f, "http-json") && r.Header.Get("Content-Encoding") == "":
				out = append(out, otlp(t, key, p, r.URL.Path, body)...)
			}
		}
	}
	return out
}

func readCapture(t *testing.T, file string) (*http.Request, []byte) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return r, body
}

// sentry plants into each JSON line of an envelope, and sends each event to the
// old store address as well.
func sentry(key registry.Key, p *planter, body []byte) []request {
	var lines [][]byte
	var out []request
	isItem := false
	typ := ""
	for i, line := range bytes.Split(body, []byte("\n")) {
		var v map[string]any
		if json.Unmarshal(line, &v) != nil {
			lines = append(lines, line)
			isItem = false
			continue
		}
		switch {
		case i == 0:
			delete(v, "dsn")
		case !isItem && v["type"] != nil:
			typ, _ = v["type"].(string)
			delete(v, "length")
			isItem = true
			b, _ := json.Marshal(v)
			lines = append(lines, b)
			continue
		case typ == "event" || typ == "feedback":
			var extra map[string]any
			_ = json.Unmarshal([]byte(plain), &extra)
			p.plant("", v)
			for k, x := range extra {
				v[k] = x
			}
			isItem = false
		case typ == "session" || typ == "sessions":
			p.plant("", v)
			if a, ok := v["attrs"].(map[string]any); ok {
				a["ip_address"], a["user_agent"] = "203.0.113.10", "zqcanary"
			}
			v["did"] = "zqcanary-did"
			isItem = false
		default:
			p.plant("", v)
			isItem = false
		}
		b, _ := json.Marshal(v)
		lines = append(lines, b)
		if typ == "event" && i > 0 {
			out = append(out, request{"sentry", fmt.Sprintf("/api/%d/store/?sentry_version=7&sentry_key=%s", key.Project, key.Public), map[string]string{"Content-Type": "application/json"}, b})
		}
	}
	return append(out, request{"sentry", fmt.Sprintf("/api/%d/envelope/?sentry_version=7&sentry_key=%s", key.Project, key.Public), map[string]string{"Content-Type": "text/plain"}, bytes.Join(lines, []byte("\n"))})
}

// otlp sends a request as JSON and as protobuf.
func otlp(t *testing.T, key registry.Key, p *planter, path string, body []byte) []request {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	p.plant("", v)
	addNever(v)
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	auth := func(kind string) map[string]string {
		return map[string]string{"Content-Type": kind, "Authorization": "Bearer " + key.Public}
	}
	out := []request{{"otlp", path, auth("application/json"), b}}
	var proto []byte
	switch path {
	case "/v1/logs":
		r := plogotlp.NewExportRequest()
		if err = r.UnmarshalJSON(b); err == nil {
			proto, err = r.MarshalProto()
		}
	case "/v1/traces":
		r := ptraceotlp.NewExportRequest()
		if err = r.UnmarshalJSON(b); err == nil {
			proto, err = r.MarshalProto()
		}
	case "/v1/metrics":
		r := pmetricotlp.NewExportRequest()
		if err = r.UnmarshalJSON(b); err == nil {
			proto, err = r.MarshalProto()
		}
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return append(out, request{"otlp", path, auth("application/x-protobuf"), proto})
}

// addNever puts attributes that must never be kept beside every list of attributes.
func addNever(v any) {
	switch v := v.(type) {
	case map[string]any:
		if list, ok := v["attributes"].([]any); ok {
			for _, k := range never {
				list = append(list, map[string]any{"key": k, "value": map[string]any{"stringValue": "zqcanary"}})
			}
			v["attributes"] = list
		}
		for _, x := range v {
			addNever(x)
		}
	case []any:
		for _, x := range v {
			addNever(x)
		}
	}
}

func insights(t *testing.T, key registry.Key, p *planter) []request {
	t.Helper()
	text := `[{"time":"2026-11-20T23:50:00.123Z","iKey":"` + key.Public + `","name":"Microsoft.ApplicationInsights.x.Event",
	"tags":{"ai.user.id":"zqcanary","ai.user.authUserId":"zqcanary","ai.session.id":"zqcanary","ai.cloud.roleInstance":"zqcanary","ai.location.ip":"203.0.113.1","ai.device.id":"zqcanary","ai.internal.sdkVersion":"javascript:3.4.4"},
	"data":{"baseType":"EventData","baseData":{"ver":2,"name":"acme.linter/activated","properties":{"common.extname":"acme.linter","common.extversion":"3.1.0","mode":"strict","note":"free","path":"p","common.remotename":"r"},"measurements":{"duration":12.5}}}},
	{"time":"2026-11-20T23:50:00.123Z","iKey":"` + key.Public + `","tags":{"ai.user.id":"zqcanary"},"data":{"baseType":"ExceptionData","baseData":{"ver":2,"severityLevel":4,"properties":{"common.extname":"acme.linter","k":"v"},
	"exceptions":[{"typeName":"TypeError","message":"x is undefined","hasFullStack":true,"stack":"TypeError: x is undefined\n    at f (/a/b.js:1:2)\n    at g (/a/c.js:3:4)","parsedStack":[{"level":0,"method":"f","fileName":"/a/b.js","line":1}]}]}}}]`
	var v []any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	p.plant("", v)
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return []request{{"insights", "/v2/track", map[string]string{"Content-Type": "application/json"}, b}}
}

func malformed(key registry.Key) []request {
	var out []request
	for _, path := range []string{fmt.Sprintf("/api/%d/envelope/?sentry_key=%s", key.Project, key.Public), fmt.Sprintf("/api/%d/store/?sentry_key=%s", key.Project, key.Public),
		"/v1/logs", "/v1/traces", "/v1/metrics", "/v2/track", "/api/v1/intake/crashes", "/api/v1/intake/events", "/api/v1/intake/sessions", "/api/v1/intake/report", "/r/" + key.Public, "/r/zqcanary", "/zqcanary/zqcanary?x=zqcanary"} {
		for _, body := range []string{`{"zqcanary":`, `zqcanary zqcanary@leak.example`, `{"a":"zqcanary"}` + "\n{zqcanary", `[[[[["zqcanary"]]]]]`} {
			out = append(out, request{"malformed", path, map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + key.Public, "X-Bellwether-Key": key.Public}, []byte(body)})
		}
	}
	return append(out, request{"malformed", "/api/zqcanary/envelope/?sentry_key=zqcanary", nil, []byte("{}")})
}

// native plants into the golden vectors of our own form.
func native(t *testing.T, key registry.Key, p *planter) []request {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "schema", "intake", "vectors", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	var out []request
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var v struct {
			List    string         `json:"list"`
			Request map[string]any `json:"request"`
		}
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		p.plant("", v.Request)
		body, err := json.Marshal(v.Request)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, request{"native", "/api/v1/intake/" + v.List, map[string]string{"Content-Type": "application/json", "X-Bellwether-Key": key.Public}, body})
	}
	return out
}

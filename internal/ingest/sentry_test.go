package ingest

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/registry"
)

const anEvent = `{"event_id":"fc6d8c0c43fc4630ad850ee518f1b9d0","exception":{"values":[{"type":"TypeError","value":"x","stacktrace":{"frames":[{"function":"outer"},{"function":"inner"}]}}]}}`

func TestEnvelopeGrammar(t *testing.T) {
	session := `{"sid":"s","started":"2026-11-20T23:50:00Z","attrs":{"release":"1.0"}}`
	tests := []struct {
		name, body string
		status     int
		kept       int
	}{
		{"length, newline at the end", "{}\n" + fmt.Sprintf(`{"type":"event","length":%d}`, len(anEvent)) + "\n" + anEvent + "\n", 200, 1},
		{"length, none at the end", "{}\n" + fmt.Sprintf(`{"type":"event","length":%d}`, len(anEvent)) + "\n" + anEvent, 200, 1},
		{"no length", "{}\n{\"type\":\"event\"}\n" + anEvent, 200, 1},
		{"CR before the newline is data that JSON passes over", "{}\n{\"type\":\"event\"}\n" + anEvent + "\r\n", 200, 1},
		{"CR counts in a length", "{}\n" + fmt.Sprintf(`{"type":"event","length":%d}`, len(anEvent)) + "\n" + anEvent + "\r\n", 400, 0},
		{"two items", "{}\n{\"type\":\"session\"}\n" + session + "\n{\"type\":\"event\"}\n" + anEvent + "\n", 200, 2},
		{"empty envelope", "{}", 200, 0},
		{"empty envelope, newline", "{}\n", 200, 0},
		{"nothing", "", 400, 0},
		{"zero length", "{}\n{\"type\":\"attachment\",\"length\":0}\n\n{\"type\":\"event\"}\n" + anEvent, 200, 1},
		{"empty payload without length", "{}\n{\"type\":\"attachment\"}\n\n{\"type\":\"event\"}\n" + anEvent, 200, 1},
		{"payload missing at the end", "{}\n{\"type\":\"attachment\"}", 200, 0},
		{"unknown item", "{}\n{\"type\":\"hologram\"}\nabc\n{\"type\":\"event\"}\n" + anEvent, 200, 1},
		{"newlines inside a length", "{}\n{\"type\":\"attachment\",\"length\":3}\n\n\n\n\n{\"type\":\"event\"}\n" + anEvent, 200, 1},
		{"longer than stated", "{}\n{\"type\":\"event\",\"length\":2}\n" + anEvent, 400, 0},
		{"shorter than stated", "{}\n{\"type\":\"event\",\"length\":9999}\n" + anEvent, 400, 0},
		{"negative length", "{}\n{\"type\":\"event\",\"length\":-1}\n" + anEvent, 400, 0},
		{"length that is no whole number", "{}\n{\"type\":\"event\",\"length\":1.5}\n" + anEvent, 400, 0},
		{"sent_at twice", `{"sent_at":"2026-11-20T23:50:00Z","sent_at":"2026-11-20T23:50:00Z"}` + "\n{\"type\":\"event\"}\n" + anEvent, 400, 0},
		{"headers are no JSON", "hello\n{\"type\":\"event\"}\n" + anEvent, 400, 0},
		{"headers are no object", "[]\n{\"type\":\"event\"}\n" + anEvent, 400, 0},
		{"item without type", "{}\n{}\n" + anEvent, 400, 0},
		{"item headers are no JSON", "{}\nx\n" + anEvent, 400, 0},
		{"blank line between items", "{}\n{\"type\":\"event\"}\n" + anEvent + "\n\n{\"type\":\"session\"}\n" + session, 400, 0},
		{"second event", "{}\n{\"type\":\"event\"}\n" + anEvent + "\n{\"type\":\"event\"}\n" + anEvent, 200, 1},
		{"event is no JSON", "{}\n{\"type\":\"event\"}\nnope", 200, 0},
		{"too many items", "{}\n" + strings.Repeat("{\"type\":\"attachment\"}\n\n", 501), 413, 0},
		{"lone surrogates and invalid UTF-8", "{}\n{\"type\":\"event\"}\n" + `{"exception":[{"type":"E","value":"a\ud83d` + "\xff" + `"}]}`, 200, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, everyTier)
			rec := w.envelope(tt.body)
			if rec.Code != tt.status {
				t.Fatalf("status %d, want %d: %s", rec.Code, tt.status, rec.Body)
			}
			if kept := w.kept(); len(kept) != tt.kept {
				t.Errorf("kept %d, want %d", len(kept), tt.kept)
			}
			if rec.Code != 200 && (rec.Header().Get("X-Sentry-Error") == "" || !strings.Contains(rec.Body.String(), `"detail":"`) || !strings.Contains(rec.Body.String(), `"causes":[`)) {
				t.Errorf("error answer %v %s", rec.Header(), rec.Body)
			}
		})
	}
}

func TestSentryAuth(t *testing.T) {
	body := "{}\n{\"type\":\"event\"}\n" + anEvent
	withDSN := func(dsn string) string {
		return `{"dsn":"` + dsn + "\"}\n{\"type\":\"event\"}\n" + anEvent
	}
	header := "Sentry sentry_version=7, sentry_client=x/1, sentry_key=" + linterKey
	tests := []struct {
		name, path, body string
		headers          []string
		status           int
	}{
		{"query", "/api/44/envelope/?sentry_key=" + linterKey, body, nil, 200},
		{"no slash at the end", "/api/44/envelope?sentry_key=" + linterKey, body, nil, 200},
		{"header", "/api/44/envelope/", body, []string{"X-Sentry-Auth", header}, 200},
		{"header, other order and spacing", "/api/44/envelope/", body, []string{"X-Sentry-Auth", "sentry sentry_key=" + linterKey + ",sentry_version=7"}, 200},
		{"authorization", "/api/44/envelope/", body, []string{"Authorization", header}, 200},
		{"dsn in the envelope", "/api/44/envelope/", withDSN("http://" + linterKey + "@h.example.test/44"), nil, 200},
		{"dsn with secret, port and path", "/api/44/envelope/", withDSN("https://" + linterKey + ":secret@h.example.test:8443/some/path/44"), nil, 200},
		{"all three agree", "/api/44/envelope/?sentry_key=" + linterKey, withDSN("http://" + linterKey + "@h/44"), []string{"X-Sentry-Auth", header}, 200},
		{"none", "/api/44/envelope/", body, nil, 401},
		{"header and query differ", "/api/44/envelope/?sentry_key=" + hostKey, body, []string{"X-Sentry-Auth", header}, 401},
		{"dsn and query differ", "/api/44/envelope/?sentry_key=" + linterKey, withDSN("http://" + hostKey + "@h/44"), nil, 401},
		{"dsn of another project", "/api/44/envelope/?sentry_key=" + linterKey, withDSN("http://" + linterKey + "@h/45"), nil, 401},
		{"two keys in the query", "/api/44/envelope/?sentry_key=" + linterKey + "&sentry_key=" + hostKey, body, nil, 401},
		{"unknown key", "/api/44/envelope/?sentry_key=ffffffffffffffffffffffffffffffff", body, nil, 401},
		{"bad key syntax", "/api/44/envelope/?sentry_key=%27%20OR", body, nil, 400},
		{"unsupported version", "/api/44/envelope/?sentry_version=99&sentry_key=" + linterKey, body, nil, 400},
		{"bad dsn", "/api/44/envelope/", withDSN("nonsense"), nil, 400},
		{"key of another project", "/api/7/envelope/?sentry_key=" + linterKey, body, nil, 403},
		{"project is no number", "/api/x/envelope/?sentry_key=" + linterKey, body, nil, 400},
		{"no such endpoint", "/api/44/unreal/?sentry_key=" + linterKey, body, nil, 404},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, everyTier)
			if rec := w.post(tt.path, tt.body, tt.headers...); rec.Code != tt.status {
				t.Errorf("status %d, want %d: %s", rec.Code, tt.status, rec.Body)
			}
		})
	}
}

func TestKeysThatAreRefused(t *testing.T) {
	w := newWorld(t, everyTier)
	revoked := w.keys[linterKey]
	revoked.Key.Status = registry.KeyRevoked
	w.keys[linterKey] = revoked
	if rec := w.envelope("{}"); rec.Code != http.StatusForbidden {
		t.Errorf("revoked: %d", rec.Code)
	}
	expired := projectKey(linterKey, 44, registry.Subject{Extension: "acme.linter"}, everyTier)
	expired.Key.Expires = w.now.Add(-time.Second)
	w.keys[linterKey] = expired
	if rec := w.envelope("{}"); rec.Code != http.StatusForbidden {
		t.Errorf("expired: %d", rec.Code)
	}
	bound := projectKey(linterKey, 44, registry.Subject{Extension: "acme.linter"}, everyTier)
	bound.Key.Origins = []string{"https://*.example.org"}
	w.keys[linterKey] = bound
	for origin, want := range map[string]int{"https://app.example.org": 200, "https://example.org.evil.test": 403, "null": 403, "": 200} {
		var h []string
		if origin != "" {
			h = []string{"Origin", origin}
		}
		if rec := w.envelope("{}", h...); rec.Code != want {
			t.Errorf("origin %q: %d, want %d", origin, rec.Code, want)
		}
	}
}

// What is read of an event, and what must never be.
func TestEventReadsOnlyWhatIsListed(t *testing.T) {
	w := newWorld(t, everyTier)
	event := `{"event_id":"FC6D8C0C-43FC-4630-AD85-0EE518F1B9D0","timestamp":1795218758.365,"platform":"node","level":"fatal","release":"acme-linter@3.1.0","dist":"7",
	"environment":"production","server_name":"SECRETHOST","request":{"url":"http://SECRETURL/","cookies":"SECRETCOOKIE"},"logger":"x",
	"user":{"id":"machine-1","email":"SECRETMAIL@example.test","ip_address":"203.0.113.9","username":"SECRETUSER"},
	"contexts":{"os":{"name":"Windows","version":"11"},"runtime":{"name":"node","version":"v20.1.0"},"device":{"name":"SECRETDEVICE","arch":"amd64","boot_time":"SECRETBOOT"},
	 "host":{"name":"Editor","version":"1.102.3"},"bellwether":{"active":{"acme.theme":"1.0.0","not an id":"2"},"command":"linter.fix","channel":"beta"}},
	"tags":[["mode","strict"],["extension.id","acme.linter"],["extension.version","3.1.0"],["server_name","SECRETTAG"]],
	"extra":{"secret":"SECRETEXTRA"},"modules":{"left-pad":"1.0.0"},
	"breadcrumbs":{"values":[{"timestamp":"2026-11-20T23:52:38Z","category":"ui","message":"clicked","data":{"x":"SECRETDATA"}}]},
	"debug_meta":{"images":[{"type":"sourcemap","code_file":"app.js","debug_id":"d86c8f7a-f7de-4e81-acd9-1a99c646bee3"}]},
	"sdk":{"name":"sentry.javascript.node","version":"9.1.0"},
	"threads":[{"id":1,"name":"main","crashed":true}],
	"exception":[{"type":"Inner","value":"cause","stacktrace":{"frames":[{"function":"z"}]}},
	 {"type":"Outer","value":"wrap","module":"m","mechanism":{"type":"onerror","handled":false},"stacktrace":{"frames":[
	  {"function":"a","filename":"a.js","lineno":"12","colno":1e1,"in_app":true,"vars":{"p":"SECRETVAR"},"context_line":"SECRETLINE"},
	  {"function":"b","abs_path":"/x/b.js","lineno":12.0,"instruction_addr":"0x1"}]}}]}`
	if rec := w.envelope("{}\n" + fmt.Sprintf(`{"type":"event","length":%d}`, len(event)) + "\n" + event); rec.Code != 200 || rec.Body.String() != `{"id":"fc6d8c0c43fc4630ad850ee518f1b9d0"}` {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	e := w.one()
	c := e.Crash
	if e.Time != 1795218758365 || e.ClientID != "fc6d8c0c43fc4630ad850ee518f1b9d0" || e.Class != eco.ClassCrash || e.Origin.Install == 0 {
		t.Errorf("envelope %+v", e)
	}
	o := e.Origin
	o.Install = 0
	want := eco.Origin{Project: 44, Extension: "acme.linter", ExtVersion: "3.1.0", Host: "editor", HostVersion: "1.102.3", Channel: eco.Beta, OS: "windows", OSVersion: "11",
		Arch: "x64", Runtime: "node/v20.1.0", Environment: "production", SDK: "sentry.javascript.node/9.1.0"}
	if o != want {
		t.Errorf("origin\n got %+v\nwant %+v", o, want)
	}
	if c.Platform != "javascript" || c.Level != "fatal" || c.Handled == nil || *c.Handled || c.Mechanism != "onerror" || c.Thread != "main" || c.Command != "linter.fix" {
		t.Errorf("crash %+v", c)
	}
	if len(c.Active) != 1 || c.Active[0].ID != "acme.theme" || c.Tags["mode"] != "strict" || len(c.Tags) != 1 || c.Modules["left-pad"] != "1.0.0" || len(c.DebugImages) != 1 {
		t.Errorf("crash %+v", c)
	}
	if x := c.Exceptions; len(x) != 2 || x[0].Type != "Outer" || x[0].Parent != -1 || x[1].Type != "Inner" || x[1].Parent != 0 ||
		x[0].Frames[0].Function != "b" || x[0].Frames[0].Line != 12 || x[0].Frames[1].Line != 12 || x[0].Frames[1].Col != 10 {
		t.Errorf("exceptions %+v", x)
	}
	if raw := string(eco.EncodeEnvelope(nil, e)); strings.Contains(raw, "SECRET") || strings.Contains(raw, "machine-1") || strings.Contains(raw, "203.0.113.9") {
		t.Errorf("the record holds what must not be kept: %q", raw)
	}
	if len(e.Steps) != 3 || e.Steps[1].Stage != "consent" || e.Steps[1].Note != "crash" || e.Steps[2].Stage != "scrub" {
		t.Errorf("lineage %+v", e.Steps)
	}
}

// In a host's project the release is the host's, and the extension it names owns the crash.
func TestHostProject(t *testing.T) {
	w := newWorld(t, everyTier)
	event := strings.Replace(anEvent, "{", `{"release":"editor@1.102.3","tags":{"extension.id":"acme.linter","extension.version":"3.1.0"},"user":{"id":"m"},`, 1)
	if rec := w.post("/api/7/envelope/?sentry_key="+hostKey, "{}\n{\"type\":\"event\"}\n"+event); rec.Code != 200 {
		t.Fatal(rec.Code)
	}
	e := w.one()
	if e.Origin.Extension != "" || e.Origin.Host != "editor" || e.Origin.HostVersion != "1.102.3" || e.Crash.Owner != "acme.linter" ||
		len(e.Crash.Active) != 1 || e.Crash.Active[0].Version != "3.1.0" {
		t.Errorf("origin %+v owner %s active %+v", e.Origin, e.Crash.Owner, e.Crash.Active)
	}
	first := e.Origin.Install
	if rec := w.envelope("{}\n{\"type\":\"event\"}\n" + event); rec.Code != 200 {
		t.Fatal(rec.Code)
	}
	if e := w.one(); e.Origin.Install == first || e.Origin.Install == 0 {
		t.Error("one machine has the same pseudonym in two projects")
	}
}

func TestClockDrift(t *testing.T) {
	for _, days := range []int{-1, 0, 1} {
		w := newWorld(t, everyTier)
		at := w.now.AddDate(0, 0, days)
		head := fmt.Sprintf(`{"sent_at":%q}`, at.UTC().Format(time.RFC3339Nano))
		event := strings.Replace(anEvent, "{", fmt.Sprintf(`{"timestamp":%d,`, at.Add(-time.Minute).Unix()), 1)
		if rec := w.envelope(head + "\n{\"type\":\"event\"}\n" + event); rec.Code != 200 {
			t.Fatal(rec.Code)
		}
		if got, want := w.one().Time, w.now.Add(-time.Minute).UnixMilli(); got != want {
			t.Errorf("%d days: time %d, want %d", days, got, want)
		}
	}
}

func TestStoreBodies(t *testing.T) {
	var z bytes.Buffer
	zw := zlib.NewWriter(&z)
	_, _ = zw.Write([]byte(anEvent))
	_ = zw.Close()
	var g bytes.Buffer
	gw := gzip.NewWriter(&g)
	_, _ = gw.Write([]byte(anEvent))
	_ = gw.Close()
	for name, tt := range map[string]struct {
		body, encoding string
		status         int
	}{
		"json": {anEvent, "", 200}, "zlib": {z.String(), "", 200}, "base64 of zlib": {base64.StdEncoding.EncodeToString(z.Bytes()), "", 200},
		"base64 of json": {base64.StdEncoding.EncodeToString([]byte(anEvent)), "", 200}, "deflate encoding": {z.String(), "deflate", 200},
		"gzip encoding": {g.String(), "gzip", 200}, "empty": {"", "", 400}, "noise": {"\x00\x01", "", 400}, "no object": {"[1]", "", 400}, "brotli": {anEvent, "br", 415},
	} {
		for _, path := range []string{"/api/44/store/", "/api/44/store", "/api/store/", "/api/store"} {
			w := newWorld(t, everyTier)
			h := []string{"X-Sentry-Auth", "Sentry sentry_version=7, sentry_key=" + linterKey}
			if tt.encoding != "" {
				h = append(h, "Content-Encoding", tt.encoding)
			}
			rec := w.post(path, tt.body, h...)
			if rec.Code != tt.status {
				t.Errorf("%s %s: %d %s", name, path, rec.Code, rec.Body)
			}
			if rec.Code == 200 && (rec.Body.String() != `{"id":"fc6d8c0c43fc4630ad850ee518f1b9d0"}` || w.one().Crash.Exceptions[0].Frames[0].Function != "inner") {
				t.Errorf("%s %s: %s", name, path, rec.Body)
			}
		}
	}
}

func TestSessionsAndReports(t *testing.T) {
	w := newWorld(t, everyTier)
	body := `{}
{"type":"session"}
{"sid":"s1","init":true,"seq":9,"started":"2026-11-20T23:50:00Z","did":"d","status":"crashed","duration":12.5,"attrs":{"release":"linter@3.1.0","ip_address":"203.0.113.9"}}
{"type":"session"}
{"sid":"s2","started":"2026-11-01T23:50:00Z","attrs":{"release":"3.1.0"}}
{"type":"session"}
{"sid":"s3","started":"2026-11-20T23:50:00Z"}
{"type":"session"}
{"sid":"s4","started":"2026-11-20T23:50:00Z","status":"exploded","attrs":{"release":"3.1.0"}}
{"type":"sessions"}
{"aggregates":[{"started":"2026-11-20T23:50:00Z","exited":4,"errored":1,"crashed":2},{"started":"2026-11-20T23:51:00Z","exited":1e99}],"attrs":{"release":"3.1.0"}}
{"type":"client_report"}
{"discarded_events":[{"reason":"sample_rate","category":"error","quantity":30},{"reason":"SECRET","category":"SECRET","quantity":1}]}
{"type":"user_report"}
{"event_id":"fc6d8c0c43fc4630ad850ee518f1b9d0","email":"a@example.test","name":"A","comments":"it broke"}
`
	if rec := w.envelope(body); rec.Code != 200 || rec.Body.String() == "" {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	kept := w.kept()
	if len(kept) != 4 {
		t.Fatalf("kept %d: %v", len(kept), w.counts)
	}
	s := kept[0].Session
	if s.Status != "crashed" || s.Errors != 1 || s.Seq != 0 || !s.Init || s.Key == 0 || s.Duration != 12.5 || kept[0].Origin.ExtVersion != "3.1.0" || kept[0].Origin.Install == 0 {
		t.Errorf("session %+v", s)
	}
	if a := kept[1].Session; a.Exited != 4 || a.Errored != 1 || a.Crashed != 2 || a.Key != 0 {
		t.Errorf("bucket %+v", a)
	}
	if a := kept[2].Session; a.Exited != 1_000_000 {
		t.Errorf("an absurd bucket holds %d sessions", a.Exited)
	}
	if f := kept[3].Feedback; f.Message != "it broke" || f.CrashID == "" || kept[3].Tier != eco.Support {
		t.Errorf("report %+v", f)
	}
	for reason, n := range map[string]int64{"late": 1, "schema:release": 1, "schema:status": 1, "client:sample_rate": 30, "client:other": 1} {
		if got := w.total(pipeline.Dropped, "", reason); got != n {
			t.Errorf("%s: %d, want %d", reason, got, n)
		}
	}
}

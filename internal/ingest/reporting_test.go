package ingest

import (
	"cmp"
	"encoding/json"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/ingest/reporting"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/registry"
	"github.com/bellwether-project/bellwether/internal/signature"
	"github.com/bellwether-project/bellwether/internal/stack"
)

// reportCapture is what the manifest says of a captured browser report.
type reportCapture struct {
	capture
	Types       []string `json:"report_types"`
	ContentType string   `json:"content_type"`
}

func reportCaptures(t testing.TB) (list []reportCapture) {
	t.Helper()
	b, err := os.ReadFile("testdata/wire/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []reportCapture
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if strings.HasPrefix(c.File, "chromium-reporting/") {
			list = append(list, c)
		}
	}
	return list
}

var keptTypes = map[string]bool{"crash": true, "csp-violation": true, "coep": true, "document-policy-violation": true, "integrity-violation": true, "permissions-policy-violation": true, "coop": true}

// Everything a real Chromium sent, at our own address and at Sentry's.
func TestReplayOfBrowserReports(t *testing.T) {
	list := reportCaptures(t)
	if len(list) < 25 {
		t.Fatalf("%d captures", len(list))
	}
	for _, c := range list {
		for _, path := range []string{"/r/" + linterKey, "/r/" + linterKey + "/", "/api/44/security/?sentry_key=" + linterKey} {
			w := newWorld(t, everyTier)
			req := c.request(t)
			req.URL.Path, req.URL.RawQuery, _ = strings.Cut(path, "?")
			rec := httptest.NewRecorder()
			w.web.ServeHTTP(rec, req)
			kept := w.kept()
			if c.Method == "OPTIONS" {
				h := rec.Header()
				if rec.Code >= 300 || h.Get("Access-Control-Allow-Origin") == "" || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "content-type") || !strings.Contains(h.Get("Access-Control-Allow-Methods"), "POST") {
					t.Errorf("%s at %s: preflight %d %v", c.File, path, rec.Code, h)
				}
				continue
			}
			types := c.Types
			if c.ContentType == "application/csp-report" {
				types = []string{"csp-violation"}
			}
			want, dropped := 0, int64(0)
			for _, typ := range types {
				if keptTypes[typ] {
					want++
				} else {
					dropped++
				}
			}
			if rec.Code >= 300 || len(types) == 0 || len(kept) != want || w.total(pipeline.Dropped, "", reporting.NotKept) != dropped {
				t.Errorf("%s at %s: %d %s, kept %d of %v, %v", c.File, path, rec.Code, rec.Body, len(kept), types, w.counts)
			}
			for _, e := range kept {
				all, _ := json.Marshal(e)
				for _, secret := range []string{"user=42", "secret", "token=", "nonce-abc", "127.0.0.1", "Mozilla", "AppleWebKit", "?case"} {
					if strings.Contains(string(all), secret) {
						t.Errorf("%s: %s goes on: %s", c.File, secret, all)
					}
				}
				if e.Origin.Runtime != "chrome 156" || e.Origin.OS != "linux" || e.Origin.Host != "chrome" || e.Origin.HostVersion != "156" || e.Crash.Tags["page"] != "https://app.example.test:9443/www/report.html" {
					t.Errorf("%s: %+v %v", c.File, e.Origin, e.Crash.Tags)
				}
			}
		}
	}
}

func TestBrowserReports(t *testing.T) {
	ua := `,"user_agent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"`
	report := func(typ, body string) string {
		return `[{"age":1000,"type":"` + typ + `","url":"https://shop.example/orders/12345678/jo%40example.org?x=1"` + ua + `,"body":` + body + `}]`
	}
	for name, tt := range map[string]struct {
		body, key, title, level string
		frame                   eco.Frame
	}{
		"oom":     {report("crash", `{"reason":"oom","is_top_level":true}`), "out of memory", "out of memory", "fatal", eco.Frame{}},
		"hang":    {report("crash", `{"reason":"unresponsive","stack":"    at spin (https://shop.example/app.js?v=7:3:9)\n    at https://shop.example/app.js:9:1"}`), "hang | u|app|spin", "hang in spin", "fatal", eco.Frame{Function: "spin", File: "https://shop.example/app.js", Line: 3, Col: 9}},
		"unknown": {report("crash", `{"crash_report_api":{"mail":"jo@example.org"}}`), "PageCrash | The page's process ended.", "PageCrash: The page's process ended.", "fatal", eco.Frame{}},
		"inline":  {report("csp-violation", `{"blockedURL":"inline","effectiveDirective":"script-src-attr","disposition":"report","sample":"secret"}`), "CSP script-src-attr | u||inline", "CSP script-src-attr in inline", "warning", eco.Frame{Function: "inline"}},
		"origin": {report("csp-violation", `{"blockedURL":"https://jo:pw@evil.example:8443/x/y.js?token=1","effectiveDirective":"script-src-elem","disposition":"enforce","sourceFile":"https://shop.example/app.js","lineNumber":3}`),
			"CSP script-src-elem | u||https://evil.example:8443", "CSP script-src-elem in https://evil.example:8443", "error", eco.Frame{Function: "https://evil.example:8443"}},
		"extension": {report("csp-violation", `{"blockedURL":"https://cdn.example/x.js","effectiveDirective":"script-src-elem","sourceFile":"chrome-extension://abcdefghijklmnopabcdefghijklmnop/content.js"}`),
			"CSP script-src-elem | u||https://cdn.example", "CSP script-src-elem in https://cdn.example", "error", eco.Frame{Function: "https://cdn.example"}},
		"firefox": {report("csp-violation", `{"blockedURL":"moz-extension://0f2e8c1a-1111-2222-3333-444455556666/inject.js","effectiveDirective":"script-src-elem"}`),
			"CSP script-src-elem | u|inject/inject|", "CSP script-src-elem in inject", "error", eco.Frame{File: "moz-extension://unknown/inject.js"}},
		"legacy": {`{"csp-report":{"document-uri":"https://shop.example/orders/12345678/jo%40example.org","violated-directive":"img-src 'self'","blocked-uri":"data","source-file":"https://shop.example/a.js","line-number":"7"}}`,
			"CSP img-src | u||data", "CSP img-src in data", "error", eco.Frame{Function: "data"}},
		"integrity": {report("integrity-violation", `{"blockedURL":"https://cdn.example/x.js","destination":"script","reportOnly":true}`), "Integrity script | u||https://cdn.example", "Integrity script in https://cdn.example", "warning", eco.Frame{Function: "https://cdn.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, everyTier)
			typ := "application/reports+json"
			if name == "legacy" {
				typ = "application/csp-report"
			}
			if rec := w.post("/r/"+linterKey+"?release=2.0.1", tt.body, "Content-Type", typ, "User-Agent", "Mozilla/5.0 (Windows NT 10.0) Chrome/141.0.0.0"); rec.Code != 204 {
				t.Fatalf("%d %s", rec.Code, rec.Body)
			}
			e := w.one()
			c := e.Crash
			stack.Normalise(c)
			s := signature.Sign(c)
			if s.Key != tt.key || s.Title != tt.title || c.Level != tt.level {
				t.Errorf("key %q, title %q, level %s", s.Key, s.Title, c.Level)
			}
			if f := c.Exceptions[0].Frames; tt.frame != (eco.Frame{}) && (len(f) == 0 || f[0] != tt.frame) || tt.frame == (eco.Frame{}) && len(f) > 0 {
				t.Errorf("frames %+v", f)
			}
			if c.Tags["page"] != "https://shop.example/orders/*/*" || e.Origin.ExtVersion != "2.0.1" || e.Origin.Runtime != "chrome 141" || e.Origin.OS != "windows" || e.Tier != eco.TierCrash {
				t.Errorf("%v %+v", c.Tags, e.Origin)
			}
			all, _ := json.Marshal(e)
			for _, secret := range []string{"jo@", "jo:", "12345678", "token", "secret", "0f2e8c1a", "Mozilla"} {
				if strings.Contains(string(all), secret) {
					t.Errorf("%s goes on: %s", secret, all)
				}
			}
		})
	}
}

// What the address answers is load-bearing: 410 makes a browser forget it.
func TestBrowserReportAnswers(t *testing.T) {
	const crash = `[{"type":"crash","url":"https://a.example/","body":{"reason":"oom"}}]`
	w := newWorld(t, everyTier)
	ended := projectKey("22222222222222222222222222222222", 44, registry.Subject{Extension: "acme.linter"}, everyTier)
	ended.Key.Status = registry.KeyRevoked
	past := projectKey("33333333333333333333333333333333", 44, registry.Subject{Extension: "acme.linter"}, everyTier)
	past.Key.Expires = w.now.Add(-time.Hour)
	bound := projectKey("44444444444444444444444444444444", 44, registry.Subject{Extension: "acme.linter"}, everyTier)
	bound.Key.Origins = []string{"https://shop.example"}
	silent := projectKey("55555555555555555555555555555555", 44, registry.Subject{Extension: "acme.linter"}, consent.Policy{})
	for _, k := range []registry.KeyView{ended, past, bound, silent} {
		w.keys[k.Key.Public] = k
	}
	for _, tt := range []struct {
		key, typ, body, origin string
		status, kept           int
	}{
		{linterKey, "application/reports+json", crash, "https://other.example", 204, 1},
		{linterKey, "application/reports+json; charset=utf-8", crash, "", 204, 1},
		{linterKey, "text/plain", crash, "", 415, 0},
		{linterKey, "application/reports+json", "[]", "", 400, 0},
		{linterKey, "application/reports+json", "[1,null]", "", 204, 0},
		{linterKey, "application/reports+json", "{", "", 400, 0},
		{linterKey, "application/reports+json", `[{"type":"x-new","body":{}}]`, "", 204, 0},
		{linterKey, "application/reports+json", "[" + strings.Repeat(crash[1:len(crash)-1]+",", 299) + crash[1:len(crash)-1] + "]", "", 204, 200},
		{linterKey, "application/reports+json", crash + strings.Repeat(" ", 2<<20), "", 413, 0},
		{"99999999999999999999999999999999", "application/reports+json", crash, "", 404, 0},
		{"not a key!", "application/reports+json", crash, "", 404, 0},
		{ended.Key.Public, "application/reports+json", crash, "", 410, 0},
		{past.Key.Public, "application/reports+json", crash, "", 410, 0},
		{bound.Key.Public, "application/reports+json", crash, "https://other.example", 403, 0},
		{bound.Key.Public, "application/reports+json", crash, "https://shop.example", 204, 1},
		{silent.Key.Public, "application/reports+json", crash, "", 410, 0},
	} {
		rec := w.post("/r/"+strings.ReplaceAll(tt.key, " ", "%20"), tt.body, "Content-Type", tt.typ, "Origin", cmp.Or(tt.origin, "https://page.example"))
		if kept := w.kept(); rec.Code != tt.status || len(kept) != tt.kept {
			t.Errorf("%s %.60s: %d %s, kept %d; want %d, %d", tt.key, tt.body, rec.Code, rec.Body, len(kept), tt.status, tt.kept)
		}
		if rec.Header().Get("Access-Control-Allow-Origin") == "" {
			t.Errorf("%s: no CORS header on %d", tt.key, rec.Code)
		}
	}
	if n := w.total(pipeline.Dropped, "", "limit:reports"); n != 100 {
		t.Errorf("past the limit: %d counted", n)
	}
	if n := w.total(pipeline.Dropped, "", "consent:crash"); n != 1 {
		t.Errorf("without consent: %d counted", n)
	}
	// Somebody who opted out is no reason for all others to forget the address.
	rec := w.post("/r/"+linterKey, crash, "Content-Type", "application/reports+json", "Sec-GPC", "1")
	if rec.Code != 204 || len(w.kept()) != 0 {
		t.Errorf("opted out: %d", rec.Code)
	}
	// Sentry's address for network errors drops and counts.
	rec = w.post("/api/44/nel/?sentry_key="+linterKey, `[{"type":"network-error","url":"https://a.example/","body":{"server_ip":"203.0.113.1"}}]`, "Content-Type", "application/reports+json")
	if rec.Code != 200 || w.total(pipeline.Dropped, "nel", "not_kept") != 1 {
		t.Errorf("nel: %d %v", rec.Code, w.counts)
	}
}

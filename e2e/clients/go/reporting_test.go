package clients_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// TestBrowserReports: a real browser reports broken policies and a dead page by
// itself, over TLS, to the address that two headers name.
func TestBrowserReports(t *testing.T) {
	chromium := os.Getenv("CHROMIUM")
	if chromium == "" {
		chromium = "/usr/bin/chromium"
	}
	_, err := os.Stat(chromium)
	need(t, err == nil, "Chromium")
	s := start(t, map[string]string{"shop": everything})
	p := s.projects["shop"]
	base, _ := withTLS(t, p.Base)
	endpoint := base + "/r/" + p.Key
	page := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Reporting-Endpoints", fmt.Sprintf(`default="%s", csp="%s", crash-reporting="%s"`, endpoint, endpoint, endpoint))
		switch {
		case strings.HasPrefix(r.URL.Path, "/orders/"):
			w.Header().Set("Content-Security-Policy", "default-src 'self'; report-to csp")
		case strings.HasPrefix(r.URL.Path, "/old/"):
			w.Header().Set("Content-Security-Policy", "default-src 'self'; report-uri "+endpoint)
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><title>A page</title><p>Hello</p><script src="https://evil.example.test/x.js?token=secret"></script><script>inline()</script>`))
	}))
	t.Cleanup(page.Close)
	browser := nodeCmd(t, "reporting.mjs", "PAGE="+page.URL, "CHROMIUM="+chromium)
	enough, err := browser.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := browser.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = enough.Close()
		if err := browser.Wait(); err != nil {
			t.Error(err)
		}
	})
	s.eventually(t, "two breaks of a policy the new way, two the old way, and a dead page", func() bool {
		return s.counts(t, p.ID)["stored crash"] >= 5
	})
	titles := map[string]int{}
	for _, f := range s.families(t, p) {
		titles[f.Type] += f.Crashes
		for _, secret := range []string{"token", "user=42", "12345678"} {
			if strings.Contains(f.Title, secret) {
				t.Errorf("a family shows %s: %s", secret, f.Title)
			}
		}
	}
	if titles["CSP script-src-elem"] != 4 || titles["PageCrash"] < 1 {
		t.Errorf("families %v, counts %v", titles, s.counts(t, p.ID))
	}
}

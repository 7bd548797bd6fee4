package api

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
)

// elsewhere is how a browser marks a request that another site makes: of today, of
// yesterday, from a frame without an origin, from a sibling of our own name.
var elsewhere = []http.Header{
	{"Sec-Fetch-Site": {"cross-site"}},
	{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}},
	{"Origin": {"https://evil.example"}},
	{"Origin": {"null"}},
	{"Sec-Fetch-Site": {"same-site"}, "Origin": {"http://sub.example.com"}},
	{"Sec-Fetch-Site": {"same-site"}},
}

// Every form of every page, also of those anybody may open, is refused when another
// site sends it with the cookie of somebody who may do all; the same for every call
// of the API that changes something. A new route is walked without a word here.
func TestOtherSitesSendNoForms(t *testing.T) {
	h := newHouse(t)
	pages := h.pages()
	all := []account.Grant{{Role: account.Operator}, {Role: account.Triager}, {Role: account.Support}, {Role: account.Steward}, {Role: account.Auditor}}
	who := h.as("all", all...)
	send := func(to http.Handler, method, path string, marks http.Header, body, kind string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		for k, v := range marks {
			r.Header[k] = v
		}
		r.AddCookie(&http.Cookie{Name: "bellwether", Value: who})
		w := httptest.NewRecorder()
		to.ServeHTTP(w, r)
		return w
	}
	forms, calls := 0, 0
	for _, r := range pages.Routes() {
		if r.Method == http.MethodGet || r.Method == "" { // "" = the page for what is no page
			continue
		}
		forms++
		path := h.path(r.Pattern, "acme", "all")
		for _, marks := range elsewhere {
			w := send(h.handler, r.Method, path, marks, h.form(r.Method+" "+r.Pattern, "acme").Encode(), "application/x-www-form-urlencoded")
			if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "came from another site") {
				t.Errorf("%s %s with %v: %d", r.Method, path, marks, w.Code)
			}
			if len(w.Result().Cookies()) > 0 {
				t.Errorf("%s %s with %v sets a cookie", r.Method, path, marks)
			}
		}
	}
	for _, r := range h.Routes() {
		if r.Method == http.MethodGet {
			continue
		}
		calls++
		h.now = h.now.Add(time.Minute) // another window of the rate limit
		path := prefix + h.path(strings.TrimPrefix(r.Pattern, prefix), "acme", "all")
		for _, marks := range elsewhere {
			if w := send(h.Server, r.Method, path, marks, "{}", "application/json"); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "came from another site") {
				t.Errorf("%s %s with %v: %d %s", r.Method, path, marks, w.Code, w.Body)
			}
		}
	}
	if forms < 50 || calls < 50 {
		t.Errorf("%d forms and %d calls were walked", forms, calls)
	}
	if w := send(h.handler, http.MethodPost, "/sign-in", http.Header{"Sec-Fetch-Site": {"same-origin"}}, url.Values{"email": {"x@example.org"}}.Encode(), "application/x-www-form-urlencoded"); w.Code == http.StatusForbidden {
		t.Error("our own form is refused")
	}
}

// No page that needs a sign-in is kept by a cache, or shown in another site's frame;
// nor is one that carries a one-time link, or what was typed into it.
func TestPagesAreNotKeptOrFramed(t *testing.T) {
	h := newHouse(t)
	pages := h.pages()
	h.handler = pages.Handler()
	who := h.as("all", account.Grant{Role: account.Operator}, account.Grant{Role: account.Triager})
	for _, r := range pages.Routes() {
		if r.Method != http.MethodGet || strings.Contains(r.Pattern, "static") {
			continue
		}
		w := h.page(who, r.Method, h.path(r.Pattern, "acme", "all"), nil)
		head := w.Header()
		if kept := head.Get("Cache-Control"); !r.Public && kept != "no-store" && !(r.Pattern == "/search/complete" && kept == "private, max-age=30") { // names of fields, while one types
			t.Errorf("%s may be kept: %q", r.Pattern, head.Get("Cache-Control"))
		}
		csp := head.Get("Content-Security-Policy")
		if !strings.Contains(csp, "frame-ancestors 'none'") || !strings.Contains(csp, "form-action 'self'") || strings.Contains(csp, "unsafe") || head.Get("X-Content-Type-Options") != "nosniff" || head.Get("Referrer-Policy") == "" {
			t.Errorf("%s: %v", r.Pattern, head)
		}
	}
}

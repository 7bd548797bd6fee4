package door

import (
	"net/http"
	"strings"
)

// CORS lets pages of any site reach a route, never with credentials.
type CORS struct {
	Methods string // "POST"
	Headers string // request headers a page may send
	Expose  string // answer headers a page may read
}

// Set writes the headers of an answer. Without an Origin header it does nothing:
// then the client is no page.
func (c *CORS) Set(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Origin") == "" {
		return
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	if c.Expose != "" {
		h.Set("Access-Control-Expose-Headers", c.Expose)
	}
}

// Preflight answers an OPTIONS request and reports that it did.
func (c *CORS) Preflight(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodOptions {
		return false
	}
	c.Set(w, r)
	h := w.Header()
	h.Set("Allow", c.Methods+", OPTIONS")
	if r.Header.Get("Origin") != "" {
		h.Set("Access-Control-Allow-Methods", c.Methods)
		h.Set("Access-Control-Allow-Headers", c.Headers)
		h.Set("Access-Control-Max-Age", "3600")
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}

// OriginAllowed reports whether a browser's Origin is one of the rules, such as
// "https://app.example.org" or "https://*.example.org". No Origin header (no
// browser) and no rules (any) are allowed. "null", which sandboxed frames and
// files send, matches only the rule "null".
func OriginAllowed(origin string, rules []string) bool {
	if origin == "" || len(rules) == 0 {
		return true
	}
	origin = strings.ToLower(origin)
	for _, rule := range rules {
		rule = strings.ToLower(strings.TrimSuffix(rule, "/"))
		if rule == "*" || rule == origin {
			return true
		}
		before, after, wild := strings.Cut(rule, "*.")
		if !wild || !strings.HasSuffix(before, "://") {
			continue
		}
		rest, ok := strings.CutPrefix(origin, before)
		if sub, ok2 := strings.CutSuffix(rest, "."+after); ok && ok2 && sub != "" {
			return true
		}
	}
	return false
}

package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What an author reads must not name the other tenant anywhere.
func TestAuthorsReadNothingOfOthers(t *testing.T) {
	h := newHouse(t)
	for _, name := range []string{"acme", "red"} {
		who := h.enter(name)
		secrets := []string{h.key["studio"], "zeta", h.key["zeta"], h.family["zeta"], h.crash["zeta"], h.letter["zeta"]}
		for _, r := range h.Routes() {
			pattern := strings.TrimPrefix(r.Pattern, prefix)
			if r.Method != http.MethodGet || pattern == "/facts/query" {
				continue
			}
			w := h.ask(who, "GET", prefix+h.path(pattern, "acme", name), "")
			for _, s := range secrets {
				if strings.Contains(w.Body.String(), s) {
					t.Errorf("%s reads %q in %s: %s", name, s, pattern, w.Body)
				}
			}
		}
	}
}

// Another tenant's id and one that does not exist get the same answer.
func TestHiddenIsLikeMissing(t *testing.T) {
	h := newHouse(t)
	acme := h.enter("acme")
	missing := strings.NewReplacer(extensionOf("zeta"), "zeta.none", "/"+h.key["zeta"], "/"+strings.Repeat("0", 32), h.family["zeta"], "F-NONE", h.crash["zeta"], strings.Repeat("0", 32),
		h.letter["zeta"], strings.Repeat("0", 32), "channels/c-", "channels/x-", "publishers/zeta", "publishers/none", "teams/blue", "teams/none", fmt.Sprintf("projects/%d", h.project["zeta"]), "projects/999", "symbols/s-", "symbols/none-")
	for _, r := range h.Routes() {
		pattern := strings.TrimPrefix(r.Pattern, prefix)
		if !isTenanted(pattern) {
			continue
		}
		path := prefix + h.path(pattern, "zeta", "acme")
		body := h.body(r.Method+" "+pattern, "zeta")
		one := h.ask(acme, r.Method, path, body)
		two := h.ask(acme, r.Method, missing.Replace(path), body)
		p, q := problemOf(t, one.Body.Bytes()), problemOf(t, two.Body.Bytes())
		p.Request, q.Request = "", ""
		if d := cmp.Diff(p.Problem, q.Problem); d != "" || path == missing.Replace(path) {
			t.Errorf("%s %s tells another's from none (%s):\n%s", r.Method, path, missing.Replace(path), d)
		}
	}
}

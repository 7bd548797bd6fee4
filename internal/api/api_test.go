package api

import (
	"net/http"
	"strings"
	"testing"
)

func TestSmoke(t *testing.T) {
	h := newHouse(t)
	me := h.as("owner", everything()...)
	for _, p := range []string{"/me", "/rights", "/extensions", "/extensions/acme.theme", "/extensions/acme.theme/health", "/health", "/overview", "/extensions/acme.theme/releases", "/hosts/studio/releases",
		"/publishers", "/hosts", "/teams", "/projects", "/projects/1", "/projects/1/keys", "/keys/" + h.key["acme"], "/families", "/families/" + h.family["acme"], "/families/" + h.family["acme"] + "/crashes",
		"/crashes", "/crashes/" + h.crash["acme"], "/crashes/" + h.crash["acme"] + "/together", "/intake", "/intake/counts", "/intake/letters", "/intake/letters/" + h.letter["acme"],
		"/members", "/invitations", "/audit", "/audit/head", "/audit/entries/0/proof", "/audit/verify", "/jobs", "/openapi.json", "/me/sessions", "/me/tokens"} {
		w := h.ask(me, "GET", prefix+p, "")
		if w.Code != 200 {
			t.Errorf("%s: %d %s", p, w.Code, w.Body)
		}
		if testing.Verbose() && p != "/openapi.json" && p != "/rights" {
			t.Logf("%s %s %v", p, strings.TrimSpace(w.Body.String()), http.Header(w.Header()))
		}
	}
}

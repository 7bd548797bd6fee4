package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/account"
)

// intakeDoor stands for the intake door.
func (h *house) intakeDoor(w http.ResponseWriter, r *http.Request) {
	_, key, _ := strings.Cut(r.Header.Get("X-Sentry-Auth"), "sentry_key=")
	h.knocks = append(h.knocks, key)
	if h.refuse != 0 {
		w.Header().Set("Retry-After", "17")
		w.Header().Set("X-Sentry-Error", "the door is shut")
		w.WriteHeader(h.refuse)
	}
}

// A test event goes in with the project's key, for those who keep the keys; the
// answer says what the door said.
func TestTestEvent(t *testing.T) {
	h := newHouse(t)
	acme := h.as("acme", account.Grant{Role: account.Author, Publisher: "acme"})
	path := fmt.Sprintf("/api/v1/projects/%d/test", h.project["acme"])
	type answer struct {
		Accepted bool   `json:"accepted"`
		Refused  string `json:"refused"`
	}
	var got answer
	h.want(200, &got, acme, "POST", path, "")
	if !got.Accepted || got.Refused != "" || len(h.knocks) != 1 || h.knocks[0] != h.key["acme"] {
		t.Errorf("%+v, knocks %q", got, h.knocks)
	}
	h.refuse, got = http.StatusTooManyRequests, answer{}
	h.want(200, &got, acme, "POST", path, "")
	if got.Accepted || !strings.Contains(got.Refused, "the door is shut") || !strings.Contains(got.Refused, "requests a minute") || !strings.Contains(got.Refused, "17 seconds") {
		t.Errorf("%+v", got)
	}
	h.want(200, nil, acme, "POST", "/api/v1/keys/"+h.key["acme"]+"/revoke", "")
	got = answer{}
	h.want(200, &got, acme, "POST", path, "")
	if got.Accepted || !strings.Contains(got.Refused, "make a new one") || len(h.knocks) != 2 {
		t.Errorf("%+v, knocks %q", got, h.knocks)
	}
	h.want(404, nil, h.as("zeta", account.Grant{Role: account.Author, Publisher: "zeta"}), "POST", path, "")
}

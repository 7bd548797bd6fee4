package web

import (
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/alert"
)

// Who has an account shows neither in the answer nor in how long it takes.
func TestForgottenPasswordsTellNobody(t *testing.T) {
	h := newHouse(t)
	h.setUp()
	mail, alerts := h.mails(alert.Options{Seal: func(b []byte) ([]byte, error) { return b, nil }, Unseal: func(b []byte) ([]byte, error) { return b, nil }})
	var bodies []string
	for _, email := range []string{"ada@example.org", "nobody@example.org"} {
		began := time.Now()
		a := h.browser().post("/forgot", "email", email).is(200)
		if took := time.Since(began); took < forgotTakes {
			t.Errorf("%s is answered within %v", email, took)
		}
		bodies = append(bodies, a.body)
	}
	if bodies[0] != bodies[1] {
		t.Errorf("two answers:\n%s\n%s", bodies[0], bodies[1])
	}
	if _, err := alerts.Deliver(t.Context()); err != nil || len(mail.Sent()) != 1 {
		t.Errorf("%d mails, %v", len(mail.Sent()), err)
	}
}

package web

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/alert"
	"github.com/bellwether-project/bellwether/internal/notify"
)

// Who has an account shows neither in the answer nor in how long it takes.
func TestForgottenPasswordsTellNobody(t *testing.T) {
	h := newHouse(t)
	h.setUp()
	o := h.server.o
	var err error
	mail := &notify.Mem{}
	o.Alerts, err = alert.New(t.Context(), alert.Options{Records: h.d, Audit: o.Audit, Desk: h.desk, Accounts: h.accounts, Registry: h.registry, Now: time.Now, Holder: "test", Mail: mail, MailFrom: "bw@example.org",
		NewID: func() string { h.n++; return fmt.Sprintf("%032x", h.n) },
		Seal:  func(b []byte) ([]byte, error) { return b, nil }, Unseal: func(b []byte) ([]byte, error) { return b, nil }})
	if err != nil {
		t.Fatal(err)
	}
	if h.server, err = New(o); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h.server.Handler())
	t.Cleanup(srv.Close)
	h.url = srv.URL
	base, _ := url.Parse(srv.URL)
	o.Alerts.SetBase(base)
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
	if _, err := o.Alerts.Deliver(t.Context()); err != nil || len(mail.Sent()) != 1 {
		t.Errorf("%d mails, %v", len(mail.Sent()), err)
	}
}

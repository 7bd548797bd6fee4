package web

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/bellwether-project/bellwether/internal/alert"
	"github.com/bellwether-project/bellwether/internal/notify"
)

// mails gives the house a desk of messages, which seals and knows reporters as o
// says, and starts its server anew with it. What is mailed stays in memory.
func (h *house) mails(o alert.Options) (*notify.Mem, *alert.Service) {
	h.t.Helper()
	mail, with := &notify.Mem{}, h.server.o
	o.Records, o.Audit, o.Desk, o.Accounts, o.Registry, o.Now = h.d, with.Audit, h.desk, h.accounts, h.registry, time.Now
	o.Holder, o.Mail, o.MailFrom = "test", mail, "bw@example.org"
	o.NewID = func() string { h.n++; return fmt.Sprintf("%032x", h.n) }
	alerts, err := alert.New(h.t.Context(), o)
	if err != nil {
		h.t.Fatal(err)
	}
	with.Alerts = alerts
	if h.server, err = New(with); err != nil {
		h.t.Fatal(err)
	}
	srv := httptest.NewServer(h.server.Handler())
	h.t.Cleanup(srv.Close)
	h.url = srv.URL
	base, err := url.Parse(srv.URL)
	if err != nil {
		h.t.Fatal(err)
	}
	alerts.SetBase(base)
	return mail, alerts
}

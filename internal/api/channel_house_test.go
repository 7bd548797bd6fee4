package api

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/alert"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/keyring"
	"github.com/bellwether-project/bellwether/internal/notify"
	"github.com/bellwether-project/bellwether/internal/notify/hook"
	"github.com/bellwether-project/bellwether/internal/registry"
)

func nowOf(h *house) func() time.Time { return func() time.Time { return h.now } }

// alerting is what tells people in the house: nothing leaves it.
func (h *house) alerting(acc *account.Service, reg *registry.Registry, desk *crash.Desk, ring *keyring.Ring) *alert.Service {
	h.t.Helper()
	key, err := hook.NewPushKey([]byte(strings.Repeat("k", 32)))
	if err != nil {
		h.t.Fatal(err)
	}
	s, err := alert.New(h.t.Context(), alert.Options{Records: h.d, Audit: h.log, Desk: desk, Accounts: acc, Registry: reg, Now: nowOf(h), Holder: "test",
		NewID:     func() string { h.n++; return fmt.Sprintf("%032x", h.n) },
		Reporters: &alert.Reporters{Answers: h.answers, Push: key, Hash: func(purpose, raw string) uint64 { return ring.Hash64("receipt", purpose, raw) }},
		Policy:    notify.Policy{Resolve: func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no network here") }},
		Seal:      func(b []byte) ([]byte, error) { return ring.Seal("notify", b) }, Unseal: func(b []byte) ([]byte, error) { return ring.Unseal("notify", b) }})
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// aChannel makes a channel of a publisher.
func (h *house) aChannel(publisher string) string {
	h.t.Helper()
	c, _, err := h.o.Alerts.CreateChannel(h.t.Context(), account.System("test"),
		alert.Channel{Form: alert.Webhook, Name: publisher + "-crashes", Publisher: publisher, Kinds: []alert.Kind{alert.NewFamily}, Installs: 1}, "https://hooks.example.org/x")
	if err != nil {
		h.t.Fatal(err)
	}
	return c.ID
}

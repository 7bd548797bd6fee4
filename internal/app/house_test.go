//go:build cgo

package app

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// house is a whole running server in this process.
type house struct {
	*App
	t      *testing.T
	key    registry.Key
	client *http.Client
}

// options are those of a small server below dir.
func options(dir string) Options {
	return Options{
		Data: filepath.Join(dir, "data"), Keyring: filepath.Join(dir, "keys"), Listen: "127.0.0.1:0", GRPC: "127.0.0.1:0", Roles: roles,
		StreamMax: 64 << 20, LogLevel: "error",
	}
}

// newHouse starts a server with one extension whose users agreed to everything.
func newHouse(t *testing.T, o Options) *house {
	t.Helper()
	a, err := New(t.Context(), o, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{App: a, t: t, client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{}}}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		h.client.CloseIdleConnections()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	by := account.System("test").Actor()
	if _, err := a.Records.Registry.PutPublisher(ctx, by, registry.Publisher{ID: "acme", Name: "Acme"}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Records.Registry.PutExtension(ctx, by, registry.Extension{ID: "acme.linter", Kind: registry.VSCode, Name: "Linter"}); err != nil {
		t.Fatal(err)
	}
	every := consent.Policy{Tiers: []eco.Tier{eco.TierCrash, eco.Performance, eco.Usage, eco.Support}, Text: "Send everything?", AskedBy: "host"}
	if _, h.key, err = a.Records.Registry.CreateProject(ctx, by, registry.Project{Subject: registry.Subject{Extension: "acme.linter"}, Name: "Linter", Policy: every}); err != nil {
		t.Fatal(err)
	}
	return h
}

// answer is what came back, read to its end.
type answer struct {
	*http.Response
	body string
}

func (h *house) do(r *http.Request) answer {
	h.t.Helper()
	resp, err := h.client.Do(r)
	if err != nil {
		h.t.Fatalf("%s: %v", r.URL.Path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatalf("%s: %v", r.URL.Path, err)
	}
	return answer{resp, string(b)}
}

// until asks again until it is true, for at most two minutes.
func (h *house) until(what string, is func() bool) {
	h.t.Helper()
	for began := time.Now(); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > 2*time.Minute {
			h.t.Fatalf("after two minutes not yet: %s", what)
		}
	}
}

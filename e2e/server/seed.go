package server

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/app"
	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// Options are those of the server in DIR, for who opens its records.
func Options(dir string) app.Options {
	return app.Options{Data: filepath.Join(dir, "data"), Keyring: filepath.Join(dir, "data.keyring"), Listen: "127.0.0.1:0",
		Roles: []string{"ingest", "worker", "web", "jobs"}, StreamMax: 2 << 30}
}

// Seed registers one extension with a project that takes everything and whose key
// has no limit that a test would meet. Its bursts are no reason to hold them: a
// generator's crashes come from few installs, and held ones skip the families.
func Seed(dir string) (registry.Key, error) {
	ctx := context.Background()
	r, err := app.OpenRecords(ctx, Options(dir), slog.New(slog.DiscardHandler))
	if err != nil {
		return registry.Key{}, err
	}
	defer r.Close()
	by := account.System("e2e").Actor()
	if _, err := r.Registry.PutPublisher(ctx, by, registry.Publisher{ID: "acme", Name: "Acme"}); err != nil && fault.CodeOf(err) != fault.Conflict {
		return registry.Key{}, err
	}
	if _, err := r.Registry.PutExtension(ctx, by, registry.Extension{ID: "acme.linter", Kind: registry.VSCode, Name: "Linter"}); err != nil && fault.CodeOf(err) != fault.Conflict {
		return registry.Key{}, err
	}
	_, key, err := r.Registry.CreateProject(ctx, by, registry.Project{
		Subject: registry.Subject{Extension: "acme.linter"}, Name: "Linter",
		Policy:     consent.Policy{Tiers: eco.Tiers, Text: "Send everything", AskedBy: "Studio"},
		Quarantine: registry.Quarantine{PerMinute: 10_000_000},
	})
	if err != nil {
		return registry.Key{}, err
	}
	key.RatePerMinute, key.Burst = 10_000_000, 10_000_000
	return r.Registry.UpdateKey(ctx, by, key)
}

// Session signs somebody in and returns the token of the cookie "bellwether". In
// a folder without accounts it makes the first one.
func Session(dir, email, password string) (string, error) {
	ctx := context.Background()
	r, err := app.OpenRecords(ctx, Options(dir), slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	defer r.Close()
	token, ok, err := r.Accounts.SetupLink(ctx)
	if err != nil {
		return "", err
	}
	var in account.SignedIn
	if ok { // a folder of bench/facts has facts only: register what they name
		for i := range 40 {
			id := eco.ExtensionID(fmt.Sprintf("pub%02d.ext%02d", i%17, i))
			if i < 17 {
				if _, err := r.Registry.PutPublisher(ctx, account.System("bench").Actor(), registry.Publisher{ID: id.Publisher(), Name: id.Publisher()}); err != nil {
					return "", err
				}
			}
			if _, err := r.Registry.PutExtension(ctx, account.System("bench").Actor(), registry.Extension{ID: id, Kind: registry.VSCode, Name: string(id)}); err != nil {
				return "", err
			}
		}
		in, err = r.Accounts.SetUp(ctx, token, account.NewAccount{Email: email, Name: "Bench", Password: password, Agent: "bench"})
	} else {
		in, err = r.Accounts.SignIn(ctx, account.SignInRequest{Email: email, Password: password, Agent: "bench"})
	}
	return in.Token, err
}

// Token makes a token for the API, of whoever Session signs in.
func Token(dir, email, password string, scopes ...account.Scope) (string, error) {
	ctx := context.Background()
	session, err := Session(dir, email, password)
	if err != nil {
		return "", err
	}
	r, err := app.OpenRecords(ctx, Options(dir), slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	defer r.Close()
	p, err := r.Accounts.Session(ctx, session)
	if err != nil {
		return "", err
	}
	_, token, err := r.Accounts.CreateToken(ctx, p, "e2e", scopes, time.Time{})
	return token, err
}

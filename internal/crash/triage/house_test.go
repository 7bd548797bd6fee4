package triage

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// house is a desk with its people: acme and rival publish a theme each, the team
// core owns acme's, the team all owns the host studio.
type house struct {
	*Desk
	t        *testing.T
	now      time.Time
	mem      *facts.Mem
	db       *db.DB
	audit    *audit.Log
	accounts *account.Service
	registry *registry.Registry
	crash    *crash.Desk
	n        int
	// people
	ines, tom, ana, jo, rob, sue account.Principal
}

func newHouse(t *testing.T, d *db.DB) *house {
	t.Helper()
	h := &house{t: t, now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), mem: facts.NewMem(), db: d}
	ctx, now := t.Context(), func() time.Time { return h.now }
	var err error
	h.audit, err = audit.New(ctx, d, now)
	h.must(err)
	h.registry, err = registry.New(ctx, d, h.audit, registry.Options{Now: now, Rand: rand.Reader})
	h.must(err)
	h.accounts, err = account.New(ctx, d, h.audit, account.Options{Now: now, Rand: rand.Reader, PasswordMemory: 64, ExtensionsOf: h.registry.ExtensionsOf, TeamOwns: h.registry.TeamOwns})
	h.must(err)
	ids := 0
	newID := func() string { ids++; return fmt.Sprintf("c-%03d", ids) }
	h.crash, err = crash.New(ctx, crash.Options{Flow: d, Records: d, Audit: h.audit, Facts: h.mem, Now: now, NewID: newID})
	h.must(err)
	h.Desk, err = New(ctx, Options{Records: d, Audit: h.audit, Desk: h.crash, Accounts: h.accounts, Registry: h.registry, Now: now, NewID: newID})
	h.must(err)
	_, err = h.registry.PutHost(ctx, "system:test", registry.Host{ID: "studio", Name: "Studio", Kind: registry.VSCode})
	h.must(err)
	for _, p := range []string{"acme", "rival"} {
		_, err = h.registry.PutPublisher(ctx, "system:test", registry.Publisher{ID: p, Name: p})
		h.must(err)
		_, err = h.registry.PutExtension(ctx, "system:test", registry.Extension{ID: eco.ExtensionID(p + ".theme"), Kind: registry.VSCode, Name: p + " Theme", Host: "studio"})
		h.must(err)
	}
	_, err = h.registry.PutTeam(ctx, "system:test", registry.Team{ID: "core", Name: "Core", Extensions: []eco.ExtensionID{"acme.theme"}})
	h.must(err)
	_, err = h.registry.PutTeam(ctx, "system:test", registry.Team{ID: "all", Name: "All", Hosts: []string{"studio"}})
	h.must(err)
	h.ines = h.person("Ines Duarte", account.Grant{Role: account.Triager}, account.Grant{Role: account.Operator})
	h.tom = h.person("Tom Ferris", account.Grant{Role: account.Triager, Team: "core"})
	h.ana = h.person("Ana Ortiz", account.Grant{Role: account.Support, Team: "core"})
	h.jo = h.person("Jo Acme", account.Grant{Role: account.Author, Publisher: "acme"})
	h.rob = h.person("Rob Rival", account.Grant{Role: account.Author, Publisher: "rival"})
	h.sue = h.person("Sue Steward", account.Grant{Role: account.Steward})
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) person(name string, grants ...account.Grant) account.Principal {
	h.t.Helper()
	ctx := h.t.Context()
	n := account.NewAccount{Email: handle(name) + "@example.org", Name: name, Password: "a believable password", Agent: "test"}
	if token, ok, err := h.accounts.SetupLink(ctx); err == nil && ok {
		_, err := h.accounts.SetUp(ctx, token, n)
		h.must(err)
		list, err := h.accounts.Directory(ctx)
		h.must(err)
		h.must(h.accounts.SetGrants(ctx, account.System("test"), list[0].ID, grants))
	} else {
		_, token, err := h.accounts.Invite(ctx, account.System("test"), n.Email, name, grants)
		h.must(err)
		_, err = h.accounts.Accept(ctx, token, n)
		h.must(err)
	}
	list, err := h.accounts.Directory(ctx)
	h.must(err)
	for _, a := range list {
		if a.Name == name {
			return a.Principal()
		}
	}
	h.t.Fatal("no account")
	return account.Principal{}
}

// report is one family's crashes.
type report struct {
	family, typ, level string
	blame              eco.ExtensionID
	crashes            int
	at                 time.Time // zero: now
}

// add stores families the way the flow does.
func (h *house) add(list ...report) {
	h.t.Helper()
	ctx := h.t.Context()
	for _, r := range list {
		at := r.at
		if at.IsZero() {
			at = h.now
		}
		target := "extension"
		if r.blame == "" {
			target = "host"
		}
		var b facts.Batch
		var rep eco.ID
		for range max(r.crashes, 1) {
			h.n++
			var random [16]byte
			binary.BigEndian.PutUint64(random[8:], uint64(h.n))
			id := eco.NewID(at, random)
			if rep.IsZero() {
				rep = id
			}
			f := eco.Fact{ID: id, Class: eco.ClassCrash, Kind: eco.KindCrash, Received: at.UnixMilli(), Time: at.UnixMilli(), Name: r.typ, Weight: 1, Count: 1,
				Signature: "aaaaaaaaaaaaaaaa", Family: r.family, Blame: r.blame, BlameVer: "1.0.0",
				Origin: eco.Origin{Project: 1, Extension: r.blame, Host: "studio", HostVersion: "5.0", Install: eco.Install(h.n)}}
			doc := crash.Document{Version: 1, ID: id, Received: f.Received, Origin: f.Origin, Crash: eco.Crash{Level: r.level}, Placement: crash.Placement{Family: r.family},
				Signature: eco.Signature{Hash: "aaaaaaaaaaaaaaaa", Key: r.typ + "|" + r.family, Tokens: []string{"e|x|" + r.family}},
				Blame:     eco.Blame{Extension: r.blame, Target: target, Confidence: .9, Candidates: []eco.Candidate{{Extension: r.blame, Step: 2, Role: "culprit"}}}}
			body, err := json.Marshal(doc)
			h.must(err)
			b.Facts, b.Docs = append(b.Facts, f), append(b.Docs, facts.Doc{ID: id, Class: eco.ClassCrash, Body: body})
		}
		seen := []crash.Seen{{Family: r.family, Version: "fam/1", Title: r.typ + " in " + r.family, Type: r.typ, Platform: "javascript", Block: "b", Blame: r.blame, Target: target, Host: "studio",
			First: at.UnixMilli(), Last: at.UnixMilli(), Releases: []string{"1.0.0"}, Happened: at.UnixMilli(), Representative: rep}}
		h.must(h.db.Tx(ctx, func(tx *sql.Tx) error { return h.crash.Record(context.Background(), tx, seen, nil) }))
		h.crash.Recorded(seen)
		h.must(h.mem.Insert(ctx, b))
	}
}

// rulesOf saves a set as Ines.
func (h *house) save(text string, move bool) Saved {
	h.t.Helper()
	v, err := h.Rules(h.t.Context(), h.ines, 0)
	h.must(err)
	s, mistakes, err := h.Save(h.t.Context(), h.ines, NewRules{Text: text, Base: v.Version, Move: move})
	if len(mistakes) > 0 {
		h.t.Fatal(mistakes)
	}
	h.must(err)
	return s
}

func (h *house) routed() {
	h.t.Helper()
	_, err := h.Route(h.t.Context())
	h.must(err)
}

func (h *house) standing(id string) standing {
	h.t.Helper()
	all, err := standings(h.t.Context(), h.db.Read(), []string{id})
	h.must(err)
	return all[id]
}

// actions lists what the audit log holds of families and rules.
func (h *house) actions() []string {
	h.t.Helper()
	list, err := h.audit.List(h.t.Context(), 0, 1000)
	h.must(err)
	var out []string
	for i := len(list) - 1; i >= 0; i-- {
		if k := list[i].Ref.Kind; k == "family" || k == "rules" || k == "label" {
			out = append(out, list[i].Action)
		}
	}
	return out
}

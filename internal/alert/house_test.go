package alert_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/alert"
	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/keyring"
	"github.com/bellwether-project/bellwether/internal/notify"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// house is a server that tells people: acme and rival publish a theme each; jo
// writes acme's, rob rival's, ines sorts everything.
type house struct {
	*alert.Service
	t             *testing.T
	now           time.Time
	d             *db.DB
	mem           *facts.Mem
	mail          *notify.Mem
	ring          *keyring.Ring
	log           *audit.Log
	accounts      *account.Service
	registry      *registry.Registry
	desk          *crash.Desk
	n             int
	jo, rob, ines account.Principal
}

func newHouse(t *testing.T) *house { return newHouseOn(t, dbtest.Open(t)) }

func newHouseOn(t *testing.T, d *db.DB) *house {
	t.Helper()
	h := &house{t: t, now: time.Date(2026, 11, 21, 12, 10, 0, 0, time.UTC), d: d, mem: facts.NewMem(), mail: &notify.Mem{}}
	ctx, now := t.Context(), func() time.Time { return h.now }
	var err error
	h.log, err = audit.New(ctx, h.d, now)
	h.must(err)
	h.registry, err = registry.New(ctx, h.d, h.log, registry.Options{Now: now, Rand: rand.Reader})
	h.must(err)
	h.accounts, err = account.New(ctx, h.d, h.log, account.Options{Now: now, Rand: rand.Reader, PasswordMemory: 64, ExtensionsOf: h.registry.ExtensionsOf, TeamOwns: h.registry.TeamOwns})
	h.must(err)
	h.desk, err = crash.New(ctx, crash.Options{Flow: h.d, Records: h.d, Audit: h.log, Facts: h.mem, Now: now, NewID: h.id})
	h.must(err)
	h.ring, err = keyring.Open(t.TempDir() + "/keys")
	h.must(err)
	h.start()
	_, err = h.registry.PutHost(ctx, "system:test", registry.Host{ID: "studio", Name: "Studio", Kind: registry.VSCode})
	h.must(err)
	for _, p := range []string{"acme", "rival"} {
		_, err = h.registry.PutPublisher(ctx, "system:test", registry.Publisher{ID: p, Name: p})
		h.must(err)
		_, err = h.registry.PutExtension(ctx, "system:test", registry.Extension{ID: eco.ExtensionID(p + ".theme"), Kind: registry.VSCode, Name: p, Host: "studio"})
		h.must(err)
	}
	h.ines = h.person("ines", account.Grant{Role: account.Operator}, account.Grant{Role: account.Triager})
	h.jo = h.person("jo", account.Grant{Role: account.Author, Publisher: "acme"})
	h.rob = h.person("rob", account.Grant{Role: account.Author, Publisher: "rival"})
	h.now = h.now.Add(time.Minute)
	return h
}

// start opens the service, as a process does.
func (h *house) start() {
	h.t.Helper()
	var err error
	h.Service, err = alert.New(h.t.Context(), alert.Options{Records: h.d, Audit: h.log, Desk: h.desk, Accounts: h.accounts, Registry: h.registry,
		Now: func() time.Time { return h.now }, NewID: h.id, Holder: "test", Mail: h.mail, MailFrom: "bw@example.org", Base: &url.URL{Scheme: "https", Host: "bw.example"},
		Policy: notify.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
		Seal:   func(b []byte) ([]byte, error) { return h.ring.Seal("notify", b) }, Unseal: func(b []byte) ([]byte, error) { return h.ring.Unseal("notify", b) }})
	h.must(err)
}

func (h *house) id() string { h.n++; return fmt.Sprintf("%032x", h.n) }

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) person(name string, grants ...account.Grant) account.Principal {
	h.t.Helper()
	ctx := h.t.Context()
	n := account.NewAccount{Email: name + "@example.org", Name: name, Password: "a believable password", Agent: "test"}
	var in account.SignedIn
	if token, ok, err := h.accounts.SetupLink(ctx); err == nil && ok {
		in, err = h.accounts.SetUp(ctx, token, n)
		h.must(err)
		h.must(h.accounts.SetGrants(ctx, account.System("test"), in.Principal.ID, grants))
		in.Principal.Grants = grants
		return in.Principal
	}
	_, token, err := h.accounts.Invite(ctx, account.System("test"), n.Email, name, grants)
	h.must(err)
	in, err = h.accounts.Accept(ctx, token, n)
	h.must(err)
	return in.Principal
}

// crash stores n crashes of a family, each of another install, as the flow does.
func (h *house) crash(family string, blame eco.ExtensionID, n int, at time.Time) eco.ID {
	h.t.Helper()
	ctx := h.t.Context()
	var b facts.Batch
	var rep eco.ID
	for range n {
		h.n++
		var random [16]byte
		binary.BigEndian.PutUint64(random[8:], uint64(h.n))
		id := eco.NewID(at, random)
		if rep.IsZero() {
			rep = id
		}
		f := eco.Fact{ID: id, Class: eco.ClassCrash, Kind: eco.KindCrash, Received: at.UnixMilli(), Time: at.UnixMilli(), Name: "TypeError", Weight: 1, Count: 1, Signature: "aaaaaaaaaaaaaaaa",
			Family: family, Blame: blame, BlameVer: "1.0.0", Origin: eco.Origin{Project: 1, Extension: blame, Host: "studio", HostVersion: "5.0", Install: eco.Install(h.n)}}
		body, err := json.Marshal(crash.Document{Version: 1, ID: id, Received: f.Received, Origin: f.Origin, Placement: crash.Placement{Family: family}})
		h.must(err)
		b.Facts, b.Docs = append(b.Facts, f), append(b.Docs, facts.Doc{ID: id, Class: eco.ClassCrash, Body: body})
	}
	seen := []crash.Seen{{Family: family, Version: "fam/1", Title: "TypeError in " + family, Type: "TypeError", Block: "b", Blame: blame, Target: "extension", Host: "studio",
		First: at.UnixMilli(), Last: at.UnixMilli(), Releases: []string{"1.0.0"}, Happened: at.UnixMilli(), Representative: rep,
		Signatures: []crash.SeenSignature{{Hash: "aaaaaaaaaaaaaaaa", Key: family, Title: "TypeError", Version: "sig/1", At: at.UnixMilli()}}}}
	h.must(h.d.Tx(ctx, func(tx *sql.Tx) error { return h.desk.Record(context.Background(), tx, seen, nil) }))
	h.must(h.mem.Insert(ctx, b))
	return rep
}

// round looks and sends, a minute later.
func (h *house) round() {
	h.t.Helper()
	_, err := h.Look(h.t.Context())
	h.must(err)
	h.now = h.now.Add(time.Minute)
	_, err = h.Deliver(h.t.Context())
	h.must(err)
}

// subjects lists what somebody got by mail.
func (h *house) subjects(to string) []string {
	var out []string
	for _, m := range h.mail.Sent() {
		if m.To == to+"@example.org" {
			out = append(out, m.Subject)
		}
	}
	return out
}

func (h *house) want(to string, subjects ...string) {
	h.t.Helper()
	if got := h.subjects(to); strings.Join(got, "\n") != strings.Join(subjects, "\n") {
		h.t.Errorf("%s got %q, want %q", to, got, subjects)
	}
}

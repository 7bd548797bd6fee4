package api

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/blob"
	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/crash/dumps"
	"github.com/bellwether-project/bellwether/internal/crash/suspect"
	"github.com/bellwether-project/bellwether/internal/crash/symbols"
	"github.com/bellwether-project/bellwether/internal/crash/triage"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/door/claim"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/jobs"
	"github.com/bellwether-project/bellwether/internal/keyring"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/receipt"
	"github.com/bellwether-project/bellwether/internal/registry"
	"github.com/bellwether-project/bellwether/internal/stream"
)

const password = "three wise sheep, ringing"

// house is a server with two tenants: publisher acme with acme.theme (team red)
// and publisher zeta with zeta.lint (team blue), each with a project, a key, a
// crash family and a dead letter; and a host with a project of its own.
type house struct {
	*Server
	t       testing.TB
	now     time.Time
	d       *db.DB
	log     *audit.Log
	handler http.Handler
	facts   *facts.Mem
	stream  *stream.Mem
	worker  *pipeline.Worker
	people  map[string]account.SignedIn
	project map[string]int64  // by publisher, or "studio"
	key     map[string]string // likewise
	family  map[string]string
	crash   map[string]string
	letter  map[string]string
	book    *receipt.Book
	board   *receipt.Board
	answers *answers.Desk
	notes   []string // that were added to reports
	secret  string   // of the asker with an API token
	refuse  int      // the status that the intake door answers with; 0 = it takes what comes
	knocks  []string // keys that test events came with
	n       int
}

func newHouse(t testing.TB) *house {
	t.Helper()
	ctx := t.Context()
	h := &house{t: t, now: time.Now().UTC().Truncate(time.Second), d: dbtest.Open(t), people: map[string]account.SignedIn{},
		project: map[string]int64{}, key: map[string]string{}, family: map[string]string{}, crash: map[string]string{}, letter: map[string]string{}}
	clock := func() time.Time { return h.now }
	var err error
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	h.log, err = audit.New(ctx, h.d, clock)
	ok(err)
	reg, err := registry.New(ctx, h.d, h.log, registry.Options{Now: clock, Rand: rand.Reader})
	ok(err)
	acc, err := account.New(ctx, h.d, h.log, account.Options{Now: clock, Rand: rand.Reader, PasswordMemory: 64, ExtensionsOf: reg.ExtensionsOf, TeamOwns: reg.TeamOwns, Known: reg.Known})
	ok(err)
	h.facts, h.stream = facts.NewMem(), stream.NewMem(1<<24)
	desk, err := crash.New(ctx, crash.Options{Flow: h.d, Records: h.d, Audit: h.log, Facts: h.facts, Now: clock, NewID: func() string { h.n++; return fmt.Sprintf("c-%d", h.n) }})
	ok(err)
	people, err := triage.New(ctx, triage.Options{Records: h.d, Audit: h.log, Desk: desk, Accounts: acc, Registry: reg, Now: clock, NewID: func() string { h.n++; return fmt.Sprintf("c-%d", h.n) }})
	ok(err)
	counts, err := pipeline.NewCounts(ctx, h.d, clock)
	ok(err)
	h.worker, err = pipeline.New(ctx, pipeline.Options{Stream: h.stream, Flow: h.d, Facts: h.facts, Desk: desk, Counts: counts, Records: h.d, Audit: h.log, World: reg.World, Now: clock})
	ok(err)
	table, err := jobs.New(ctx, jobs.Options{DB: h.d, Holder: "test", Now: clock}, []jobs.Job{{Name: "sweep", What: "Sweeps.", Every: time.Hour, Limit: time.Minute,
		Do: func(context.Context) (string, error) { return "", nil }}})
	ok(err)
	ring, err := keyring.Open(t.TempDir() + "/keys")
	ok(err)
	h.book, h.board = receipt.NewBook(ring), receipt.NewBoard()
	h.answers, err = answers.New(ctx, answers.Options{Desk: desk, Records: h.d, Audit: h.log, Facts: h.facts, Book: h.book, Board: h.board, Now: clock, NewID: func() string { h.n++; return fmt.Sprintf("%032x", h.n) },
		Project: func(id int64) (receipt.Asker, bool) {
			p := reg.Snapshot().Projects[id]
			if p == nil {
				return receipt.Asker{}, false
			}
			return receipt.Asker{Extension: p.Subject.Extension, Host: p.Subject.Host}, true
		},
		KeyOf: func(public string) (int64, bool) {
			k, ok := reg.KeyByPublic(public)
			return k.Key.Project, ok
		},
		Stored: func(context.Context) time.Time { return h.now.Add(-time.Minute) }})
	ok(err)
	names, err := symbols.New(ctx, symbols.Options{Records: h.d, Audit: h.log, Blobs: new(blob.Mem), Now: clock, NewID: func() string { h.n++; return fmt.Sprintf("s-%d", h.n) }})
	ok(err)
	base, _ := url.Parse("https://bell.example.org")
	suspects, err := suspect.New(t.Context(), suspect.Options{Flow: h.d, Facts: h.facts, Desk: desk, Now: clock})
	ok(err)
	kept, err := dumps.New(t.Context(), dumps.Options{Records: h.d, Audit: h.log, Blobs: new(blob.Mem), Keys: ring, Now: clock})
	ok(err)
	h.Server, err = New(Options{Now: clock, Accounts: acc, Registry: reg, Desk: desk, Dumps: kept, Triage: people, Suspects: suspects, Facts: h.facts, Audit: h.log, Answers: h.answers, AddNote: h.note, Worker: h.worker, Counts: counts, Symbols: names, Jobs: table, Alerts: h.alerting(acc, reg, desk, ring), Base: base, Cookie: "bellwether", Version: "test",
		Intake: http.HandlerFunc(h.intakeDoor), Claims: &claim.Claims{Registry: reg, Accounts: acc, Prover: &claim.Prover{Listed: reg.Listed}}})
	ok(err)
	h.handler = door.Front(h.Handler(), door.FrontOptions{Log: h.o.Log, Now: clock, Random: func(b []byte) { _, _ = rand.Read(b) }})
	h.seed()
	h.keepDumps()
	return h
}

// note takes what a reporter adds.
func (h *house) note(_ context.Context, _ int64, crash, text string, _ netip.Addr) (eco.ID, error) {
	h.notes = append(h.notes, crash+" "+text)
	h.n++
	return eco.NewID(h.now, [16]byte{15: byte(h.n)}), nil
}

func (h *house) seed() {
	h.t.Helper()
	ctx, reg := h.t.Context(), h.o.Registry
	ok := func(err error) {
		h.t.Helper()
		if err != nil {
			h.t.Fatal(err)
		}
	}
	const who = "system:test"
	_, err := reg.PutHost(ctx, who, registry.Host{ID: "studio", Name: "Studio", Kind: registry.VSCode})
	ok(err)
	_, err = reg.DeclareRelease(ctx, who, registry.Release{Subject: registry.Subject{Host: "studio"}, Version: "1.0.0"})
	ok(err)
	policy := consent.Policy{Tiers: []eco.Tier{eco.TierCrash, eco.Usage}, Text: "May we?", AskedBy: "host"}
	for publisher, ext := range map[string]eco.ExtensionID{"acme": "acme.theme", "zeta": "zeta.lint"} {
		_, err = reg.PutPublisher(ctx, who, registry.Publisher{ID: publisher, Name: publisher})
		ok(err)
		_, err = reg.PutExtension(ctx, who, registry.Extension{ID: ext, Name: string(ext), Kind: registry.VSCode, Host: "studio"})
		ok(err)
		_, err = reg.DeclareRelease(ctx, who, registry.Release{Subject: registry.Subject{Extension: ext}, Version: "1.0.0"})
		ok(err)
		p, k, err := reg.CreateProject(ctx, who, registry.Project{Subject: registry.Subject{Extension: ext}, Name: string(ext), Policy: policy})
		ok(err)
		h.project[publisher], h.key[publisher] = p.ID, k.Public
		_, err = reg.PutTeam(ctx, who, registry.Team{ID: map[string]string{"acme": "red", "zeta": "blue"}[publisher], Name: "Team", Extensions: []eco.ExtensionID{ext}})
		ok(err)
		h.send(h.crashOf(ext, p.ID, ""))
		h.bad(publisher)
	}
	p, k, err := reg.CreateProject(ctx, who, registry.Project{Subject: registry.Subject{Host: "studio"}, Name: "Studio", Policy: policy})
	ok(err)
	h.project["studio"], h.key["studio"] = p.ID, k.Public
	h.drain()
	for publisher, ext := range map[string]eco.ExtensionID{"acme": "acme.theme", "zeta": "zeta.lint"} {
		page, err := h.o.Desk.Families(ctx, facts.Everything(), crash.Filter{Extension: ext})
		ok(err)
		if len(page.Families) != 1 {
			h.t.Fatalf("%s has %d families", ext, len(page.Families))
		}
		h.family[publisher] = page.Families[0].ID
		h.crash[publisher] = page.Families[0].Representative.String()
	}
}

// bad sends what no stage can take: a dead letter.
func (h *house) bad(publisher string) {
	h.t.Helper()
	e := h.crashOf(eco.ExtensionID(map[string]string{"acme": "acme.theme", "zeta": "zeta.lint"}[publisher]), h.project[publisher], "")
	e.Crash = nil
	h.send(e)
	h.letter[publisher] = e.ID.String()
}

// spoil makes a tenant a new dead letter.
func (h *house) spoil(publisher string) {
	h.t.Helper()
	h.bad(publisher)
	h.drain()
}

func (h *house) crashOf(ext eco.ExtensionID, project int64, install string) *eco.Envelope {
	h.n++
	var random [16]byte
	binary.BigEndian.PutUint64(random[8:], uint64(h.n))
	at := h.now.Add(-time.Hour)
	_, name, _ := strings.Cut(string(ext), ".")
	file := "/home/(user)/.vscode/extensions/" + string(ext) + "-1.0.0/out/" + name + ".js"
	return &eco.Envelope{ID: eco.NewID(at, random), Received: at.UnixMilli(), Time: at.UnixMilli(), Protocol: "sentry", Kind: eco.KindCrash, Tier: eco.TierCrash, Class: eco.ClassCrash,
		Origin: eco.Origin{Project: project, Extension: ext, ExtVersion: "1.0.0", Host: "studio", HostVersion: "5.0", OS: "linux", Channel: eco.Stable, Install: eco.Install(4242424242 + h.n)},
		Crash: &eco.Crash{Platform: "javascript", Level: "error", SessionID: "5e55104e", Exceptions: []eco.Exception{{Type: "TypeError", Value: "no " + name, Parent: -1,
			Frames: []eco.Frame{{Function: name + "Draw", File: file, Line: 10}, {Function: name + "Paint", File: file, Line: 20}}}}}}
}

func (h *house) send(e *eco.Envelope) {
	h.t.Helper()
	if _, err := h.stream.Append(h.t.Context(), [][]byte{eco.EncodeEnvelope(nil, e)}); err != nil {
		h.t.Fatal(err)
	}
}

// drain runs the worker until the stream is stored.
func (h *house) drain() {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error, 1)
	go func() { done <- h.worker.Run(ctx) }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		s, err := h.stream.Stats(ctx)
		if err != nil {
			h.t.Fatal(err)
		}
		if s.Committed == s.Last {
			break
		}
		select {
		case err := <-done:
			h.t.Fatalf("the worker ended: %v", err)
		case <-tick.C:
		}
	}
	cancel()
	if err := <-done; err != nil {
		h.t.Fatal(err)
	}
}

// as signs a person with these grants in, once per name.
func (h *house) as(name string, grants ...account.Grant) string {
	h.t.Helper()
	if in, ok := h.people[name]; ok {
		return in.Token
	}
	_, token, err := h.o.Accounts.Invite(h.t.Context(), account.System("test"), name+"@example.org", name, grants)
	if err != nil {
		h.t.Fatal(err)
	}
	in, err := h.o.Accounts.Accept(h.t.Context(), token, account.NewAccount{Password: password})
	if err != nil {
		h.t.Fatal(err)
	}
	h.people[name] = in
	return in.Token
}

// ask makes one request. who is a session token, "bw_…", or "".
func (h *house) ask(who, method, path, body string, header ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	var src io.Reader
	if body != "" {
		src = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(h.t.Context(), method, path, src)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	switch {
	case strings.HasPrefix(who, "bw_"):
		r.Header.Set("Authorization", "Bearer "+who)
	case who != "":
		r.AddCookie(&http.Cookie{Name: "bellwether", Value: who})
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

// want makes a request and wants a status; into, when not nil, takes the body.
func (h *house) want(status int, into any, who, method, path, body string, header ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	w := h.ask(who, method, path, body, header...)
	if w.Code != status {
		h.t.Fatalf("%s %s: %d, want %d: %s", method, path, w.Code, status, w.Body)
	}
	if into != nil {
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			h.t.Fatalf("%s %s: %v: %s", method, path, err, w.Body)
		}
	}
	return w
}

func everything() []account.Grant {
	return []account.Grant{{Role: account.Operator}, {Role: account.Triager}, {Role: account.Support}, {Role: account.Steward}, {Role: account.Auditor}}
}

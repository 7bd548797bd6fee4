package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/crash/triage"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/jobs"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/receipt"
	"github.com/bellwether-project/bellwether/internal/receipt/diagnose"
	"github.com/bellwether-project/bellwether/internal/registry"
	"github.com/bellwether-project/bellwether/internal/stream"
)

const password = "three wise sheep, ringing"

// house is the whole server behind the pages, with stores in memory.
type house struct {
	t        *testing.T
	d        *db.DB
	url      string
	accounts *account.Service
	registry *registry.Registry
	desk     *crash.Desk
	triage   *triage.Desk
	worker   *pipeline.Worker
	refuse   int // status with which the door refuses test events; 0 = it takes them
	stream   *stream.Mem
	counts   *pipeline.Counts
	server   *Server
	n        int

	book    *receipt.Book
	board   *receipt.Board
	answers *answers.Desk
	doctor  *diagnose.Doctor
	notes   []string
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, stream: stream.NewMem(1 << 26)}
	ctx, d, now := t.Context(), dbtest.Open(t), time.Now
	h.d = d
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	log, err := audit.New(ctx, d, now)
	must(err)
	h.registry, err = registry.New(ctx, d, log, registry.Options{Now: now, Rand: rand.Reader})
	must(err)
	h.accounts, err = account.New(ctx, d, log, account.Options{Now: now, Rand: rand.Reader, PasswordMemory: 64, ExtensionsOf: h.registry.ExtensionsOf, TeamOwns: h.registry.TeamOwns})
	must(err)
	mem, ids := facts.NewMem(), 0
	h.desk, err = crash.New(ctx, crash.Options{Flow: d, Records: d, Audit: log, Facts: mem, Now: now, NewID: func() string { ids++; return fmt.Sprintf("c-%d", ids) }})
	must(err)
	h.triage, err = triage.New(ctx, triage.Options{Records: d, Audit: log, Desk: h.desk, Accounts: h.accounts, Registry: h.registry, Now: now, NewID: func() string { ids++; return fmt.Sprintf("c-%d", ids) }})
	must(err)
	h.counts, err = pipeline.NewCounts(ctx, d, now)
	must(err)
	h.worker, err = pipeline.New(ctx, pipeline.Options{Stream: h.stream, Flow: d, Facts: mem, Desk: h.desk, Counts: h.counts, Audit: log, Records: d, World: h.registry.World, Now: now})
	must(err)
	table, err := jobs.New(ctx, jobs.Options{DB: d, Holder: "test", Now: now}, []jobs.Job{{Name: "tidy", What: "Tidies.", Every: time.Hour, Limit: time.Minute, Do: func(context.Context) (string, error) { return "tidied", nil }}})
	must(err)
	h.outside(d, log, mem)
	h.server, err = New(Options{Answers: h.answers, Doctor: h.doctor, AddNote: h.note, Now: now, Accounts: h.accounts, Registry: h.registry, Desk: h.desk, Triage: h.triage, Worker: h.worker, Counts: h.counts, Facts: mem, Jobs: table, Audit: log, Build: "test",
		Intake: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if h.refuse != 0 {
				w.Header().Set("X-Sentry-Error", "the door <is> shut")
				w.Header().Set("Retry-After", "17")
				w.WriteHeader(h.refuse)
				return
			}
			h.counts.Add(pipeline.Count{Project: 1, Protocol: "sentry", Kind: "crash", Outcome: pipeline.Dropped, Reason: "consent:crash", N: 1})
			w.WriteHeader(http.StatusOK)
		})})
	must(err)
	srv := httptest.NewServer(h.server.Handler())
	t.Cleanup(srv.Close)
	h.url = srv.URL
	return h
}

// furnish registers two publishers' extensions and sends crashes and sessions of both.
func (h *house) furnish() {
	h.t.Helper()
	ctx := h.t.Context()
	must := func(err error) {
		h.t.Helper()
		if err != nil {
			h.t.Fatal(err)
		}
	}
	_, err := h.registry.PutHost(ctx, "system:test", registry.Host{ID: "studio", Name: "Studio", Kind: registry.VSCode})
	must(err)
	for _, p := range []string{"acme", "rival"} {
		_, err = h.registry.PutPublisher(ctx, "system:test", registry.Publisher{ID: p, Name: strings.ToUpper(p)})
		must(err)
		id := eco.ExtensionID(p + ".theme")
		_, err = h.registry.PutExtension(ctx, "system:test", registry.Extension{ID: id, Kind: registry.VSCode, Name: p + " Theme", Host: "studio"})
		must(err)
		_, _, err = h.registry.CreateProject(ctx, "system:test", registry.Project{Subject: registry.Subject{Extension: id}, Name: "Default"})
		must(err)
	}
	for i := range 12 {
		h.send(h.crash("acme.theme", "paint", i), h.crash("rival.theme", "blend", i), h.session("acme.theme", i))
	}
	h.drain()
}

func (h *house) envelope(kind eco.Kind, ext eco.ExtensionID) *eco.Envelope {
	h.n++
	var random [16]byte
	binary.BigEndian.PutUint64(random[8:], uint64(h.n))
	at := time.Now()
	return &eco.Envelope{ID: eco.NewID(at, random), Received: at.UnixMilli(), Time: at.UnixMilli(), Protocol: "sentry", Kind: kind, Tier: eco.TierCrash, Class: eco.ClassCrash,
		Origin: eco.Origin{Project: 1, Extension: ext, ExtVersion: "1.2.0", Host: "studio", HostVersion: "5.0", OS: "linux", Install: eco.Install(h.n%5 + 1)}}
}

func (h *house) crash(ext eco.ExtensionID, fn string, i int) *eco.Envelope {
	e := h.envelope(eco.KindCrash, ext)
	e.ClientID = fmt.Sprintf("%032x", h.n)
	e.Crash = &eco.Crash{Platform: "javascript", Level: "error", Tags: map[string]string{"i": fmt.Sprint(i)}, Exceptions: []eco.Exception{{
		Type: "TypeError", Value: "cannot read <b>" + fn + "</b>", Parent: -1, Frames: []eco.Frame{
			{Function: fn, File: "/home/(user)/.vscode/extensions/" + string(ext) + "-1.2.0/out/" + fn + ".js", Line: 10},
			{Function: "activate", File: "/home/(user)/.vscode/extensions/" + string(ext) + "-1.2.0/out/main.js", Line: 20 + i}}}}}
	return e
}

func (h *house) session(ext eco.ExtensionID, i int) *eco.Envelope {
	e := h.envelope(eco.KindSession, ext)
	e.Session = &eco.Session{Key: uint64(i + 1), Status: []string{"exited", "crashed"}[i/11], Started: e.Received, Init: true}
	return e
}

func (h *house) send(list ...*eco.Envelope) {
	h.t.Helper()
	var records [][]byte
	for _, e := range list {
		records = append(records, eco.EncodeEnvelope(nil, e))
	}
	if _, err := h.stream.Append(h.t.Context(), records); err != nil {
		h.t.Fatal(err)
	}
}

// drain runs the worker until it has stored everything.
func (h *house) drain() {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.worker.Run(ctx) }()
	for {
		s, err := h.stream.Stats(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		if s.Committed == s.Last {
			break
		}
		select {
		case err := <-ended:
			h.t.Fatalf("the worker ended: %v", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
	cancel()
	if err := <-ended; err != nil {
		h.t.Fatal(err)
	}
}

// browser is somebody at the pages: it keeps cookies and follows no redirect.
type browser struct {
	h *house
	c *http.Client
}

func (h *house) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &browser{h, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// setUp makes the first account, through its page.
func (h *house) setUp() *browser {
	h.t.Helper()
	token, ok, err := h.accounts.SetupLink(h.t.Context())
	if err != nil || !ok {
		h.t.Fatalf("no set-up link: %v", err)
	}
	b := h.browser()
	a := b.post("/setup", "token", token, "name", "Ada Operator", "email", "ada@example.org", "password", password, "again", password)
	a.is(http.StatusSeeOther)
	return b
}

// member invites somebody and lets them in, through their page.
func (h *house) member(email string, gs ...account.Grant) *browser {
	h.t.Helper()
	_, token, err := h.accounts.Invite(h.t.Context(), account.System("test"), email, "Some Body", gs)
	if err != nil {
		h.t.Fatal(err)
	}
	b := h.browser()
	b.post("/invitation", "token", token, "name", "Some Body", "password", password, "again", password).is(http.StatusSeeOther)
	return b
}

// answer1 is an answer with its body.
type answer1 struct {
	*http.Response
	t    *testing.T
	body string
}

func (b *browser) get(path string) answer1 {
	b.h.t.Helper()
	return b.do(http.MethodGet, path, nil)
}

func (b *browser) post(path string, pairs ...string) answer1 {
	b.h.t.Helper()
	f := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Add(pairs[i], pairs[i+1])
	}
	return b.do(http.MethodPost, path, strings.NewReader(f.Encode()))
}

func (b *browser) do(method, path string, body io.Reader) answer1 {
	b.h.t.Helper()
	r, err := http.NewRequestWithContext(b.h.t.Context(), method, b.h.url+path, body)
	if err != nil {
		b.h.t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return b.send(r)
}

func (b *browser) send(r *http.Request) answer1 {
	b.h.t.Helper()
	w, err := b.c.Do(r)
	if err != nil {
		b.h.t.Fatal(err)
	}
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(w.Body); err != nil {
		b.h.t.Fatal(err)
	}
	_ = w.Body.Close()
	return answer1{w, b.h.t, buf.String()}
}

func (a answer1) is(status int) answer1 {
	a.t.Helper()
	if a.StatusCode != status {
		a.t.Fatalf("%s %s: status %d, want %d\n%s", a.Request.Method, a.Request.URL.Path, a.StatusCode, status, cut(a.body, 600))
	}
	return a
}

func (a answer1) has(texts ...string) answer1 {
	a.t.Helper()
	for _, x := range texts {
		if !strings.Contains(a.body, x) {
			a.t.Errorf("%s: %q is not on the page", a.Request.URL.Path, x)
		}
	}
	return a
}

func (a answer1) hasNot(texts ...string) answer1 {
	a.t.Helper()
	for _, x := range texts {
		if strings.Contains(a.body, x) {
			a.t.Errorf("%s: %q is on the page", a.Request.URL.Path, x)
		}
	}
	return a
}

func (a answer1) well() answer1 {
	a.t.Helper()
	for _, bad := range wellFormed(a.body) {
		a.t.Errorf("%s: %s", a.Request.URL.Path, bad)
	}
	return a
}

func cut(s string, n int) string { return s[:min(len(s), n)] }

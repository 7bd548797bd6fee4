package ingest

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/keyring"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/registry"
	"github.com/bellwether-project/bellwether/internal/scrub"
	"github.com/bellwether-project/bellwether/internal/stream"
)

// register is a small real register: keys by name, in memory.
type register map[string]registry.KeyView

func (r register) KeyByPublic(key string) (registry.KeyView, bool) {
	v, ok := r[key]
	return v, ok
}

const (
	linterKey = "0123456789abcdef0123456789abcdef" // of the project of acme.linter, number 44
	hostKey   = "11111111111111111111111111111111" // of the project of the host "editor", number 7
	testNow   = 1795218900000                      // shortly after the captures were made
)

var everyTier = consent.Policy{Tiers: []eco.Tier{eco.TierCrash, eco.Performance, eco.Usage, eco.Support}, Text: "t", AskedBy: "host", Version: 1}

func projectKey(public string, id int64, s registry.Subject, p consent.Policy) registry.KeyView {
	return registry.KeyView{
		Key:     registry.Key{Public: public, Project: id, Status: registry.KeyActive, RatePerMinute: 60_000_000, Burst: 1_000_000},
		Project: &registry.ProjectView{Project: registry.Project{ID: id, Subject: s, Policy: p}},
	}
}

// ring is shared: it opens with file syncs, and the tests are many.
var ring *keyring.Ring

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "ingest-keys")
	if err == nil {
		ring, err = keyring.Open(filepath.Join(dir, "keys"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// world is the door with everything it stands on, real but small.
type world struct {
	t      testing.TB
	server *Server
	keys   register
	log    *stream.Mem
	group  *stream.Group
	web    http.Handler
	lines  bytes.Buffer
	now    time.Time
	full   bool
	fail   error // what Append answers, when set
	level  slog.Level

	mu     sync.Mutex
	counts map[pipeline.Count]int64
	hours  map[int64]int64
}

func newWorld(t testing.TB, policy consent.Policy) *world {
	w := &world{t: t, log: stream.NewMem(64 << 20), counts: map[pipeline.Count]int64{}, hours: map[int64]int64{}, now: time.UnixMilli(testNow)}
	w.group = stream.NewGroup(w.log, stream.GroupOptions{})
	t.Cleanup(w.group.Close)
	w.keys = register{
		linterKey: projectKey(linterKey, 44, registry.Subject{Extension: "acme.linter"}, policy),
		hostKey:   projectKey(hostKey, 7, registry.Subject{Host: "editor"}, policy),
	}
	w.server = New(Options{
		Registry: w.keys, Keyring: ring, Scrub: scrub.New(scrub.Options{}),
		Append: func(ctx context.Context, records ...[]byte) (uint64, error) {
			if w.fail != nil {
				return 0, w.fail
			}
			return w.group.Append(ctx, records...)
		},
		Count: w.count, Full: func() bool { return w.full }, Now: func() time.Time { return w.now }, Random: random16,
	})
	w.web = w.front(w.server)
	return w
}

func random16(b []byte) { _, _ = rand.Read(b) }

func (w *world) front(s *Server) http.Handler {
	mux := http.NewServeMux()
	door.Mount(mux, s.Routes())
	mux.Handle("/", door.NotFound)
	return door.Front(mux, door.FrontOptions{Log: slog.New(slog.NewTextHandler(&w.lines, &slog.HandlerOptions{Level: w.level})), Now: func() time.Time { return w.now }, Random: random16})
}

func (w *world) count(c pipeline.Count) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := c.N
	w.hours[c.Hour] += n
	c.N, c.Project, c.Hour = 0, 0, 0
	w.counts[c] += n
}

// total adds up what came to an end, by its reason ("" = any).
func (w *world) total(outcome, kind, reason string) (n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c, v := range w.counts {
		if c.Outcome == outcome && (kind == "" || c.Kind == kind) && (reason == "" || c.Reason == reason) {
			n += v
		}
	}
	return n
}

// kept returns what the stream holds, and forgets it.
func (w *world) kept() []*eco.Envelope {
	w.t.Helper()
	st, err := w.log.Stats(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	if st.Last == st.Committed {
		return nil
	}
	var out []*eco.Envelope
	msgs, err := w.log.Read(w.t.Context(), st.Committed, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range msgs {
		for _, r := range m.Records {
			e, err := eco.DecodeEnvelope(r)
			if err != nil {
				w.t.Fatal(err)
			}
			out = append(out, e)
		}
	}
	if err := w.log.Commit(w.t.Context(), st.Last); err != nil {
		w.t.Fatal(err)
	}
	return out
}

// one returns the one envelope that was kept.
func (w *world) one() *eco.Envelope {
	w.t.Helper()
	all := w.kept()
	if len(all) != 1 {
		w.t.Fatalf("kept %d envelopes, want 1 (counts %v)", len(all), w.counts)
	}
	return all[0]
}

// post sends a request through the whole front.
func (w *world) post(path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader([]byte(body)))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.web.ServeHTTP(rec, r)
	return rec
}

func (w *world) envelope(body string, headers ...string) *httptest.ResponseRecorder {
	return w.post("/api/44/envelope/?sentry_key="+linterKey+"&sentry_version=7", body, headers...)
}

// serve opens the door on a port, for HTTP/2.
func (w *world) serve(h http.Handler) string {
	srv := httptest.NewUnstartedServer(h)
	srv.Config = door.Server(h)
	srv.Start()
	w.t.Cleanup(srv.Close)
	return srv.Listener.Addr().String()
}

func readAll(t testing.TB, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

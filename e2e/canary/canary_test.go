// Package canary_test proves the first promise: it sends invented secrets in
// every field of every protocol to the real server, stops it, and looks for
// them in everything it wrote, compressed or not, logs included.
package canary_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/e2e/server"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/facts/duck"
	"github.com/bellwether-project/bellwether/internal/registry"
)

func TestMain(m *testing.M) {
	server.Main()
	os.Exit(m.Run())
}

// marks occur in every canary; none of them may be on the disk.
var marks = []string{"zqcanary", "ZQCANARY", "203.0.113.", "2001:db8:", optOut}

func TestNoCanaryReachesTheDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	if !cgo() {
		t.Skip("needs the embedded facts engine, so cgo")
	}
	s := newHouse(t)
	sent := map[string]int{}
	for _, r := range requests(t, s.key) {
		sent[r.protocol]++
		s.post(t, r)
	}
	for _, p := range []string{"sentry", "otlp", "grpc", "insights", "native", "reporting", "report", "opted out"} {
		if sent[p] < 10 {
			t.Errorf("only %d requests of protocol %s", sent[p], p)
		}
	}
	if _, err := s.Stored(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Stop(); err != nil {
		t.Error(err)
	}
	kept := s.look(t)
	t.Logf("requests by protocol %v; answers by status %v; kept %v", sent, s.statuses, kept)
	for _, k := range []eco.Kind{eco.KindCrash, eco.KindSession, eco.KindEvent, eco.KindSpan, eco.KindMetric, eco.KindFeedback} {
		if kept[k] == 0 {
			t.Errorf("no %s was kept at all: the test proves nothing for it", k)
		}
	}
}

// TestTheLookFinds proves that look would find what is there.
func TestTheLookFinds(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.log"), []byte("x zqcanary7@leak.example y"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := grep(t, dir, marks...); len(got) != 1 {
		t.Errorf("found %v", got)
	}
}

// house is the server, and what its clients were told.
type house struct {
	*server.Server
	key      registry.Key
	statuses map[int]int
	two      http.Client // HTTP/2 without TLS, as gRPC clients speak it
}

func newHouse(t *testing.T, env ...string) *house {
	t.Helper()
	dir := t.TempDir()
	h := &house{statuses: map[int]int{}}
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	two := &http.Transport{Protocols: &p}
	t.Cleanup(two.CloseIdleConnections)
	h.two.Transport = two
	addr, err := server.FreeAddr()
	if err == nil {
		h.key, err = server.Seed(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "server.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	if h.Server, err = server.Start(dir, addr, server.How{Level: "debug", Env: append(env, "TMPDIR="+dir), Out: log}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Kill)
	return h
}

// post sends a request; any answer will do, but its body must not echo a canary.
func (s *house) post(t *testing.T, r request) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+r.path, bytes.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range r.header {
		req.Header.Set(k, v)
	}
	req.Header.Set("User-Agent", "zqcanary-agent/1.0 (zqcanary)")
	req.Header.Set("X-Forwarded-For", "203.0.113.77")
	req.Header.Set("Forwarded", "for=203.0.113.78")
	req.Header.Set("Cookie", "session=zqcanarycookie")
	req.Header.Set("Referer", "https://zqcanary.example/?q=zqcanary")
	client := http.DefaultClient
	if r.protocol == "grpc" {
		client = &s.two
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s: %v", r.path, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	s.statuses[resp.StatusCode]++
	if code := resp.Header.Get("Grpc-Status") + resp.Trailer.Get("Grpc-Status"); r.protocol == "grpc" && code != "0" {
		t.Errorf("%s answered the code %q", r.path, code)
	}
	if r.protocol == "opted out" && resp.StatusCode >= 300 {
		t.Errorf("%s, opted out, answered %s: %s", r.path, resp.Status, answer)
	}
	if resp.StatusCode >= 500 {
		t.Errorf("%s answered %s: %s", r.path, resp.Status, answer)
	}
	if m := found(answer); m != "" {
		t.Errorf("%s echoes %s: %s", r.path, m, answer)
	}
}

// look reads every byte the server wrote, and what is compressed once more
// through the store. It returns how many rows of each kind there are.
func (s *house) look(t *testing.T) map[eco.Kind]int {
	t.Helper()
	for _, f := range grep(t, s.Dir, marks...) {
		t.Error(f)
	}
	for _, f := range grep(t, s.Dir, contact) {
		if !strings.HasPrefix(f, "/data/facts/") && !strings.HasPrefix(f, "/data/stream/") {
			t.Errorf("a contact is kept elsewhere than with what the user wrote: %s", f)
		}
	}
	contacts := 0
	store, err := duck.Open(t.Context(), duck.Options{Dir: filepath.Join(s.Dir, "data", "facts"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	kept := map[eco.Kind]int{}
	for offset := 0; ; offset += facts.MaxLimit {
		res, err := store.Query(t.Context(), facts.Query{Scope: facts.Everything(), Rows: true, Limit: facts.MaxLimit, Offset: offset,
			Where: []facts.Cond{{Col: facts.Quarantined, Op: facts.In, Values: []string{"0", "1"}}}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range res.Facts {
			f := &res.Facts[i]
			kept[f.Kind]++
			if m := found(fmt.Appendf(nil, "%+v", f)); m != "" {
				t.Errorf("a %s row holds %s: %+v", f.Kind, m, f)
			}
			if b := fmt.Appendf(nil, "%+v", f); bytes.Contains(b, []byte(contact)) {
				t.Errorf("a %s row holds the contact: %s", f.Kind, b)
			}
			if f.Kind != eco.KindCrash && f.Kind != eco.KindFeedback {
				continue
			}
			docs, err := store.Documents(t.Context(), facts.Everything(), []eco.ID{f.ID})
			if err != nil || len(docs) != 1 {
				t.Fatalf("document of %s: %d, %v", f.ID, len(docs), err)
			}
			if bytes.Contains(docs[0].Body, []byte(contact)) {
				contacts++
				if f.Kind != eco.KindFeedback || f.Class != eco.ClassSupport {
					t.Errorf("a %s of class %s holds the contact", f.Kind, f.Class)
				}
			}
			if m := found(docs[0].Body); m != "" {
				i := bytes.Index(docs[0].Body, []byte(m))
				t.Errorf("the document of a %s holds %s: …%s…", f.Kind, m, docs[0].Body[max(0, i-120):min(len(docs[0].Body), i+120)])
			}
		}
		if !res.More {
			if contacts == 0 && kept[eco.KindFeedback] > 0 {
				t.Error("no contact was kept at all: nobody can be answered")
			}
			return kept
		}
	}
}

func found(b []byte) string {
	for _, m := range marks {
		if bytes.Contains(b, []byte(m)) {
			return m
		}
	}
	return ""
}

// grep looks into every file below dir.
func grep(t *testing.T, dir string, marks ...string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range marks {
			if i := bytes.Index(b, []byte(m)); i >= 0 {
				out = append(out, fmt.Sprintf("%s holds %s: …%q…", strings.TrimPrefix(path, dir), m, b[max(0, i-100):min(len(b), i+100)]))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

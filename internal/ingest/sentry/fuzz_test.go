package sentry

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

const now = 1795218900000

// bodies are the captured requests of a client, decompressed.
func bodies(t testing.TB, pattern string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("../testdata/wire/" + pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	all := map[string][]byte{}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			t.Fatal(err)
		}
		var src io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			if src, err = gzip.NewReader(r.Body); err != nil {
				t.Fatal(err)
			}
		}
		if all[f], err = io.ReadAll(src); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// bounded checks what every decoder promises of an item.
func bounded(t *testing.T, it *item.Item) {
	if it.Kind == "" && it.Drop == "" {
		t.Fatal("an item that is neither kept nor dropped for a reason")
	}
	if c := it.Crash; c != nil {
		if len(c.Exceptions) > item.MaxExceptions || len(c.Breadcrumbs) > item.MaxCrumbs || len(c.Tags) > item.MaxTags ||
			len(c.Modules) > item.MaxModules || len(c.Active) > item.MaxActive || len(c.DebugImages) > item.MaxImages {
			t.Fatal("a crash past its bounds")
		}
		for i, x := range c.Exceptions {
			if len(x.Frames) > item.MaxFrames || x.Parent >= i {
				t.Fatalf("exception %d: %d frames, parent %d", i, len(x.Frames), x.Parent)
			}
		}
	}
	_ = eco.EncodeEnvelope(nil, &eco.Envelope{Crash: it.Crash, Session: it.Update, Event: it.Event, Feedback: it.Feedback})
}

func FuzzEnvelope(f *testing.F) {
	for _, b := range bodies(f, "sentry-*/*.http") {
		f.Add(b)
	}
	f.Add([]byte("{}\n{\"type\":\"attachment\",\"length\":3}\n\n\n\n\n{\"type\":\"session\"}\n{\"sid\":\"x\"}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		_, err := Envelope(b, now, 1<<20, func(it *item.Item) { n++; bounded(t, it) })
		if err != nil && n > 0 {
			t.Fatal("items of a malformed envelope")
		}
		if _, headErr := ReadHeader(b); headErr != nil && err == nil {
			t.Fatal("headers that are refused alone are taken in the envelope")
		}
	})
}

func FuzzEvent(f *testing.F) {
	for _, b := range bodies(f, "sentry-*/*.http") {
		for line := range bytes.SplitSeq(b, []byte{'\n'}) {
			if bytes.Contains(line, []byte(`"platform"`)) {
				f.Add(line)
			}
		}
	}
	f.Add([]byte(`{"exception":{"values":[{"mechanism":{"exception_id":0}},{"mechanism":{"exception_id":1,"parent_id":0,"is_exception_group":true}}]},"threads":[{"crashed":true,"stacktrace":{"frames":[{}]}}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = Event(b, now, func(it *item.Item) { bounded(t, it) })
	})
}

func FuzzStoreBody(f *testing.F) {
	f.Add([]byte(`{"message":"x"}`))
	f.Add([]byte("eJyrVspNLS5OTE9VslKqUKoFADPMBeI="))
	f.Add([]byte("x\x9c\xabV\xcaM-.NLOU\xb2R\xaaP\xaa\x05\x003\xcc\x05\xe2"))
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := StoreBody(b, 64<<10)
		if err == nil && len(out) > 64<<10 && len(out) > len(b) {
			t.Fatalf("%d bytes", len(out))
		}
	})
}

func FuzzSessions(f *testing.F) {
	for _, b := range bodies(f, "sentry-*/*.http") {
		for line := range bytes.SplitSeq(b, []byte{'\n'}) {
			if bytes.Contains(line, []byte(`"started"`)) {
				f.Add(line)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		check := func(it *item.Item) {
			bounded(t, it)
			if s := it.Update; s != nil && (s.Started <= 0 || s.Exited > maxCount || s.Errors > maxCount || s.Duration < 0) {
				t.Fatalf("session %+v", s)
			}
		}
		d := newDecoder(Header{}, now, check)
		d.session(b)
		d.aggregates(b)
		d.clientReport(b)
	})
}

func FuzzAuth(f *testing.F) {
	f.Add("Sentry sentry_version=7, sentry_client=sentry.go/0.50.0, sentry_key=examplePublicKey")
	f.Add("sentry sentry_key==,,sentry_key")
	f.Add("https://key:secret@host:1/path/42")
	f.Fuzz(func(t *testing.T, s string) {
		if a, ok := ParseAuth(s); !ok && a != (Auth{}) {
			t.Fatal("a key out of no header")
		}
		if d, err := ParseDSN(s); err == nil && (d.Key == "" || d.Project <= 0) {
			t.Fatalf("%+v", d)
		}
	})
}

func BenchmarkEnvelope(b *testing.B) {
	for name, file := range map[string]string{"browser-1.8KB": "sentry-browser/error-02.http", "go-2.7KB": "sentry-go/error-wrapped-01.http",
		"node-13KB": "sentry-node/error-cause-02.http", "session-0.5KB": "sentry-browser/error-01.http", "node-164KB": "sentry-node/large-gzip-02.http"} {
		b.Run(name, func(b *testing.B) {
			for _, body := range bodies(b, file) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := Envelope(body, now, 1<<20, func(*item.Item) {}); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

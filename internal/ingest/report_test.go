package ingest

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/pipeline"
)

// Every report that runtimes write: read at the door or refused with 422, and what
// they hold beside the crash goes no further.
func TestWholeReports(t *testing.T) {
	read, refused := 0, 0
	err := filepath.WalkDir("../stack/testdata/crash-text", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".want") {
			return err
		}
		t.Run(strings.TrimPrefix(path, "../stack/testdata/crash-text/"), func(t *testing.T) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(path + ".want")
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t, everyTier)
			rec := w.post("/api/v1/intake/report?extension_version=3.1.0&host=editor&id=r-1", string(b), "X-Bellwether-Key", linterKey, "Content-Type", "text/plain")
			kept := w.kept()
			if strings.HasPrefix(string(want), "no trace") {
				refused++
				if rec.Code != 422 || len(kept) != 0 || !strings.Contains(rec.Body.String(), "schema:report") || w.total(pipeline.Dropped, "crash", "schema:report") != 1 {
					t.Errorf("%d %s, kept %d, %v", rec.Code, rec.Body, len(kept), w.counts)
				}
				return
			}
			read++
			if rec.Code != 200 || len(kept) != 1 {
				t.Fatalf("%d %s, kept %d", rec.Code, rec.Body, len(kept))
			}
			e := kept[0]
			if len(e.Crash.Exceptions) == 0 || e.Crash.Text != "" || e.Origin.ExtVersion != "3.1.0" || e.Origin.Host != "editor" || e.ClientID != "r-1" {
				t.Errorf("%+v of %+v", e.Crash, e.Origin)
			}
			all, _ := json.Marshal(e)
			for _, secret := range []string{"zqcanary", "/home/jo", "203.0.113.", "jo@example.org", "GITHUB_TOKEN", "commandLine"} {
				if strings.Contains(string(all), secret) {
					t.Errorf("%s goes on: %s", secret, all)
				}
			}
			if n := w.server.budget.Used(); n != 0 {
				t.Errorf("%d bytes were not given back", n)
			}
		})
		return nil
	})
	if err != nil || read < 50 || refused < 3 {
		t.Errorf("%d read, %d refused, %v", read, refused, err)
	}
}

// The text of a crash in our own JSON may be such a report too.
func TestReportAsText(t *testing.T) {
	b, err := os.ReadFile("../stack/testdata/crash-text/node/report-extension-oom.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"text", "report"} {
		w := newWorld(t, everyTier)
		text, _ := json.Marshal(string(b))
		w.post("/api/v1/intake/crashes", fmt.Sprintf(`{"source":{"os":"windows"},"crashes":[{%q:%s}]}`, field, text), "X-Bellwether-Key", linterKey)
		e := w.one()
		if e.Crash.Exceptions[0].Type != "FATAL ERROR" || e.Crash.Tags["heap.limit"] == "" || e.Crash.Level != "fatal" || e.Origin.OS != "windows" || e.Origin.Runtime != "node 20.20.2" {
			t.Errorf("%+v %+v", e.Crash, e.Origin)
		}
	}
	// One that is broken is not kept as text, beside a message or alone.
	cut, _ := json.Marshal(string(b[:len(b)/2]))
	w := newWorld(t, everyTier)
	w.post("/api/v1/intake/crashes", fmt.Sprintf(`{"crashes":[{"text":%s},{"text":%s,"message":"died"}]}`, cut, cut), "X-Bellwether-Key", linterKey)
	if e := w.one(); e.Crash.Text != "" || e.Crash.Message != "died" || w.total(pipeline.Dropped, "crash", "schema:report") != 1 {
		t.Errorf("%+v %v", e.Crash, w.counts)
	}
}

func TestReportDoor(t *testing.T) {
	trace := "TypeError: x\n    at run (/srv/a.js:1:2)"
	for name, tt := range map[string]struct {
		body, key string
		policy    consent.Policy
		status    int
		kept      int
	}{
		"trace":      {trace, linterKey, everyTier, 200, 1},
		"empty":      {"", linterKey, everyTier, 400, 0},
		"prose":      {"it broke", linterKey, everyTier, 422, 0},
		"no consent": {trace, linterKey, consent.Policy{}, 200, 0},
		"no key":     {trace, "", everyTier, 401, 0},
		"too large":  {trace + strings.Repeat(" ", 17<<20), linterKey, everyTier, 413, 0},
	} {
		w := newWorld(t, tt.policy)
		rec := w.post("/api/v1/intake/report", tt.body, "X-Bellwether-Key", tt.key)
		if kept := w.kept(); rec.Code != tt.status || len(kept) != tt.kept {
			t.Errorf("%s: %d %s, kept %d", name, rec.Code, rec.Body, len(kept))
		}
		if n := w.server.budget.Used(); n != 0 {
			t.Errorf("%s: %d bytes were not given back", name, n)
		}
	}
}

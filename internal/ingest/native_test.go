package ingest

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// vector is a file of schema/intake/vectors.
type vector struct {
	List    string         `json:"list"`
	Request map[string]any `json:"request"`
	Want    []struct {
		Outcome  string       `json:"outcome"`
		Reason   string       `json:"reason"`
		ClientID string       `json:"client_id"`
		Kind     eco.Kind     `json:"kind"`
		Time     int64        `json:"time"`
		Weight   float64      `json:"weight"`
		Origin   *eco.Origin  `json:"origin"`
		Crash    *eco.Crash   `json:"crash"`
		Session  *eco.Session `json:"session"`
		Event    *eco.Event   `json:"event"`
	} `json:"want"`
}

func vectors(t testing.TB) map[string]vector {
	t.Helper()
	files, err := filepath.Glob("../../schema/intake/vectors/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	all := map[string]vector{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var v vector
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		all[filepath.Base(f)] = v
	}
	return all
}

func TestNativeVectors(t *testing.T) {
	for name, v := range vectors(t) {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, everyTier)
			body, err := json.Marshal(v.Request)
			if err != nil {
				t.Fatal(err)
			}
			rec := w.post("/api/v1/intake/"+v.List, string(body), "X-Bellwether-Key", linterKey)
			if rec.Code != 200 {
				t.Fatalf("%d %s", rec.Code, rec.Body)
			}
			var a Answer
			if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil {
				t.Fatal(err)
			}
			if len(a.Items) != len(v.Want) {
				t.Fatalf("%d notes, want %d", len(a.Items), len(v.Want))
			}
			kept := map[string]*eco.Envelope{}
			for _, e := range w.kept() {
				kept[e.ID.String()] = e
			}
			if len(kept) != a.Kept || a.Kept+a.Dropped != len(a.Items) {
				t.Errorf("kept %d, answer %+v", len(kept), a)
			}
			for i, want := range v.Want {
				note := a.Items[i]
				if note.Outcome != want.Outcome || note.Reason != want.Reason || note.ClientID != want.ClientID {
					t.Errorf("%d: %+v", i, note)
				}
				if want.Outcome != "kept" {
					continue
				}
				e := kept[note.ID]
				if e == nil {
					t.Fatalf("%d: no envelope %s", i, note.ID)
				}
				if e.Kind != want.Kind || want.Time != 0 && e.Time != want.Time || e.Weight != want.Weight || (e.ClientID != "") != (e.Dedup != 0 && e.Session == nil) {
					t.Errorf("%d: %+v", i, e)
				}
				if want.Origin != nil {
					e.Origin.Install = 0
					if d := cmp.Diff(*want.Origin, e.Origin); d != "" {
						t.Errorf("%d: origin (-want +got):\n%s", i, d)
					}
				}
				if c := e.Crash; c != nil {
					if strings.Contains(c.SessionID, "s-1") || i == 0 && len(c.SessionID) != 16 {
						t.Errorf("session id %q", c.SessionID)
					}
					c.SessionID = ""
					c.Tags = noEmpty(c.Tags)
				}
				if s := e.Session; s != nil {
					s.Key = 0
				}
				if d := cmp.Diff(want.Crash, e.Crash); d != "" {
					t.Errorf("%d: crash (-want +got):\n%s", i, d)
				}
				if d := cmp.Diff(want.Session, e.Session); d != "" {
					t.Errorf("%d: session (-want +got):\n%s", i, d)
				}
				if d := cmp.Diff(want.Event, e.Event); d != "" {
					t.Errorf("%d: event (-want +got):\n%s", i, d)
				}
			}
		})
	}
}

func noEmpty(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
}

func TestNativeErrors(t *testing.T) {
	w := newWorld(t, everyTier)
	const crashes = "/api/v1/intake/crashes"
	one := `{"crashes":[{"message":"x"}]}`
	for _, tt := range []struct {
		name, body string
		headers    []string
		status     int
	}{
		{"bearer", one, []string{"Authorization", "Bearer " + linterKey}, 200},
		{"empty list", `{}`, []string{"X-Bellwether-Key", linterKey}, 200},
		{"no key", one, nil, 401},
		{"unknown key", one, []string{"X-Bellwether-Key", "ffffffffffffffffffffffffffffffff"}, 401},
		{"array", `[]`, []string{"X-Bellwether-Key", linterKey}, 400},
		{"broken", `{"crashes":[`, []string{"X-Bellwether-Key", linterKey}, 400},
		{"too many", `{"crashes":[` + strings.Repeat("{},", MaxBatch) + `{}]}`, []string{"X-Bellwether-Key", linterKey}, 413},
		{"too large", `{"x":"` + strings.Repeat("x", MaxNative) + `"}`, []string{"X-Bellwether-Key", linterKey}, 413},
		{"brotli", one, []string{"X-Bellwether-Key", linterKey, "Content-Encoding", "br"}, 415},
	} {
		rec := w.post(crashes, tt.body, tt.headers...)
		if rec.Code != tt.status {
			t.Errorf("%s: %d %s", tt.name, rec.Code, rec.Body)
		}
		if rec.Code != 200 && rec.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s", tt.name, rec.Header().Get("Content-Type"))
		}
	}
	w.kept()
	w.keys[linterKey] = projectKey(linterKey, 44, registry.Subject{Extension: "acme.linter"}, consent.Policy{Tiers: []eco.Tier{eco.TierCrash}})
	rec := w.post("/api/v1/intake/events", `{"events":[{"name":"a"},{"kind":"metric","name":"b"}]}`, "X-Bellwether-Key", linterKey)
	if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `"stop":["usage","performance"]`) || len(w.kept()) != 0 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

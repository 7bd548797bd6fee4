package world_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/ingest"
	"github.com/bellwether-project/bellwether/internal/keyring"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/registry"
	"github.com/bellwether-project/bellwether/internal/scrub"
	"github.com/bellwether-project/bellwether/internal/stack"
	"github.com/bellwether-project/bellwether/internal/world"
)

// doors is the real register behind the real doors; what they append is kept.
type doors struct {
	world    *world.World
	handler  http.Handler
	registry *registry.Registry
	records  [][]byte
	counts   map[string]int64
}

func openDoors(t *testing.T) *doors {
	t.Helper()
	now := func() time.Time { return start.Add(world.History) }
	d := dbtest.Open(t)
	log, err := audit.New(t.Context(), d, now)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := registry.New(t.Context(), d, log, registry.Options{Now: now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	bare, err := world.New(world.Options{Seed: 1, Start: start})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := bare.Ecosystem().Register(t.Context(), reg, "system:demo")
	if err != nil {
		t.Fatal(err)
	}
	w, err := world.New(world.Options{Seed: 1, Start: start, Base: "http://127.0.0.1:8080", Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Open(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	out := &doors{world: w, registry: reg, counts: map[string]int64{}}
	random := func(b []byte) { rand.Read(b) }
	s := ingest.New(ingest.Options{
		Registry: reg, Keyring: ring, Scrub: scrub.New(scrub.Options{}), Now: now, Random: random,
		ReceivedAt: func(r *http.Request) time.Time {
			ms, err := strconv.ParseInt(r.Header.Get(world.TimeHeader), 10, 64)
			if err != nil {
				t.Errorf("%s: %v", r.URL.Path, err)
			}
			return time.UnixMilli(ms)
		},
		Append: func(_ context.Context, records ...[]byte) (uint64, error) {
			for _, r := range records {
				out.records = append(out.records, bytes.Clone(r))
			}
			return 1, nil
		},
		Count: func(c pipeline.Count) {
			out.counts[fmt.Sprintf("%s %s %s %s", c.Protocol, c.Kind, c.Outcome, c.Reason)] += max(c.N, 1)
		},
	})
	mux := http.NewServeMux()
	door.Mount(mux, s.Routes())
	out.handler = door.Front(mux, door.FrontOptions{Log: slog.New(slog.DiscardHandler), Now: now, Random: random})
	return out
}

func (d *doors) send(t *testing.T, from, to time.Time) {
	t.Helper()
	for r := range d.world.Traffic(from, to, 1) {
		req := httptest.NewRequestWithContext(t.Context(), r.Method, r.Path, bytes.NewReader(r.Body))
		req.Header = r.Header
		rec := httptest.NewRecorder()
		d.handler.ServeHTTP(rec, req)
		if rec.Code/100 != 2 {
			body, _ := io.ReadAll(rec.Body)
			t.Fatalf("%s of %s: %d %s\n%.400s", r.Path, r.Project, rec.Code, body, r.Body)
		}
	}
}

// The real doors take what the world sends: all that consent covers, and
// nothing else is lost on the way.
func TestTheDoorsTakeIt(t *testing.T) {
	d := openDoors(t)
	d.send(t, day(19.4), day(20.4))
	for what, n := range d.counts {
		t.Log(what, n)
		_, reason, dropped := strings.Cut(what, " dropped ")
		if dropped && !strings.HasPrefix(reason, "consent:usage") {
			t.Errorf("%s: %d", what, n)
		}
	}
	kinds := map[eco.Kind]int{}
	for _, b := range d.records {
		e, err := eco.DecodeEnvelope(b)
		if err != nil {
			t.Fatal(err)
		}
		kinds[e.Kind]++
		at := time.UnixMilli(e.Received)
		if at.Before(day(19.4)) || !at.Before(day(20.4)) {
			t.Fatalf("received at %v", at)
		}
		if d := at.Sub(time.UnixMilli(e.Time)); d < -time.Minute || d > 2*time.Hour {
			t.Errorf("a %s of %s is %v late", e.Kind, e.Origin.Extension, d)
		}
		if e.Origin.Extension == "" && e.Origin.Host != "studio" || e.Origin.Extension != "" && e.Origin.ExtVersion == "" {
			t.Errorf("%s from nowhere: %+v", e.Kind, e.Origin)
		}
	}
	for _, k := range []eco.Kind{eco.KindCrash, eco.KindSession, eco.KindEvent, eco.KindSpan, eco.KindMetric} {
		if kinds[k] == 0 {
			t.Errorf("no %s among %v", k, kinds)
		}
	}
}

// Each crash is blamed on whose it is, and nobody's name or secret is left.
func TestBlameFindsWhoseItIs(t *testing.T) {
	d := openDoors(t)
	d.send(t, day(24.3), day(25.6))
	rules := d.registry.World()
	type cell struct{ right, all int }
	seen := map[string]cell{}
	for _, b := range d.records {
		e, err := eco.DecodeEnvelope(b)
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == eco.KindFeedback {
			continue // who writes to support wants an answer
		}
		for _, secret := range []string{"marta.k", "ghp_", "@mail.example.org", "dlopez"} {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("%s is left in a %s of %s", secret, e.Kind, e.Origin.Extension)
			}
		}
		if e.Kind != eco.KindCrash {
			continue
		}
		c := e.Crash
		stack.Fill(c)
		if len(c.Exceptions) == 0 || len(c.Exceptions[0].Frames) == 0 {
			t.Errorf("a crash of %s has no frames: %.300q", e.Origin.Extension, c.Text)
			continue
		}
		rules.Classify(c, e.Origin)
		got := blame.Decide(rules, c, e.Origin)
		key := string(e.Origin.Extension) + " " + c.Platform
		s := seen[key]
		s.all++
		if got.Extension == e.Origin.Extension {
			s.right++
		} else if s.all < 50 {
			t.Logf("%s %s: %+v", e.Origin.Extension, c.Exceptions[0].Type, got)
		}
		seen[key] = s
	}
	for key, s := range seen {
		t.Log(key, s.right, "of", s.all)
		if s.right*10 < s.all*9 {
			t.Errorf("%s: %d of %d", key, s.right, s.all)
		}
	}
	if len(seen) < 10 {
		t.Errorf("only %d subjects crashed", len(seen))
	}
}

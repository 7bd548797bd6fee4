package world_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/world"
)

var start = time.Date(2026, 10, 19, 0, 0, 0, 0, time.UTC)

func open(t testing.TB, seed uint64) *world.World {
	t.Helper()
	bare, err := world.New(world.Options{Seed: seed, Start: start})
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]world.ProjectKey{}
	for i, p := range bare.Ecosystem().Projects {
		keys[p.Name] = world.ProjectKey{ID: int64(i + 1), Public: fmt.Sprintf("%032x", i+0xabc)}
	}
	w, err := world.New(world.Options{Seed: seed, Start: start, Base: "http://127.0.0.1:8080/", Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func digest(reqs ...iter.Seq[world.Request]) string {
	h := sha256.New()
	for _, seq := range reqs {
		for r := range seq {
			fmt.Fprintln(h, r.At.UnixMilli(), r.Method, r.Path)
			r.Header.Write(h)
			h.Write(r.Body)
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func day(n float64) time.Time { return start.Add(time.Duration(n * 24 * float64(time.Hour))) }

func TestTheSameSeedTellsTheSameStory(t *testing.T) {
	w := open(t, 7)
	whole := digest(w.Traffic(day(3), day(4), 1))
	if again := digest(open(t, 7).Traffic(day(3), day(4), 1)); again != whole {
		t.Error("another world of the same seed differs")
	}
	middle := day(3.4).Add(17*time.Minute + 3*time.Millisecond)
	if parts := digest(w.Traffic(day(3), middle, 1), w.Traffic(middle, day(4), 1)); parts != whole {
		t.Error("two adjoining spans are not the whole")
	}
	if digest(open(t, 8).Traffic(day(3), day(4), 1)) == whole {
		t.Error("another seed tells the same")
	}
}

func TestRequestsAreInOrderAndComplete(t *testing.T) {
	w := open(t, 1)
	last := day(10)
	paths := map[string]int{}
	for r := range w.Traffic(day(10), day(10.5), 1) {
		if r.At.Before(last) || !r.At.Before(day(10.5)) {
			t.Fatalf("%v comes after %v", r.At, last)
		}
		last = r.At
		if r.Header.Get(world.TimeHeader) != fmt.Sprint(r.At.UnixMilli()) {
			t.Fatalf("%s has no time of receipt", r.Path)
		}
		path, _, _ := strings.Cut(r.Path, "?")
		if strings.Contains(path, "/envelope/") {
			path = "/api/N/envelope/"
		}
		if paths[path]++; len(r.Body) == 0 || len(r.Body) > 200_000 || r.Method != "POST" {
			t.Errorf("%s %s has %d bytes", r.Method, r.Path, len(r.Body))
		}
	}
	for _, p := range []string{"/api/N/envelope/", "/v1/logs", "/v1/traces", "/v1/metrics", "/v2/track", "/api/v1/intake/crashes", "/api/v1/intake/sessions", "/api/v1/intake/events"} {
		if paths[p] == 0 {
			t.Errorf("nothing for %s in %v", p, paths)
		}
	}
}

// counts reads the traffic back.
type counts struct {
	requests, crashes, items int
	sessions                 map[string][2]int // release: all, crashed
	titles                   map[string]int    // project and first line
	pairs, pairless          int
}

func count(t *testing.T, seq iter.Seq[world.Request]) counts {
	t.Helper()
	c := counts{sessions: map[string][2]int{}, titles: map[string]int{}}
	add := func(release string, all, crashed int) {
		s := c.sessions[release]
		c.sessions[release] = [2]int{s[0] + all, s[1] + crashed}
		c.items++
	}
	for r := range seq {
		c.requests++
		switch {
		case strings.Contains(r.Path, "/envelope/"):
			lines := bytes.Split(r.Body, []byte("\n"))
			for i := 1; i+1 < len(lines); i += 2 {
				var h struct{ Type string }
				var p struct {
					Aggregates      []struct{ Exited, Errored, Crashed int }
					Attrs           struct{ Release string }
					Status, Release string
					Exception       struct {
						Values []struct{ Type, Value string }
					}
					Sid, Did, Event_id, Any string
				}
				if err := json.Unmarshal(lines[i], &h); err != nil {
					t.Fatal(err)
				}
				if err := json.Unmarshal(lines[i+1], &p); err != nil {
					t.Fatal(err)
				}
				switch h.Type {
				case "event":
					c.crashes++
					x := p.Exception.Values[len(p.Exception.Values)-1]
					c.titles[p.Release+" "+x.Type]++
				case "sessions":
					for _, a := range p.Aggregates {
						add(p.Attrs.Release, a.Exited+a.Errored+a.Crashed, a.Crashed)
					}
				case "session":
					n := 0
					if p.Status == "crashed" {
						n = 1
					}
					add(p.Attrs.Release, 1, n)
				}
			}
		case r.Path == "/api/v1/intake/crashes":
			c.crashes++
			body := string(r.Body)
			if strings.Contains(body, "DisposableStore") {
				if c.pairs++; !strings.Contains(body, `"acme.git"`) || !strings.Contains(body, `"northwind.notebook"`) {
					c.pairless++
				}
				if strings.Contains(body, "/extensions/") {
					t.Errorf("an extension is in the trace: %s", body)
				}
			}
		case r.Path == "/v2/track":
			c.crashes += bytes.Count(r.Body, []byte(`"ExceptionData"`))
			c.items += bytes.Count(r.Body, []byte(`"EventData"`))
		case r.Path == "/v1/logs":
			c.crashes += bytes.Count(r.Body, []byte(`"exception.stacktrace"`))
			c.items += bytes.Count(r.Body, []byte(`"resource"`))
		default:
			c.items++
		}
	}
	return c
}

func TestTheMonth(t *testing.T) {
	begin := time.Now()
	c := count(t, open(t, 1).Traffic(start, start.Add(world.History), 1))
	all := 0
	for _, s := range c.sessions {
		all += s[0]
	}
	t.Logf("%d requests, %d crashes, %d items, %d sessions, %v", c.requests, c.crashes, c.items, all, time.Since(begin))
	within := func(what string, n, low, high int) {
		t.Helper()
		if n < low || n > high {
			t.Errorf("%s: %d, want %d to %d", what, n, low, high)
		}
	}
	within("requests", c.requests, 15_000, 32_000)
	within("crash reports", c.crashes, 5_500, 8_500)
	within("sessions, events and the rest", c.items, 45_000, 90_000)
	for release, s := range c.sessions {
		if s[0] < 3000 {
			continue // too few to say
		}
		rate := 100 * (1 - float64(s[1])/float64(s[0]))
		switch release {
		case "acme.linter@2.4.0", "pixelforge.blender@3.1.0":
			if rate < 94 || rate > 96.5 {
				t.Errorf("%s is a bad release: %.2f %% crash-free of %d", release, rate, s[0])
			}
		default:
			if rate < 99 || rate > 99.95 {
				t.Errorf("%s: %.2f %% crash-free of %d", release, rate, s[0])
			}
		}
	}
	within("crashes of the pair", c.pairs, 25, 300)
	within("crashes of the pair without it", c.pairless, 0, 0)
	// The regression: there, gone, and back.
	for release, there := range map[string]bool{"1.9.0": true, "1.9.1": false, "2.0.0": true} {
		if n := c.titles["northwind.python@"+release+" KeyError"]; n > 20 != there {
			t.Errorf("KeyError in northwind.python %s: %d", release, n)
		}
	}
}

func TestEcosystem(t *testing.T) {
	e := open(t, 1).Ecosystem()
	if len(e.Extensions) != 12 || len(e.Publishers) != 3 || len(e.Projects) != 13 || len(e.Accounts) < 4 {
		t.Errorf("%d extensions, %d publishers, %d projects", len(e.Extensions), len(e.Publishers), len(e.Projects))
	}
	publishers := map[string]bool{}
	for _, p := range e.Publishers {
		publishers[p.ID] = true
	}
	for _, x := range e.Extensions {
		if x.Name == "" || x.Summary == "" || !publishers[x.Publisher()] {
			t.Errorf("%+v", x)
		}
	}
	for _, p := range e.Projects {
		if err := p.Project.Policy.Validate(); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
	seen := map[string]bool{}
	for _, r := range e.Releases {
		k := r.Subject.Ref().String() + "@" + r.Version
		if seen[k] || r.Published.IsZero() {
			t.Errorf("%s is there twice, or has no day", k)
		}
		seen[k] = true
	}
}

func TestNewRefuses(t *testing.T) {
	_, err := world.New(world.Options{Start: start, Keys: map[string]world.ProjectKey{"acme.linter": {ID: 1, Public: strings.Repeat("a", 32)}}})
	if fault.CodeOf(err) != fault.Invalid {
		t.Errorf("%v, want invalid", err)
	}
}

func TestQuietHours(t *testing.T) {
	w := open(t, 1)
	n := func(from float64) (n int) {
		for range w.Traffic(day(from), day(from+1), 1) {
			n++
		}
		return n
	}
	tuesday, sunday := n(8), n(6)
	if start.Weekday() != time.Monday || sunday*5 > tuesday*4 {
		t.Errorf("Sunday has %d requests, Tuesday %d", sunday, tuesday)
	}
	if n(40) == 0 {
		t.Error("after the story nothing happens any more")
	}
}

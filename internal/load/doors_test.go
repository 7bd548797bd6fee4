package load

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/ingest"
	"github.com/bellwether-project/bellwether/internal/keyring"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/registry"
	"github.com/bellwether-project/bellwether/internal/scrub"
	"github.com/bellwether-project/bellwether/internal/stream"
	"github.com/bellwether-project/bellwether/internal/stream/jet"
)

// doorDir makes the test binary a server of the doors alone: key, decoding,
// consent, scrubbing and the durable stream are real; nobody reads the stream.
const doorDir = "BELLWETHER_TEST_LOAD_DOOR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(doorDir); dir != "" {
		serveDoors(dir)
		return
	}
	os.Exit(m.Run())
}

type oneKey struct{ view registry.KeyView }

func (k oneKey) KeyByPublic(public string) (registry.KeyView, bool) {
	return k.view, public == k.view.Key.Public
}

func serveDoors(dir string) {
	fail := func(err error) {
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
	}
	ring, err := keyring.Open(filepath.Join(dir, "keys"))
	fail(err)
	log, err := jet.Open(context.Background(), jet.Options{Dir: filepath.Join(dir, "stream"), MaxBytes: 8 << 30})
	fail(err)
	group := stream.NewGroup(log, stream.GroupOptions{})
	random := func(b []byte) { rand.Read(b) }
	s := ingest.New(ingest.Options{
		Registry: oneKey{registry.KeyView{
			Key: registry.Key{Public: key, Project: 7, Status: registry.KeyActive, RatePerMinute: 1 << 30, Burst: 1 << 30},
			Project: &registry.ProjectView{Project: registry.Project{ID: 7, Subject: registry.Subject{Extension: "acme.linter"},
				Policy: consent.Policy{Tiers: eco.Tiers, Text: "t", AskedBy: "host", Version: 1}}},
		}},
		Keyring: ring, Scrub: scrub.New(scrub.Options{}), Append: group.Append,
		Count: func(pipeline.Count) {}, Now: time.Now, Random: random,
	})
	mux := http.NewServeMux()
	door.Mount(mux, s.Routes())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	fail(err)
	fmt.Println(l.Addr())
	go http.Serve(l, door.Front(mux, door.FrontOptions{Log: slog.New(slog.DiscardHandler), Now: time.Now, Random: random}))
	io.Copy(io.Discard, os.Stdin) // until the test lets go
}

// doors starts the child and returns its address and process.
func doors(t testing.TB) (string, int) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), doorDir+"="+t.TempDir())
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); c.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return "http://" + line[:len(line)-1], c.Process.Pid
}

// Every kind is something the real doors take.
func TestTheDoorsTakeEveryKind(t *testing.T) {
	url, pid := doors(t)
	for _, kind := range Kinds {
		r, err := Run(t.Context(), Options{URL: url, Key: key, Project: 7, Kind: kind, Clients: 8, Count: 96, Batch: 10, ServerPID: pid})
		if err != nil || r.Requests != 96 || r.Accepted != int64(96*map[bool]int{true: 10, false: 1}[kind == OTLP]) || r.Partial+r.Refused+r.Later+r.Broken > 0 {
			t.Errorf("%s: %v\n%s", kind, err, r)
		}
	}
}

// BenchmarkDoors is the doors against their bars, without the pipeline:
//
//	go test -run NONE -bench Doors -benchtime 1x ./internal/load
func BenchmarkDoors(b *testing.B) {
	for _, o := range []Options{
		{Kind: Event}, {Kind: Event, Rate: 2500}, {Kind: OTLP, Clients: 16}, {Kind: Crash2K}, {Kind: Crash50K, Clients: 16}, {Kind: Session},
	} {
		b.Run(fmt.Sprintf("%s-%.0f", o.Kind, o.Rate), func(b *testing.B) {
			o.URL, o.ServerPID = doors(b)
			o.Key, o.Project, o.Duration = key, 7, 3*time.Second
			for range b.N {
				r, err := Run(b.Context(), o)
				if err != nil {
					b.Fatal(err)
				}
				b.Log("\n" + r.String())
				b.ReportMetric(r.PerSecond, "accepted/s")
				b.ReportMetric(float64(r.P99.Microseconds())/1000, "p99-ms")
				b.ReportMetric(r.ServerCPU.Seconds()*100_000/float64(max(r.Accepted, 1)), "server-s/100k")
			}
		})
	}
}

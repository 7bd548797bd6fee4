package load

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/bellwether-project/bellwether/internal/fault"
)

const key = "0123456789abcdef0123456789abcdef"

// sink takes every request and keeps its body.
type sink struct {
	mu     sync.Mutex
	bodies [][]byte
	status func(n int) int
}

func (d *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil || !strings.Contains(r.Header.Get("Authorization")+r.Header.Get("X-Sentry-Auth"), key) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	d.mu.Lock()
	d.bodies = append(d.bodies, b)
	n := len(d.bodies)
	d.mu.Unlock()
	if d.status != nil {
		w.WriteHeader(d.status(n))
	}
}

func TestRunSendsWhatItSays(t *testing.T) {
	for _, kind := range Kinds {
		t.Run(string(kind), func(t *testing.T) {
			d := &sink{}
			s := httptest.NewServer(d)
			defer s.Close()
			r, err := Run(t.Context(), Options{URL: s.URL, Key: key, Project: 7, Kind: kind, Clients: 5, Count: 250, Batch: 20, ServerPID: os.Getpid()})
			if err != nil {
				t.Fatal(err)
			}
			items := int64(250)
			if kind == OTLP {
				items = 250 * 20
			}
			if r.Requests != 250 || r.Accepted != items || r.Later+r.Refused+r.Broken+r.Partial > 0 || len(d.bodies) != 250 {
				t.Fatalf("%d arrived; %+v", len(d.bodies), r)
			}
			if r.P50 <= 0 || r.P99 < r.P95 || r.P95 < r.P50 || r.Max < r.P99 || r.OwnCPU <= 0 || !strings.Contains(r.String(), "accepted in") {
				t.Errorf("%s", r)
			}
			seen := map[string]bool{}
			total := 0
			for _, b := range d.bodies {
				if seen[string(b)] || bytes.Contains(b, []byte(mark)) {
					t.Fatal("a request repeats another")
				}
				seen[string(b)] = true
				total += len(b)
				valid(t, kind, b)
			}
			mean := total / 250
			if kind == Crash2K && (mean < 2000 || mean > 3000) || kind == Crash50K && (mean < 40_000 || mean > 60_000) || int64(total) != r.Bytes {
				t.Errorf("a body has %d bytes, in all %d (reported %d)", mean, total, r.Bytes)
			}
		})
	}
}

func valid(t *testing.T, kind Kind, b []byte) {
	t.Helper()
	switch kind {
	case OTLP:
		req := plogotlp.NewExportRequest()
		if err := req.UnmarshalProto(b); err != nil || req.Logs().LogRecordCount() != 20 {
			t.Fatalf("%d records, %v", req.Logs().LogRecordCount(), err)
		}
	case Event:
		if !json.Valid(b) {
			t.Fatalf("%s", b)
		}
	default:
		lines := bytes.Split(b, []byte("\n"))
		if len(lines) != 3 || !json.Valid(lines[0]) || !json.Valid(lines[1]) || !json.Valid(lines[2]) {
			t.Fatalf("%s", b)
		}
	}
}

func TestRunCountsWhatIsRefused(t *testing.T) {
	d := &sink{status: func(n int) int { return []int{200, 429, 503, 400, 200}[n%5] }}
	s := httptest.NewServer(d)
	defer s.Close()
	r, err := Run(t.Context(), Options{URL: s.URL, Key: key, Kind: Event, Clients: 1, Count: 100})
	if err != nil || r.Accepted != 40 || r.Later != 40 || r.Refused != 20 || r.First == "" {
		t.Fatalf("%+v %v", r, err)
	}
	s.Close()
	r, err = Run(t.Context(), Options{URL: s.URL, Key: key, Kind: Event, Clients: 1, Count: 3})
	if err != nil || r.Broken != 3 || r.Accepted != 0 {
		t.Fatalf("%+v %v", r, err)
	}
}

// At a fixed rate a slow answer makes those behind it late, and that is counted.
func TestOpenModelCountsWaiting(t *testing.T) {
	var once sync.Once
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { <-time.After(150 * time.Millisecond) })
	}))
	defer s.Close()
	r, err := Run(t.Context(), Options{URL: s.URL, Key: key, Kind: Event, Clients: 1, Rate: 200, Count: 20})
	if err != nil || r.Accepted != 20 {
		t.Fatalf("%+v %v", r, err)
	}
	if r.P50 < 30*time.Millisecond { // half of them were due while the first was held
		t.Errorf("the median is %v: waiting was left out", r.P50)
	}
}

func TestRunEnds(t *testing.T) {
	held := make(chan bool)
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-held }))
	defer s.Close()
	defer close(held)
	start := time.Now()
	r, err := Run(t.Context(), Options{URL: s.URL, Key: key, Kind: Event, Clients: 2, Duration: 50 * time.Millisecond})
	if err != nil || r.Accepted != 0 || time.Since(start) > time.Minute {
		t.Fatalf("%+v %v after %v", r, err, time.Since(start))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := Run(ctx, Options{URL: s.URL, Key: key, Kind: Event, Rate: 1}); err != nil || r.Requests != 0 {
		t.Fatalf("%+v %v", r, err)
	}
}

func TestRunRefuses(t *testing.T) {
	for name, o := range map[string]Options{
		"another machine":     {URL: "http://192.0.2.1:80", Key: key, Kind: Event},
		"a name":              {URL: "http://example.org", Key: key, Kind: Event},
		"any address":         {URL: "http://0.0.0.0:8080", Key: key, Kind: Event},
		"https":               {URL: "https://127.0.0.1", Key: key, Kind: Event},
		"a path":              {URL: "http://127.0.0.1/x", Key: key, Kind: Event},
		"no key":              {URL: "http://127.0.0.1", Kind: Event},
		"no kind":             {URL: "http://127.0.0.1", Key: key},
		"no project":          {URL: "http://127.0.0.1", Key: key, Kind: Crash2K},
		"too many clients":    {URL: "http://127.0.0.1", Key: key, Kind: Event, Clients: 5000},
		"too long":            {URL: "http://127.0.0.1", Key: key, Kind: Event, Duration: time.Hour},
		"too many requests":   {URL: "http://127.0.0.1", Key: key, Kind: Event, Count: 1 << 40},
		"a batch too large":   {URL: "http://127.0.0.1", Key: key, Kind: OTLP, Batch: 5000},
		"a rate past a bound": {URL: "http://127.0.0.1", Key: key, Kind: Event, Rate: 1e9},
	} {
		if r, err := Run(t.Context(), o); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %+v %v", name, r, err)
		}
	}
}

func TestHistogram(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	var h, other histogram
	var all []time.Duration
	for i := range 20_000 {
		d := time.Duration(dice.ExpFloat64() * float64(5*time.Millisecond))
		if all = append(all, d); i%2 == 0 {
			h.add(d)
		} else {
			other.add(d)
		}
	}
	h.merge(&other)
	slices.Sort(all)
	for _, q := range []float64{0.01, 0.5, 0.95, 0.99, 0.999, 1} {
		want := all[min(int(q*20_000+0.5), 20_000)-1]
		got := h.quantile(q)
		if float64(got) < float64(want)*0.98-2000 || float64(got) > float64(want)*1.02+2000 {
			t.Errorf("quantile %v: %v, want about %v", q, got, want)
		}
	}
	if new(histogram).quantile(0.5) != 0 {
		t.Error("an empty histogram has a median")
	}
	for _, us := range []uint64{0, 1, 127, 128, 129, 255, 256, 100_000, 1 << 40} {
		if i := slot(us); i < 64*32-1 && (upper(i) < time.Duration(us)*time.Microsecond || i > 0 && upper(i-1) >= time.Duration(us)*time.Microsecond) {
			t.Errorf("%d µs is in slot %d up to %v", us, i, upper(i))
		}
	}
}

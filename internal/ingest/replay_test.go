package ingest

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// capture is one line of the manifest: facts an independent parser read.
type capture struct {
	File     string `json:"file"`
	Method   string `json:"method"`
	Target   string `json:"target"`
	Encoding string `json:"encoding"`
	GRPC     bool   `json:"grpc"`
	EventID  string `json:"envelope_event_id"`
	Items    []struct {
		Type        string `json:"type"`
		EventID     string `json:"event_id"`
		Level       string `json:"level"`
		Breadcrumbs int    `json:"breadcrumbs"`
		Exceptions  []struct {
			Type   *string `json:"type"`
			Frames int     `json:"frames"`
			Value  string  `json:"value_prefix"`
		} `json:"exceptions"`
	} `json:"envelope_items"`
	OTLP *struct {
		Signal        string   `json:"signal"`
		Records       int      `json:"records"`
		WithException int      `json:"with_exception"`
		Spans         int      `json:"spans"`
		Exceptions    int      `json:"exception_events"`
		Metrics       []string `json:"metrics"`
	} `json:"otlp"`
}

func captures(t testing.TB) []capture {
	t.Helper()
	b, err := os.ReadFile("testdata/wire/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []capture
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/wire/*/*.http")
	if err != nil || len(files) != len(list) {
		t.Fatalf("%d files, %d lines in the manifest, %v", len(files), len(list), err)
	}
	return list
}

// request reads the capture as the socket gave it.
func (c *capture) request(t testing.TB) *http.Request {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata/wire", c.File))
	if err != nil {
		t.Fatal(err)
	}
	if c.GRPC {
		raw = bytes.Replace(raw, []byte(" HTTP/2.0\r\n"), []byte(" HTTP/1.1\r\n"), 1)
	}
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "198.51.100.7:4711"
	return r
}

// captureWorld knows the key of the captures for each of their projects.
func captureWorld(t testing.TB, c *capture, policy consent.Policy) *world {
	w := newWorld(t, policy)
	id := int64(44)
	if _, rest, ok := strings.Cut(c.Target, "/api/"); ok {
		switch {
		case strings.HasPrefix(rest, "42/"):
			id = 42
		case strings.HasPrefix(rest, "43/"):
			id = 43
		case strings.HasPrefix(rest, "45/"):
			id = 45
		}
	}
	w.keys["examplePublicKey"] = projectKey("examplePublicKey", id, registry.Subject{Extension: "acme.linter"}, policy)
	return w
}

// send plays a capture through the real handler; gRPC over a real HTTP/2 connection.
func (w *world) send(c *capture) (status int, header http.Header, body string) {
	w.t.Helper()
	r := c.request(w.t)
	if c.OTLP != nil { // the captured exporters had no key configured
		r.Header.Set("Authorization", "Bearer examplePublicKey")
	}
	if !c.GRPC {
		rec := httptest.NewRecorder()
		w.web.ServeHTTP(rec, r)
		return rec.Code, rec.Header(), rec.Body.String()
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, "http://"+w.serve(w.web)+c.Target, bytes.NewReader(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, k := range []string{"Content-Type", "Grpc-Encoding", "Te", "Authorization"} {
		if v := r.Header.Get(k); v != "" {
			req.Header.Set(k, v)
		}
	}
	res, err := h2(w.t).Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	body = readAll(w.t, res.Body)
	h := res.Header.Clone()
	for k, v := range res.Trailer {
		h[k] = v
	}
	return res.StatusCode, h, body
}

func h2(t testing.TB) *http.Client {
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	tr := &http.Transport{Protocols: &p}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func TestReplayOfEveryCapture(t *testing.T) {
	served := 0
	for _, c := range captures(t) {
		if c.Items != nil || c.OTLP != nil {
			served++
		}
		t.Run(c.File, func(t *testing.T) {
			w := captureWorld(t, &c, everyTier)
			status, header, body := w.send(&c)
			kept := w.kept()
			switch {
			case c.Items != nil:
				checkSentry(t, w, &c, status, body, kept)
			case c.OTLP != nil && c.Encoding == "lz4":
				if status != http.StatusUnsupportedMediaType || len(kept) != 0 || !strings.Contains(body, "Content-Encoding") {
					t.Errorf("lz4: %d %q", status, body)
				}
			case c.OTLP != nil:
				if c.GRPC && header.Get("Grpc-Status") != "0" {
					t.Errorf("grpc-status %q %q", header.Get("Grpc-Status"), header.Get("Grpc-Message"))
				}
				checkOTLP(t, w, &c, status, kept)
			default: // not served: a clear answer, and nothing kept
				if status != http.StatusNotFound || header.Get("Content-Type") != "application/problem+json" || !strings.Contains(body, `"not_found"`) {
					t.Errorf("status %d, %s, %q", status, header.Get("Content-Type"), body)
				}
				if len(kept) != 0 || len(w.counts) != 0 {
					t.Errorf("kept %d, counted %v", len(kept), w.counts)
				}
			}
			for _, secret := range []string{"198.51.100.7", "Mozilla", "examplePublicKey", "anon-", "sentry.javascript.browser"} {
				if strings.Contains(w.lines.String(), secret) {
					t.Errorf("the log names %s: %s", secret, w.lines.String())
				}
			}
			if strings.Count(w.lines.String(), "\n") != 1 {
				t.Errorf("log lines: %q", w.lines.String())
			}
		})
	}
	if served < 100 {
		t.Errorf("only %d captures were of served protocols", served)
	}
}

func checkSentry(t *testing.T, w *world, c *capture, status int, body string, kept []*eco.Envelope) {
	t.Helper()
	if status != http.StatusOK {
		t.Fatalf("status %d: %s\n%s", status, body, w.lines.String())
	}
	if c.EventID != "" && body != `{"id":"`+c.EventID+`"}` {
		t.Errorf("body %s, want the id %s", body, c.EventID)
	}
	next := 0
	take := func(kind eco.Kind) *eco.Envelope {
		t.Helper()
		if next >= len(kept) || kept[next].Kind != kind {
			t.Fatalf("kept %d envelopes; number %d is no %s", len(kept), next, kind)
		}
		next++
		return kept[next-1]
	}
	dropped := int64(0)
	for _, it := range c.Items {
		switch it.Type {
		case "event":
			if len(it.Exceptions) == 0 && it.Level != "fatal" {
				if e := take(eco.KindEvent); e.Event.Name != "message" || e.Event.Attrs["message"] == "" || e.Tier != eco.Usage {
					t.Errorf("message became %+v", e.Event)
				}
				continue
			}
			e := take(eco.KindCrash)
			if e.ClientID != it.EventID || e.Crash.Level != item.Level(it.Level) || e.Dedup == 0 || e.Tier != eco.TierCrash {
				t.Errorf("id %s level %s dedup %d", e.ClientID, e.Crash.Level, e.Dedup)
			}
			if len(e.Crash.Breadcrumbs) != min(it.Breadcrumbs, 100) {
				t.Errorf("%d breadcrumbs, want %d", len(e.Crash.Breadcrumbs), it.Breadcrumbs)
			}
			if len(it.Exceptions) == 0 {
				continue
			}
			if len(e.Crash.Exceptions) != len(it.Exceptions) {
				t.Fatalf("%d exceptions, want %d", len(e.Crash.Exceptions), len(it.Exceptions))
			}
			for i, want := range it.Exceptions { // the manifest lists causes first, we the outermost
				x := e.Crash.Exceptions[len(it.Exceptions)-1-i]
				typ := ""
				if want.Type != nil {
					typ = *want.Type
				}
				if x.Type != typ || len(x.Frames) != want.Frames || !strings.HasPrefix(x.Value, want.Value[:min(len(want.Value), 12)]) {
					t.Errorf("exception %d: %s %q with %d frames, want %s %q with %d", i, x.Type, x.Value, len(x.Frames), typ, want.Value, want.Frames)
				}
			}
		case "session", "sessions":
			if e := take(eco.KindSession); e.Session.Started == 0 || e.Origin.ExtVersion == "" {
				t.Errorf("session %+v of version %q", e.Session, e.Origin.ExtVersion)
			}
		case "feedback":
			if e := take(eco.KindFeedback); e.Feedback.Message == "" {
				t.Errorf("feedback %+v", e.Feedback)
			}
		default:
			dropped++
		}
	}
	if next != len(kept) {
		t.Errorf("kept %d envelopes, want %d", len(kept), next)
	}
	if got := w.total(pipeline.Dropped, "", ""); got < dropped || dropped == 0 && got != 0 {
		t.Errorf("dropped %d items, want %d: %v", got, dropped, w.counts)
	}
	for k := range w.counts {
		if k.Outcome == pipeline.Dropped && k.Reason == "" {
			t.Errorf("a drop without a reason: %+v", k)
		}
	}
}

func checkOTLP(t *testing.T, w *world, c *capture, status int, kept []*eco.Envelope) {
	t.Helper()
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	count := map[eco.Kind]int{}
	names := map[string]bool{}
	for _, e := range kept {
		count[e.Kind]++
		if e.Origin.Extension != "acme.linter" || e.Origin.ExtVersion != "3.1.0" {
			t.Errorf("%s of %s %s", e.Kind, e.Origin.Extension, e.Origin.ExtVersion)
		}
		if e.Kind == eco.KindCrash && (len(e.Crash.Exceptions) == 0 || e.Crash.Exceptions[0].Type == "") {
			t.Errorf("a crash without an exception: %+v", e.Crash)
		}
		if e.Event != nil {
			names[e.Event.Name] = true
		}
	}
	dropped := w.total(pipeline.Dropped, "", "")
	switch c.OTLP.Signal {
	case "logs":
		if count[eco.KindCrash] != c.OTLP.WithException || int64(len(kept))+dropped != int64(c.OTLP.Records) {
			t.Errorf("kept %v, dropped %d of %+v", count, dropped, c.OTLP)
		}
	case "traces":
		if count[eco.KindSpan] != c.OTLP.Spans || count[eco.KindCrash] != c.OTLP.Exceptions || dropped != 0 {
			t.Errorf("kept %v, dropped %d of %+v", count, dropped, c.OTLP)
		}
	case "metrics":
		var got []string
		for n := range names {
			got = append(got, n)
		}
		want := slices.Clone(c.OTLP.Metrics)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("metrics %v, want %v", got, want)
		}
	}
}

// Without consent nothing is kept of any capture, and each client is told in its
// own words.
func TestReplayWithoutConsent(t *testing.T) {
	for _, c := range captures(t) {
		if c.Items == nil && c.OTLP == nil || c.Encoding == "lz4" {
			continue
		}
		t.Run(c.File, func(t *testing.T) {
			w := captureWorld(t, &c, consent.Policy{})
			status, header, body := w.send(&c)
			if status != http.StatusOK {
				t.Fatalf("status %d %s", status, body)
			}
			if kept := w.kept(); len(kept) != 0 {
				t.Fatalf("kept %d", len(kept))
			}
			if w.total(pipeline.Accepted, "", "") != 0 || w.total(pipeline.Dropped, "", "") == 0 {
				t.Errorf("counts %v", w.counts)
			}
			if c.OTLP != nil {
				if !strings.Contains(body, "consent:") {
					t.Errorf("no partial success: %q", body)
				}
				return
			}
			limits := header.Get("X-Sentry-Rate-Limits")
			for _, it := range c.Items {
				cat := map[string]string{"event": "error", "session": "session", "sessions": "session", "transaction": "transaction", "feedback": "feedback", "replay_event": "replay"}[it.Type]
				if it.Type == "event" && len(it.Exceptions) == 0 && it.Level != "fatal" {
					cat = "default"
				}
				if cat != "" && (!strings.Contains(limits, cat) || !strings.Contains(limits, "not_consented")) {
					t.Errorf("%s: rate limits %q", it.Type, limits)
				}
			}
		})
	}
}

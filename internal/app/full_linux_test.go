//go:build linux && cgo

package app

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault/needs"
)

// TestDiskFull fills the disk below a running server: each door says "later" in
// its protocol's words, what was acknowledged before is stored in the end, and
// when there is room again everything goes on without a restart.
func TestDiskFull(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	for name, minFree := range map[string]int64{"too little is free": 64 << 20, "to the last byte": 0} {
		t.Run(name, func(t *testing.T) { diskFull(t, minFree) })
	}
}

func diskFull(t *testing.T, minFree int64) {
	t.Helper()
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=160m"); err != nil {
		needs.Part(t, false, "a small file system, so root ("+err.Error()+")")
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	o := options(disk)
	o.MinFree = minFree
	h := newHouse(t, o)
	acked, n := 0, 0
	send := func() answer {
		n++
		r := h.sentry(n)
		a := h.do(r)
		if a.StatusCode == http.StatusOK {
			acked++
		}
		return a
	}
	for range 20 {
		if a := send(); a.StatusCode != http.StatusOK {
			t.Fatalf("before: %s %s", a.Status, a.body)
		}
	}
	filler := filepath.Join(disk, "filler")
	fillTo(t, filler, disk, minFree/2)
	h.until("the Sentry door says later", func() bool { return send().StatusCode == http.StatusServiceUnavailable })
	h.later(n)
	if minFree > 0 {
		if a := h.get("/readyz"); a.StatusCode != http.StatusServiceUnavailable || !strings.Contains(a.body, "disk is full") {
			t.Errorf("readyz: %s %s", a.Status, a.body)
		}
	}
	if a := h.get("/healthz"); a.StatusCode != http.StatusOK {
		t.Errorf("healthz: %s", a.Status)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	h.until("the Sentry door takes more", func() bool { return send().StatusCode == http.StatusOK })
	h.until("the server is ready", func() bool { return h.get("/readyz").StatusCode == http.StatusOK })
	h.until("everything acknowledged is stored", func() bool {
		res, err := h.facts.Query(t.Context(), facts.Query{Scope: facts.Everything(), Rows: true, Limit: 1000})
		if err != nil || len(res.Facts) > acked {
			t.Fatalf("%d stored of %d, %v", len(res.Facts), acked, err)
		}
		return len(res.Facts) == acked
	})
}

// sentry is a request with one crash.
func (h *house) sentry(n int) *http.Request {
	body := fmt.Sprintf("{\"event_id\":\"%032x\"}\n{\"type\":\"event\"}\n{\"exception\":{\"values\":[{\"type\":\"E\",\"value\":\"m\"}]}}\n", n)
	return h.post(fmt.Sprintf("/api/%d/envelope/?sentry_key=%s", h.key.Project, h.key.Public), "", body)
}

func (h *house) post(path, kind, body string) *http.Request {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.URL()+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	r.Header.Set("X-Bellwether-Key", h.key.Public)
	return r
}

func (h *house) get(path string) answer {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.URL()+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.do(r)
}

const logJSON = `{"resourceLogs":[{"scopeLogs":[{"scope":{"name":"acme.linter"},"logRecords":[{"eventName":"started","timeUnixNano":"1795218900000000000"}]}]}]}`

// later wants the refusal of each door in the words of its protocol.
func (h *house) later(n int) {
	h.t.Helper()
	item := `[{"time":"2026-11-20T23:50:00Z","iKey":"` + h.key.Public + `","data":{"baseType":"EventData","baseData":{"ver":2,"name":"started"}}}]`
	for _, want := range []struct {
		name    string
		request *http.Request
		kind    string
		has     string
	}{
		{"sentry", h.sentry(n), "application/json", `"detail":`},
		{"otlp", h.post("/v1/logs", "application/json", logJSON), "application/json", `{"code":14,"message":"`},
		{"track", h.post("/v2/track", "application/json", item), "application/json; charset=utf-8", `"itemsReceived":0,"itemsAccepted":0,"errors":[{"index":0,"statusCode":503`},
		{"native", h.post("/api/v1/intake/events", "application/json", `{"events":[{"name":"started"}]}`), "application/problem+json", `"code":"unavailable"`},
	} {
		a := h.do(want.request)
		if a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" || a.Header.Get("Content-Type") != want.kind || !strings.Contains(a.body, want.has) {
			h.t.Errorf("%s: %s, Retry-After %q, %s: %s", want.name, a.Status, a.Header.Get("Retry-After"), a.Header.Get("Content-Type"), a.body)
		}
	}
	h.grpcLater()
}

// grpcLater wants UNAVAILABLE with RetryInfo, over HTTP/2 without TLS.
func (h *house) grpcLater() {
	h.t.Helper()
	r := h.post("/opentelemetry.proto.collector.logs.v1.LogsService/Export", "application/grpc", "")
	logs := plogotlp.NewExportRequest()
	if err := logs.UnmarshalJSON([]byte(logJSON)); err != nil {
		h.t.Fatal(err)
	}
	message, err := logs.MarshalProto()
	if err != nil {
		h.t.Fatal(err)
	}
	frame := append([]byte{0, 0, 0, 0, byte(len(message))}, message...)
	r.Body, r.ContentLength = readCloser{bytes.NewReader(frame)}, int64(len(frame))
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	two := &http.Transport{Protocols: &p}
	defer two.CloseIdleConnections()
	old := h.client
	h.client = &http.Client{Transport: two, Timeout: time.Minute}
	defer func() { h.client = old }()
	a := h.do(r)
	details, err := base64.RawStdEncoding.DecodeString(a.Header.Get("Grpc-Status-Details-Bin"))
	if a.Header.Get("Grpc-Status") != "14" || err != nil || !bytes.Contains(details, []byte("google.rpc.RetryInfo")) {
		h.t.Errorf("grpc: %s %v %q", a.Status, a.Header, details)
	}
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// fillTo writes until less than the given bytes are free, 0: until nothing goes.
func fillTo(t *testing.T, file, disk string, least int64) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if free, err := freeBytes(disk); err == nil && least > 0 && free < least {
			return
		}
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}

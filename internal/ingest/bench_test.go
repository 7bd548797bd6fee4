package ingest

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/stream"
	"github.com/bellwether-project/bellwether/internal/stream/jet"
)

// BenchmarkDoor measures whole requests through the real front: key, decode,
// consent, pseudonym, scrub, encode, append to a log in memory, answer.
func BenchmarkDoor(b *testing.B) {
	browser := captured(b, "sentry-browser/error-02.http")
	sess := captured(b, "sentry-browser/error-01.http")
	goErr := captured(b, "sentry-go/error-wrapped-01.http")
	logs := logsProto(b, someLogs(100))
	for _, c := range []struct {
		name, path, body string
		headers          []string
		records          int
	}{
		{"sentry-error-1.8KB", "/api/44/envelope/?sentry_key=examplePublicKey", browser, nil, 1},
		{"sentry-error-2.7KB", "/api/44/envelope/?sentry_key=examplePublicKey", strings.Replace(goErr, "/42\"", "/44\"", 1), nil, 1},
		{"sentry-session", "/api/44/envelope/?sentry_key=examplePublicKey", sess, nil, 1},
		{"native-event", "/api/v1/intake/events", `{"source":{"extension_version":"3.1.0","host":"editor","install":"i"},"events":[{"name":"activated","attrs":{"kind":"startup","cold":true}}]}`, []string{"X-Bellwether-Key", linterKey}, 1},
		{"otlp-logs-100", "/v1/logs", logs, []string{"Authorization", "Bearer " + linterKey, "Content-Type", "application/x-protobuf"}, 100},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := newWorld(b, everyTier)
			w.keys["examplePublicKey"] = w.keys[linterKey]
			w.server.recent.max, w.server.recent.life = 1, 0 // no batch counts as a repeat
			w.server.o.Append = discard
			b.SetBytes(int64(len(c.body)))
			b.ReportAllocs()
			cpu := cpuTime()
			for b.Loop() {
				w.lines.Reset()
				if rec := w.post(c.path, c.body, c.headers...); rec.Code != http.StatusOK {
					b.Fatal(rec.Code, rec.Body)
				}
			}
			b.ReportMetric(float64(cpuTime()-cpu)/float64(time.Microsecond)/float64(b.N*c.records), "cpu-µs/record")
		})
	}
}

func captured(b testing.TB, file string) string {
	c := capture{File: file}
	return readAll(b, c.request(b).Body)
}

// BenchmarkAnswers measures durable single-event answers over real connections,
// 64 clients, with the group commit in front of the embedded, synced log.
func BenchmarkAnswers(b *testing.B) {
	w := newWorld(b, everyTier)
	w.level = slog.LevelWarn
	w.web = w.front(w.server)
	log, err := jet.Open(b.Context(), jet.Options{Dir: b.TempDir(), MaxBytes: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	group := stream.NewGroup(log, stream.GroupOptions{})
	defer func() { group.Close(); _ = log.Close() }()
	w.server.o.Append = group.Append
	addr := w.serve(w.web)
	const body = `{"events":[{"name":"activated","attrs":{"kind":"startup"}}]}`
	b.ResetTimer()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	var failed atomic.Int64
	cpu := cpuTime()
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			req, _ := http.NewRequest(http.MethodPost, "http://"+addr+"/api/v1/intake/events", strings.NewReader(body))
			req.Header.Set("X-Bellwether-Key", linterKey)
			res, err := client.Do(req)
			if err != nil || res.StatusCode != http.StatusOK {
				failed.Add(1)
				continue
			}
			_ = readAll(b, res.Body)
			res.Body.Close()
		}
	})
	if failed.Load() > 0 {
		b.Fatalf("%d failed", failed.Load())
	}
	b.ReportMetric(float64(cpuTime()-cpu)/float64(time.Microsecond)/float64(b.N), "cpu-µs/answer(both-sides)")
}

// discard takes records as a log would, without keeping them.
func discard(context.Context, ...[]byte) (uint64, error) { return 1, nil }

// cpuTime is what this process has used of the processors.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

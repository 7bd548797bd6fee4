package ingest

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	_ "google.golang.org/genproto/googleapis/rpc/errdetails" // so that the client can read the details
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/pipeline"
)

// someLogs has n records of one event.
func someLogs(n int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	for k, v := range map[string]string{"service.name": "editor", "service.version": "1.102.3", "os.type": "darwin", "os.version": "15", "host.arch": "arm64",
		"host.name": "SECRETHOST", "app.installation.id": "install-7", "telemetry.sdk.language": "nodejs", "telemetry.sdk.version": "2.0", "process.owner": "SECRETOWNER"} {
		rl.Resource().Attributes().PutStr(k, v)
	}
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName("acme.linter")
	sl.Scope().SetVersion("3.1.0")
	for i := range n {
		r := sl.LogRecords().AppendEmpty()
		r.SetEventName("extension.activated")
		r.SetTimestamp(pcommon.Timestamp((testNow - 1000) * 1e6))
		r.Attributes().PutStr("kind", "startup")
		r.Attributes().PutInt("duration_ms", int64(i))
		r.Attributes().PutBool("cold", true)
		r.Attributes().PutDouble("ratio", 0.5)
	}
	return ld
}

func logsProto(t testing.TB, ld plog.Logs) string {
	b, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (w *world) otlp(path, body string, headers ...string) (int, http.Header, string) {
	rec := w.post(path, body, append([]string{"Authorization", "Bearer " + linterKey, "Content-Type", "application/x-protobuf"}, headers...)...)
	return rec.Code, rec.Header(), rec.Body.String()
}

func TestOTLPLogsSemantics(t *testing.T) {
	ld := someLogs(1)
	rl := ld.ResourceLogs().At(0)
	records := rl.ScopeLogs().At(0).LogRecords()
	add := func(name string, attrs map[string]any) plog.LogRecord {
		r := records.AppendEmpty()
		r.SetEventName(name)
		r.SetObservedTimestamp(pcommon.Timestamp((testNow - 500) * 1e6))
		if err := r.Attributes().FromRaw(attrs); err != nil {
			t.Fatal(err)
		}
		return r
	}
	add("app.crash", map[string]any{"app.crash.id": "c-1", "exception.type": "TypeError", "exception.message": "x is undefined", "service.version": "1.102.2", "os.name": "Windows",
		"exception.stacktrace": "TypeError: x is undefined\n    at f (/a/b.js:1:2)\n    at g (/a/c.js:3:4)", "session.id": "SECRETSESSION", "user.id": "SECRETUSER", "mode": "strict"})
	add("", map[string]any{"exception.type": "E", "exception.message": "no trace"}).SetSeverityNumber(plog.SeverityNumberFatal)
	add("session.start", map[string]any{"session.id": "s2", "session.previous_id": "s1"})
	add("session.end", map[string]any{"session.id": "s2"})
	add("session.end", map[string]any{})
	add("feature_flag.evaluation", map[string]any{"feature_flag.key": "new-parser", "feature_flag.result.variant": "on", "feature_flag.context.id": "SECRETCTX", "feature_flag.result.value": "SECRETVAL"})
	add("app.screen.click", map[string]any{"app.screen.coordinate.x": 10, "app.screen.id": "SECRETSCREEN"})
	add("app.jank", map[string]any{"app.jank.frame_count": 3, "app.jank.threshold": 0.016})
	add("noted", map[string]any{"list": []any{"a"}, "url.full": "SECRETURL", "extension.id": "acme.theme", "extension.version": "2.0.0"})
	add("", map[string]any{"only": "a log line SECRETLINE"})
	w := newWorld(t, everyTier)
	code, _, body := w.otlp("/v1/logs", logsProto(t, ld))
	if code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	resp := plogotlp.NewExportResponse()
	if err := resp.UnmarshalProto([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if p := resp.PartialSuccess(); p.RejectedLogRecords() != 2 || p.ErrorMessage() != "2 records were not kept (schema:session_id, no_event_name)." {
		t.Errorf("partial success %d %q", p.RejectedLogRecords(), p.ErrorMessage())
	}
	var got []string
	var all string
	for _, e := range w.kept() {
		line := string(e.Kind) + " " + string(e.Tier)
		switch {
		case e.Crash != nil:
			line += fmt.Sprintf(" %s %s %s %d frames, %s, id %s", e.Crash.Level, e.Crash.Exceptions[0].Type, e.Crash.Exceptions[0].Value, len(e.Crash.Exceptions[0].Frames), e.Origin.OS, e.ClientID)
		case e.Session != nil:
			line += " " + e.Session.Status
		default:
			line += fmt.Sprintf(" %s %v", e.Event.Name, e.Event.Attrs)
		}
		got = append(got, line)
		all += string(eco.EncodeEnvelope(nil, e))
		if e.Origin.Extension != "acme.linter" || e.Origin.ExtVersion != "3.1.0" || e.Origin.Host != "editor" || e.Origin.Install == 0 || e.Origin.SDK != "opentelemetry.nodejs/2.0" || e.Origin.Arch != "arm64" {
			t.Errorf("origin %+v", e.Origin)
		}
	}
	want := []string{
		"event usage extension.activated map[cold:true duration_ms:0 kind:startup ratio:0.5]",
		"crash crash fatal TypeError x is undefined 2 frames, windows, id c-1",
		"crash crash fatal E no trace 0 frames, macos, id ",
		"session crash exited",
		"session crash ok",
		"session crash exited",
		"event usage feature_flag.evaluation map[feature_flag.key:new-parser feature_flag.result.variant:on]",
		"event usage app.screen.click map[]",
		"event performance app.jank map[app.jank.frame_count:3 app.jank.threshold:0.016]",
		"event usage noted map[extension:acme.theme extension.version:2.0.0]",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if strings.Contains(all, "SECRET") || strings.Contains(all, "install-7") {
		t.Error("a record holds what must not be kept")
	}
}

func TestOTLPTracesAndMetrics(t *testing.T) {
	td := ptrace.NewTraces()
	ss := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
	ss.Scope().SetName("some.other-library")
	sp := ss.Spans().AppendEmpty()
	sp.SetName("activate")
	sp.SetStartTimestamp(pcommon.Timestamp(testNow * 1e6))
	sp.SetEndTimestamp(pcommon.Timestamp(testNow*1e6 + 12_500_000))
	sp.TraceState().FromRaw("vendor=x, ot=rv:1;th:c")
	sp.Status().SetCode(ptrace.StatusCodeError)
	ev := sp.Events().AppendEmpty()
	ev.SetName("exception")
	ev.Attributes().PutStr("exception.type", "ValueError")
	b, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, everyTier)
	if code, _, body := w.otlp("/v1/traces", string(b)); code != 200 || body != "" {
		t.Fatalf("%d %q", code, body)
	}
	kept := w.kept()
	if len(kept) != 2 || kept[0].Event.Value != 12.5 || kept[0].Weight != 4 || kept[0].Event.Attrs["status"] != "error" || kept[1].Crash.Exceptions[0].Type != "ValueError" {
		t.Fatalf("kept %+v", kept)
	}
	md := pmetric.NewMetrics()
	ms := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	g := ms.AppendEmpty()
	g.SetName("heap")
	g.SetUnit("By")
	g.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(7)
	h := ms.AppendEmpty()
	h.SetName("duration")
	p := h.SetEmptyHistogram().DataPoints().AppendEmpty()
	p.SetCount(4)
	p.SetSum(10)
	p.SetMin(1)
	s := ms.AppendEmpty()
	s.SetName("n")
	s.SetEmptySum().DataPoints().AppendEmpty().SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
	b, err = pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	code, _, body := w.otlp("/v1/metrics", string(b))
	kept = w.kept()
	if code != 200 || !strings.Contains(body, "schema:no_value") || len(kept) != 2 || kept[0].Event.Value != 7 || kept[0].Event.Unit != "By" || kept[1].Event.Value != 2.5 || kept[1].Event.Attrs["count"] != "4" || kept[1].Event.Attrs["min"] != "1" {
		t.Errorf("%d %q %+v", code, body, kept)
	}
}

func TestOTLPErrors(t *testing.T) {
	good := logsProto(t, someLogs(1))
	w := newWorld(t, everyTier)
	run := func(name string, want int, text string, path, body string, headers ...string) {
		t.Helper()
		code, _, out := w.otlp(path, body, headers...)
		if code != want || !strings.Contains(out, text) {
			t.Errorf("%s: %d %q, want %d %q", name, code, out, want, text)
		}
	}
	run("broken protobuf", 400, "not a valid request", "/v1/logs", "\x0a\xff\x01")
	run("broken JSON", 400, `"code":3`, "/v1/logs", "{", "Content-Type", "application/json")
	run("nothing", 200, "", "/v1/logs", "")
	run("nothing in JSON", 200, "{}", "/v1/logs", "", "Content-Type", "application/json")
	run("other type", 415, "", "/v1/logs", good, "Content-Type", "text/plain")
	run("lz4", 415, "gzip, deflate, zlib, zstd, snappy", "/v1/logs", good, "Content-Encoding", "lz4")
	run("no key", 401, "", "/v1/logs", good, "Authorization", "")
	run("two keys", 401, "", "/v1/logs", good, "X-Bellwether-Key", hostKey)
	run("sentry header", 200, "", "/v1/logs", good, "Authorization", "", "X-Sentry-Auth", "Sentry sentry_key="+linterKey)
	run("our header", 200, "", "/v1/logs", good, "Authorization", "", "X-Bellwether-Key", linterKey)
	run("too large", 413, "", "/v1/logs", strings.Repeat("x", MaxOTLPRaw+1))
	run("too many records", 413, "too many records", "/v1/logs", logsProto(t, someLogs(MaxRecords+1)))
	deep := []byte(nil)
	for range 4000 { // an AnyValue in a list in an AnyValue …
		deep = field(5, field(1, deep))
	}
	run("deep values", 400, "nested too deeply", "/v1/logs", string(field(1, field(2, field(2, field(5, deep))))))
	run("deep JSON", 400, "nested too deeply", "/v1/logs", `{"resourceLogs":`+strings.Repeat("[", 200)+strings.Repeat("]", 200)+"}", "Content-Type", "application/json")
	run("many parts", 413, "too many parts", "/v1/logs", string(field(1, field(1, bytes.Repeat([]byte{0x0a, 0x00}, 400_001)))))
	w.full = true
	code, h, _ := w.otlp("/v1/logs", good)
	if code != 503 || h.Get("Retry-After") == "" {
		t.Errorf("full: %d %v", code, h)
	}
	w.full, w.fail = false, fault.E("t", fault.Unavailable, "", nil)
	code, h, body := w.otlp("/v1/logs", logsProto(t, someLogs(3)), "Content-Type", "application/x-protobuf")
	if code != 503 || h.Get("Retry-After") == "" || !strings.HasPrefix(body, "\x08\x0e") {
		t.Errorf("append failed: %d %v %q", code, h, body)
	}
}

func field(n int, b []byte) []byte {
	out := binary.AppendUvarint(nil, uint64(n)<<3|2)
	return append(binary.AppendUvarint(out, uint64(len(b))), b...)
}

// A batch that comes again because its answer was lost is kept once, and only
// when the first was really kept.
func TestOTLPRepeat(t *testing.T) {
	w := newWorld(t, everyTier)
	body := logsProto(t, someLogs(3))
	w.fail = fault.E("t", fault.Unavailable, "", nil)
	if code, _, _ := w.otlp("/v1/logs", body); code != 503 {
		t.Fatal(code)
	}
	w.fail = nil
	for range 3 {
		if code, _, out := w.otlp("/v1/logs", body); code != 200 || out != "" {
			t.Fatalf("%d %q", code, out)
		}
	}
	if n := len(w.kept()); n != 3 {
		t.Errorf("kept %d, want 3", n)
	}
	if n := w.total(pipeline.Dropped, "event", "repeat"); n != 6 {
		t.Errorf("repeats %d, want 6", n)
	}
	w.now = w.now.Add(recentLife)
	if code, _, _ := w.otlp("/v1/logs", body); code != 200 || len(w.kept()) != 3 {
		t.Error("an old batch is remembered too long")
	}
}

// A crash that came as a log record has its receipt in the metadata of the answer,
// over gRPC.
func TestReceiptsOverOTLP(t *testing.T) {
	w := newWorld(t, everyTier)
	r := receipts(t, w)
	crashes := func() plogotlp.ExportRequest {
		logs := plog.NewLogs()
		rec := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		rec.SetEventName("app.crash")
		rec.Attributes().PutStr("exception.type", "TypeError")
		rec.Attributes().PutStr("exception.stacktrace", "TypeError: x\n    at f (/a/b.js:1:2)")
		return plogotlp.NewExportRequestFromLogs(logs)
	}
	check := func(url string) {
		t.Helper()
		n, err := r.Book.Parse(strings.TrimPrefix(url, "https://b.example/receipts/"))
		if kept := w.kept(); err != nil || len(kept) != 1 || n.Crash != kept[0].ID {
			t.Errorf("%q %v, %d kept", url, err, len(kept))
		}
	}
	conn, err := grpc.NewClient(w.serve(w.web), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var head metadata.MD
	if _, err := plogotlp.NewGRPCClient(conn).Export(metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+linterKey), crashes(), grpc.Header(&head)); err != nil {
		t.Fatal(err)
	}
	check(strings.Join(head.Get("x-bellwether-receipt"), " "))
}

func TestGRPCWithTheRealClient(t *testing.T) {
	for name, open := range map[string]func(w *world) string{
		"same port":    func(w *world) string { return w.serve(w.web) },
		"own listener": func(w *world) string { return w.serve(w.server.GRPC()) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, everyTier)
			conn, err := grpc.NewClient(open(w), grpc.WithTransportCredentials(insecure.NewCredentials()))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			client := plogotlp.NewGRPCClient(conn)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			keyed := metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+linterKey)
			for i, opts := range [][]grpc.CallOption{nil, {grpc.UseCompressor("gzip")}} {
				resp, err := client.Export(keyed, plogotlp.NewExportRequestFromLogs(someLogs(100+i)), opts...)
				if err != nil || resp.PartialSuccess().RejectedLogRecords() != 0 {
					t.Fatalf("%v %v", err, resp)
				}
				if n := len(w.kept()); n != 100+i {
					t.Errorf("kept %d", n)
				}
			}
			if _, err := client.Export(ctx, plogotlp.NewExportRequestFromLogs(someLogs(1))); status.Code(err) != codes.Unauthenticated {
				t.Errorf("no key: %v", err)
			}
			if _, err := client.Export(keyed, plogotlp.NewExportRequestFromLogs(someLogs(MaxRecords+1))); status.Code(err) != codes.ResourceExhausted || len(status.Convert(err).Details()) != 0 {
				t.Errorf("too many: %v", err)
			}
			w.full = true
			_, err = client.Export(keyed, plogotlp.NewExportRequestFromLogs(someLogs(1)))
			if status.Code(err) != codes.Unavailable || !strings.Contains(fmt.Sprint(status.Convert(err).Details()), "30") {
				t.Errorf("full: %v %v", err, status.Convert(err).Details())
			}
			w.full = false
			for k, v := range w.keys {
				v.Project.Policy = consent.Policy{}
				w.keys[k] = v
			}
			resp, err := client.Export(keyed, plogotlp.NewExportRequestFromLogs(someLogs(2)))
			if err != nil || resp.PartialSuccess().RejectedLogRecords() != 2 || !strings.Contains(resp.PartialSuccess().ErrorMessage(), "consent:usage") {
				t.Errorf("no consent: %v %v", err, resp)
			}
			if err := conn.Invoke(ctx, "/opentelemetry.proto.collector.profiles.v1.ProfilesService/Export", nil, nil); err == nil {
				t.Error("an unknown method was answered")
			}
		})
	}
}

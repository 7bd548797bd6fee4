package ingest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/registry"
	"github.com/bellwether-project/bellwether/internal/stack/minidump/dumptest"
	"github.com/bellwether-project/bellwether/internal/stream"
)

const dumpURL = "/api/v1/intake/minidump/" + hostKey

var bareID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// realDump is a minidump of Chromium 156.
func realDump(t testing.TB) []byte {
	t.Helper()
	return dumptest.Chromium(t, "renderer-sigsegv")
}

// form makes a body of fields (name, value …) and the dump.
func form(t testing.TB, dump []byte, fields ...string) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := m.WriteField(fields[i], fields[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if dump != nil {
		w, err := m.CreateFormFile("upload_file_minidump", "x.dmp")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write(dump)
	}
	_ = m.Close()
	return b.String(), m.FormDataContentType()
}

// replay sends a capture of Crashpad's uploader to the address of a key.
func (w *world) replay(file string) *httptest.ResponseRecorder {
	w.t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		w.t.Fatal(err)
	}
	r.URL.Path, r.RemoteAddr = dumpURL, "198.51.100.7:4711"
	rec := httptest.NewRecorder()
	w.web.ServeHTTP(rec, r)
	return rec
}

// TestCrashpad replays what Chromium's own handler sent.
func TestCrashpad(t *testing.T) {
	files, err := filepath.Glob("testdata/dump/chromium-*.http")
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		w := newWorld(t, everyTier)
		rec := w.replay(file)
		if rec.Code != 200 || !bareID.MatchString(rec.Body.String()) || !strings.HasPrefix(rec.Header().Get("Content-Type"), "text/plain") {
			t.Fatalf("%s: %d %q %v", file, rec.Code, rec.Body, rec.Header())
		}
		record := w.rawRecords()
		e := w.one()
		if e.ID.String() != rec.Body.String() {
			t.Errorf("%s: answered %s, kept %s", file, rec.Body, e.ID)
		}
		x := e.Crash.Exceptions[0]
		if !strings.HasPrefix(x.Type, "SIG") || len(x.Frames) < 10 || x.Frames[0].Module != "chromium" || !strings.HasPrefix(x.Frames[0].Addr, "+0x") || x.Frames[0].Trust != eco.TrustContext {
			t.Errorf("%s: %s %+v", file, x.Type, x.Frames[:1])
		}
		if e.Origin.Host != "editor" || e.Origin.HostVersion != "156.0.8078.79" || e.Origin.OS != "linux" || e.Origin.Arch != "x64" || e.Origin.Install == 0 {
			t.Errorf("%s: origin %+v", file, e.Origin)
		}
		if e.Crash.Platform != "native" || len(e.Crash.DebugImages) < 50 || e.Crash.Tags["process_type"] == "" || e.Dedup == 0 || e.Protocol != "minidump" {
			t.Errorf("%s: %d images, tags %v, dedup %d", file, len(e.Crash.DebugImages), e.Crash.Tags, e.Dedup)
		}
		if n := len(e.Steps); n != 4 || e.Steps[3].Stage != "walk" || !strings.Contains(e.Steps[3].Note, "without symbols") {
			t.Errorf("%s: steps %+v", file, e.Steps)
		}
		// Neither the install's id nor switches, features, cards or addresses.
		for _, secret := range []string{"05a536fc", "disabled-feature", "AimEnabled", "switch-", "--type", "ANGLE", "http://", "gpu"} {
			if bytes.Contains(record, []byte(secret)) {
				t.Errorf("%s: %q was kept", file, secret)
			}
		}
	}
}

// rawRecords is the bytes that the stream holds.
func (w *world) rawRecords() []byte {
	msgs, err := w.log.Read(w.t.Context(), 0, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	return bytes.Join(records(msgs), nil)
}

func records(msgs []stream.Message) (out [][]byte) {
	for _, m := range msgs {
		out = append(out, m.Records...)
	}
	return out
}

// TestCrashpadForeign replays public dumps that went through Crashpad's uploader.
func TestCrashpadForeign(t *testing.T) {
	dir := os.Getenv("BELLWETHER_DATA")
	if dir == "" {
		t.Skip("BELLWETHER_DATA is not set: the fetched captures are not replayed")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "wire/crashpad/[br][pm]-*.http"))
	if len(files) < 7 {
		t.Fatalf("%d captures in %s", len(files), dir)
	}
	for _, file := range files {
		w := newWorld(t, everyTier)
		rec := w.replay(file)
		if rec.Code != 200 || !bareID.MatchString(rec.Body.String()) {
			t.Fatalf("%s: %d %q", file, rec.Code, rec.Body)
		}
		if e := w.one(); len(e.Crash.Exceptions) != 1 || len(e.Crash.Exceptions[0].Frames) < 2 {
			t.Errorf("%s: %+v", file, e.Crash)
		}
	}
}

func TestDumpForms(t *testing.T) {
	raw := realDump(t)
	pack := func(b []byte) []byte {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		_, _ = z.Write(b)
		_ = z.Close()
		return out.Bytes()
	}
	inner, _ := form(t, raw, "prod", "Inner", "ver", "7.1")
	for _, tt := range []struct {
		name     string
		path     string
		body, ct string
		fields   []string
		dump     []byte
		status   int
		answer   string
		check    func(*eco.Envelope) bool
	}{
		{name: "electron", path: dumpURL, dump: raw, fields: []string{"_productName", "studio", "_version", "2.4.1", "process_type", "renderer", "guid", "abc", "extension", "acme.linter"}, status: 200, answer: `^[0-9a-f]{32}$`,
			check: func(e *eco.Envelope) bool {
				return e.Origin.HostVersion == "2.4.1" && e.Crash.Tags["process_type"] == "renderer" && e.Crash.Owner == "acme.linter" && e.Origin.Install != 0
			}},
		{name: "active extensions", path: dumpURL + "/", dump: raw, fields: []string{"active_extensions", "acme.theme@1.0.0, acme.todo", "ver", "9"}, status: 200, answer: `^[0-9a-f]{32}$`,
			check: func(e *eco.Envelope) bool {
				return len(e.Crash.Active) == 2 && e.Crash.Active[0] == eco.Active{ID: "acme.theme", Version: "1.0.0"}
			}},
		{name: "packed", path: dumpURL, dump: pack(raw), status: 200, answer: `^[0-9a-f]{32}$`},
		{name: "packed twice", path: dumpURL, dump: pack(pack(raw)), status: 400, answer: "no minidump"},
		{name: "nested", path: dumpURL, dump: []byte(inner), status: 200, answer: `^[0-9a-f]{32}$`, check: func(e *eco.Envelope) bool { return e.Origin.HostVersion == "7.1" }},
		{name: "bare", path: dumpURL, body: string(raw), ct: "application/octet-stream", status: 200, answer: `^[0-9a-f]{32}$`},
		{name: "bare and packed", path: dumpURL, body: string(pack(raw)), ct: "application/x-dmp", status: 200, answer: `^[0-9a-f]{32}$`},
		{name: "type lost", path: dumpURL, body: inner, ct: "", status: 200, answer: `^[0-9a-f]{32}$`},
		{name: "mozilla", path: dumpURL, dump: raw, fields: []string{"ProductName", "Firefox", "ServerURL", "https://crash.example.test/submit", "MozCrashReason", "assertion x"}, status: 200,
			answer: "^CrashID=bp-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\n$", check: func(e *eco.Envelope) bool { return e.Crash.Message == "assertion x" }},
		{name: "sentry", path: "/api/7/minidump/?sentry_key=" + hostKey, dump: raw, status: 200, answer: "^0225620d-e005-4d85-bfa8-7c6bafbeceb7$",
			fields: []string{"sentry", `{"event_id":"0225620de0054d85bfa87c6bafbeceb7","release":"studio@3.1.4","environment":"beta","user":{"id":"u1"},"tags":{"a":"b"},"level":"info","server_name":"secret-host"}`},
			check: func(e *eco.Envelope) bool {
				return e.Protocol == "sentry" && e.Origin.HostVersion == "3.1.4" && e.Origin.Environment == "beta" && e.Crash.Tags["a"] == "b" && e.Crash.Level == "fatal" && e.ClientID == "0225620de0054d85bfa87c6bafbeceb7"
			}},
		{name: "sentry in pieces", path: "/api/7/minidump?sentry_key=" + hostKey, dump: raw, fields: []string{"sentry__2", `"1.2"}`, "sentry__1", `{"release":`}, status: 200, answer: "^[0-9a-f-]{36}$",
			check: func(e *eco.Envelope) bool { return e.Origin.HostVersion == "1.2" }},
		{name: "sentry by field", path: "/minidump/?sentry_key=" + hostKey, dump: raw, fields: []string{"sentry[release]", "1.3", "sentry[tags][k]", "v"}, status: 200, answer: "^[0-9a-f-]{36}$",
			check: func(e *eco.Envelope) bool { return e.Origin.HostVersion == "1.3" && e.Crash.Tags["k"] == "v" }},
		{name: "sentry, event broken", path: "/api/7/minidump/?sentry_key=" + hostKey, dump: raw, fields: []string{"sentry", `{"release":`}, status: 200, answer: "^[0-9a-f-]{36}$"},
		{name: "sentry in MessagePack", path: "/api/7/minidump/?sentry_key=" + hostKey, dump: raw, fields: []string{"__sentry-event", "\x82\xa7release\xa31.5\xa4tags\x81\xa1x\xc4\x02ab"}, status: 200, answer: "^[0-9a-f-]{36}$",
			check: func(e *eco.Envelope) bool { return e.Origin.HostVersion == "1.5" }},
		{name: "no dump", path: dumpURL, fields: []string{"prod", "x"}, status: 400, answer: "no part upload_file_minidump"},
		{name: "cut short", path: dumpURL, body: inner[:len(inner)/2], ct: "multipart/form-data; boundary=" + inner[2:62], status: 400, answer: "cut short"},
		{name: "no dump in it", path: dumpURL, dump: []byte("MZ not a dump"), status: 400, answer: "no minidump"},
		{name: "unknown key", path: "/api/v1/intake/minidump/" + strings.Repeat("f", 32), dump: raw, status: 401, answer: "not known"},
		{name: "nothing", path: dumpURL, status: 400, body: "", ct: "text/plain", answer: "empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, everyTier)
			body, ct := tt.body, tt.ct
			if tt.dump != nil || tt.fields != nil {
				body, ct = form(t, tt.dump, tt.fields...)
			}
			rec := w.post(tt.path, body, "Content-Type", ct)
			if rec.Code != tt.status || !regexp.MustCompile(tt.answer).MatchString(rec.Body.String()) {
				t.Fatalf("%d %q, want %d %s", rec.Code, rec.Body, tt.status, tt.answer)
			}
			if tt.status != 200 {
				if n := len(w.kept()); n != 0 {
					t.Errorf("%d kept", n)
				}
				return
			}
			if bytes.Contains(w.rawRecords(), []byte("secret-host")) {
				t.Error("the name of the host was kept")
			}
			if e := w.one(); tt.check != nil && !tt.check(e) {
				t.Errorf("%+v %+v", e, e.Crash)
			}
		})
	}
}

// TestDumpsAreDroppedQuietly: consent, quota and rate never show, but in the counts.
func TestDumpsAreDroppedQuietly(t *testing.T) {
	body, ct := form(t, realDump(t))
	for name, tt := range map[string]struct {
		policy  consent.Policy
		headers []string
		change  func(*registry.Key)
		kind    string
		reason  string
	}{
		"no consent": {policy: consent.Policy{Tiers: []eco.Tier{eco.Usage}, Text: "t", AskedBy: "host"}, kind: "minidump", reason: "consent:crash"},
		"opted out":  {policy: everyTier, headers: []string{"Sec-GPC", "1"}, kind: "minidump", reason: "optout:crash"},
		"rate":       {policy: everyTier, change: func(k *registry.Key) { k.RatePerMinute, k.Burst = 1, 1 }, kind: "request", reason: "rate"},
	} {
		w := newWorld(t, tt.policy)
		n := 1
		if tt.change != nil {
			v := w.keys[hostKey]
			tt.change(&v.Key)
			w.keys[hostKey], n = v, 2
		}
		for range n {
			rec := w.post(dumpURL, body, append([]string{"Content-Type", ct}, tt.headers...)...)
			if rec.Code != 200 || !bareID.MatchString(rec.Body.String()) {
				t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
			}
		}
		if got := w.total(pipeline.Dropped, tt.kind, tt.reason); got != 1 || len(w.kept()) != n-1 {
			t.Errorf("%s: counts %v", name, w.counts)
		}
	}
}

// TestAttachedDump: a dump in an envelope becomes one report with its event.
func TestAttachedDump(t *testing.T) {
	raw := realDump(t)
	attach := fmt.Sprintf(`{"type":"attachment","length":%d,"filename":"m.dmp","attachment_type":"event.minidump"}`+"\n", len(raw)) + string(raw) + "\n"
	event := `{"type":"event"}` + "\n" + `{"event_id":"0225620de0054d85bfa87c6bafbeceb7","release":"studio@3.1.4","level":"fatal","message":"boom"}` + "\n"
	for name, tt := range map[string]struct {
		body    string
		policy  consent.Policy
		kept    int
		release string
		drop    string
	}{
		"with its event":  {event + attach, everyTier, 1, "3.1.4", ""},
		"before it":       {attach + event, everyTier, 1, "3.1.4", ""},
		"alone":           {attach, everyTier, 1, "156.0.8078.79", ""},
		"two":             {event + attach + attach, everyTier, 1, "3.1.4", ""},
		"broken":          {event + strings.Replace(attach, "MDMP", "XXXX", 1), everyTier, 1, "3.1.4", "schema:minidump"},
		"not consented":   {attach, consent.Policy{}, 0, "", "consent:crash"},
		"an event broken": {`{"type":"event"}` + "\n" + `{"event_id":` + "\n" + attach, everyTier, 1, "156.0.8078.79", "schema:json"},
	} {
		w := newWorld(t, tt.policy)
		rec := w.post("/api/7/envelope/?sentry_key="+hostKey, `{"event_id":"0225620de0054d85bfa87c6bafbeceb7"}`+"\n"+tt.body)
		all := w.kept()
		if rec.Code != 200 || len(all) != tt.kept {
			t.Errorf("%s: %d %s, kept %d", name, rec.Code, rec.Body, len(all))
			continue
		}
		if tt.kept == 1 && (all[0].ClientID != "0225620de0054d85bfa87c6bafbeceb7" || all[0].Origin.HostVersion != tt.release ||
			(name == "broken") != (len(all[0].Crash.Exceptions) == 0)) {
			t.Errorf("%s: %+v", name, all[0])
		}
		if tt.drop != "" && w.total(pipeline.Dropped, "", tt.drop) != 1 {
			t.Errorf("%s: counts %v", name, w.counts)
		}
	}
}

// TestKeep: a dump is handed to be kept only where days are set and a record was made.
func TestKeep(t *testing.T) {
	raw := realDump(t)
	body, ct := form(t, raw, "guid", "one")
	days, kept := 0, []KeptDump{}
	w := newWorld(t, everyTier)
	w.server.o.Dumps = Dumps{Days: func(int64) int { return days }, Keep: func(_ context.Context, k KeptDump) error { kept = append(kept, k); return nil }}
	w.post(dumpURL, body, "Content-Type", ct)
	if len(kept) != 0 {
		t.Fatal("kept without a policy")
	}
	days = 3
	rec := w.post(dumpURL, body, "Content-Type", ct)
	if len(kept) != 1 || kept[0].Crash.String() != rec.Body.String() || kept[0].Days != 3 || kept[0].Install == 0 || kept[0].Scope != "host:editor" || !bytes.Equal(kept[0].Raw, raw) {
		t.Fatalf("%d kept", len(kept))
	}
	w = newWorld(t, consent.Policy{})
	w.server.o.Dumps = Dumps{Days: func(int64) int { return 3 }, Keep: func(context.Context, KeptDump) error { t.Error("kept without consent"); return nil }}
	w.post(dumpURL, body, "Content-Type", ct)
}

// TestDumpBombs: what unfolds without end costs bounded memory, and no 5xx.
func TestDumpBombs(t *testing.T) {
	zeros := func(n int, z io.WriteCloser) {
		page := make([]byte, 1<<20)
		for range n {
			_, _ = z.Write(page)
		}
		_ = z.Close()
	}
	var gz bytes.Buffer
	zeros(512, gzip.NewWriter(&gz))
	var twice bytes.Buffer
	z := gzip.NewWriter(&twice)
	_, _ = z.Write(gz.Bytes())
	_ = z.Close()
	for name, dump := range map[string][]byte{"zeros": gz.Bytes(), "zip of zip": twice.Bytes()} {
		body, ct := form(t, dump)
		w := newWorld(t, everyTier)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		rec := w.post(dumpURL, body, "Content-Type", ct)
		runtime.ReadMemStats(&after)
		want := map[string]int{"zeros": 200, "zip of zip": 400}[name]
		if rec.Code != want || want == 200 && w.total(pipeline.Dropped, "minidump", "limit:too_large") != 1 || len(w.kept()) != 0 {
			t.Errorf("%s: %d %s, counts %v", name, rec.Code, rec.Body, w.counts)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 200<<20 {
			t.Errorf("%s: %d MB allocated", name, n>>20)
		}
		if n := w.server.budget.Used(); n != 0 {
			t.Errorf("%s: %d bytes of the budget were not given back", name, n)
		}
	}
}

// TestDumpsNeverLater: too large, no room, no memory, no disk: 200 and a count. A
// client that keeps its dumps would send them for ever.
func TestDumpsNeverLater(t *testing.T) {
	raw := realDump(t)
	body, ct := form(t, raw)
	large := string(raw) + strings.Repeat("x", MaxDumpRaw)
	for name, tt := range map[string]struct {
		body, ct string
		hinder   func(*world)
		reason   string
		kind     string
	}{
		"too large": {large, "application/octet-stream", func(*world) {}, "limit:too_large", "minidump"},
		"no room":   {body, ct, func(w *world) { w.server.o.Full = func() bool { return true } }, "later", "minidump"},
		"no memory": {body, ct, func(w *world) { w.server.budget.Take(MaxInFlight - 1000) }, "later", "minidump"},
		"cannot be written": {body, ct, func(w *world) {
			w.server.o.Append = func(context.Context, ...[]byte) (uint64, error) { return 0, fmt.Errorf("no space left on device") }
		}, "later", "crash"},
	} {
		for _, path := range []string{dumpURL, "/api/7/minidump/?sentry_key=" + hostKey} {
			w := newWorld(t, everyTier)
			tt.hinder(w)
			rec := w.post(path, tt.body, "Content-Type", tt.ct)
			if rec.Code != 200 || rec.Header().Get("Retry-After") != "" || len(strings.ReplaceAll(rec.Body.String(), "-", "")) != 32 {
				t.Errorf("%s, %s: %d %s", name, path, rec.Code, rec.Body)
			}
			if got := w.total(pipeline.Dropped, tt.kind, tt.reason); got != 1 {
				t.Errorf("%s, %s: counts %v", name, path, w.counts)
			}
		}
	}
}

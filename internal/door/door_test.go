package door

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"github.com/bellwether-project/bellwether/internal/fault"
)

func compressed(t testing.TB, enc string, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	switch enc {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "deflate", "zlib":
		w = zlib.NewWriter(&out)
	case "zstd":
		w, _ = zstd.NewWriter(&out)
	case "snappy":
		return snappy.Encode(nil, b)
	case "x-snappy-framed":
		w = snappy.NewBufferedWriter(&out)
	default:
		return b
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func body(enc string, b []byte) *http.Request {
	r := httptest.NewRequest("POST", "/", io.NopCloser(bytes.NewReader(b))) // no Content-Length
	if enc != "" {
		r.Header.Set("Content-Encoding", enc)
	}
	return r
}

var encodings = []string{"", "identity", "gzip", "deflate", "zlib", "zstd", "snappy", "x-snappy-framed"}

func TestBodyReadsEveryEncodingAgainAndAgain(t *testing.T) {
	text := []byte(strings.Repeat("many words in a body, ", 500))
	lim := Limit{Compressed: 1 << 20, Decompressed: int64(len(text)), Budget: &Budget{Max: 1 << 20}}
	for _, enc := range encodings {
		for range 3 { // the second time with a reader from the pool
			got, err := Body(body(enc, compressed(t, enc, text)), lim, make([]byte, 0, 100))
			if err != nil || !bytes.Equal(got, text) {
				t.Fatalf("%q: %d bytes, %v", enc, len(got), err)
			}
			lim.Budget.Give(int64(cap(got) - 100))
		}
		// One byte over the limit is refused, whatever the encoding.
		short := lim
		short.Decompressed--
		if _, err := Body(body(enc, compressed(t, enc, text)), short, nil); fault.CodeOf(err) != fault.TooLarge {
			t.Errorf("%q: one byte over: %v", enc, err)
		}
		short = lim
		short.Compressed = int64(len(compressed(t, enc, text))) - 1
		if _, err := Body(body(enc, compressed(t, enc, text)), short, nil); fault.CodeOf(err) != fault.TooLarge {
			t.Errorf("%q: one byte over on the wire: %v", enc, err)
		}
		if enc != "" && enc != "identity" {
			c := compressed(t, enc, text)
			if _, err := Body(body(enc, c[:len(c)/2]), lim, nil); fault.CodeOf(err) != fault.Invalid {
				t.Errorf("%q: cut in half: %v", enc, err)
			}
			if _, err := Body(body(enc, []byte("no such thing at all")), lim, nil); fault.CodeOf(err) != fault.Invalid && fault.CodeOf(err) != fault.TooLarge {
				t.Errorf("%q: noise: %v", enc, err)
			}
		}
	}
	if lim.Budget.Used() != 0 {
		t.Errorf("budget %d", lim.Budget.Used())
	}
}

func TestBodyRefusesBombs(t *testing.T) {
	lim := Limit{Compressed: 1 << 20, Decompressed: 256 << 20}
	zeros := make([]byte, 64<<20)
	for _, enc := range []string{"gzip", "deflate", "zstd"} {
		if _, err := Body(body(enc, compressed(t, enc, zeros)), lim, nil); fault.CodeOf(err) != fault.TooLarge {
			t.Errorf("%s: %v", enc, err)
		}
	}
	// A snappy block that states more than it can hold takes no memory.
	if _, err := Body(body("snappy", []byte("\xff\xff\xff\xff\x0f")), lim, nil); fault.CodeOf(err) != fault.TooLarge {
		t.Errorf("snappy: %v", err)
	}
	// Small texts of one letter are honest.
	if _, err := Body(body("gzip", compressed(t, "gzip", zeros[:RatioExempt])), lim, nil); err != nil {
		t.Errorf("small: %v", err)
	}
}

func TestBodyRefusesOtherEncodings(t *testing.T) {
	for _, enc := range []string{"br", "lz4", "gzip, gzip", "deflate,zstd", "../x"} {
		_, err := Body(body(enc, []byte("x")), Limit{Compressed: 10, Decompressed: 10}, nil)
		if StatusOf(err) != http.StatusUnsupportedMediaType {
			t.Errorf("%s: %v", enc, err)
		}
	}
}

func TestBodyBudget(t *testing.T) {
	lim := Limit{Compressed: 1 << 20, Decompressed: 1 << 20, Budget: &Budget{Max: 64 << 10}}
	_, err := Body(body("", make([]byte, 100<<10)), lim, nil)
	if _, retry := RetryAfter(err); fault.CodeOf(err) != fault.Unavailable || !retry || lim.Budget.Used() != 0 {
		t.Errorf("%v, used %d", err, lim.Budget.Used())
	}
}

func TestFailIsAProblemDocument(t *testing.T) {
	h := Handler(func(http.ResponseWriter, *http.Request) error {
		return Later(fault.E("op", fault.RateLimited, "Slowly.", errors.New("SECRET cause")), 1500*time.Millisecond)
	})
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	if rec.Code != 429 || rec.Header().Get("Retry-After") != "2" || rec.Header().Get("Content-Type") != ProblemType {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
	if got := rec.Body.String(); got != `{"type":"about:blank","title":"Too Many Requests","status":429,"detail":"Slowly.","code":"rate_limited"}` {
		t.Error(got)
	}
	for _, c := range fault.Codes {
		if s := Status(c); s < 400 || s > 503 {
			t.Errorf("%s: %d", c, s)
		}
	}
}

func front(t *testing.T, h http.Handler) (http.Handler, *bytes.Buffer) {
	var lines bytes.Buffer
	now := time.UnixMilli(1795218900000)
	return Front(h, FrontOptions{Log: slog.New(slog.NewTextHandler(&lines, nil)), Now: func() time.Time { now = now.Add(time.Second); return now },
		Random: func(b []byte) { copy(b, "12345678") }, Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}), &lines
}

func TestOneLogLineWithoutAddresses(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("POST /things/{id}", Handler(func(w http.ResponseWriter, r *http.Request) error {
		info := InfoOf(r.Context())
		if info.IP().String() != "203.0.113.9" {
			t.Errorf("address %s", info.IP())
		}
		info.SetProject(44)
		return fault.E("op", fault.Invalid, "No.", errors.New("SECRETCAUSE"))
	}))
	h, lines := front(t, mux)
	r := httptest.NewRequest("POST", "/things/SECRETID?key=SECRETKEY", strings.NewReader("SECRETBODY"))
	r.RemoteAddr = "10.1.2.3:99"
	r.Header.Set("X-Forwarded-For", "198.51.100.1, 203.0.113.9, 10.9.9.9")
	r.Header.Set("User-Agent", "SECRETAGENT")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	got := lines.String()
	if strings.Count(got, "\n") != 1 || strings.Contains(got, "SECRET") || strings.Contains(got, "203.0.113") || strings.Contains(got, "10.1.2") {
		t.Errorf("log: %s", got)
	}
	for _, want := range []string{"method=POST", "route=/things/{id}", "status=400", "took=1s", "project=44", "code=invalid", "request=3132333435363738", "bytes_in=10"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if rec.Header().Get("X-Request-Id") != "3132333435363738" {
		t.Error(rec.Header())
	}
}

func TestPanicsAreAnsweredWithoutTheirValue(t *testing.T) {
	h, lines := front(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { panic("SECRETPAYLOAD") }))
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	if rec.Code != 500 || !strings.Contains(rec.Body.String(), `"code":"internal"`) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if got := lines.String(); strings.Contains(got, "SECRET") || !strings.Contains(got, "panic=string") || !strings.Contains(got, "internal/door.TestPanics") {
		t.Errorf("log: %s", got)
	}
}

func TestClientIP(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for _, tt := range []struct{ peer, forwarded, want string }{
		{"203.0.113.9:1", "198.51.100.1", "203.0.113.9"}, // a stranger says nothing of himself
		{"10.0.0.1:1", "", "10.0.0.1"},
		{"10.0.0.1:1", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"},
		{"10.0.0.1:1", "198.51.100.1, garbage", "10.0.0.1"},
		{"10.0.0.1:1", "198.51.100.1:4711", "198.51.100.1"},
		{"[::1]:1", "[2001:db8::1]", "2001:db8::1"},
		{"[::ffff:10.0.0.1]:1", "::ffff:198.51.100.1", "198.51.100.1"},
		{"@", "198.51.100.1", "invalid IP"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tt.peer
		if tt.forwarded != "" {
			r.Header.Set("X-Forwarded-For", tt.forwarded)
		}
		if got := ClientIP(r, trusted).String(); got != tt.want {
			t.Errorf("%s / %s: %s, want %s", tt.peer, tt.forwarded, got, tt.want)
		}
	}
}

func TestLimiter(t *testing.T) {
	l := NewLimiter[string](3)
	now := time.UnixMilli(0)
	for i := range 5 {
		if ok, _ := l.Allow("a", 1, 2, 5, now); !ok {
			t.Fatalf("token %d refused", i)
		}
	}
	ok, wait := l.Allow("a", 1, 2, 5, now)
	if ok || wait != 500*time.Millisecond {
		t.Errorf("%v %s", ok, wait)
	}
	if ok, _ := l.Allow("a", 1, 2, 5, now.Add(wait)); !ok {
		t.Error("refused after the wait")
	}
	for _, k := range []string{"b", "c", "d", "e", "f"} {
		l.Allow(k, 1, 2, 5, now)
	}
	if len(l.buckets) > 3 {
		t.Errorf("%d buckets", len(l.buckets))
	}
}

func TestOriginAllowed(t *testing.T) {
	rules := []string{"https://app.example.org", "https://*.ext.example.org/", "http://localhost:8080"}
	for origin, want := range map[string]bool{
		"": true, "https://app.example.org": true, "https://APP.example.org": true, "https://a.ext.example.org": true, "https://a.b.ext.example.org": true,
		"http://localhost:8080": true, "http://app.example.org": false, "https://ext.example.org": false, "https://evil-ext.example.org": false,
		"https://app.example.org.evil.test": false, "null": false,
	} {
		if got := OriginAllowed(origin, rules); got != want {
			t.Errorf("%q: %v", origin, got)
		}
	}
	if !OriginAllowed("https://any.test", nil) {
		t.Error("no rules mean any origin")
	}
}

func TestSecureHeaders(t *testing.T) {
	rec := httptest.NewRecorder()
	Secure(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	if csp := rec.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Error(csp)
	}
}

func FuzzBody(f *testing.F) {
	for i, enc := range encodings {
		f.Add(uint8(i), compressed(f, enc, []byte("some words, some words")))
	}
	lim := Limit{Compressed: 64 << 10, Decompressed: 256 << 10, Budget: &Budget{Max: 1 << 20}}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		got, err := Body(body(encodings[int(which)%len(encodings)], b), lim, nil)
		if err == nil && len(got) > 256<<10 {
			t.Fatalf("%d bytes", len(got))
		}
		if err == nil {
			lim.Budget.Give(int64(cap(got)))
		}
		if lim.Budget.Used() != 0 {
			t.Fatalf("budget %d", lim.Budget.Used())
		}
	})
}

func BenchmarkBody(b *testing.B) {
	text := []byte(strings.Repeat(`{"function":"run","lineno":12},`, 300))
	for _, enc := range []string{"", "gzip", "zstd", "snappy"} {
		b.Run("encoding="+enc, func(b *testing.B) {
			c := compressed(b, enc, text)
			buf := make([]byte, 0, 64<<10)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				r := &http.Request{Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(c)), ContentLength: int64(len(c))}
				if enc != "" {
					r.Header["Content-Encoding"] = []string{enc}
				}
				if _, err := Body(r, Limit{Compressed: 1 << 20, Decompressed: 1 << 20}, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

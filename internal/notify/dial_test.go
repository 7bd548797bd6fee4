package notify_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
)

func TestPublic(t *testing.T) {
	for _, s := range strings.Fields(`8.8.8.8 1.1.1.1 93.184.216.34 2606:4700::1111 2a00:1450:4001::64 ::ffff:8.8.8.8`) {
		if !notify.Public(netip.MustParseAddr(s)) {
			t.Errorf("%s is public", s)
		}
	}
	for _, s := range strings.Fields(`
0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.9.9.9 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.192 192.168.1.1
198.18.0.1 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 168.63.129.16
:: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::10.0.0.1 64:ff9b::a00:1 64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1:: fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0
fec0::1 ff02::1 5f00::1`) {
		if notify.Public(netip.MustParseAddr(s)) {
			t.Errorf("%s is not public", s)
		}
	}
}

func TestCheck(t *testing.T) {
	open := notify.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}
	for _, c := range []struct {
		url          string
		strict, wide fault.Code
	}{
		{"https://example.org/hook?a=b", "", ""},
		{"https://example.org:8443/", "", ""},
		{"http://example.org/", fault.Invalid, ""}, // where it leads is judged when it is dialled
		{"https://10.1.2.3/x", fault.Forbidden, ""},
		{"http://10.1.2.3/x", fault.Invalid, ""},
		{"https://10.2.2.3/x", fault.Forbidden, fault.Forbidden},
		{"https://[::1]/", fault.Forbidden, fault.Forbidden},
		{"https://[::ffff:7f00:1]/", fault.Forbidden, fault.Forbidden},
		{"https://user:secret@example.org/", fault.Invalid, fault.Invalid},
		{"https:///x", fault.Invalid, fault.Invalid},
		{"https:example.org", fault.Invalid, fault.Invalid},
		{"file:///etc/passwd", fault.Invalid, fault.Invalid},
		{"gopher://example.org/", fault.Invalid, fault.Invalid},
		{"https://example.org/ x", fault.Invalid, fault.Invalid},
		{"https://example.org/#x", fault.Invalid, fault.Invalid},
		{"https://example.org/" + strings.Repeat("x", 2000), fault.Invalid, fault.Invalid},
	} {
		if _, err := (notify.Policy{}).Check(c.url); fault.CodeOf(err) != c.strict {
			t.Errorf("%.60s: %v, want %q", c.url, err, c.strict)
		}
		if _, err := open.Check(c.url); fault.CodeOf(err) != c.wide {
			t.Errorf("wide %.60s: %v, want %q", c.url, err, c.wide)
		}
	}
}

// fetch asks for an address and returns the code of what went wrong.
func fetch(t *testing.T, c *http.Client, url string) (string, fault.Code) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		return "", fault.CodeOf(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), fault.CodeOf(err)
}

func TestRebinding(t *testing.T) {
	var reached atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { reached.Add(1) }))
	defer inside.Close()
	_, port, _ := net.SplitHostPort(inside.Listener.Addr().String())
	loop := netip.MustParseAddr("127.0.0.1")
	asked := 0
	// A name that gives a public address first and the inside one from then on.
	p := notify.Policy{Resolve: func(context.Context, string) ([]netip.Addr, error) {
		if asked++; asked == 1 {
			return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
		}
		return []netip.Addr{loop}, nil
	}}
	for range 3 {
		if _, code := fetch(t, notify.Client(p), "https://evil.example:"+port+"/"); code != fault.Forbidden {
			t.Errorf("code %q, want forbidden", code)
		}
	}
	// One of several addresses is inside: it is passed over.
	mixed := notify.Policy{Resolve: func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{loop, netip.MustParseAddr("::1"), netip.MustParseAddr("169.254.169.254")}, nil
	}}
	if _, code := fetch(t, notify.Client(mixed), "https://evil.example:"+port+"/"); code != fault.Forbidden {
		t.Errorf("mixed: code %q, want forbidden", code)
	}
	// Plain http goes to allowed networks only, wherever else https might go.
	other := notify.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Resolve: func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("8.8.8.8"), loop}, nil
	}}
	if _, code := fetch(t, notify.Client(other), "http://evil.example:"+port+"/"); code != fault.Forbidden {
		t.Errorf("plain: code %q, want forbidden", code)
	}
	if reached.Load() != 0 {
		t.Error("the inside was reached")
	}
}

func TestClient(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "fine") })
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat("x", 101)) })
	mux.HandleFunc("/exact", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat("x", 100)) })
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok", http.StatusFound) })
	srv := httptest.NewServer(mux)
	defer srv.Close()
	c := notify.Client(notify.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, MaxBody: 100})
	if got, code := fetch(t, c, srv.URL+"/ok"); got != "fine" || code != "" {
		t.Errorf("%q %q", got, code)
	}
	if got, code := fetch(t, c, srv.URL+"/exact"); len(got) != 100 || code != "" {
		t.Errorf("%d %q", len(got), code)
	}
	if got, code := fetch(t, c, srv.URL+"/big"); len(got) != 100 || code != fault.TooLarge {
		t.Errorf("%d %q", len(got), code)
	}
	resp, err := c.Get(srv.URL + "/away")
	if err != nil || resp.StatusCode != http.StatusFound {
		t.Errorf("a redirect was followed: %v %v", resp, err)
	}
	if _, code := fetch(t, notify.Client(notify.Policy{}), srv.URL+"/ok"); code != fault.Invalid {
		t.Errorf("plain http: %q", code)
	}
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{"https://example.org/", "http://[::1%25lo]/", "https://0x7f.1/", "https://①②⑦.0.0.1/", "https://a@b@c/", "//x", "https://[fe80::1%25eth0]:1/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := notify.Policy{}.Check(s)
		if err != nil {
			if strings.Contains(fault.TextOf(err), "Something went wrong") {
				t.Errorf("no text for people: %v", err)
			}
			return
		}
		if u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
			t.Errorf("%q passed", s)
		}
		if a, err := netip.ParseAddr(u.Hostname()); err == nil && !notify.Public(a) {
			t.Errorf("%q passed with a private address", s)
		}
	})
}

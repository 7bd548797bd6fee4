package notify

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Bounds of what Client does.
const (
	MaxURL      = 2000             // bytes of an address
	maxBody     = 64 << 10         // bytes of an answer's body, unless the policy says more
	maxHeader   = 32 << 10         // bytes of an answer's header
	maxTime     = 15 * time.Second // of a whole request, unless the policy says more
	dialTime    = 5 * time.Second
	maxResolved = 16 // addresses of a name that are looked at
)

// Policy says where Client may go. The zero policy: public addresses, by https.
type Policy struct {
	// Allow lists private networks that may be reached all the same, also by plain
	// http.
	Allow []netip.Prefix
	// MaxBody and Timeout widen the bounds of one answer; 0 = 64 KiB and 15 s.
	MaxBody int64
	Timeout time.Duration
	// Resolve looks names up; nil: the system's resolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
}

// Client returns a client for addresses that people gave. A name is resolved
// once, every address is judged, and the judged address is what is dialled: a
// name that answers differently the second time gains nothing. Redirects are not
// followed, no proxy is used, nothing is decompressed, and reading a body past its
// bound fails with too_large. An address it may not reach gives forbidden.
func Client(p Policy) *http.Client {
	if p.MaxBody == 0 {
		p.MaxBody = maxBody
	}
	if p.Timeout == 0 {
		p.Timeout = maxTime
	}
	t := &http.Transport{
		Proxy: nil, DialContext: p.dial, TLSHandshakeTimeout: dialTime, ResponseHeaderTimeout: p.Timeout,
		MaxResponseHeaderBytes: maxHeader, DisableKeepAlives: true, DisableCompression: true, ForceAttemptHTTP2: true,
	}
	return &http.Client{
		Transport:     guarded{p, t},
		Timeout:       p.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// guarded is the transport with the policy before it.
type guarded struct {
	p Policy
	t *http.Transport
}

type plainKey struct{}

func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := g.p.Check(r.URL.String()); err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	if r.URL.Scheme == "http" {
		r = r.WithContext(context.WithValue(r.Context(), plainKey{}, true))
	}
	resp, err := g.t.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusSwitchingProtocols { // its body is a connection, not an answer
		resp.Body.Close()
		return nil, fault.E("notify.Client", fault.Unavailable, "The other side wants another protocol.", nil)
	}
	resp.Body = &bounded{resp.Body, g.p.MaxBody}
	return resp, nil
}

// bounded fails past its bound instead of ending there.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if int64(n) > b.left {
		n = int(b.left)
		err = fault.E("notify.Client", fault.TooLarge, "The answer is too large.", nil)
	}
	b.left -= int64(n)
	return n, err
}

// Check parses an address and says whether it has the form of one that Client may
// try: https (http only where private networks are allowed), a host, no user, no
// fragment. An address with a literal IP is judged at once.
func (p Policy) Check(raw string) (*url.URL, error) {
	const op = "notify.Check"
	bad := func(text string, err error) error { return fault.E(op, fault.Invalid, "url: "+text, err) }
	if len(raw) > MaxURL {
		return nil, bad("It is too long.", nil)
	}
	if strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return nil, bad("It holds a space or a control character.", nil)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, bad("It has the form https://host/path.", nil) // the cause repeats the input
	}
	host := u.Hostname()
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || len(p.Allow) == 0):
		return nil, bad("It begins with https://.", nil)
	case host == "" || u.Opaque != "":
		return nil, bad("It has the form https://host/path.", nil)
	case u.User != nil:
		return nil, bad("It holds a user or password; those do not belong there.", nil)
	case u.Fragment != "":
		return nil, bad("It has a part behind #.", nil)
	}
	if a, err := netip.ParseAddr(host); err == nil && !p.may(a, u.Scheme == "http") {
		return nil, refusal(op)
	}
	return u, nil
}

func refusal(op string) error {
	return fault.E(op, fault.Forbidden, "This address lies in a private or reserved network, which this server does not connect to.", nil)
}

// dial resolves, judges and connects to a judged address.
func (p Policy) dial(ctx context.Context, network, address string) (net.Conn, error) {
	const op = "notify.dial"
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fault.E(op, fault.Invalid, "url: It has the form https://host/path.", nil)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*dialTime)
	defer cancel()
	list, err := p.resolve(ctx, host)
	if err != nil {
		return nil, fault.E(op, fault.Unavailable, "The host's name cannot be resolved.", nil)
	}
	plain, _ := ctx.Value(plainKey{}).(bool)
	dialer := net.Dialer{Timeout: dialTime}
	var last error = refusal(op)
	for _, a := range list[:min(len(list), maxResolved)] {
		if !p.may(a, plain) {
			continue
		}
		conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(a.String(), port))
		if err == nil {
			return conn, nil
		}
		last = fault.E(op, fault.Unavailable, "The host does not take connections.", reason(err))
	}
	return nil, last
}

// reason is why a connection failed, without the address.
func reason(err error) error {
	if o, ok := errors.AsType[*net.OpError](err); ok {
		return o.Err
	}
	return err
}

func (p Policy) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	if p.Resolve != nil {
		return p.Resolve(ctx, host)
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// may reports whether an address may be dialled; plain: by http.
func (p Policy) may(a netip.Addr, plain bool) bool {
	a = a.Unmap()
	if a.IsValid() && slices.ContainsFunc(p.Allow, func(n netip.Prefix) bool { return n.Contains(a) }) {
		return true
	}
	return !plain && Public(a)
}

// Public reports whether an address is one of the open internet: not private,
// loopback, link-local, shared (CGNAT), documentation, multicast or reserved, not
// one that carries an IPv4 address inside, and not a cloud's metadata service.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	if a.Is6() && !global.Contains(a) {
		return false
	}
	return !slices.ContainsFunc(reserved, func(n netip.Prefix) bool { return n.Contains(a) })
}

// global is where every unicast address of the IPv6 internet lies.
var global = netip.MustParsePrefix("2000::/3")

// reserved are the special-purpose blocks of IANA's registries (RFC 6890 and its
// successors) that a message has no business in, and what is not in them.
var reserved = prefixes(`
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24
203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
168.63.129.16/32
2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20
`)

func prefixes(text string) []netip.Prefix {
	var out []netip.Prefix
	for _, w := range strings.Fields(text) {
		out = append(out, netip.MustParsePrefix(w))
	}
	return out
}

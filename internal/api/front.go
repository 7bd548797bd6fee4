package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/fault"
)

type principalKey struct{}

func principalOf(ctx context.Context) account.Principal {
	p, _ := ctx.Value(principalKey{}).(account.Principal)
	return p
}

// Requests a minute, of one account or token, and of one address that is neither.
const (
	perPrincipal = 1200
	perAddress   = 120
)

// front stands before the handler of one route: who asks, how often, from which
// site, whether they may do such a thing anywhere; then the conditional answer of
// a GET and the one answer of a repeated POST.
func (s *Server) front(o op) http.Handler {
	info, _ := o.Action.Info()
	return door.Handler(func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", "private, no-cache")
		w.Header().Set("Vary", "Authorization, Cookie")
		if r.Header.Get("Content-Encoding") != "" {
			return door.WithStatus(fault.E("api", fault.Invalid, "Bodies are not compressed here.", nil), http.StatusUnsupportedMediaType)
		}
		p, err := s.principal(r)
		if err != nil {
			// Guessing costs the guesser's address.
			if lerr := s.spend(w, r, account.Public()); lerr != nil {
				return lerr
			}
			w.Header().Set("WWW-Authenticate", `Bearer realm="bellwether"`)
			return err
		}
		if err := s.spend(w, r, p); err != nil {
			return err
		}
		if err := s.o.Accounts.Check("api."+o.ID, p, o.Action, account.List(info.Noun)); err != nil {
			if !p.Known() {
				w.Header().Set("WWW-Authenticate", `Bearer realm="bellwether"`)
			}
			return err
		}
		r = r.WithContext(withBase(context.WithValue(r.Context(), principalKey{}, p), r))
		switch {
		case r.Method == http.MethodGet:
			return s.conditional(w, r)
		case r.Method == http.MethodPost && r.Header.Get("Idempotency-Key") != "":
			return s.once(w, r, o, p)
		}
		s.mux.ServeHTTP(w, r)
		return nil
	})
}

// principal reads the bearer token or the session cookie. A request with a cookie
// must come from our own pages: other sites cannot use it.
func (s *Server) principal(r *http.Request) (account.Principal, error) {
	if s.o.As != nil {
		return *s.o.As, nil
	}
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, token, _ := strings.Cut(h, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return account.Public(), fault.E("api.principal", fault.Unauthenticated, "Please send an API token as a bearer token.", nil)
		}
		return s.o.Accounts.Bearer(r.Context(), strings.TrimSpace(token))
	}
	c, err := r.Cookie(s.cookie(r))
	if err != nil {
		return account.Public(), nil
	}
	if err := s.cross.Check(r); err != nil {
		return account.Public(), fault.E("api.principal", fault.Forbidden, "This request came from another site.", err)
	}
	return s.o.Accounts.Session(r.Context(), c.Value)
}

// cookie is the name of the pages' session cookie for this request.
func (s *Server) cookie(r *http.Request) string {
	switch {
	case s.o.Cookie != "":
		return s.o.Cookie
	case s.o.Base != nil && s.o.Base.Scheme == "https", s.o.Base == nil && r.TLS != nil:
		return "__Host-bellwether"
	}
	return "bellwether"
}

// spend counts the request and writes the headers that say how many are left.
func (s *Server) spend(w http.ResponseWriter, r *http.Request, p account.Principal) error {
	ip := door.InfoOf(r.Context()).IP().Unmap()
	if p, err := ip.WithZone("").Prefix(64); err == nil && ip.Is6() { // a host has its whole /64 to choose from
		ip = p.Addr()
	}
	key, limit := "ip:"+ip.String(), perAddress
	if p.Known() {
		key, limit = p.Actor(), perPrincipal
	}
	left, reset := s.windows.take(key, limit, s.o.Now())
	h := w.Header()
	h.Set("RateLimit-Limit", strconv.Itoa(limit))
	h.Set("RateLimit-Remaining", strconv.Itoa(max(left, 0)))
	h.Set("RateLimit-Reset", strconv.Itoa(int((reset+time.Second-1)/time.Second)))
	if left < 0 {
		return door.Later(fault.E("api.spend", fault.RateLimited, "Too many requests; please wait a moment.", nil), reset)
	}
	return nil
}

// windows counts requests in windows of a minute, in memory only, of at most
// maxWindows keys.
type windows struct {
	mu sync.Mutex
	m  map[string]*window
}

type window struct {
	start time.Time
	n     int
}

const maxWindows = 50_000

func newWindows() *windows { return &windows{m: map[string]*window{}} }

// take counts one request; left is negative when there were too many.
func (ws *windows) take(key string, limit int, now time.Time) (left int, reset time.Duration) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := ws.m[key]
	if w == nil || now.Sub(w.start) >= time.Minute || now.Before(w.start) {
		if w == nil && len(ws.m) >= maxWindows {
			ws.shrink(now)
		}
		w = &window{start: now}
		ws.m[key] = w
	}
	w.n++
	return limit - w.n, time.Minute - now.Sub(w.start)
}

func (ws *windows) shrink(now time.Time) {
	for k, w := range ws.m {
		if now.Sub(w.start) >= time.Minute {
			delete(ws.m, k)
		}
	}
	for k := range ws.m {
		if len(ws.m) < maxWindows*7/8 {
			return
		}
		delete(ws.m, k)
	}
}

// held is an answer that is held back until it is complete. Answers are bounded by
// the sizes of pages and documents.
type held struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (h *held) WriteHeader(status int) {
	if h.status == 0 {
		h.status = status
	}
}

func (h *held) Write(b []byte) (int, error) {
	if h.status == 0 {
		h.status = http.StatusOK
	}
	return h.body.Write(b)
}

// conditional gives answers to GET an ETag (of their version, or of their bytes)
// and answers 304 to who has them already.
func (s *Server) conditional(w http.ResponseWriter, r *http.Request) error {
	h := &held{ResponseWriter: w}
	s.mux.ServeHTTP(h, r)
	if h.status == 0 {
		h.status = http.StatusOK
	}
	if h.status == http.StatusOK {
		tag := w.Header().Get("ETag")
		if tag == "" {
			sum := sha256.Sum256(h.body.Bytes())
			tag = `W/"` + hex.EncodeToString(sum[:12]) + `"`
			w.Header().Set("ETag", tag)
		}
		if matches(r.Header.Get("If-None-Match"), tag) {
			w.Header().Del("Content-Type")
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	w.WriteHeader(h.status)
	_, _ = w.Write(h.body.Bytes())
	return nil
}

// matches compares an If-None-Match header with a tag, weakly.
func matches(header, tag string) bool {
	for t := range strings.SplitSeq(header, ",") {
		if t = strings.TrimSpace(t); t != "" && (t == "*" || strings.TrimPrefix(t, "W/") == strings.TrimPrefix(tag, "W/")) {
			return true
		}
	}
	return false
}

// once answers a repeated POST as the first time.
func (s *Server) once(w http.ResponseWriter, r *http.Request, o op, p account.Principal) error {
	key := r.Header.Get("Idempotency-Key")
	body, err := door.Body(r, door.Limit{Compressed: o.max(), Decompressed: o.max()}, nil)
	if err != nil {
		return err
	}
	r.Body = http.NoBody
	if len(body) > 0 {
		r.Body = readCloser{bytes.NewReader(body)}
	}
	sum := sha256.New()
	for _, part := range []string{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("If-Match"), string(body)} {
		_, _ = sum.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	done, err := s.o.Accounts.Once(r.Context(), p, key, hex.EncodeToString(sum.Sum(nil)))
	if err != nil {
		return err
	}
	if done != nil {
		return replay(w, done)
	}
	h := &held{ResponseWriter: w}
	defer func() { // also after a panic: the key must not stay under way
		_ = s.o.Accounts.Finish(context.WithoutCancel(r.Context()), p, key, account.Answer{Status: h.status, Body: h.body.String(), Kept: !o.Secret || h.status >= 400})
	}()
	s.mux.ServeHTTP(h, r)
	w.WriteHeader(h.status)
	_, _ = w.Write(h.body.Bytes())
	return nil
}

func replay(w http.ResponseWriter, a *account.Answer) error {
	if !a.Kept && a.Status != http.StatusNoContent {
		return fault.E("api.once", fault.Conflict, "This was done already; its answer was shown once and is not kept.", nil)
	}
	w.Header().Set("Idempotency-Replayed", "true")
	if a.Body != "" {
		w.Header().Set("Content-Type", "application/json")
		if a.Status >= 400 {
			w.Header().Set("Content-Type", door.ProblemType)
		}
	}
	w.WriteHeader(a.Status)
	_, _ = w.Write([]byte(a.Body))
	return nil
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// ipOf is the asker's address; it stays in memory.
func ipOf(ctx context.Context) netip.Addr { return door.InfoOf(ctx).IP() }

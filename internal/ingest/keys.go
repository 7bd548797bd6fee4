package ingest

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/sentry"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// gate is a request that has passed the key check.
type gate struct {
	key      registry.KeyView
	protocol string
	optOut   bool
	country  string
	from     netip.Addr // of the client: for limits and bursts, in memory only
	now      time.Time
	asked    bool        // the sender said yes to this very item, on a page of ours
	header   http.Header // of the answer, where it may name a receipt; nil: it may not
}

// receivedAt is the time of receipt: now, but in the demo world.
func (s *Server) receivedAt(r *http.Request) time.Time {
	if s.o.ReceivedAt != nil {
		return s.o.ReceivedAt(r)
	}
	return s.o.Now()
}

// open finds the key and asks it everything but its rate: usable, of this project
// (0 = any), sent from an allowed origin. Failures are rate limited by address.
func (s *Server) open(r *http.Request, protocol, key string, project int64) (gate, error) {
	now := s.receivedAt(r)
	g := gate{protocol: protocol, now: now}
	info := door.InfoOf(r.Context())
	if key == "" {
		return g, s.refuse(r, now, fault.E("ingest", fault.Unauthenticated, "The request names no project key.", nil))
	}
	if !keySyntax(key) {
		return g, s.refuse(r, now, fault.E("ingest", fault.Invalid, "The project key is not well formed.", nil))
	}
	if plain, ok := registry.ParseKey(key); ok { // Application Insights writes it as a UUID
		key = plain
	}
	view, ok := s.o.Registry.KeyByPublic(key)
	if !ok {
		s.dropRequest(g, 0, "key:unknown")
		return g, s.refuse(r, now, fault.E("ingest", fault.Unauthenticated, "The project key is not known.", nil))
	}
	id := view.Project.ID
	info.SetProject(id)
	if usable, why := view.Usable(now); !usable {
		s.dropRequest(g, id, why)
		return g, s.refuse(r, now, fault.E("ingest", fault.Forbidden, "The project key is no longer taken.", errEnded))
	}
	if project != 0 && project != id {
		s.dropRequest(g, id, "key:project")
		return g, s.refuse(r, now, fault.E("ingest", fault.Forbidden, "The project key belongs to another project.", nil))
	}
	if !door.OriginAllowed(r.Header.Get("Origin"), view.Key.Origins) {
		s.dropRequest(g, id, "key:origin")
		return g, s.refuse(r, now, fault.E("ingest", fault.Forbidden, "The project key is not taken from this origin.", nil))
	}
	g.key, g.from = view, info.IP()
	g.optOut = consent.OptOut(r.Header.Get("Sec-GPC"), r.Header.Get("DNT"))
	if s.o.Country != nil {
		g.country = s.o.Country(r)
	}
	return g, nil
}

// dropRequest counts a request that was refused before its items were looked at,
// in the hour of its receipt.
func (s *Server) dropRequest(g gate, project int64, reason string) {
	s.o.Count(pipeline.Count{Hour: g.now.UnixMilli(), Project: project, Protocol: g.protocol, Kind: "request", Outcome: pipeline.Dropped, Reason: reason, N: 1})
}

// refuse slows down an address that keeps failing.
func (s *Server) refuse(r *http.Request, now time.Time, err error) error {
	ip := door.InfoOf(r.Context()).IP()
	if !ip.IsValid() {
		return err
	}
	if ip.Is6() { // one subscriber has a /64
		if p, e := ip.Prefix(64); e == nil {
			ip = p.Addr()
		}
	}
	if ok, wait := s.failed.Allow(ip.String(), 1, failuresPerSec, failureBurst, now); !ok {
		return door.Later(fault.E("ingest", fault.RateLimited, "Too many requests without a usable key.", nil), wait)
	}
	return err
}

// take asks the key's rate limit for one request.
func (s *Server) take(g *gate) error {
	k := &g.key.Key
	rate := float64(k.RatePerMinute)
	if rate == 0 {
		rate = 6000
	}
	burst := float64(k.Burst)
	if burst == 0 {
		burst = max(10, rate/10)
	}
	if ok, wait := s.keys.Allow(k.Public, 1, rate/60, burst, g.now); !ok {
		s.dropRequest(*g, g.key.Project.ID, "rate")
		return door.Later(fault.E("ingest", fault.RateLimited, "The project key has sent too many requests.", nil), max(wait, time.Second))
	}
	if k.DailyQuota > 0 && s.quota.spent(k.Public, g.key.Project.ID, g.now) >= k.DailyQuota {
		s.dropRequest(*g, g.key.Project.ID, "quota")
		y, m, d := g.now.UTC().Date()
		return door.Later(fault.E("ingest", fault.RateLimited, "The project key has spent its quota of the day.", errQuota),
			time.Date(y, m, d+1, 0, 0, 0, 0, time.UTC).Sub(g.now))
	}
	return nil
}

// full answers "later" while there is no room.
func (s *Server) full() error {
	if s.o.Full != nil && s.o.Full() {
		return door.Later(fault.E("ingest", fault.Unavailable, "There is no room at present; try again later.", nil), laterSeconds*time.Second)
	}
	return nil
}

func keySyntax(k string) bool {
	if k == "" || len(k) > 64 {
		return false
	}
	for i := range len(k) {
		c := k[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

// headerKey finds the key of OTLP and native requests: a bearer token, Sentry's
// header, or ours. Those that are there must agree.
func headerKey(h http.Header) (string, error) {
	var key string
	for _, v := range []string{h.Get("X-Bellwether-Key"), bearer(h.Get("Authorization")), sentryKey(h.Get("X-Sentry-Auth")), sentryKey(h.Get("Authorization"))} {
		if v == "" {
			continue
		}
		if key != "" && v != key {
			return "", fault.E("ingest", fault.Unauthenticated, "The request names two project keys.", nil)
		}
		key = v
	}
	return key, nil
}

func bearer(v string) string {
	scheme, token, ok := strings.Cut(strings.TrimSpace(v), " ")
	if !ok || !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

func sentryKey(v string) string {
	a, _ := sentry.ParseAuth(v)
	return a.Key
}

var (
	errQuota = errors.New("quota")
	errEnded = errors.New("revoked or expired")
)

// quota counts the items of each key in the present UTC day. What the process
// before had counted is known by project: after a restart each key of a project
// begins with all of it, so that a restart never lifts a quota.
type quota struct {
	mu   sync.Mutex
	day  int64 // since 1970
	used map[string]int64
	seed func(project int64) int64 // of the day of the start
}

func (q *quota) spent(key string, project int64, now time.Time) int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.turn(now)
	return q.of(key, project)
}

func (q *quota) add(key string, project, n int64, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.turn(now)
	q.used[key] = q.of(key, project) + n
}

func (q *quota) of(key string, project int64) int64 {
	n, ok := q.used[key]
	if !ok && q.seed != nil {
		n = q.seed(project)
	}
	return n
}

func (q *quota) turn(now time.Time) {
	if day := dayOf(now); day != q.day {
		q.day, q.seed = day, nil
		clear(q.used)
	}
}

func dayOf(t time.Time) int64 { return t.Unix() / 86_400 }

package account

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// limiter slows down guessing: token buckets per key, in memory only. Keys are
// addresses and e-mail addresses; only their keyed hash is held, and at most
// maxBuckets of them. When full, the old ones go first.
type limiter struct {
	mu      sync.Mutex
	seed    maphash.Seed
	buckets map[uint64]bucket
}

type bucket struct {
	left float64
	at   time.Time
}

const maxBuckets = 50_000

// A rate is so many tries at once and then one every Each.
type rate struct {
	burst float64
	each  time.Duration
}

// Failed sign-ins cost a try; successful ones cost nothing. The account's own
// bucket is wider than that of (account, address), so that a stranger who guesses
// does not lock the owner out quickly.
var (
	perPair    = rate{5, 2 * time.Minute}
	perAccount = rate{20, time.Minute}
	perAddress = rate{30, 30 * time.Second}
)

func newLimiter() *limiter {
	return &limiter{seed: maphash.MakeSeed(), buckets: map[uint64]bucket{}}
}

func (l *limiter) key(kind, s string) uint64 {
	var h maphash.Hash
	h.SetSeed(l.seed)
	h.WriteString(kind)
	h.WriteByte(0)
	h.WriteString(s)
	return h.Sum64()
}

// network is what an address is counted as: an IPv6 host has its whole /64 to
// choose from.
func network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	if a = a.Unmap(); a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// peek reports whether a try is left.
func (l *limiter) peek(key uint64, r rate, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.level(key, r, now) >= 1
}

// spend takes one try.
func (l *limiter) spend(key uint64, r rate, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.buckets) >= maxBuckets {
		l.shrink(now)
	}
	l.buckets[key] = bucket{max(0, l.level(key, r, now)-1), now}
}

// refund gives a try back.
func (l *limiter) refund(key uint64, r rate, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buckets[key] = bucket{min(r.burst, l.level(key, r, now)+1), now}
}

func (l *limiter) level(key uint64, r rate, now time.Time) float64 {
	b, ok := l.buckets[key]
	if !ok {
		return r.burst
	}
	return min(r.burst, b.left+float64(now.Sub(b.at))/float64(r.each))
}

// shrink drops what is older than an hour, and then, while the table is still
// full, some of the rest: a flood costs a bounded amount of memory.
func (l *limiter) shrink(now time.Time) {
	for k, b := range l.buckets {
		if now.Sub(b.at) > time.Hour {
			delete(l.buckets, k)
		}
	}
	for k := range l.buckets { // in no order
		if len(l.buckets) < maxBuckets*7/8 {
			return
		}
		delete(l.buckets, k)
	}
}

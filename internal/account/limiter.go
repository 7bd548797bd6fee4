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

// try is one bucket that a request spends from.
type try struct {
	key uint64
	rate
}

// take takes one try of each bucket, or of none when one of them is empty. Asking
// and spending are one step: tries that arrive side by side all count.
func (l *limiter) take(now time.Time, tries ...try) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range tries {
		if l.level(t, now) < 1 {
			return false
		}
	}
	if len(l.buckets)+len(tries) > maxBuckets {
		l.shrink(now)
	}
	for _, t := range tries {
		l.buckets[t.key] = bucket{l.level(t, now) - 1, now}
	}
	return true
}

// refund gives the tries back.
func (l *limiter) refund(now time.Time, tries ...try) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range tries {
		l.buckets[t.key] = bucket{min(t.burst, l.level(t, now)+1), now}
	}
}

func (l *limiter) level(t try, now time.Time) float64 {
	b, ok := l.buckets[t.key]
	if !ok {
		return t.burst
	}
	return min(t.burst, b.left+float64(now.Sub(b.at))/float64(t.each))
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

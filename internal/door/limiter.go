package door

import (
	"sync"
	"time"
)

// Limiter is a set of token buckets by key. It holds at most MaxKeys buckets;
// when there are more, full ones are forgotten first, and then any.
type Limiter[K comparable] struct {
	mu      sync.Mutex
	buckets map[K]*bucket
	max     int
}

type bucket struct {
	tokens float64
	at     time.Time
	rate   float64
	burst  float64
}

// NewLimiter makes a limiter of at most maxKeys keys.
func NewLimiter[K comparable](maxKeys int) *Limiter[K] {
	return &Limiter[K]{buckets: make(map[K]*bucket), max: maxKeys}
}

// Allow takes n tokens of the key's bucket, which fills at rate tokens a second up
// to burst. When there are too few it takes none and says how long until there
// are enough.
func (l *Limiter[K]) Allow(key K, n, rate, burst float64, now time.Time) (bool, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[key]
	if b == nil {
		if len(l.buckets) >= l.max {
			l.forget(now)
		}
		b = &bucket{tokens: burst, at: now}
		l.buckets[key] = b
	}
	b.rate, b.burst = rate, burst
	b.fill(now)
	if b.tokens >= n {
		b.tokens -= n
		return true, 0
	}
	if rate <= 0 {
		return false, time.Hour
	}
	return false, time.Duration((min(n, burst) - b.tokens) / rate * float64(time.Second))
}

func (b *bucket) fill(now time.Time) {
	if d := now.Sub(b.at); d > 0 {
		b.tokens += d.Seconds() * b.rate
		b.at = now
	}
	b.tokens = min(b.tokens, b.burst)
}

func (l *Limiter[K]) forget(now time.Time) {
	for k, b := range l.buckets {
		if b.fill(now); b.tokens >= b.burst {
			delete(l.buckets, k)
		}
	}
	for k := range l.buckets {
		if len(l.buckets) < l.max*9/10 {
			break
		}
		delete(l.buckets, k)
	}
}

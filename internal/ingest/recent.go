package ingest

import (
	"crypto/sha256"
	"sync"
	"time"
)

// recent remembers the hashes of batches that were kept, for a short while:
// protocols without ids of their own repeat a batch byte for byte when an answer
// is lost. A batch is remembered only after it is durable.
type recent struct {
	mu    sync.Mutex
	max   int
	life  time.Duration
	seen  map[[16]byte]time.Time
	order [][16]byte
	head  int
}

func batchHash(key string, body []byte) [16]byte {
	h := sha256.New()
	h.Write([]byte(key))
	h.Write([]byte{0})
	h.Write(body)
	var sum [sha256.Size]byte
	return [16]byte(h.Sum(sum[:0])[:16])
}

func (r *recent) has(k [16]byte, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.seen[k]
	return ok && now.Sub(at) < r.life
}

func (r *recent) add(k [16]byte, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = make(map[[16]byte]time.Time)
	}
	if _, ok := r.seen[k]; !ok {
		if len(r.order) < r.max {
			r.order = append(r.order, k)
		} else {
			delete(r.seen, r.order[r.head])
			r.order[r.head] = k
			r.head = (r.head + 1) % r.max
		}
	}
	r.seen[k] = now
}

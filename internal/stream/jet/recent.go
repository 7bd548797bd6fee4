package jet

import (
	"slices"
	"sync"

	"github.com/bellwether-project/bellwether/internal/stream"
)

// recent is the newest messages of this process, in memory: whoever keeps up with
// the log need not ask the server for what was just written. They are in it only
// after they are on the disk, without a gap, until they are committed or others push
// them out.
type recent struct {
	mu    sync.Mutex
	held  []stream.Message // one position after the other
	sizes []int
	bytes int
}

// maxRecent bounds the bytes held: what a worker has before it in a busy second.
const maxRecent = 8 << 20

func (r *recent) add(m stream.Message, size int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.held); n > 0 && r.held[n-1].Seq+1 != m.Seq {
		r.drop(n)
	}
	r.held, r.sizes, r.bytes = append(r.held, m), append(r.sizes, size), r.bytes+size
	for r.bytes > maxRecent {
		r.drop(1)
	}
}

// drop forgets the oldest n.
func (r *recent) drop(n int) {
	for _, size := range r.sizes[:n] {
		r.bytes -= size
	}
	r.held, r.sizes = slices.Delete(r.held, 0, n), slices.Delete(r.sizes, 0, n)
}

// read returns up to max messages from the one behind after on, until they have
// maxRead bytes; none when that one is not held.
func (r *recent) read(after uint64, max int) []stream.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.held) == 0 || after+1 < r.held[0].Seq || after >= r.held[len(r.held)-1].Seq {
		return nil
	}
	from := int(after + 1 - r.held[0].Seq)
	upto := from
	for size := 0; upto < len(r.held) && upto-from < max && size < maxRead; upto++ {
		size += r.sizes[upto]
	}
	return slices.Clone(r.held[from:upto])
}

// commit forgets what is at or before seq.
func (r *recent) commit(seq uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.held) > 0 && seq >= r.held[0].Seq {
		r.drop(int(min(seq-r.held[0].Seq+1, uint64(len(r.held)))))
	}
}

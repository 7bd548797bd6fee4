package jet

import (
	"testing"

	"github.com/bellwether-project/bellwether/internal/stream"
)

// TestRecent: what is held is read from any place of it, never past a gap, never
// what was committed, and within the bounds.
func TestRecent(t *testing.T) {
	var r recent
	add := func(seqs ...uint64) {
		for _, s := range seqs {
			r.add(stream.Message{Seq: s}, 1<<20)
		}
	}
	want := func(after uint64, max int, first, n uint64) {
		t.Helper()
		got := r.read(after, max)
		if uint64(len(got)) != n || n > 0 && (got[0].Seq != first || got[n-1].Seq != first+n-1) {
			t.Errorf("after %d, at most %d: %v, want %d from %d on", after, max, got, n, first)
		}
	}
	want(0, 9, 0, 0)
	add(5, 6, 7)
	want(3, 9, 0, 0) // 4 may be in the log
	want(4, 9, 5, 3)
	want(5, 1, 6, 1)
	want(7, 9, 0, 0)
	add(9) // 8 is known to the log alone
	want(6, 9, 0, 0)
	want(8, 9, 9, 1)
	add(10, 11, 12, 13, 14, 15, 16, 17)
	want(8, 99, 0, 0) // pushed out
	want(9, 99, 10, maxRead>>20)
	r.commit(8)
	want(9, 99, 10, maxRead>>20)
	r.commit(15)
	want(14, 99, 0, 0)
	want(15, 99, 16, 2)
	r.commit(99)
	want(15, 99, 0, 0)
	if r.bytes != 0 || len(r.sizes) != 0 {
		t.Errorf("%d bytes are left", r.bytes)
	}
}

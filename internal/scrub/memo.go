package scrub

import (
	"hash/maphash"
	"sync/atomic"
)

// memo remembers what became of texts that reports repeat: names of functions and
// files, commands, versions. Reading them again is most of what scrubbing costs.
//
// It holds nothing that came. A text is known by two hashes under keys that this
// process made up at its start; that it was clean is all that is kept. Of paths,
// which are dirty with the same user's name frame after frame, the scrubbed text is
// kept as well: what is stored anyway. A text shares its place with others, and the
// last one has it.
type memo struct {
	keys  [2]maphash.Seed
	slots [memoSlots]atomic.Pointer[verdict]
}

const (
	memoSlots = 1 << 15
	memoLeast = 16  // bytes: a shorter text is read as fast
	memoMost  = 256 // bytes: a longer one is hardly repeated
)

// verdict is what became of a text.
type verdict struct {
	sum   [2]uint64
	n     int
	mode  mode
	path  string // the scrubbed path, when something was taken out
	taken []taken
}

type taken struct {
	rule  ruleID
	count int32
}

func newMemo() *memo { return &memo{keys: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}} }

// known is text for a field: it looks into the memory first.
func (x *scan) known(s string, m mode) string {
	x.hits, x.any, x.work = [ruleCount]int32{}, false, 0
	memory := x.rules.memo
	if len(s) < memoLeast || len(s) > memoMost {
		return x.text(s, m)
	}
	sum := [2]uint64{maphash.String(memory.keys[0], s), maphash.String(memory.keys[1], s)}
	slot := &memory.slots[(sum[0]+uint64(m))%memoSlots]
	if v := slot.Load(); v != nil && v.sum == sum && v.n == len(s) && v.mode == m {
		if v.taken == nil {
			return s
		}
		x.any = true
		for _, t := range v.taken {
			x.hits[t.rule] = t.count
		}
		return v.path
	}
	out := x.text(s, m)
	if x.any && m != modePath {
		return out
	}
	v := &verdict{sum: sum, n: len(s), mode: m}
	if x.any {
		v.path = out
		for i, n := range x.hits {
			if n > 0 {
				v.taken = append(v.taken, taken{ruleID(i), n})
			}
		}
	}
	slot.Store(v)
	return out
}

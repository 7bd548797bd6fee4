package family

import (
	"cmp"
	"slices"
)

const (
	placeAmong   = 16    // representatives compared exactly to place a crash
	rankAmong    = 64    // to rank families for a person
	maxSequences = 20000 // remembered in one block
	maxNear      = 5
	fewPosts     = 100 // a token of so few representatives is always a way in
)

// block is one room of the index. Everything in it is a pure function of the
// inputs placed so far.
type block struct {
	key   string
	t     *tuning
	dirty bool
	seq   uint64 // inputs placed so far: the only time there is

	ids   map[string]uint32 // of tokens
	names []string
	posts [][]post // by token: who has it, and how heavy; also of representatives that are gone
	count []int32  // by token: living representatives
	seen  []uint64 // by token: builds in which an in-app frame had it

	builds []string // versions, by bit
	oldest int      // the bit that is reused next

	reps     []rep // in the order of their coming
	live     int   // of reps, those that are not gone
	families []fam
	byID     map[string]int32
	known    map[uint64]known // by sequence
	sigs     map[string]int32 // signature -> family it was last placed in
	bytes    int64

	slots   []int32 // scratch: slot+1 of the query's terms, by token
	hits    []float64
	touched []int32
}

type post struct {
	rep int32
	w   float32
}

type known struct {
	family int32
	used   uint64
}

// fam is one family: also the builds it was seen in, and the innermost in-app names
// and files it was seen with, the first maxSeen of each.
type fam struct {
	id     string
	reps   []int32
	builds uint64
	tops   []uint32
	files  []uint32
}

const maxSeen = 64

// build is the bit of a build in this block. The block knows the last 64; the
// oldest gives its bit to a new one.
func (b *block) build(version string, learn bool) uint64 {
	if version == "" {
		return 0
	}
	i := slices.Index(b.builds, version)
	switch {
	case i >= 0:
		return 1 << i
	case !learn:
		return 0
	case len(b.builds) < 64:
		b.builds = append(b.builds, version)
		b.bytes += int64(len(version)) + 16
		return 1 << (len(b.builds) - 1)
	}
	i = b.oldest
	b.oldest = (b.oldest + 1) % 64
	b.bytes += int64(len(version)) - int64(len(b.builds[i]))
	b.builds[i] = version
	for id := range b.seen {
		b.seen[id] &^= 1 << i
	}
	for f := range b.families {
		b.families[f].builds &^= 1 << i
	}
	return 1 << i
}

// rep is one crash that stands for others of its family.
type rep struct {
	stack
	family int32
	used   uint64
	gone   bool
	sig    string // its signature; "" in what a snapshot of fam1 held
}

const blockBytes = 512

func newBlock(key string, t *tuning) *block {
	return &block{key: key, t: t, ids: map[string]uint32{}, byID: map[string]int32{}, known: map[uint64]known{}, sigs: map[string]int32{}, bytes: blockBytes}
}

// learn numbers a token; lookup does so only when the block knows it.
func (b *block) learn(tok string) uint32 {
	id, ok := b.ids[tok]
	if !ok {
		id = uint32(len(b.names))
		b.ids[tok] = id
		b.names = append(b.names, tok)
		b.posts, b.count, b.seen = append(b.posts, nil), append(b.count, 0), append(b.seen, 0)
		b.bytes += tokenBytes(tok)
	}
	return id
}

func (b *block) lookup(tok string) uint32 {
	if id, ok := b.ids[tok]; ok {
		return id
	}
	return noID
}

func (b *block) name(id uint32) string {
	if int(id) < len(b.names) {
		return b.names[id]
	}
	return ""
}

func tokenBytes(tok string) int64 { return int64(len(tok)) + 96 }
func repBytes(n int) int64        { return int64(n)*(4+4+4+1+8) + 192 }

// scored is a representative and its similarity.
type scored struct {
	rep int32
	sim float64
}

// nearest compares a crash with the representatives that share a telling token,
// best first.
func (b *block) nearest(q *stack, builds uint64, most int) []scored {
	if len(b.hits) < len(b.reps) {
		b.hits = make([]float64, max(len(b.reps), 2*len(b.hits)))
	}
	if len(b.slots) < len(b.names) {
		b.slots = make([]int32, max(len(b.names), 2*len(b.slots)))
	}
	// Tokens of many stacks are no way in when there are three rarer ones.
	limit := max(int(b.t.common*float64(b.live)), fewPosts)
	rare := 0
	for _, id := range q.ids {
		if id != noID && b.count[id] > 0 && int(b.count[id]) <= limit {
			rare++
		}
	}
	b.touched = b.touched[:0]
	for i, id := range q.ids {
		if id == noID {
			continue
		}
		b.slots[id] = int32(i) + 1
		if rare >= 3 && int(b.count[id]) > limit {
			continue
		}
		for _, p := range b.posts[id] {
			if b.hits[p.rep] == 0 {
				b.touched = append(b.touched, p.rep)
			}
			b.hits[p.rep] += float64(q.w[i] + p.w)
		}
	}
	b.touched = slices.DeleteFunc(b.touched, func(r int32) bool {
		if b.reps[r].gone {
			b.hits[r] = 0
		}
		return b.reps[r].gone
	})
	b.keepBest(q, most)
	out := make([]scored, 0, len(b.touched))
	for _, ri := range b.touched {
		b.hits[ri] = 0
		r := &b.reps[ri]
		sim, told := b.t.similarity(q, &r.stack, b.slots)
		if !told && b.strange(&b.families[r.family], q, builds) {
			sim = max(sim-b.t.strict, -1)
		}
		out = append(out, scored{ri, sim})
	}
	for _, id := range q.ids {
		if id != noID {
			b.slots[id] = 0
		}
	}
	slices.SortFunc(out, func(x, y scored) int { return cmp.Or(cmp.Compare(y.sim, x.sim), cmp.Compare(x.rep, y.rep)) })
	return out
}

// keepBest leaves the most alike of the touched representatives, in one
// pass: the least of the kept ones stands first, as in a heap.
func (b *block) keepBest(q *stack, most int) {
	if len(b.touched) <= most {
		return
	}
	share := func(r int32) float64 { return b.hits[r] / (q.sum + b.reps[r].sum) }
	less := func(x, y int32) bool {
		sx, sy := share(x), share(y)
		return sx < sy || sx == sy && x > y
	}
	kept := b.touched[:most]
	sink := func(i int) {
		for {
			c := 2*i + 1
			if c >= len(kept) {
				return
			}
			if c+1 < len(kept) && less(kept[c+1], kept[c]) {
				c++
			}
			if !less(kept[c], kept[i]) {
				return
			}
			kept[i], kept[c] = kept[c], kept[i]
			i = c
		}
	}
	for i := len(kept)/2 - 1; i >= 0; i-- {
		sink(i)
	}
	for k := most; k < len(b.touched); k++ {
		r := b.touched[k]
		if less(kept[0], r) {
			r, kept[0] = kept[0], r
			sink(0)
		}
		b.hits[r] = 0
	}
	b.touched = kept
}

const (
	sequenceBytes  = 48
	signatureBytes = 72
)

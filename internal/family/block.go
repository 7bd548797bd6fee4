package family

import (
	"cmp"
	"encoding/base32"
	"encoding/binary"
	"math"
	"slices"

	"github.com/bellwether-project/bellwether/internal/signature"
)

const (
	maxTerms      = 320 // of one crash; the rest is not read
	maxOccur      = 3   // occurrences of one token that count
	maxCandidates = 48  // representatives compared exactly
	maxSequences  = 20000
	maxNear       = 5
)

// block is one room of the index. Everything in it is a pure function of the
// inputs placed so far.
type block struct {
	key   string
	t     *tuning
	dirty bool
	seq   uint64 // inputs placed so far: the only time there is

	ids   map[string]uint32 // token and its occurrence -> id
	names []string
	base  []float64 // class weight by id
	df    []uint32  // stacks (different sequences) that hold the token
	n     uint32    // stacks
	g     []float64 // weight of the token, as of the last refresh
	fresh uint32    // n at the last refresh
	posts [][]post  // by id

	reps     []rep
	families []fam
	byID     map[string]int32
	known    map[uint64]known
	sigs     map[string]int32 // signature -> family it was last placed in
	bytes    int64

	scratch []uint32 // slot+1 of the query's terms, by id
	hits    []float64
	touched []int32
}

type post struct{ rep, slot int32 }

type known struct {
	family int32
	used   uint64
}

type fam struct {
	id   string
	reps int
}

// rep is one crash that stands for others of its family.
type rep struct {
	family int32
	used   uint64
	ids    []uint32 // in the order of the stack, extras first
	extras int
	tell   uint32
	w, pos []float64
	sum    float64
	gone   bool
}

func newBlock(key string, t *tuning) *block {
	return &block{key: key, t: t, ids: map[string]uint32{}, byID: map[string]int32{}, known: map[uint64]known{}, sigs: map[string]int32{}, bytes: 512}
}

// query is a crash in the block's own terms.
type query struct {
	ids    []uint32
	extras int
	tell   uint32
	w, pos []float64
	sum    float64
}

// read interns the terms of a crash; with count set it also counts them.
func (b *block) read(in *Input, count bool) query {
	terms := in.Terms
	if len(terms) > maxTerms {
		terms = terms[:maxTerms]
	}
	q := query{ids: make([]uint32, 0, len(terms))}
	var fresh []float64 // weights of tokens that the block does not know, when not counting
	seen := make(map[string]int, len(terms))
	for i := range terms {
		t := &terms[i]
		k := seen[t.Token]
		if k == b.t.occur {
			continue
		}
		seen[t.Token] = k + 1
		name := t.Token
		if k > 0 {
			name += "\x00" + string(rune('0'+k))
		}
		id, ok := b.ids[name]
		if !ok {
			id = uint32(len(b.names))
			b.ids[name] = id
			b.names = append(b.names, name)
			b.base = append(b.base, t.Weight)
			b.df = append(b.df, 0)
			b.g = append(b.g, t.Weight)
			b.posts = append(b.posts, nil)
			b.bytes += int64(len(name)) + 120
		}
		q.ids = append(q.ids, id)
		if t.Extra {
			q.extras++
		}
		if t.Telling {
			q.tell = id + 1
		}
	}
	_ = fresh
	if count {
		b.count(q.ids)
	}
	q.w, q.pos, q.sum = b.weigh(q.ids, q.extras, nil, nil)
	return q
}

func (b *block) count(ids []uint32) {
	b.n++
	for _, id := range ids {
		b.df[id]++
	}
	if b.n >= b.fresh+b.fresh/8+2 {
		b.refresh()
	}
}

// refresh recomputes every weight from the document frequencies of now.
func (b *block) refresh() {
	b.fresh = b.n
	if b.t.famDF {
		last := make([]int32, len(b.g))
		ff := make([]int32, len(b.g))
		order := make([]int32, len(b.reps))
		for i := range order {
			order[i] = int32(i)
		}
		slices.SortFunc(order, func(x, y int32) int { return cmp.Compare(b.reps[x].family, b.reps[y].family) })
		nf, prev := 0, int32(-1)
		for _, i := range order {
			r := &b.reps[i]
			if r.family != prev {
				nf, prev = nf+1, r.family
			}
			for _, id := range r.ids {
				if last[id] != int32(nf) {
					last[id] = int32(nf)
					ff[id]++
				}
			}
		}
		for id := range b.g {
			b.g[id] = b.base[id]
			if ff[id] > 1 {
				b.g[id] *= math.Exp(-b.t.beta * float64(ff[id]-1) / float64(nf))
			}
		}
	} else {
		for id := range b.g {
			b.g[id] = b.base[id] * math.Exp(-b.t.beta*float64(b.df[id])/float64(b.n))
		}
	}
	for i := range b.reps {
		r := &b.reps[i]
		r.w, r.pos, r.sum = b.weigh(r.ids, r.extras, r.w, r.pos)
	}
}

// weigh gives each token its weight and its distance from the crash point. The
// distance grows by what a frame says, not by its mere presence: a library's or
// a helper's frames above do not push the caller away.
func (b *block) weigh(ids []uint32, extras int, w, pos []float64) ([]float64, []float64, float64) {
	w, pos = slices.Grow(w[:0], len(ids)), slices.Grow(pos[:0], len(ids))
	sum, at := 0.0, 1.0
	for i, id := range ids {
		g, p := b.g[id], 1.0
		if i >= extras {
			p = at
			if b.t.infoPos {
				at += g
			} else {
				at++
			}
		}
		x := g
		if b.t.alpha == 1 {
			x /= p
		} else {
			x *= math.Pow(p, -b.t.alpha)
		}
		w, pos = append(w, x), append(pos, p)
		sum += x
	}
	return w, pos, sum
}

// scored is a representative and its similarity.
type scored struct {
	rep int32
	sim float64
}

// nearest compares a crash with the representatives that share a telling token.
func (b *block) nearest(q *query) []scored {
	if len(b.hits) < len(b.reps) {
		b.hits = make([]float64, max(len(b.reps), 2*len(b.hits)))
	}
	if len(b.scratch) < len(b.names) {
		b.scratch = make([]uint32, max(len(b.names), 2*len(b.scratch)))
	}
	// Tokens of many stacks are no way in when there are three rarer ones.
	rare := 0
	limit := b.t.common * float64(b.n)
	for _, id := range q.ids {
		if n := b.df[id]; n > 1 && float64(n) <= limit {
			rare++
		}
	}
	b.touched = b.touched[:0]
	for i, id := range q.ids {
		b.scratch[id] = uint32(i) + 1
		if rare >= 3 && float64(b.df[id]) > limit {
			continue
		}
		for _, p := range b.posts[id] {
			if b.hits[p.rep] == 0 {
				b.touched = append(b.touched, p.rep)
			}
			r := &b.reps[p.rep]
			b.hits[p.rep] += q.w[i] + r.w[p.slot]
		}
	}
	if len(b.touched) > maxCandidates {
		slices.SortFunc(b.touched, func(x, y int32) int {
			if c := cmp.Compare(b.hits[y]/(q.sum+b.reps[y].sum), b.hits[x]/(q.sum+b.reps[x].sum)); c != 0 {
				return c
			}
			return cmp.Compare(x, y)
		})
		for _, r := range b.touched[maxCandidates:] {
			b.hits[r] = 0
		}
		b.touched = b.touched[:maxCandidates]
	}
	out := make([]scored, 0, len(b.touched))
	for _, ri := range b.touched {
		b.hits[ri] = 0
		out = append(out, scored{ri, b.similarity(q, &b.reps[ri])})
	}
	for _, id := range q.ids {
		b.scratch[id] = 0
	}
	slices.SortFunc(out, func(x, y scored) int {
		if c := cmp.Compare(y.sim, x.sim); c != 0 {
			return c
		}
		return cmp.Compare(x.rep, y.rep)
	})
	return out
}

// similarity is FaST's, with scratch holding the query's slots.
func (b *block) similarity(q *query, r *rep) float64 {
	m, me := 0.0, 0.0
	for j, id := range r.ids {
		if s := b.scratch[id]; s > 0 {
			i := s - 1
			m += (q.w[i] + r.w[j]) * (1 + math.Exp(-b.t.gamma*math.Abs(q.pos[i]-r.pos[j])))
			if j >= r.extras && int(i) >= q.extras && b.base[id] >= .9 {
				me += min(q.w[i], r.w[j])
			}
		}
	}
	total := q.sum + r.sum
	if total == 0 {
		return -1
	}
	sim := (m - total) / total
	if b.t.gate > 0 && (q.tell == 0 || q.tell != r.tell) {
		qe, re := b.own(q.ids, q.extras, q.w), b.own(r.ids, r.extras, r.w)
		if least := min(qe, re); least > 0 && me < b.t.gate*least {
			sim -= b.t.pen * (1 - me/(b.t.gate*least))
		}
	}
	return sim
}

// add makes a crash a representative.
func (b *block) add(q *query, family int32) {
	ri := int32(len(b.reps))
	b.reps = append(b.reps, rep{family: family, used: b.seq, ids: q.ids, extras: q.extras, tell: q.tell, w: q.w, pos: q.pos, sum: q.sum})
	for slot, id := range q.ids {
		b.posts[id] = append(b.posts[id], post{ri, int32(slot)})
	}
	b.families[family].reps++
	b.bytes += repBytes(len(q.ids))
	if b.families[family].reps > b.t.perFamily {
		b.dropOldest(family)
	}
}

func repBytes(n int) int64 { return int64(n)*(4+8+8+8) + 112 }

// dropOldest takes the least recently used representative of a family out.
func (b *block) dropOldest(family int32) {
	at := -1
	for i := range b.reps {
		if r := &b.reps[i]; r.family == family && (at < 0 || r.used < b.reps[at].used) {
			at = i
		}
	}
	b.drop(at)
}

// drop removes a representative; the last one takes its number.
func (b *block) drop(at int) {
	r := &b.reps[at]
	for _, id := range r.ids {
		b.posts[id] = slices.DeleteFunc(b.posts[id], func(p post) bool { return p.rep == int32(at) })
	}
	b.families[r.family].reps--
	b.bytes -= repBytes(len(r.ids))
	last := len(b.reps) - 1
	if at != last {
		moved := &b.reps[last]
		for _, id := range moved.ids {
			for k := range b.posts[id] {
				if b.posts[id][k].rep == int32(last) {
					b.posts[id][k].rep = int32(at)
				}
			}
		}
		b.reps[at] = *moved
	}
	b.reps = b.reps[:last]
}

// open makes a new family. Its id is a hash of the block and its first crash.
func (b *block) open(in *Input) int32 {
	for salt := byte(0); ; salt++ {
		id := familyID(b.key, in.Signature, in.Sequence, salt)
		if _, taken := b.byID[id]; taken {
			continue
		}
		return b.familyOf(id)
	}
}

// familyOf returns the number of a family in this block, which it enters if need be.
func (b *block) familyOf(id string) int32 {
	if f, ok := b.byID[id]; ok {
		return f
	}
	f := int32(len(b.families))
	b.families = append(b.families, fam{id: id})
	b.byID[id] = f
	b.bytes += 120
	return f
}

var letters = base32.NewEncoding("ABCDEFGHJKMNPQRSTVWXYZ0123456789").WithPadding(base32.NoPadding)

func familyID(key, sig string, sequence uint64, salt byte) string {
	var raw [8]byte
	h := signature.Hash64(Version + "\n" + key + "\n" + sig)
	h = (h ^ sequence) * 0x9e3779b97f4a7c15
	h ^= h >> 29
	binary.BigEndian.PutUint64(raw[:], h+uint64(salt))
	return "F-" + letters.EncodeToString(raw[:])
}

func (b *block) own(ids []uint32, extras int, w []float64) float64 {
	s := 0.0
	for i := extras; i < len(ids); i++ {
		if b.base[ids[i]] >= .9 {
			s += w[i]
		}
	}
	return s
}

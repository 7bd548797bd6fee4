package family

import (
	"cmp"
	"encoding/base32"
	"encoding/binary"
	"slices"

	"github.com/bellwether-project/bellwether/internal/signature"
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

// strange reports whether the crash's innermost in-app function cannot be the
// family's own under a new name: both were seen in one build, as two. Of functions
// whose names are made up anew by each build the files are compared as well.
func (b *block) strange(f *fam, q *stack, build uint64) bool {
	return b.apart(f.tops, f.builds, q, q.top, build) || b.apart(f.files, f.builds, q, q.file, build)
}

func (b *block) apart(had []uint32, builds uint64, q *stack, at int, build uint64) bool {
	if at < 0 || len(had) == 0 || slices.Contains(had, q.ids[at]) {
		return false
	}
	if id := q.ids[at]; id != noID {
		build |= b.seen[id]
	}
	return build&builds != 0
}

// saw notes that a member of a family came, in this build.
func (b *block) saw(f *fam, q *stack, build uint64) {
	f.builds |= build
	note := func(list []uint32, at int) []uint32 {
		if at < 0 || len(list) == maxSeen || slices.Contains(list, q.ids[at]) {
			return list
		}
		return append(list, q.ids[at])
	}
	f.tops, f.files = note(f.tops, q.top), note(f.files, q.file)
	for i, id := range q.ids {
		if q.own[i] {
			b.seen[id] |= build
		}
	}
}

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
func repBytes(n int) int64        { return int64(n)*(4+4+4+1+8) + 160 }

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

// place decides for one crash. allowed says which families it may join.
func (b *block) place(in *Input, given string, allowed func(string) bool) Placement {
	b.seq++
	b.dirty = true
	builds := b.build(in.Build, true)
	if k, ok := b.known[in.Sequence]; ok && given == "" {
		if id := b.families[k.family].id; allowed(id) {
			b.families[k.family].builds |= builds
			b.remember(in, k.family)
			return Placement{Family: id, Known: true, Score: 1}
		}
	}
	q := weigh(in, b.learn)
	p := Placement{Score: -1}
	target := int32(-1)
	if given != "" {
		target = b.familyOf(given)
	}
	novel, torn := true, false
	near := b.nearest(&q, builds, placeAmong)
	for _, s := range near {
		r := &b.reps[s.rep]
		id := b.families[r.family].id
		if !allowed(id) {
			continue
		}
		if target < 0 && !torn && s.sim >= b.t.threshold {
			if torn = b.torn(near, s, allowed); !torn {
				target = r.family
			}
		}
		if r.family == target && p.Score < s.sim {
			p.Score, r.used = s.sim, b.seq
			novel = s.sim < b.t.novelty
		}
		// A doubtful join and a near miss are both for a person to see.
		if s.sim >= b.t.threshold-b.t.margin && p.Score < b.t.threshold+b.t.margin && r.family != target && len(p.Near) < maxNear {
			if !slices.ContainsFunc(p.Near, func(n Near) bool { return n.Family == id }) {
				p.Near = append(p.Near, Near{id, s.sim})
			}
		}
	}
	if target < 0 {
		target, p.New = b.open(in), true
		if len(near) > 0 {
			p.Score = near[0].sim
		}
	}
	p.Family = b.families[target].id
	b.saw(&b.families[target], &q, builds)
	if novel {
		b.add(rep{stack: q, family: target, used: b.seq})
	}
	b.remember(in, target)
	return p
}

// torn reports whether a crash is no more like its nearest family than like another
// one, and not much like either: a new family, and a person's decision, harm less
// than a toss.
func (b *block) torn(near []scored, best scored, allowed func(string) bool) bool {
	if best.sim >= b.t.threshold+b.t.doubt {
		return false
	}
	for _, s := range near {
		f := b.reps[s.rep].family
		if f != b.reps[best.rep].family && best.sim-s.sim < b.t.tie && allowed(b.families[f].id) {
			return true
		}
	}
	return false
}

// add makes a crash a representative.
func (b *block) add(r rep) {
	ri := int32(len(b.reps))
	b.reps = append(b.reps, r)
	b.live++
	for slot, id := range r.ids {
		b.posts[id] = append(b.posts[id], post{ri, r.w[slot]})
		b.count[id]++
	}
	f := &b.families[r.family]
	f.reps = append(f.reps, ri)
	b.bytes += repBytes(len(r.ids))
	if len(f.reps) > b.t.perFamily {
		b.drop(f)
	}
}

// drop takes the least recently used representative of a family out. Its postings
// stay until there are more of the gone than of the living.
func (b *block) drop(f *fam) {
	at := 0
	for i, ri := range f.reps {
		if b.reps[ri].used < b.reps[f.reps[at]].used {
			at = i
		}
	}
	r := &b.reps[f.reps[at]]
	f.reps = slices.Delete(f.reps, at, at+1)
	r.gone = true
	b.live--
	b.bytes -= repBytes(len(r.ids))
	for _, id := range r.ids {
		b.count[id]--
	}
	if len(b.reps) > 2*b.live+perCompact {
		b.compact()
	}
}

// perCompact keeps small blocks from compacting all the time.
const perCompact = 64

// compact forgets the gone representatives; the order of the others stays.
func (b *block) compact() {
	to := make([]int32, len(b.reps))
	n := int32(0)
	for i := range b.reps {
		to[i] = -1
		if !b.reps[i].gone {
			to[i] = n
			b.reps[n] = b.reps[i]
			n++
		}
	}
	clear(b.reps[n:])
	b.reps = b.reps[:n]
	for id := range b.posts {
		kept := b.posts[id][:0]
		for _, p := range b.posts[id] {
			if to[p.rep] >= 0 {
				kept = append(kept, post{to[p.rep], p.w})
			}
		}
		b.posts[id] = kept
	}
	for i := range b.families {
		for k, ri := range b.families[i].reps {
			b.families[i].reps[k] = to[ri]
		}
	}
}

// remember keeps the answer for a sequence and a signature, within bounds.
func (b *block) remember(in *Input, family int32) {
	if _, ok := b.known[in.Sequence]; !ok {
		b.bytes += sequenceBytes
	}
	b.known[in.Sequence] = known{family, b.seq}
	if _, ok := b.sigs[in.Signature]; !ok {
		b.bytes += signatureBytes
	}
	b.sigs[in.Signature] = family
	if len(b.known) > maxSequences || len(b.sigs) > maxSequences {
		b.forget(maxSequences * 3 / 4)
	}
}

const (
	sequenceBytes  = 48
	signatureBytes = 72
)

// forget keeps the n most recently used sequences, and the signatures of families
// that still have any.
func (b *block) forget(n int) {
	if len(b.known) > n {
		used := make([]uint64, 0, len(b.known))
		for _, k := range b.known {
			used = append(used, k.used)
		}
		slices.Sort(used)
		cut := used[len(used)-n]
		for s, k := range b.known {
			if k.used < cut {
				delete(b.known, s)
				b.bytes -= sequenceBytes
			}
		}
	}
	if len(b.sigs) > n {
		keys := sortedKeys(b.sigs)
		for _, s := range keys[:len(keys)-n] {
			delete(b.sigs, s)
			b.bytes -= signatureBytes
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// open makes a new family. Its id is a hash of the block and its first crash.
func (b *block) open(in *Input) int32 {
	for salt := uint64(0); ; salt++ {
		id := familyID(b.key, in.Signature, in.Sequence+salt)
		if _, taken := b.byID[id]; !taken {
			return b.familyOf(id)
		}
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
	b.bytes += familyBytes
	return f
}

const familyBytes = 136

// letters is Crockford's base 32: no I, L, O or U.
var letters = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

func familyID(key, sig string, sequence uint64) string {
	h := signature.Hash64(Version + "\n" + key + "\n" + sig)
	h = (h ^ sequence) * 0x9e3779b97f4a7c15
	h ^= h >> 29
	var raw [8]byte
	binary.BigEndian.PutUint64(raw[:], h)
	return "F-" + letters.EncodeToString(raw[:])
}

// shrink keeps the most recently used part of the block, about so many bytes.
func (b *block) shrink(to int64) {
	order := make([]int, 0, b.live)
	for i := range b.reps {
		if !b.reps[i].gone {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(x, y int) int { return cmp.Or(cmp.Compare(b.reps[y].used, b.reps[x].used), cmp.Compare(x, y)) })
	n := newBlock(b.key, b.t)
	n.seq, n.dirty = b.seq, true
	n.builds, n.oldest = b.builds, b.oldest
	for _, v := range n.builds {
		n.bytes += int64(len(v)) + 16
	}
	for _, i := range order {
		if n.bytes > to*3/4 {
			break
		}
		r := b.reps[i]
		r.ids = slices.Clone(r.ids)
		for k, id := range r.ids {
			r.ids[k] = n.learn(b.names[id])
			n.seen[r.ids[k]] = b.seen[id]
		}
		builds := b.families[r.family].builds
		r.family = n.familyOf(b.families[r.family].id)
		n.saw(&n.families[r.family], &r.stack, 0)
		n.families[r.family].builds = builds
		n.add(r)
	}
	b.forget(int(max(0, to-n.bytes) / (sequenceBytes + signatureBytes)))
	for s, k := range b.known {
		if f, ok := n.byID[b.families[k.family].id]; ok {
			n.known[s] = known{f, k.used}
			n.bytes += sequenceBytes
		}
	}
	for s, f := range b.sigs {
		if f, ok := n.byID[b.families[f].id]; ok {
			n.sigs[s] = f
			n.bytes += signatureBytes
		}
	}
	*b = *n
}

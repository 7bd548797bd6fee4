package family

import (
	"cmp"
	"slices"
	"sync"
)

// Index holds the blocks. It is safe for concurrent use; the order of calls to
// Place is what decides the result.
type Index struct {
	mu      sync.Mutex
	o       Options
	t       *tuning
	blocks  map[string]*block
	dropped map[string]bool // dirty blocks that are gone
	seq     uint64
	used    map[string]uint64 // by block: seq of its last input
	bytes   int64
	links   *Links // what people decided
}

// NewIndex returns an empty index.
func NewIndex(o Options) *Index {
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.PerBlock <= 0 {
		o.PerBlock = defaultPerBlock
	}
	if o.tune == nil {
		o.tune = &fam1
	}
	return &Index{o: o, t: o.tune, blocks: map[string]*block{}, dropped: map[string]bool{}, used: map[string]uint64{}}
}

func (x *Index) block(key string) *block {
	b := x.blocks[key]
	if b == nil {
		b = newBlock(key, x.t)
		x.blocks[key] = b
		delete(x.dropped, key)
		x.bytes += b.bytes
	}
	return b
}

// Place puts a crash into a family, an old or a new one, and remembers it.
func (x *Index) Place(in Input) Placement { return x.place(in, "") }

// Assign is Place with the family given, by a person or by labels.
func (x *Index) Assign(in Input, family string) Placement { return x.place(in, family) }

func (x *Index) place(in Input, given string) Placement {
	x.mu.Lock()
	defer x.mu.Unlock()
	b := x.block(in.Block)
	before := b.bytes
	x.seq++
	x.used[in.Block] = x.seq
	p := b.place(&in, given, x.links)
	root := x.links.Resolve(p.Family, in.Signature)
	p.Near = slices.DeleteFunc(p.Near, func(n Near) bool { return x.links.Resolve(n.Family, "") == root })
	if b.bytes > x.o.PerBlock {
		b.shrink(x.o.PerBlock * 3 / 4)
	}
	x.bytes += b.bytes - before
	if x.bytes > x.o.MaxBytes {
		x.shrink(in.Block)
	}
	return p
}

// Rank returns the families nearest to a crash, best first. It learns nothing.
func (x *Index) Rank(in Input, limit int) []Near {
	x.mu.Lock()
	defer x.mu.Unlock()
	b := x.blocks[in.Block]
	if b == nil {
		return nil
	}
	q := weigh(&in, b.lookup)
	var out []Near
	seen := map[string]bool{}
	for _, s := range b.nearest(&q, b.build(in.Build, false), rankAmong) {
		id := x.links.Resolve(b.families[b.reps[s.rep].family].id, "")
		if seen[id] {
			continue
		}
		seen[id] = true
		if out = append(out, Near{id, s.sim}); len(out) == limit {
			break
		}
	}
	return out
}

// Known returns the family that a signature was last placed in (for receipts).
func (x *Index) Known(block, signature string) (family string, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	b := x.blocks[block]
	if b == nil {
		return "", false
	}
	f, ok := b.sigs[signature]
	if !ok {
		return "", false
	}
	return x.links.Resolve(b.families[f].id, signature), true
}

// Link gives the index what people decided, in place of what it had: a merge or a
// split holds for whatever is placed from now on, whichever block it is in and
// whenever that was restored. The desk owns the links; snapshots do not hold them.
func (x *Index) Link(l *Links) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.links = l
}

// Explain compares a crash with the nearest representative of a family.
func (x *Index) Explain(in Input, family string) (Explanation, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	b := x.blocks[in.Block]
	if b == nil {
		return Explanation{}, false
	}
	q := weigh(&in, b.lookup)
	for _, s := range b.nearest(&q, b.build(in.Build, false), rankAmong) {
		r := &b.reps[s.rep]
		if id := b.families[r.family].id; id != family && x.links.Resolve(id, "") != family {
			continue
		}
		at := 0
		unknown := func(id uint32) string { // tokens that the block never saw, in their order
			if id != noID {
				return b.name(id)
			}
			for ; at < len(in.Terms); at++ {
				if b.lookup(in.Terms[at].Token) == noID && !repeated(in.Terms, at) {
					at++
					return in.Terms[at-1].Token
				}
			}
			return ""
		}
		e := b.t.explain(&q, &r.stack, len(b.names), unknown, b.name)
		e.Family = family
		return e, true
	}
	return Explanation{}, false
}

// Stats counts.
func (x *Index) Stats() Stats {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := Stats{Blocks: len(x.blocks), Bytes: x.bytes}
	for _, b := range x.blocks {
		s.Families += len(b.families)
		s.Representatives += b.live
		s.Sequences += len(b.known)
	}
	return s
}

// shrink brings the whole index under its limit: the least recently used blocks
// lose half, the smallest go. The block in use stays as it is.
func (x *Index) shrink(keep string) {
	keys := sortedKeys(x.blocks)
	slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(x.used[a], x.used[b]) })
	for _, k := range keys {
		if x.bytes <= x.o.MaxBytes*7/8 {
			return
		}
		if k == keep {
			continue
		}
		b := x.blocks[k]
		x.bytes -= b.bytes
		if b.bytes < 16*blockBytes {
			delete(x.blocks, k)
			delete(x.used, k)
			x.dropped[k] = true
			continue
		}
		b.shrink(b.bytes / 2)
		x.bytes += b.bytes
	}
}

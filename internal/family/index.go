package family

import (
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
	must    map[string]string          // family -> the family it was merged into
	cannot  map[string]map[string]bool // signature -> families it must not join
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
	return &Index{o: o, t: o.tune, blocks: map[string]*block{}, dropped: map[string]bool{}, used: map[string]uint64{},
		must: map[string]string{}, cannot: map[string]map[string]bool{}}
}

func (x *Index) block(key string) *block {
	b := x.blocks[key]
	if b == nil {
		b = newBlock(key, x.t)
		x.blocks[key] = b
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
	p := b.place(&in, given, x.cannot[in.Signature])
	p.Family = x.resolve(p.Family)
	for i := range p.Near {
		p.Near[i].Family = x.resolve(p.Near[i].Family)
	}
	p.Near = slices.DeleteFunc(p.Near, func(n Near) bool { return n.Family == p.Family })
	if b.bytes > x.o.PerBlock {
		b.shrink(x.o.PerBlock * 3 / 4)
	}
	x.bytes += b.bytes - before
	if x.bytes > x.o.MaxBytes {
		x.shrink(in.Block)
	}
	return p
}

func (b *block) place(in *Input, given string, cannot map[string]bool) Placement {
	b.seq++
	b.dirty = true
	if k, ok := b.known[in.Sequence]; ok && given == "" {
		if id := b.families[k.family].id; !cannot[id] {
			b.known[in.Sequence] = known{k.family, b.seq}
			b.sigs[in.Signature] = k.family
			if b.t.dfCrashes {
				q := b.read(in, true)
				_ = q
			}
			return Placement{Family: id, Known: true, Score: 1}
		}
	}
	q := b.read(in, true)
	near := b.nearest(&q)
	p := Placement{Score: -1}
	target := int32(-1)
	if given != "" {
		target = b.familyOf(given)
	}
	novel := true
	for _, s := range near {
		f := b.reps[s.rep].family
		id := b.families[f].id
		if cannot[id] {
			continue
		}
		if target < 0 && s.sim >= b.t.threshold {
			target, p.Score = f, s.sim
			b.reps[s.rep].used = b.seq
		}
		if f == target && s.sim >= b.t.novelty {
			novel = false
		}
		if s.sim < b.t.threshold-b.t.margin || len(p.Near) == maxNear {
			continue
		}
		// A doubtful join and a near miss are both for a person to see.
		if doubtful := p.Score < b.t.threshold+b.t.margin; doubtful && !slices.ContainsFunc(p.Near, func(n Near) bool { return n.Family == id }) {
			p.Near = append(p.Near, Near{id, s.sim})
		}
	}
	if target < 0 {
		target = b.open(in)
		p.New = true
		if len(near) > 0 {
			p.Score = near[0].sim
		}
	}
	p.Family = b.families[target].id
	if novel {
		b.add(&q, target)
	}
	b.remember(in, target)
	return p
}

// remember keeps the sequence's answer, within bounds.
func (b *block) remember(in *Input, family int32) {
	if _, ok := b.known[in.Sequence]; !ok {
		b.bytes += 48
	}
	b.known[in.Sequence] = known{family, b.seq}
	if _, ok := b.sigs[in.Signature]; !ok {
		b.bytes += 64
	}
	b.sigs[in.Signature] = family
	if len(b.known) > maxSequences {
		b.forget(maxSequences * 3 / 4)
	}
}

// forget keeps the n most recently used sequences.
func (b *block) forget(n int) {
	if len(b.known) <= n {
		return
	}
	used := make([]uint64, 0, len(b.known))
	for _, k := range b.known {
		used = append(used, k.used)
	}
	slices.Sort(used)
	cut := used[len(used)-n]
	for s, k := range b.known {
		if k.used < cut {
			delete(b.known, s)
			b.bytes -= 48
		}
	}
}

// Rank returns the families nearest to a crash, best first. It learns nothing.
func (x *Index) Rank(in Input, limit int) []Near {
	x.mu.Lock()
	defer x.mu.Unlock()
	b := x.blocks[in.Block]
	if b == nil {
		return nil
	}
	q := b.lookup(&in)
	var out []Near
	seen := map[string]bool{}
	for _, s := range b.nearest(&q) {
		id := x.resolve(b.families[b.reps[s.rep].family].id)
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
	return x.resolve(b.families[f].id), true
}

// MustLink makes every crash that would go to family b go to family a (a person's
// merge); Unlink takes it back. The desk owns these edges and gives them again
// after each start: snapshots do not hold them.
func (x *Index) MustLink(a, b string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if a != b && x.resolve(a) != b {
		x.must[b] = a
	}
}

// Unlink takes the merge of family b back.
func (x *Index) Unlink(b string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.must, b)
}

// CannotLink keeps crashes with a signature out of a family (a person's split);
// AllowLink takes it back.
func (x *Index) CannotLink(signature, family string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.cannot[signature] == nil {
		x.cannot[signature] = map[string]bool{}
	}
	x.cannot[signature][family] = true
}

// AllowLink takes a CannotLink back.
func (x *Index) AllowLink(signature, family string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.cannot[signature], family)
}

// resolve follows merges; a cycle cannot be made.
func (x *Index) resolve(id string) string {
	for range len(x.must) + 1 {
		next, ok := x.must[id]
		if !ok {
			return id
		}
		id = next
	}
	return id
}

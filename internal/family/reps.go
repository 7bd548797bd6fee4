package family

import (
	"cmp"
	"slices"
)

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

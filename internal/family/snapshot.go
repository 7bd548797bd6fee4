package family

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// A snapshot is one block: the magic "fam2", then unsigned varints, length-prefixed
// texts and 32-bit floats, in the order of write below. The same block gives the
// same bytes.
const (
	magic    = "fam2"
	magicOld = "fam1" // without the signatures of representatives
)

// Dirty lists the blocks changed since their last snapshot, sorted; blocks that the
// byte limit dropped are among them.
func (x *Index) Dirty() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var out []string
	for k, b := range x.blocks {
		if b.dirty {
			out = append(out, k)
		}
	}
	for k := range x.dropped {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Snapshot returns a block as bytes and marks it clean. A block that is gone gives
// no bytes: delete what was kept of it.
func (x *Index) Snapshot(key string) ([]byte, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	b := x.blocks[key]
	if b == nil {
		delete(x.dropped, key)
		return nil, nil
	}
	b.dirty = false
	return b.write(), nil
}

// Restore reads a block back, replacing the one of that key.
func (x *Index) Restore(data []byte) (key string, err error) {
	b, err := readBlock(data, x.t)
	if err != nil {
		return "", err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.forget(b.key)
	x.blocks[b.key] = b
	x.bytes += b.bytes
	return b.key, nil
}

// Forget drops a block from memory (its lease went elsewhere).
func (x *Index) Forget(key string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.forget(key)
}

func (x *Index) forget(key string) {
	if b := x.blocks[key]; b != nil {
		x.bytes -= b.bytes
		delete(x.blocks, key)
		delete(x.used, key)
	}
	delete(x.dropped, key)
}

func (b *block) write() []byte { return b.writeAs(magic) }

func (b *block) writeAs(magic string) []byte {
	out := make([]byte, 0, int(b.bytes))
	num := func(v uint64) { out = binary.AppendUvarint(out, v) }
	text := func(s string) { num(uint64(len(s))); out = append(out, s...) }
	out = append(out, magic...)
	text(b.key)
	num(b.seq)
	num(uint64(len(b.builds)))
	for _, v := range b.builds {
		text(v)
	}
	num(uint64(b.oldest))
	num(uint64(len(b.names)))
	for id, n := range b.names {
		text(n)
		out = binary.LittleEndian.AppendUint64(out, b.seen[id])
	}
	num(uint64(len(b.families)))
	for _, f := range b.families {
		text(f.id)
		out = binary.LittleEndian.AppendUint64(out, f.builds)
		for _, list := range [...][]uint32{f.tops, f.files} {
			num(uint64(len(list)))
			for _, v := range list {
				num(uint64(v))
			}
		}
	}
	num(uint64(b.live))
	for i := range b.reps {
		r := &b.reps[i]
		if r.gone {
			continue
		}
		num(uint64(r.family))
		num(r.used)
		if magic != magicOld {
			text(r.sig)
		}
		num(uint64(r.extras))
		num(uint64(r.tell + 1))
		num(uint64(r.top + 1))
		num(uint64(r.file + 1))
		num(uint64(r.author + 1))
		num(uint64(len(r.ids)))
		for k, id := range r.ids {
			num(uint64(id))
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(r.w[k]))
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(r.pos[k]))
			own := byte(0)
			if r.own[k] {
				own = 1
			}
			out = append(out, own)
		}
	}
	sequences := make([]uint64, 0, len(b.known))
	for s := range b.known {
		sequences = append(sequences, s)
	}
	slices.Sort(sequences)
	num(uint64(len(sequences)))
	for _, s := range sequences {
		out = binary.LittleEndian.AppendUint64(out, s)
		num(uint64(b.known[s].family))
		num(b.known[s].used)
	}
	num(uint64(len(b.sigs)))
	for _, s := range sortedKeys(b.sigs) {
		text(s)
		num(uint64(b.sigs[s]))
	}
	return out
}

// reader reads what write wrote; after the first mistake it gives zeros.
type reader struct {
	b   []byte
	bad bool
	old bool // the snapshot is one of magicOld
}

func (r *reader) num(below uint64) uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v >= below {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count reads how many things of at least size bytes follow.
func (r *reader) count(size int) int {
	return int(r.num(uint64(len(r.b)/size) + 1))
}

func (r *reader) text() string { return string(r.take(r.count(1))) }

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return make([]byte, n)
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) bits() uint64 { return binary.LittleEndian.Uint64(r.take(8)) }

func (r *reader) float() float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(r.take(4)))
}

func readBlock(data []byte, t *tuning) (*block, error) {
	bad := func() (*block, error) {
		return nil, fault.E("family.Restore", fault.Invalid, "The snapshot of a block of families cannot be read.", nil)
	}
	if len(data) < len(magic) || string(data[:len(magic)]) != magic && string(data[:len(magic)]) != magicOld {
		return bad()
	}
	r := &reader{b: data[len(magic):], old: string(data[:len(magic)]) == magicOld}
	b := newBlock(r.text(), t)
	b.seq = r.num(math.MaxUint64)
	for range min(r.count(1), 64) {
		b.builds = append(b.builds, r.text())
		b.bytes += int64(len(b.builds[len(b.builds)-1])) + 16
	}
	b.oldest = int(r.num(64))
	for range r.count(9) {
		id := b.learn(r.text())
		b.seen[id] = r.bits()
	}
	for range r.count(1) {
		f := &b.families[b.familyOf(r.text())]
		f.builds = r.bits()
		for _, list := range [...]*[]uint32{&f.tops, &f.files} {
			for range r.count(1) {
				*list = append(*list, uint32(r.num(uint64(len(b.names)))))
			}
		}
	}
	tokens, families := uint64(len(b.names)), uint64(len(b.families))
	for range r.count(5) {
		if x := r.rep(tokens, families); !r.bad {
			b.add(x)
		}
	}
	for range r.count(10) {
		s := binary.LittleEndian.Uint64(r.take(8))
		k := known{int32(r.num(families)), r.num(math.MaxUint64)}
		if !r.bad {
			b.known[s] = k
			b.bytes += sequenceBytes
		}
	}
	for range r.count(2) {
		s := r.text()
		if f := int32(r.num(families)); !r.bad {
			b.sigs[s] = f
			b.bytes += signatureBytes
		}
	}
	if r.bad || len(r.b) > 0 {
		return bad()
	}
	return b, nil
}

func (r *reader) rep(tokens, families uint64) rep {
	x := rep{family: int32(r.num(families)), used: r.num(math.MaxUint64)}
	if !r.old {
		x.sig = r.text()
	}
	x.extras = int(r.num(maxTerms + 1))
	x.tell = int(r.num(maxTerms+1)) - 1
	x.top = int(r.num(maxTerms+1)) - 1
	x.file = int(r.num(maxTerms+1)) - 1
	x.author = int(r.num(maxTerms+1)) - 1
	n := r.count(10)
	x.ids, x.w, x.pos, x.own = make([]uint32, n), make([]float32, n), make([]float32, n), make([]bool, n)
	for k := range n {
		x.ids[k], x.w[k], x.pos[k] = uint32(r.num(tokens)), r.float(), r.float()
		x.own[k] = r.take(1)[0] == 1
		if w := float64(x.w[k]); w < 0 || w > 1e6 || w != w {
			r.bad = true
		}
		x.total(float64(x.w[k]), x.own[k])
	}
	if x.top >= n || x.file >= n || x.tell >= n || x.author >= n || x.extras > n {
		r.bad = true
	}
	return x
}

package family

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestBounds: whatever comes, the index stays under its limits, and the parts of
// the estimate add up.
func TestBounds(t *testing.T) {
	const most, perBlock = 200 << 10, 40 << 10
	x := NewIndex(Options{MaxBytes: most, PerBlock: perBlock})
	rng := rand.New(rand.NewPCG(5, 5))
	gone := 0
	for i := range 4000 {
		in := crash("1", "Error", fmt.Sprint("m", rng.IntN(50)), fmt.Sprint("f", rng.IntN(500)), fmt.Sprint("g", rng.IntN(500)))
		in.Block = fmt.Sprint("block", rng.IntN(200)*rng.IntN(2)) // half in one block, half all over
		x.Place(in)
		if s := x.Stats(); s.Bytes > most+perBlock {
			t.Fatalf("after %d crashes %d bytes", i, s.Bytes)
		}
	}
	sum := int64(0)
	for _, k := range sortedKeys(x.blocks) {
		b := x.blocks[k]
		sum += b.bytes
		if b.bytes > perBlock+4096 {
			t.Errorf("block %s holds %d bytes", k, b.bytes)
		}
		if want := b.weight(); b.bytes != want {
			t.Errorf("block %s counts %d bytes, its parts are %d", k, b.bytes, want)
		}
		b.check(t)
	}
	if sum != x.Stats().Bytes {
		t.Errorf("blocks hold %d bytes, the index counts %d", sum, x.Stats().Bytes)
	}
	for _, k := range x.Dirty() {
		if data, _ := x.Snapshot(k); data == nil {
			gone++
		}
	}
	if gone == 0 {
		t.Error("no dropped block was reported")
	}
}

// weight is the estimate of a block, added up anew.
func (b *block) weight() int64 {
	n := int64(blockBytes) + int64(len(b.families))*familyBytes + int64(len(b.known))*sequenceBytes + int64(len(b.sigs))*signatureBytes
	for _, tok := range b.names {
		n += tokenBytes(tok)
	}
	for _, v := range b.builds {
		n += int64(len(v)) + 16
	}
	for i := range b.reps {
		if !b.reps[i].gone {
			n += repBytes(len(b.reps[i].ids))
		}
	}
	return n
}

// check compares the inverted index with the representatives.
func (b *block) check(t *testing.T) {
	t.Helper()
	live, has := 0, make([]int32, len(b.names))
	for i := range b.reps {
		if r := &b.reps[i]; !r.gone {
			live++
			for _, id := range r.ids {
				has[id]++
			}
			if !slices.Contains(b.families[r.family].reps, int32(i)) {
				t.Errorf("family %s does not know its representative %d", b.families[r.family].id, i)
			}
		}
	}
	if live != b.live || !slices.Equal(has, b.count) {
		t.Errorf("%d living representatives, counted %d; or their tokens differ", live, b.live)
	}
	for id, list := range b.posts {
		for _, p := range list {
			if r := &b.reps[p.rep]; !slices.Contains(r.ids, uint32(id)) {
				t.Errorf("a posting of %q points at a wrong representative", b.names[id])
			} else if !r.gone {
				has[id]--
			}
		}
	}
	if slices.Max(append(has, 0)) != 0 || slices.Min(append(has, 0)) != 0 {
		t.Error("postings and representatives differ")
	}
	for _, f := range b.families {
		if len(f.reps) > b.t.perFamily {
			t.Errorf("family %s has %d representatives", f.id, len(f.reps))
		}
	}
}

// TestManyRepresentatives: a family keeps at most perFamily, and the least recently
// used go.
func TestManyRepresentatives(t *testing.T) {
	x := NewIndex(Options{})
	for i := range 300 {
		x.Place(crash("1", "Error", "same", "thrower", fmt.Sprint("caller", i)))
	}
	s := x.Stats()
	if s.Families != 1 || s.Representatives != fam1.perFamily {
		t.Errorf("%+v, want one family of %d", s, fam1.perFamily)
	}
	for _, b := range x.blocks {
		b.check(t)
	}
}

// TestLongStacks: hostile input costs bounded time and memory.
func TestLongStacks(t *testing.T) {
	x := NewIndex(Options{})
	var terms []Term
	for i := range 100_000 {
		terms = append(terms, Term{Token: fmt.Sprint("e|x|", i), Weight: 1, Own: true})
	}
	x.Place(Input{Block: "b", Terms: terms, Sequence: 1})
	if s := x.Stats(); s.Bytes > 200<<10 {
		t.Errorf("one crash took %d bytes", s.Bytes)
	}
}

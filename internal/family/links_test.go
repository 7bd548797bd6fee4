package family

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResolve(t *testing.T) {
	// B and C are merged into A, D into C; signature s left A for G, and G was merged into H.
	l := NewLinks([]Link{{"B", "", "A"}, {"C", "", "A"}, {"D", "", "C"}, {"A", "s", "G"}, {"G", "", "H"}})
	for _, c := range []struct{ family, sig, want, landing string }{
		{"X", "", "X", "X"}, {"A", "", "A", "A"}, {"B", "", "A", "B"}, {"D", "", "A", "D"},
		{"A", "s", "H", "G"}, {"D", "s", "H", "G"}, {"D", "t", "A", "D"}, {"G", "t", "H", "G"}, {"H", "s", "H", "H"},
	} {
		if got, at := l.Resolve(c.family, c.sig), l.Landing(c.family, c.sig); got != c.want || at != c.landing {
			t.Errorf("%s %q: %s by %s, want %s by %s", c.family, c.sig, got, at, c.want, c.landing)
		}
	}
	if d := cmp.Diff([]string{"B", "C", "D"}, l.Merged("A")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"A", "B", "C", "D", "G"}, l.Sources("H")); d != "" {
		t.Error(d)
	}
	want := []Link{{"A", "s", "H"}, {"B", "s", "H"}, {"B", "", "A"}, {"C", "s", "H"}, {"C", "", "A"}, {"D", "s", "H"}, {"D", "", "A"}, {"G", "", "H"}}
	if d := cmp.Diff(want, l.Flat()); d != "" {
		t.Error(d)
	}
	var none *Links
	if none.Resolve("A", "s") != "A" || none.Flat() != nil || none.Sources("A") != nil {
		t.Error("no links")
	}
	for _, round := range [][]Link{{{"A", "", "B"}, {"B", "", "A"}}, {{"A", "s", "B"}, {"B", "", "A"}}} {
		if l := NewLinks(round); !l.Circle() {
			t.Errorf("%v is a circle", round)
		} else if l.Resolve("A", "s") == "" || len(l.Flat()) > 4 {
			t.Error("a circle ends somewhere")
		}
	}
	if l.Circle() {
		t.Error("no circle")
	}
}

// Flat says in one step what Resolve says in several.
func TestFlat(t *testing.T) {
	names, sigs := []string{"A", "B", "C", "D", "E", "F"}, []string{"", "s", "t"}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		var list []Link
		for range rng.IntN(7) {
			next := append(list[:len(list):len(list)], Link{names[rng.IntN(6)], sigs[rng.IntN(3)], names[rng.IntN(6)]})
			if k := next[len(next)-1]; k.Family != k.To && !NewLinks(next).Circle() {
				list = next
			}
		}
		l := NewLinks(list)
		one := map[Link]string{}
		for _, k := range l.Flat() {
			one[Link{Family: k.Family, Signature: k.Signature}] = k.To
		}
		for _, f := range names {
			for _, s := range []string{"s", "t", "u"} {
				want := f
				if to, ok := one[Link{Family: f, Signature: s}]; ok {
					want = to
				} else if to, ok := one[Link{Family: f}]; ok {
					want = to
				}
				if got := l.Resolve(f, s); got != want {
					t.Fatalf("%v: %s %s resolves to %s, flat to %s", list, f, s, got, want)
				}
			}
		}
	}
}

// A merge changes nothing of what is kept and everything of what is asked; a split
// takes what looks like it along, over a restart.
func TestIndexLinks(t *testing.T) {
	x := NewIndex(Options{})
	one, two := crash("1", "TypeError", "a", "render", "refresh"), crash("1", "TypeError", "b", "load", "open")
	a, b := x.Place(one).Family, x.Place(two).Family
	x.Link(NewLinks([]Link{{b, "", a}}))
	if got := x.Place(two).Family; got != b {
		t.Errorf("after the merge it is kept under %s, want %s", got, b)
	}
	if got, ok := x.Known(two.Block, two.Signature); !ok || got != a {
		t.Errorf("known as %s, want %s", got, a)
	}
	if got := x.Rank(two, 5); len(got) == 0 || got[0].Family != a {
		t.Errorf("ranked %v", got)
	}
	x.Link(nil)
	if got, _ := x.Known(two.Block, two.Signature); got != b {
		t.Errorf("taken back: %s", got)
	}

	split := NewLinks([]Link{{a, one.Signature, "F-G"}})
	x.Link(split)
	if got := x.Place(one); got.Family != a || split.Resolve(got.Family, one.Signature) != "F-G" {
		t.Errorf("the split crash: %+v", got) // kept as before, and seen in its new family
	}
	like := crash("2", "TypeError", "a", "renderAll", "refresh") // another signature
	if like.Signature == one.Signature {
		t.Fatal("the same signature")
	}
	if got := x.Place(like); got.Family != "F-G" || got.New || got.Known {
		t.Errorf("what looks like it went to %+v", got)
	}
	if got := x.Place(two); got.Family != b {
		t.Errorf("what does not went to %+v", got)
	}
	for _, k := range x.blocks {
		k.check(t)
	}
	y := NewIndex(Options{})
	for _, key := range x.Dirty() {
		data, _ := x.Snapshot(key)
		if _, err := y.Restore(data); err != nil {
			t.Fatal(err)
		}
	}
	y.Link(split) // links come again after each start
	for name, in := range map[string]Input{"the same again": like, "another way in": crash("2", "TypeError", "a", "renderAll", "reload"), "a third name": crash("3", "TypeError", "a", "renderEach", "refresh")} {
		if got := y.Place(in); got.Family != "F-G" {
			t.Errorf("after a restart, %s: %+v", name, got)
		}
	}
	// Taken back, new crashes join the old family again.
	y.Link(NewLinks([]Link{{"F-G", "", a}}))
	if got := y.Place(crash("4", "TypeError", "a", "renderSome", "refresh")); NewLinks([]Link{{"F-G", "", a}}).Resolve(got.Family, "") != a {
		t.Errorf("taken back: %+v", got)
	}
}

// A snapshot of the version before is read.
func TestOldSnapshot(t *testing.T) {
	x := NewIndex(Options{})
	in := crash("1", "TypeError", "a", "render", "refresh")
	want := x.Place(in).Family
	for _, b := range x.blocks {
		for i := range b.reps {
			b.reps[i].sig = ""
		}
	}
	data, _ := x.Snapshot(in.Block)
	// without signatures the two forms differ by the magic and one empty text a representative
	old, err := readBlock(data, &fam1)
	if err != nil {
		t.Fatal(err)
	}
	body := old.writeAs(magicOld)
	y := NewIndex(Options{})
	if _, err := y.Restore(body); err != nil {
		t.Fatal(err)
	}
	if got := y.Place(in); got.Family != want || !got.Known {
		t.Errorf("%+v, want %s", got, want)
	}
}

package family

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/signature"
)

// crash makes an input of an extension's crash: its message, then its functions,
// innermost first.
func crash(version, typ, msg string, functions ...string) Input {
	c := &eco.Crash{Platform: "javascript", Exceptions: []eco.Exception{{Type: typ, Value: msg, Parent: -1}}}
	for _, fn := range functions {
		f := eco.Frame{Function: fn, Class: eco.FrameExtension, Owner: "acme.todo", File: "/x/src/" + fn + ".js"}
		if lib, ok := strings.CutPrefix(fn, "lib:"); ok {
			f = eco.Frame{Function: lib, Class: eco.FrameVendored, Owner: "acme.todo", File: "/x/node_modules/lib/index.js"}
		}
		c.Exceptions[0].Frames = append(c.Exceptions[0].Frames, f)
	}
	c.Exceptions[0].Frames = append(c.Exceptions[0].Frames, eco.Frame{Function: "invoke", Class: eco.FrameHost, File: "/h/host.js"})
	return Describe(c, signature.Sign(c), eco.Blame{Extension: "acme.todo", Version: version})
}

func TestPlace(t *testing.T) {
	const undefined = "Cannot read properties of undefined (reading 'uri')"
	base := crash("1.0.0", "TypeError", undefined, "render", "refresh", "activate")
	for name, tc := range map[string]struct {
		in   Input
		same bool
	}{
		"the same again":                     {base, true},
		"another way in":                     {crash("1.0.0", "TypeError", undefined, "render", "onClick", "dispatch"), true},
		"deeper recursion":                   {crash("1.0.0", "TypeError", undefined, "render", "refresh", "refresh", "refresh", "activate"), true},
		"renamed in the next version":        {crash("1.1.0", "TypeError", undefined, "renderAll", "refresh", "activate"), true},
		"another function of the same build": {crash("1.0.0", "TypeError", undefined, "parse", "refresh", "activate"), false},
		"another place, same message":        {crash("1.1.0", "TypeError", undefined, "load", "open", "start"), false},
		"another type":                       {crash("1.0.0", "RangeError", "Invalid count value: -1", "render", "refresh", "activate"), false},
	} {
		t.Run(name, func(t *testing.T) {
			x := NewIndex(Options{})
			first := x.Place(base)
			if !first.New || first.Known {
				t.Fatalf("first = %+v", first)
			}
			p := x.Place(tc.in)
			if same := p.Family == first.Family; same != tc.same || p.New == same {
				t.Errorf("placed %+v beside %s, want the same family: %v", p, first.Family, tc.same)
			}
		})
	}
}

// TestOldFunctionIsNoNewName: a function that an earlier build already had is not
// another one under a new name, even in a build where the family was never seen.
func TestOldFunctionIsNoNewName(t *testing.T) {
	const msg = "Cannot read properties of undefined (reading 'uri')"
	x := NewIndex(Options{})
	a := x.Place(crash("1.0.0", "TypeError", msg, "render", "refresh", "activate"))
	x.Place(crash("1.0.0", "TypeError", "x is not a function", "open", "parse", "start")) // parse is there in 1.0.0
	old := x.Place(crash("1.1.0", "TypeError", msg, "parse", "refresh", "activate"))
	fresh := x.Place(crash("1.1.0", "TypeError", msg, "renderAll", "refresh", "activate"))
	if old.Family == a.Family || fresh.Family != a.Family {
		t.Errorf("families %s, %s (old function), %s (new name)", a.Family, old.Family, fresh.Family)
	}
}

// TestTorn: a crash that is half like two families goes to neither; a person is asked.
func TestTorn(t *testing.T) {
	const msg = "Cannot read properties of undefined (reading 'uri')"
	x := NewIndex(Options{})
	a := x.Place(crash("1.0.0", "TypeError", msg, "render", "refresh", "onClick", "activate"))
	b := x.Place(crash("1.0.0", "TypeError", msg, "load", "refresh", "onClick", "activate"))
	p := x.Place(crash("2.0.0", "TypeError", msg, "brandNew", "alsoNew", "other", "fourth", "onClick", "activate"))
	if a.Family == b.Family || !p.New || len(p.Near) != 2 {
		t.Errorf("%s, %s, then %+v", a.Family, b.Family, p)
	}
}

// TestBuilds: a block knows its last 64 builds; older ones make no difference.
func TestBuilds(t *testing.T) {
	x := NewIndex(Options{})
	for i := range 200 {
		x.Place(crash(fmt.Sprint("1.", i), "TypeError", "m", "render", fmt.Sprint("caller", i)))
	}
	for _, b := range x.blocks {
		b.check(t)
		if len(b.builds) != 64 || b.bytes != b.weight() {
			t.Errorf("%d builds, %d bytes of %d", len(b.builds), b.bytes, b.weight())
		}
	}
	key := x.Dirty()[0]
	data, _ := x.Snapshot(key)
	y := NewIndex(Options{})
	if _, err := y.Restore(data); err != nil {
		t.Fatal(err)
	}
	if again, _ := y.Snapshot(key); !bytes.Equal(data, again) {
		t.Error("the builds did not survive a restart")
	}
}

// TestHostAlone: without an extension on the stack the host's own frames are what it
// is about.
func TestHostAlone(t *testing.T) {
	place := func(x *Index, functions ...string) string {
		c := &eco.Crash{Platform: "java", Exceptions: []eco.Exception{{Type: "java.lang.NullPointerException", Parent: -1}}}
		for _, fn := range functions {
			c.Exceptions[0].Frames = append(c.Exceptions[0].Frames, eco.Frame{Function: fn, Module: "com.studio.host.Editor", Class: eco.FrameHost})
		}
		return x.Place(Describe(c, signature.Sign(c), eco.Blame{Target: "host"})).Family
	}
	x := NewIndex(Options{})
	a, b, c := place(x, "paint", "layout", "run"), place(x, "save", "flush", "run"), place(x, "paint", "scroll", "run")
	if a == b || a != c {
		t.Errorf("families %s %s %s, want the first and the last alike", a, b, c)
	}
}

// TestHelper: one helper throws for many bugs; what programmers wrote tells them apart.
func TestHelper(t *testing.T) {
	x := NewIndex(Options{})
	a := x.Place(crash("1.0.0", "ApiError", "Request failed with status 404 /items/12", "handle", "request", "loadItems", "activate"))
	b := x.Place(crash("1.0.0", "ApiError", "Request failed with status 403 /users/7", "handle", "request", "loadUsers", "start"))
	c := x.Place(crash("1.0.0", "ApiError", "Request failed with status 500 /items/9", "handle", "request", "loadItems", "start"))
	if a.Family == b.Family || a.Family != c.Family {
		t.Errorf("families %s %s %s, want the first and the last alike", a.Family, b.Family, c.Family)
	}
}

// TestMinified: names that a minifier made up count within their own build only.
func TestMinified(t *testing.T) {
	x := NewIndex(Options{})
	const msg = "Cannot read properties of undefined (reading 'v')"
	a := x.Place(crash("1.0.0", "TypeError", msg, "an", "bn", "cn"))
	same := x.Place(crash("1.0.0", "TypeError", msg, "an", "bn", "dn"))
	other := x.Place(crash("1.0.0", "TypeError", msg, "xn", "yn", "zn"))
	if a.Family != same.Family || a.Family == other.Family {
		t.Errorf("families %s %s %s", a.Family, same.Family, other.Family)
	}
}

// TestCannotLinkThroughMerge: a person's split holds against the merged family too.
func TestExplain(t *testing.T) {
	x := NewIndex(Options{})
	a := crash("1.0.0", "TypeError", "x is undefined", "render", "refresh", "activate")
	b := crash("1.0.0", "TypeError", "x is undefined", "render", "onClick")
	f := x.Place(a).Family
	e, ok := x.Explain(b, f)
	if !ok || len(e.Matched) == 0 || e.Family != f {
		t.Fatalf("explanation %+v %v", e, ok)
	}
	if ranked := x.Rank(b, 3); len(ranked) != 1 || ranked[0].Family != f || ranked[0].Score != e.Score {
		t.Errorf("ranked %+v, explained %v", ranked, e.Score)
	}
	sum := 0.0
	for _, s := range e.Matched {
		sum += s.Share
	}
	if math.Abs(sum-1) > 1e-6 {
		t.Errorf("shares of the match sum to %v", sum)
	}
	has := func(list []Share, part string) bool {
		return slices.ContainsFunc(list, func(s Share) bool { return strings.Contains(s.Token, part) })
	}
	if !has(e.Matched, "|render") || !has(e.Left, "|onClick") || !has(e.Right, "|refresh") {
		t.Errorf("explanation %+v", e)
	}
	if c := Compare(b, a); math.Abs(c.Score-e.Score) > 1e-6 || !has(c.Left, "|onClick") || !has(c.Right, "|refresh") {
		t.Errorf("Compare %+v, Explain %+v", c, e)
	}
	if _, ok := x.Explain(b, "F-NONE"); ok {
		t.Error("a family that is not there was explained")
	}
}

// stream is a believable row of crashes: a few bugs, many ways to them.
func stream(seed uint64, n int) []Input {
	rng := rand.New(rand.NewPCG(seed, 1))
	word := func(n int) string { return fmt.Sprintf("function%d", rng.IntN(n)) }
	var out []Input
	for range n {
		bug := rng.IntN(12)
		fns := []string{fmt.Sprintf("bug%d", bug)}
		for range 1 + rng.IntN(6) {
			fns = append(fns, word(30))
		}
		out = append(out, crash(fmt.Sprintf("1.%d.0", rng.IntN(3)), []string{"TypeError", "Error", "RangeError"}[bug%3], fmt.Sprintf("bad thing %d", bug), fns...))
	}
	return out
}

// TestRestart: an index restored from snapshots goes on exactly as the old one.
func TestRestart(t *testing.T) {
	all := stream(1, 600)
	x := NewIndex(Options{})
	for _, in := range all[:300] {
		x.Place(in)
	}
	y := NewIndex(Options{})
	keys := x.Dirty()
	if len(keys) != 3 {
		t.Fatalf("dirty blocks %q", keys)
	}
	for _, k := range keys {
		data, err := x.Snapshot(k)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := x.Snapshot(k); !bytes.Equal(data, again) {
			t.Errorf("two snapshots of %s differ", k)
		}
		got, err := y.Restore(data)
		if err != nil || got != k {
			t.Fatalf("Restore = %q, %v", got, err)
		}
		if back, _ := y.Snapshot(k); !bytes.Equal(data, back) {
			t.Errorf("the restored block %s gives another snapshot", k)
		}
	}
	if left := x.Dirty(); len(left) != 0 {
		t.Errorf("still dirty: %q", left)
	}
	if a, b := x.Stats(), y.Stats(); a != b {
		t.Errorf("sizes differ: %+v, %+v", a, b)
	}
	for i, in := range all[300:] {
		if a, b := x.Place(in), y.Place(in); !cmp.Equal(a, b) {
			t.Fatalf("crash %d: %s", i, cmp.Diff(a, b))
		}
	}
}

func TestRestoreRefusesDamage(t *testing.T) {
	x := NewIndex(Options{})
	for _, in := range stream(2, 50) {
		x.Place(in)
	}
	data, _ := x.Snapshot(x.Dirty()[0])
	for n := range len(data) {
		if _, err := NewIndex(Options{}).Restore(data[:n]); fault.CodeOf(err) != fault.Invalid {
			t.Fatalf("a snapshot cut to %d of %d bytes: %v", n, len(data), err)
		}
	}
}

func FuzzRestore(f *testing.F) {
	x := NewIndex(Options{})
	for _, in := range stream(3, 20) {
		x.Place(in)
	}
	for _, k := range x.Dirty() {
		data, _ := x.Snapshot(k)
		f.Add(data)
	}
	in := stream(4, 1)[0]
	f.Fuzz(func(t *testing.T, data []byte) {
		y := NewIndex(Options{})
		key, err := y.Restore(data)
		if err != nil {
			return
		}
		in.Block = key
		y.Place(in)
		y.Rank(in, 5)
		if _, err := y.Snapshot(key); err != nil {
			t.Error(err)
		}
	})
}

package symbol

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// sample was written by hand after the format's description; it has one of each record.
const sample = `MODULE Linux x86_64 10FAA6BBAAB83DB36AFA0010000000000 engine.so
INFO CODE_ID BBA6FA10B8AAB33D engine.so
FILE 0 /src/engine.cc
FILE 1 /src/vector.h
INLINE_ORIGIN 0 Vec::at
INLINE_ORIGIN 1 _ZN3Vec5checkEi
FUNC 1000 40 0 Engine::draw(int)
INLINE 0 12 0 0 1010 20
INLINE 1 33 1 1 1018 8
1000 10 10 0
1010 8 30 1
1018 8 40 1
1020 20 13 0
FUNC m 2000 10 0 _ZN6Engine4stopEv
2000 10 50 0
PUBLIC 2100 0 _start
PUBLIC m 1010 0 inside
STACK CFI INIT 1000 40 .cfa: $rsp 8 + .ra: .cfa -8 + ^
STACK CFI 1004 .cfa: $rsp 16 +
STACK CFI 1010 .cfa: $rbp 16 +
STACK WIN 0 3000 20 0 0 8 4 10 0 0 1
STACK WIN 4 3000 20 0 0 8 4 10 0 1 $T0 $ebp =
`

func TestBreakpad(t *testing.T) {
	m, err := ParseBreakpad([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	if m.OS != "Linux" || m.Arch != "x86_64" || m.ID != "10FAA6BBAAB83DB36AFA0010000000000" || m.Name != "engine.so" || m.CodeID != "BBA6FA10B8AAB33D" {
		t.Errorf("module %+v", m)
	}
	for _, c := range []struct {
		at   uint64
		want []Place
	}{
		{0xfff, nil},
		{0x1000, []Place{{"Engine::draw(int)", "/src/engine.cc", 10, false}}},
		{0x1010, []Place{{"Vec::at", "/src/vector.h", 30, true}, {"Engine::draw(int)", "/src/engine.cc", 12, false}}},
		{0x101f, []Place{{"Vec::check", "/src/vector.h", 40, true}, {"Vec::at", "/src/vector.h", 33, true}, {"Engine::draw(int)", "/src/engine.cc", 12, false}}},
		{0x1020, []Place{{"Vec::at", "/src/engine.cc", 13, true}, {"Engine::draw(int)", "/src/engine.cc", 12, false}}},
		{0x103f, []Place{{"Engine::draw(int)", "/src/engine.cc", 13, false}}},
		{0x2008, []Place{{"Engine::stop", "/src/engine.cc", 50, false}}},
		{0x2050, nil}, // between a function and the next public symbol
		{0x2fff, []Place{{"_start", "", 0, false}}},
		{1 << 40, nil},
	} {
		got, ok := m.Lookup(c.at)
		if diff := cmp.Diff(c.want, got); diff != "" || ok != (c.want != nil) {
			t.Errorf("%x: ok %v, %s", c.at, ok, diff)
		}
	}
	rules, ok := m.CFI(0x1008)
	if diff := cmp.Diff([]string{".cfa: $rsp 8 + .ra: .cfa -8 + ^", ".cfa: $rsp 16 +"}, rules); diff != "" || !ok {
		t.Error(diff)
	}
	if _, ok := m.CFI(0x1040); ok {
		t.Error("rules behind the end")
	}
	w, ok := m.Win(0x3010)
	if !ok || w.Program != "$T0 $ebp =" || w.Params != 8 || w.Locals != 16 {
		t.Errorf("%v %+v", ok, w)
	}
}

func TestBreakpadRefuses(t *testing.T) {
	for _, bad := range []string{"", "FUNC 0 1 0 x", "MODULE Linux", "MODULE Linux x86_64 NOTHEX name\n", "\x00\x01"} {
		if _, err := ParseBreakpad([]byte(bad)); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestBreakpadHostile: what a file says of itself costs no memory.
func TestBreakpadHostile(t *testing.T) {
	const head = "MODULE Linux x86 AB x\n"
	for name, text := range map[string]string{
		"a file number of four billion": "FILE 4294967295 a\nINLINE_ORIGIN 4294967294 b\n",
		"sizes that run over":           "FUNC ffffffff ffffffff 0 f\nffffffff ffffffff 1 0\nSTACK CFI INIT ffffffff ffffffff x\n",
		"records without a function":    "0 1 2 3\nINLINE 0 0 0 0 0 1\nSTACK CFI 10 x\n",
		"numbers that are none":         "FUNC z z z z\nFUNC 1 -1 0 f\nPUBLIC 123456789abcdef 0 f\nSTACK WIN 9 0 0 0 0 0 0 0 0 0 0\n",
		"deep inlining":                 "FUNC 0 10 0 f\nINLINE 4000000 1 1 1 0 10\nINLINE 63 1 1 1 0 10\n",
		"many inlined":                  "FUNC 0 10 0 f\n" + strings.Repeat("INLINE 0 1 1 1 0 10\n", 50_000),
	} {
		m, err := ParseBreakpad([]byte(head + text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, at := range []uint64{0, 1, 0x10, 1<<32 - 1, 1 << 63} {
			m.Lookup(at)
			m.CFI(at)
			m.Win(at)
		}
		if len(m.files)+len(m.origins)+len(m.inlines) > 2*maxGap+maxInlines {
			t.Errorf("%s: %d files", name, len(m.files))
		}
	}
	if _, err := ParseBreakpad(append([]byte(head), make([]byte, MaxFile)...)); fault.CodeOf(err) != fault.TooLarge {
		t.Error(err)
	}
}

// TestBreakpadReal reads symbol files of real programs and checks known places:
// those of the stack walk that came with the dump.
func TestBreakpadReal(t *testing.T) {
	dir := filepath.Join(dataDir(t), "wire/minidump/expected-breakpad/symbols")
	read := func(name string) *Breakpad {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		m, err := ParseBreakpad(data)
		if err != nil {
			t.Fatal(err)
		}
		if m.Size() > 4*int64(len(data)) {
			t.Errorf("%s takes %d of %d bytes", name, m.Size(), len(data))
		}
		return m
	}
	win := read("test_app.pdb/5A9832E5287241C1838ED98914E9B7FF1/test_app.sym")
	show := func(m *Breakpad, at uint64) string {
		var out []string
		frames, _ := m.Lookup(at)
		for _, f := range frames {
			out = append(out, fmt.Sprintf("%s %s:%d", f.Function, f.File[strings.LastIndexAny(f.File, `/\`)+1:], f.Line))
		}
		return strings.Join(out, " < ")
	}
	for at, want := range map[uint64]string{
		0x429e: "`anonymous namespace'::CrashFunction test_app.cc:58",
		0x41ff: "main test_app.cc:65",
		0x53eb: "__tmainCRTStartup crt0.c:327",
	} {
		if got := show(win, at); got != want {
			t.Errorf("%x = %s", at, got)
		}
	}
	if w, ok := win.Win(0x41ff); !ok || w.Program == "" {
		t.Errorf("%+v", w)
	}
	inl := read("linux_inline/BBA6FA10B8AAB33D00000000000000000/linux_inline.new.sym")
	if got := show(inl, 0x15bb6); got != "func() linux_inline.cpp:12 < bar() c.cpp:32 < foo() b.cpp:39 < main a.cpp:42" {
		t.Error(got)
	}
	over := read("overflow/B0E1FC01EF48E39CAF5C881D2DF0C3840/overflow.sym")
	if r, ok := over.CFI(0x1a77); !ok || len(r) != 2 {
		t.Errorf("%v", r)
	}
}

// dataDir is the folder of captured and fetched data, which is not in the tree.
func dataDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("BELLWETHER_DATA")
	if dir == "" {
		t.Skip("BELLWETHER_DATA is not set: no foreign symbol files to read")
	}
	return dir
}

func FuzzBreakpad(f *testing.F) {
	f.Add([]byte(sample), uint64(0x1018))
	f.Add([]byte("MODULE windows x86 5A98 a b\nFUNC 0 1 0\n0 1 1 0\nFILE 9 c\nINLINE 1 1 1 1 0 1 0"), uint64(0))
	f.Fuzz(func(t *testing.T, data []byte, at uint64) {
		m, err := ParseBreakpad(data)
		if err != nil {
			return
		}
		frames, ok := m.Lookup(at)
		if ok != (len(frames) > 0) || len(frames) > maxInlined+1 {
			t.Errorf("%v, %d frames", ok, len(frames))
		}
		m.CFI(at)
		m.Win(at)
		if n := len(m.lines)*16 + len(m.inlines)*24 + len(m.funcs)*48; n > 8*len(data)+100 {
			t.Errorf("%d bytes of %d", n, len(data))
		}
	})
}

package elfsym

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/fault/needs"
	"github.com/bellwether-project/bellwether/internal/symbol"
)

const source = `#include <stdlib.h>
static int quiet(int n) { return n * 3; }
__attribute__((noinline)) int acme_parse(const char *text) {
	volatile int *nowhere = 0;
	if (text[0] == 'x') *nowhere = quiet(1);
	return text[1];
}
__attribute__((noinline)) int acme_open(const char *text) {
	char room[256];
	room[0] = text[0]; room[1] = text[1];
	return acme_parse(room) + 1;
}
__attribute__((noinline)) static int hidden(const char *text) { return acme_open(text) + 2; }
int acme_main(const char *text) { return hidden(text) * 2; }
`

// compile makes a library; it is skipped where there is no compiler.
func compile(t *testing.T, flags ...string) string {
	t.Helper()
	gcc := needs.Program(t, "gcc")
	dir := t.TempDir()
	src, out := filepath.Join(dir, "acme.c"), filepath.Join(dir, "libacme.so")
	if err := os.WriteFile(src, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), gcc, append([]string{"-shared", "-fPIC", "-O2", "-o", out, src}, flags...)...)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, b)
	}
	return out
}

func convert(t *testing.T, file string) (*symbol.Breakpad, []byte, error) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	text, err := Convert(f, info.Size(), filepath.Base(file))
	if err != nil {
		return nil, nil, err
	}
	m, err := symbol.ParseBreakpad(text)
	if err != nil {
		t.Fatalf("what was written cannot be read: %v\n%.300s", err, text)
	}
	return m, text, nil
}

// nm is where binutils say that functions begin.
func nm(t *testing.T, file string) map[string]uint64 {
	t.Helper()
	b, err := exec.CommandContext(t.Context(), needs.Program(t, "nm"), file).Output()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]uint64{}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && strings.EqualFold(f[1], "t") {
			out[f[2]], _ = strconv.ParseUint(f[0], 16, 64)
		}
	}
	return out
}

// addr2line is which lines binutils give to n bytes of code.
func addr2line(t *testing.T, file string, at uint64, n int) (lines []int) {
	t.Helper()
	args := []string{"-e", file}
	for i := range n {
		args = append(args, "0x"+strconv.FormatUint(at+uint64(i), 16))
	}
	b, err := exec.CommandContext(t.Context(), needs.Program(t, "addr2line"), args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(string(b)) {
		l, _, _ = strings.Cut(strings.TrimSpace(l), " ")
		n, err := strconv.Atoi(l[strings.LastIndexByte(l, ':')+1:])
		if err != nil {
			break // behind the function's end
		}
		lines = append(lines, n)
	}
	return lines
}

func TestConvert(t *testing.T) {
	for name, flags := range map[string][]string{
		"dwarf 5":          {"-g"},
		"dwarf 4":          {"-g", "-gdwarf-4"},
		"dwarf 2":          {"-g", "-gdwarf-2", "-gno-strict-dwarf"},
		"64-bit dwarf":     {"-g", "-gdwarf64"},
		"packed":           {"-g", "-gz=zlib"},
		"no build id":      {"-g", "-Wl,--build-id=none"},
		"no frame pointer": {"-g", "-fomit-frame-pointer"},
	} {
		t.Run(name, func(t *testing.T) {
			file := compile(t, flags...)
			m, text, err := convert(t, file)
			if err != nil {
				t.Fatal(err)
			}
			if m.OS != "Linux" || m.Name != "libacme.so" || len(m.ID) != 33 || !strings.HasSuffix(m.ID, "0") {
				t.Errorf("module %+v", m)
			}
			places := nm(t, file)
			for _, fn := range []string{"acme_parse", "acme_open", "hidden", "acme_main"} {
				at, ok := places[fn]
				if !ok {
					t.Errorf("nm does not know %s", fn)
					continue
				}
				p, ok := m.Lookup(at)
				if !ok || len(p) != 1 || p[0].Function != fn || filepath.Base(p[0].File) != "acme.c" {
					t.Errorf("%s at %x: %+v", fn, at, p)
				}
				lines := addr2line(t, file, at, 12)
				for k, want := range lines {
					if p, ok := m.Lookup(at + uint64(k)); !ok || p[0].Line != want {
						t.Errorf("%s+%d: %+v, binutils say line %d", fn, k, p, want)
					}
				}
				rules, ok := m.CFI(at)
				if !ok || !strings.Contains(rules[0], ".ra:") || !strings.Contains(rules[0], ".cfa:") {
					t.Errorf("%s has no unwind rules: %q", fn, rules)
				}
			}
			if bytes.Contains(text, []byte("main(")) {
				t.Error("a name with parameters")
			}
		})
	}
}

// TestStripped: exported functions are named where nothing else is there; a binary
// without any says what to do.
func TestStripped(t *testing.T) {
	file := compile(t, "-s")
	m, _, err := convert(t, file)
	if err != nil {
		t.Fatal(err)
	}
	seen := false
	for at := uint64(0x1000); at < 0x1400; at++ {
		if p, ok := m.Lookup(at); ok {
			seen = seen || p[0].Function == "acme_parse"
			if p[0].Function == "hidden" || p[0].Line != 0 {
				t.Fatalf("%+v in a stripped binary", p)
			}
		}
	}
	if !seen {
		t.Error("acme_parse is exported, and not there")
	}
	hidden := compile(t, "-s", "-fvisibility=hidden", "-nostartfiles")
	if _, _, err := convert(t, hidden); fault.CodeOf(err) != fault.Invalid || !strings.Contains(fault.TextOf(err), "stripped") {
		t.Errorf("%v", err)
	}
}

// TestIdent: the debug id is the one that dumps tell: a build id with the first
// three parts of a GUID turned round.
func TestIdent(t *testing.T) {
	file := compile(t, "-g", "-Wl,--build-id=0x00112233445566778899aabbccddeeff01020304")
	m, text, err := convert(t, file)
	if err != nil {
		t.Fatal(err)
	}
	if m.ID != "33221100554477668899AABBCCDDEEFF0" || m.CodeID != "00112233445566778899AABBCCDDEEFF01020304" {
		t.Errorf("%s %s", m.ID, m.CodeID)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Convert(bytes.NewReader(b), int64(len(b)), "libacme.so.debug")
	if err != nil || !bytes.Equal(again, text) {
		t.Errorf("a second time: %v", err)
	}
}

// TestLibC: a library of the system, far larger than ours.
func TestLibC(t *testing.T) {
	files, _ := filepath.Glob("/lib/*-linux-gnu/libc.so.6")
	needs.Part(t, len(files) > 0, "a C library")
	m, text, err := convert(t, files[0])
	if err != nil {
		t.Fatal(err)
	}
	b, err := exec.CommandContext(t.Context(), needs.Program(t, "nm"), "-D", files[0]).Output()
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) != 3 || f[1] != "T" || !strings.Contains(f[2], "@@") {
			continue
		}
		at, _ := strconv.ParseUint(f[0], 16, 64)
		p, ok := m.Lookup(at)
		if !ok {
			t.Errorf("%s is not there", f[2])
		}
		if name, _, _ := strings.Cut(f[2], "@"); name == "qsort" || name == "getenv" || name == "abort" {
			if p[0].Function != name {
				t.Errorf("%s is called %s", name, p[0].Function)
			}
			if _, ok := m.CFI(at); !ok {
				t.Errorf("%s has no unwind rules", name)
			}
			checked++
		}
	}
	if !bytes.Contains(text, []byte(".ra: 0\n")) {
		t.Error("no function of it says that nobody called it, as clone does")
	}
	if checked != 3 {
		t.Errorf("%d of 3 known functions were seen", checked)
	}
}

func TestNone(t *testing.T) {
	for name, b := range map[string]string{"nothing": "", "text": "MODULE Linux", "a head": "\x7fELF", "zeros": "\x7fELF\x02\x01" + strings.Repeat("\x00", 200)} {
		if _, err := Convert(strings.NewReader(b), int64(len(b)), "x"); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTiny: 64 and 32 bit, without a compiler.
func TestTiny(t *testing.T) {
	for _, name := range []string{"tiny64.so", "tiny32.so"} {
		m, text, err := convert(t, filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) == 5 && f[0] == "FUNC" && f[4] == "tiny" {
				at, _ := strconv.ParseUint(f[1], 16, 64)
				p, ok := m.Lookup(at)
				rules, cfi := m.CFI(at)
				found = ok && p[0].Line == 2 && filepath.Base(p[0].File) == "tiny.c" && cfi && strings.HasPrefix(rules[0], ".cfa: $")
			}
		}
		if !found {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}

// TestHostile: what a file says of itself takes neither time nor memory.
func TestHostile(t *testing.T) {
	good, err := os.ReadFile("testdata/tiny64.so")
	if err != nil {
		t.Fatal(err)
	}
	// A table of symbols that all have the same long name.
	f, err := open(bytes.NewReader(good), int64(len(good)))
	if err != nil {
		t.Fatal(err)
	}
	f.left = 10 << 20
	text := append(bytes.Repeat([]byte("a"), maxNameLen), 0)
	entry := make([]byte, 24)
	entry[4], entry[6] = 0x12, 1
	n := 0
	for range 100_000 {
		binary.LittleEndian.PutUint64(entry[8:], f.base+4096)
		if _, ok := f.symbol(entry, text); ok {
			n++
		}
	}
	if n > 10<<20/maxNameLen {
		t.Errorf("%d names of %d bytes", n, maxNameLen)
	}
	// Every length that the headers state, made absurd in turn.
	for i := 16; i+8 <= len(good); i += 4 {
		b := bytes.Clone(good)
		copy(b[i:], "\xff\xff\xff\xff\xff\xff\xff\x7f")
		if _, err := Convert(bytes.NewReader(b), int64(len(b)), "x"); err != nil && fault.CodeOf(err) != fault.Invalid && fault.CodeOf(err) != fault.TooLarge {
			t.Fatalf("at %d: %v", i, err)
		}
	}
}

package minidump

import (
	"encoding/binary"
	"github.com/bellwether-project/bellwether/internal/stack/minidump/dumptest"
	"runtime"
	"testing"
	"time"
	"unicode/utf8"
)

var le = binary.LittleEndian

// build writes streams in a row behind their directory; extra stands at extraAt.
func build(extra []byte, streams ...any) (b []byte, extraAt uint32) {
	n := len(streams) / 2
	b = append(b, "MDMP\x93\xa7\x00\x00"...)
	b = le.AppendUint32(b, uint32(n))
	b = le.AppendUint32(b, 32)
	b = append(b, make([]byte, 16)...)
	at := uint32(32 + 12*n)
	extraAt = at
	at += uint32(len(extra))
	for i := range n {
		body := streams[2*i+1].([]byte)
		b = le.AppendUint32(b, uint32(streams[2*i].(int)))
		b = le.AppendUint32(b, uint32(len(body)))
		b = le.AppendUint32(b, at)
		at += uint32(len(body))
	}
	b = append(b, extra...)
	for i := range n {
		b = append(b, streams[2*i+1].([]byte)...)
	}
	return b, extraAt
}

func u32s(v ...uint32) (b []byte) {
	for _, x := range v {
		b = le.AppendUint32(b, x)
	}
	return b
}

// system is a system info stream of 64-bit Linux.
func system() []byte {
	b := make([]byte, 56)
	le.PutUint16(b, 9)
	le.PutUint32(b[20:], 0x8201)
	return b
}

// cost parses and walks, and fails above a bound of memory or time.
func cost(t *testing.T, name string, b []byte, most uint64) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	d, err := Parse(b)
	if err == nil {
		for i := range min(len(d.Threads), 4) {
			if f := d.Walk(i, nil); len(f) > MaxFrames {
				t.Errorf("%s: %d frames", name, len(f))
			}
		}
		d.Crash(nil)
	}
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > most+uint64(2*len(b)) {
		t.Errorf("%s: %d KB allocated of %d KB of dump", name, n>>10, len(b)>>10)
	}
	if took > 20*time.Second {
		t.Errorf("%s: %v", name, took)
	}
}

func TestHostile(t *testing.T) {
	header := func(n, rva uint32) []byte {
		return append(append([]byte("MDMP\x93\xa7\x00\x00"), u32s(n, rva)...), make([]byte, 16)...)
	}
	many := make([]byte, moduleSize)
	le.PutUint64(many, 1<<20)
	le.PutUint32(many[8:], 4096)
	modules := func(nameAt uint32) []byte {
		b := u32s(1e9)
		for i := range 5000 {
			m := append([]byte(nil), many...)
			le.PutUint64(m, uint64(i)<<20)
			le.PutUint32(m[20:], nameAt)
			b = append(b, m...)
		}
		return b
	}
	name := append(u32s(0xffffffff), make([]byte, 4096)...)
	for i := range 2048 {
		le.PutUint16(name[4+2*i:], 'a')
	}
	shared, at := build(name, sSystemInfo, system(), sModules, modules(32+24))
	if at != 32+24 {
		t.Fatal(at)
	}
	threads := func(stack []byte) []byte { // each claims the whole file as its stack
		b := u32s(4000)
		for i := range 4000 {
			x := make([]byte, 48)
			le.PutUint32(x, uint32(i))
			le.PutUint32(x[32:], 1<<20)
			le.PutUint32(x[40:], 1232)
			b = append(b, x...)
		}
		return append(b, stack...)
	}
	huge, _ := build(nil, sSystemInfo, system(), sThreads, u32s(1e9), sModules, u32s(0xffffffff), sMemory, u32s(0xffffffff), sException, make([]byte, 168))
	stacks, _ := build(nil, sSystemInfo, system(), sThreads, threads(make([]byte, 1<<20)), sModules, modules(0))
	mem64 := le.AppendUint64(le.AppendUint64(nil, 1<<63), 0)
	for range 100_000 {
		mem64 = le.AppendUint64(le.AppendUint64(mem64, 0), 1)
	}
	regions, _ := build(nil, sSystemInfo, system(), sMemory64, mem64, sException, make([]byte, 168))
	maps := make([]byte, 0, 1<<20)
	for len(maps) < 1<<20 {
		maps = append(maps, "0-f r-xp\n"...)
	}
	mapped, _ := build(nil, sSystemInfo, system(), sMaps, maps, sException, make([]byte, 168))
	// Every module's annotations are one and the same long list.
	list := u32s(100_000)
	for range 100_000 {
		list = append(list, u32s(0, 1, 0)...)
	}
	info := make([]byte, 52)
	le.PutUint32(info, 1)
	links := u32s(4000)
	noted, listAt := build(list, sSystemInfo, system(), sCrashpad, info, sException, make([]byte, 168))
	le.PutUint32(links, 4000)
	for range 4000 {
		links = append(links, u32s(0, 28, uint32(len(noted)))...)
	}
	module := u32s(1, 0, 0, 0, 0, uint32(len(list)), listAt)
	crash := len(noted) - 168 - 52
	le.PutUint32(noted[crash+44:], uint32(len(links)))
	le.PutUint32(noted[crash+48:], uint32(len(noted)+len(module)))
	noted = append(append(noted, module...), links...)
	for name, b := range map[string][]byte{
		"directory outside": header(1, 0xfffffff0), "a billion streams": header(1e9, 32), "no streams": header(0, 32), "directory is the header": header(2, 0),
		"counts": huge, "a name shared": shared, "stacks shared": stacks, "memory without end": regions, "maps without end": mapped, "annotations shared": noted,
	} {
		cost(t, name, b, 24<<20)
	}
	for _, name := range []string{"renderer-sigsegv", "check-failure"} {
		b := dumptest.Chromium(t, name)
		for n := 0; n < len(b); n += 997 {
			cost(t, "cut", b[:n], 24<<20)
		}
	}
}

func FuzzParse(f *testing.F) {
	small, _ := build(nil, sSystemInfo, system(), sThreads, append(u32s(1), make([]byte, 48)...), sModules, append(u32s(1), make([]byte, moduleSize)...), sException, make([]byte, 168))
	f.Add(small)
	f.Add(dumptest.Chromium(f, "check-failure")[:40<<10])
	f.Add(dumptest.Chromium(f, "renderer-sigsegv"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Parse(b)
		if err != nil {
			return
		}
		if len(d.Threads) > MaxThreads || len(d.Modules) > MaxModules || len(d.Notes) > MaxNotes {
			t.Fatal("past a bound")
		}
		for i := range min(len(d.Threads), 8) {
			for _, fr := range d.Walk(i, nil) {
				if fr.Module != nil && fr.Offset >= fr.Module.Size {
					t.Fatalf("frame outside its module: %+v", fr)
				}
			}
		}
		c := d.Crash(nil)
		if len(c.Exceptions[0].Frames) > MaxFrames || !utf8.ValidString(c.Exceptions[0].Type) || !utf8.ValidString(d.Value()) {
			t.Fatal("not a crash")
		}
	})
}

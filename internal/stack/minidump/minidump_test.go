package minidump

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/stack/minidump/dumptest"
)

func TestChromium(t *testing.T) {
	d, err := Parse(dumptest.Chromium(t, "renderer-sigsegv"))
	if err != nil {
		t.Fatal(err)
	}
	if d.OS != "linux" || d.Arch != "x64" || d.OSVersion != "6.18.44" || d.Reason != "SIGSEGV /SEGV_MAPERR" || !d.Addressed || d.Value() != "null" {
		t.Errorf("%s %s %s %s %v %q", d.OS, d.Arch, d.OSVersion, d.Reason, d.Addressed, d.Value())
	}
	if len(d.Threads) != 11 || d.Crashed != 0 || len(d.Modules) != 109 || d.Client == "" || d.Notes["prod"] != "Chrome_Linux" || d.Notes["ptype"] != "renderer" {
		t.Errorf("%d threads, crashed %d, %d modules, notes %v", len(d.Threads), d.Crashed, len(d.Modules), d.Notes)
	}
	m := d.Modules[0]
	if base(m.CodeFile) != "chromium" || len(m.DebugID) < 36 || !strings.HasPrefix(m.CodeID, "") || len(BreakpadID(m.DebugID)) < 33 {
		t.Errorf("%+v", m)
	}
	c := d.Crash(nil)
	x := c.Exceptions[0]
	if c.Platform != "native" || x.Type != d.Reason || x.Frames[0].Addr != "+0x472eee0" || x.Frames[0].Package != m.CodeFile || x.Frames[1].Trust != eco.TrustFP {
		t.Errorf("%+v", x.Frames[:2])
	}
	if len(c.DebugImages) != MaxImages || c.DebugImages[0].CodeFile != m.CodeFile {
		t.Errorf("%d images, first %+v", len(c.DebugImages), c.DebugImages[0])
	}
}

type names map[uint64]string

func (n names) Lookup(_, _ string, offset uint64) (string, string, int, bool) {
	fn, ok := n[offset]
	return fn, "a.cc", 7, ok
}

func TestNames(t *testing.T) {
	d, err := Parse(dumptest.Chromium(t, "renderer-sigsegv"))
	if err != nil {
		t.Fatal(err)
	}
	f := d.Walk(d.Crashed, names{0x472eee0: "crash::Now"})
	if f[0].Function != "crash::Now" || f[0].File != "a.cc" || f[0].Line != 7 || f[1].Function != "" {
		t.Errorf("%+v", f[:2])
	}
}

// TestAgree compares with minidump-stackwalk, dump by dump.
func TestAgree(t *testing.T) {
	dir := os.Getenv("BELLWETHER_DATA")
	want, err := os.ReadFile("testdata/stackwalk.txt")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(want)) {
		f := strings.Split(strings.TrimSpace(line), " | ")
		if line[0] == '#' || len(f) != 5 {
			continue
		}
		var b []byte
		if name, ours := strings.CutPrefix(f[0], "chromium-156-linux-"); ours {
			b = dumptest.Chromium(t, strings.TrimSuffix(name, ".dmp"))
		} else if dir == "" {
			continue
		} else if b, err = os.ReadFile(filepath.Join(dir, "wire/minidump", f[0])); err != nil {
			t.Fatal(err)
		}
		seen++
		d, err := Parse(b)
		if err != nil {
			t.Errorf("%s: %v", f[0], err)
			continue
		}
		if reason := strings.ReplaceAll(f[1], " / ", " /"); d.Reason != reason && !strings.HasPrefix(reason, "unknown") {
			t.Errorf("%s: %s, want %s", f[0], d.Reason, reason)
		}
		if a, _ := strconv.ParseUint(strings.TrimPrefix(f[2], "0x"), 16, 64); d.Address != a {
			t.Errorf("%s: address %x, want %x", f[0], d.Address, a)
		}
		if n, _ := strconv.Atoi(f[3]); len(d.Modules) != n {
			t.Errorf("%s: %d modules, want %d", f[0], len(d.Modules), n)
		}
		frames := d.Walk(d.Crashed, nil)
		for i, w := range strings.Fields(f[4]) {
			if i >= len(frames) || place(frames[i]) != w {
				t.Errorf("%s: frame %d, want %s, have %v", f[0], i, w, frames[i:min(i+1, len(frames))])
				break
			}
		}
	}
	if dir == "" {
		t.Logf("BELLWETHER_DATA is not set: compared our own %d dumps only", seen)
	} else if seen < 15 {
		t.Errorf("%d dumps compared", seen)
	}
}

func place(f Frame) string {
	if f.Module == nil {
		return "?"
	}
	return base(f.Module.CodeFile) + hexOffset(f.Offset)
}

// TestBreakpadModules compares ids with the output of Breakpad's own walker.
func TestBreakpadModules(t *testing.T) {
	dir := os.Getenv("BELLWETHER_DATA")
	if dir == "" {
		t.Skip("BELLWETHER_DATA is not set: Breakpad's outputs are not compared")
	}
	dir = filepath.Join(dir, "wire/minidump/expected-breakpad")
	out, err := os.ReadFile(filepath.Join(dir, "minidump2.stackwalk.machine_readable.out"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "minidump2.dmp"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	frames := d.Walk(d.Crashed, nil)
	modules := 0
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), "|")
		switch {
		case f[0] == "Crash" && f[1] != d.Reason:
			t.Errorf("reason %s, want %s", d.Reason, f[1])
		case f[0] == "Module":
			ok := false
			for i := range d.Modules {
				m := &d.Modules[i]
				ok = ok || base(m.CodeFile) == f[1] && m.DebugFile == f[3] && BreakpadID(m.DebugID) == f[4] && (f[2] == "" || m.Version == f[2])
			}
			if modules++; !ok {
				t.Errorf("no module %v", f[1:5])
			}
		case f[0] == "0" && len(f) >= 7 && f[6] != "": // a frame with its offset, without symbols
			i, _ := strconv.Atoi(f[1])
			if i < 4 && frames[i].Module != nil && base(frames[i].Module.CodeFile) != f[2] {
				t.Errorf("frame %d in %s, want %s", i, base(frames[i].Module.CodeFile), f[2])
			}
		}
	}
	if modules < 10 {
		t.Errorf("%d modules compared", modules)
	}
}

func TestReasons(t *testing.T) {
	for _, tt := range []struct {
		os          string
		code, flags uint32
		info        []uint64
		want        string
		addressed   bool
	}{
		{"linux", 11, 1, nil, "SIGSEGV /SEGV_MAPERR", true},
		{"linux", 11, 0x80, nil, "SIGSEGV /SI_KERNEL", false},
		{"linux", 11, 0, nil, "SIGSEGV", true},
		{"linux", 6, 0xfffffffa, nil, "SIGABRT", false},
		{"linux", 99, 0, nil, "signal 99", false},
		{"linux", 0xffffffff, 0, nil, "DUMP_REQUESTED", false},
		{"windows", 0xc0000005, 0, []uint64{1, 0x45}, "EXCEPTION_ACCESS_VIOLATION_WRITE", true},
		{"windows", 0xc0000409, 0, []uint64{7}, "STATUS_STACK_BUFFER_OVERRUN /FAST_FAIL_FATAL_APP_EXIT", true},
		{"windows", 0xdeadbeef, 0, nil, "exception 0xdeadbeef", true},
		{"macos", 1, 1, nil, "EXC_BAD_ACCESS /KERN_INVALID_ADDRESS", true},
		{"macos", 10, 0, nil, "EXC_CRASH", true},
		{"other", 3, 0, nil, "exception 0x00000003", true},
	} {
		d := &Dump{OS: tt.os, Arch: "x64", Crashed: -1, ex: exception{set: true, code: tt.code, flags: tt.flags, n: uint32(len(tt.info))}}
		copy(d.ex.info[:], tt.info)
		if d.finish(); d.Reason != tt.want || d.Addressed != tt.addressed {
			t.Errorf("%s %x/%x: %s %v, want %s", tt.os, tt.code, tt.flags, d.Reason, d.Addressed, tt.want)
		}
	}
}

func TestAddressClass(t *testing.T) {
	for _, tt := range []struct {
		arch    string
		address uint64
		want    string
	}{
		{"x64", 0, "null"}, {"x64", 0x45, "null+0x45"}, {"x64", 0xfffffffffffffff8, "null-0x8"}, {"x86", 0xfffffff8, "null-0x8"},
		{"x64", 0xe5e5e5e5e5e5e5e5, "freed or filled memory"}, {"x86", 0xdddddddd, "freed or filled memory"}, {"x86", 0xfeeefef2, "freed or filled memory"},
		{"x64", 0x4141414141414141, "not canonical"}, {"x64", 0x7f0012345678, "wild"},
	} {
		d := &Dump{Arch: tt.arch, Address: tt.address, Addressed: true, Crashed: -1}
		if got := d.Value(); got != tt.want {
			t.Errorf("%s %x: %s, want %s", tt.arch, tt.address, got, tt.want)
		}
	}
}

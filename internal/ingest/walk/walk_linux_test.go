package walk

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault/needs"
	"github.com/bellwether-project/bellwether/internal/stack/minidump"
	"github.com/bellwether-project/bellwether/internal/stack/minidump/dumptest"
)

// TestMain makes the test binary a walker when it is called by another name.
func TestMain(m *testing.M) {
	switch name := filepath.Base(os.Args[0]); {
	case !strings.HasPrefix(name, "walker-"):
		os.Exit(m.Run())
	case len(os.Args) == 2 && os.Args[1] == "--version":
		fmt.Println("test-walker 1.2")
	default:
		child(strings.TrimPrefix(name, "walker-"))
	}
}

// child behaves as its name says.
func child(how string) {
	file := os.Args[len(os.Args)-1]
	switch how {
	case "sleep":
		time.Sleep(time.Minute)
	case "spin":
		for n := 0; ; n++ {
			if n < 0 {
				return
			}
		}
	case "flood":
		page := bytes.Repeat([]byte("x"), 1<<20)
		for {
			if _, err := os.Stdout.Write(page); err != nil {
				os.Exit(1)
			}
		}
	case "eat":
		var all [][]byte
		for {
			b := make([]byte, 64<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			all = append(all, b)
			runtime.KeepAlive(all)
		}
	case "fail":
		fmt.Fprintln(os.Stderr, "SECRET")
		os.Exit(3)
	case "garbage":
		fmt.Println("{]")
	case "write": // neither the dump nor the disk can be written
		if f, err := os.OpenFile(file, os.O_RDWR, 0); err == nil {
			if _, err := f.WriteAt([]byte("X"), 0); err == nil {
				fmt.Println("the dump was changed")
				os.Exit(0)
			}
		}
		if f, err := os.Create(filepath.Join(filepath.Dir(os.Args[0]), "leak")); err == nil {
			_, _ = f.Write([]byte("leak"))
		}
		fallthrough
	default:
		b, err := os.ReadFile(file)
		if err != nil || !minidump.Is(b) || len(os.Environ()) != 2 {
			os.Exit(4)
		}
		fmt.Print(`{"status":"OK","secret":1,"crashing_thread":{"thread_name":"t","frames":[` +
			`{"frame":0,"module":"chromium","module_offset":"0x472eee0","function":"crash::Now(int)","file":"a.cc","line":7,"trust":"context","inlines":[{"function":"inner","file":"b.h","line":3}]},` +
			`{"frame":1,"module":"nowhere","module_offset":"0x1","function":null,"file":null,"line":null,"trust":"cfi","inlines":null},` +
			`{"frame":2,"module":null,"module_offset":null,"trust":"scan"}]}}`)
	}
}

func readDump(t testing.TB) ([]byte, *minidump.Dump) {
	t.Helper()
	raw := dumptest.Chromium(t, "renderer-sigsegv")
	d, err := minidump.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return raw, d
}

// tool is this binary as a walker of some kind.
func tool(t *testing.T, how string) (*Tool, string) {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "walker-"+how)
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	w, err := Find(t.Context(), path, []string{"/no/symbols"})
	if err != nil {
		t.Fatal(err)
	}
	if w.Name() != "test-walker/1.2" {
		t.Fatal(w.Name())
	}
	return w, dir
}

func TestWalk(t *testing.T) {
	raw, d := readDump(t)
	w, _ := tool(t, "good")
	s := w.Walk(t.Context(), raw, d)
	if s.By != "test-walker/1.2" || len(s.Frames) != 4 {
		t.Fatalf("%+v", s)
	}
	f := s.Frames
	if f[0].Function != "inner" || f[1].Function != "crash::Now(int)" || f[1].Line != 7 || f[1].Offset != 0x472eee0 || f[1].Module != &d.Modules[0] || f[1].Trust != eco.TrustContext {
		t.Errorf("%+v", f[:2])
	}
	if f[2].Module != nil || f[2].Trust != eco.TrustCFI || f[3].Trust != eco.TrustScan {
		t.Errorf("%+v", f[2:])
	}
}

func TestLimits(t *testing.T) {
	raw, d := readDump(t)
	for how, want := range map[string]string{"sleep": "took too long", "spin": "took too long", "flood": "answered too much", "eat": "failed", "fail": "failed", "garbage": "gave no stack"} {
		t.Run(how, func(t *testing.T) {
			w, _ := tool(t, how)
			w.time = 2 * time.Second
			if how == "eat" {
				w.time = MaxTime
			}
			start := time.Now()
			s := w.Walk(t.Context(), raw, d)
			if s.By != "" || !strings.HasSuffix(s.Note, want) || strings.Contains(s.Note, "SECRET") {
				t.Errorf("%+v, want %q", s, want)
			}
			if took := time.Since(start); took > w.time+20*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestNothingIsWritten(t *testing.T) {
	raw, d := readDump(t)
	w, dir := tool(t, "write")
	if s := w.Walk(t.Context(), raw, d); s.By == "" {
		t.Logf("the child died, as it may: %s", s.Note) // SIGXFSZ
	}
	if b, err := os.ReadFile(filepath.Join(dir, "leak")); err == nil && len(b) > 0 {
		t.Errorf("the child wrote %d bytes to a file", len(b))
	}
}

func TestBusy(t *testing.T) {
	raw, d := readDump(t)
	w, _ := tool(t, "good")
	for range atOnce {
		w.slots <- struct{}{}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if s := w.Walk(ctx, raw, d); s.By != "" || s.Note == "" {
		t.Errorf("%+v", s)
	}
}

func TestFind(t *testing.T) {
	if w, err := Find(t.Context(), "off", nil); w != nil || err != nil {
		t.Error(w, err)
	}
	if _, err := Find(t.Context(), "/no/such/walker", nil); err == nil {
		t.Error("a missing program was accepted")
	}
}

// real is for tests of the program itself: its limits are tested with a child of our own.
func real(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath(Program); err != nil && testing.Short() {
		t.Skip("short")
	}
	needs.Program(t, Program)
}

// TestReal runs minidump-stackwalk itself, where it is installed.
func TestReal(t *testing.T) {
	real(t)
	raw, d := readDump(t)
	w, err := Find(t.Context(), "auto", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := w.Walk(t.Context(), raw, d)
	if s.By != w.Name() || len(s.Frames) < 20 || s.Frames[0].Offset != 0x472eee0 {
		t.Fatalf("%s, %d frames: %s", s.By, len(s.Frames), s.Note)
	}
	own := d.Walk(d.Crashed, nil)
	for i := range 20 {
		if s.Frames[i].Offset != own[i].Offset || s.Frames[i].Module != own[i].Module {
			t.Errorf("frame %d: %x, own %x", i, s.Frames[i].Offset, own[i].Offset)
		}
	}
}

func FuzzParse(f *testing.F) {
	_, d := readDump(f)
	f.Add([]byte(`{"crashing_thread":{"frames":[{"module":"chromium","module_offset":"0x1","function":"f","trust":"cfi","line":3,"inlines":[{"function":"g"}]}]}}`))
	f.Add([]byte(`{"crashing_thread":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		frames, err := Parse(b, d)
		if err == nil && len(frames) > minidump.MaxFrames {
			t.Fatal(len(frames))
		}
		for _, x := range frames {
			if x.Module != nil && x.Offset >= x.Module.Size {
				t.Fatal("outside its module")
			}
		}
	})
}

// TestRealNames: with Breakpad symbols the program names the frames of a real dump.
func TestRealNames(t *testing.T) {
	dir := os.Getenv("BELLWETHER_DATA")
	real(t)
	if dir == "" {
		t.Skip("BELLWETHER_DATA is not set")
	}
	dir = filepath.Join(dir, "wire/minidump/expected-breakpad")
	raw, err := os.ReadFile(filepath.Join(dir, "minidump2.dmp"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := minidump.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	w, err := Find(t.Context(), "auto", []string{filepath.Join(dir, "symbols")})
	if err != nil {
		t.Fatal(err)
	}
	s := w.Walk(t.Context(), raw, d)
	var named []string
	for _, f := range s.Frames {
		if f.Function != "" {
			named = append(named, f.Function)
		}
	}
	if want := "`anonymous namespace'::CrashFunction main __tmainCRTStartup"; !strings.HasPrefix(strings.Join(named, " "), want) {
		t.Errorf("%s: %q, want %q", s.By, named, want)
	}
}

// TestRealAgrees: on every real dump, the program's stack up to its first guess is
// the one of the walk here.
func TestRealAgrees(t *testing.T) {
	real(t)
	dir := os.Getenv("BELLWETHER_DATA")
	if dir == "" {
		t.Skip("BELLWETHER_DATA is not set")
	}
	w, err := Find(t.Context(), "auto", nil)
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "wire/minidump/*.dmp"))
	compared := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d, err := minidump.Parse(raw)
		if err != nil {
			continue
		}
		s, own := w.Walk(t.Context(), raw, d), d.Walk(d.Crashed, nil)
		for i, f := range s.Frames {
			if f.Trust == eco.TrustScan {
				break
			}
			if i >= len(own) || own[i].Module != f.Module || f.Module != nil && own[i].Offset != f.Offset {
				t.Errorf("%s, frame %d: the program says %+v", filepath.Base(file), i, f)
				break
			}
			compared++
		}
	}
	if compared < 100 {
		t.Errorf("%d frames compared", compared)
	}
}

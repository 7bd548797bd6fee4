package symbols

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/stack/minidump"
)

// TestRealDumps: public dumps with their public symbols end in named frames, found by
// the rules of those symbols where they have some.
func TestRealDumps(t *testing.T) {
	dir := os.Getenv("BELLWETHER_DATA")
	if dir == "" {
		t.Skip("BELLWETHER_DATA is not set: real dumps are not read")
	}
	h := newHouse(t)
	files, _ := filepath.Glob(filepath.Join(dir, "wire/minidump/expected-breakpad/symbols/*/*/*.sym"))
	if len(files) < 4 {
		t.Fatalf("%d symbol files in %s", len(files), dir)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		h.put(Subject{Host: "editor"}, filepath.Base(f), string(b))
	}
	for name, want := range map[string][]string{
		"breakpad-linux_inline.dmp": {"func() context", "bar() context", "foo() context", "main context"},
		"rust-minidump-test.dmp":    {"`anonymous namespace'::CrashFunction context", "main frame_pointer", "__tmainCRTStartup frame_pointer"}, // as Breakpad's own walker says
	} {
		raw, err := os.ReadFile(filepath.Join(dir, "wire/minidump", name))
		if err != nil {
			t.Fatal(err)
		}
		d, err := minidump.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		o := eco.Origin{Host: "editor"}
		c := d.Crash(nil)
		again := d.Crash(d.Walk(d.Crashed, h.Unwinder(t.Context(), &c, &o)))
		if note, by := h.Name(t.Context(), &again, &o); note == "" || len(by) == 0 {
			t.Errorf("%s: no frame has a name", name)
			continue
		}
		var got []string
		for _, f := range again.Exceptions[0].Frames {
			if f.Function != "" {
				got = append(got, f.Function+" "+string(f.Trust))
			}
		}
		if len(got) > len(want) {
			got = got[:len(want)]
		}
		if strings.Join(got, "; ") != strings.Join(want, "; ") {
			t.Errorf("%s:\n%q, want\n%q", name, got, want)
		}
	}
}

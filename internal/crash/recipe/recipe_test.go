package recipe

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
)

var update = flag.Bool("update", false, "write the answers into the cases")

// A case is <name>/in.json (an Input, whose crashes come as often as "times" says),
// then the files that are made of it.
func TestCases(t *testing.T) {
	const file = "testdata/cases.txtar"
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out := &txtar.Archive{Comment: a.Comment}
	for _, f := range a.Files {
		name, base := path.Split(f.Name)
		if base != "in.json" {
			continue
		}
		var in struct {
			Input
			Times []int
		}
		if err := json.Unmarshal(f.Data, &in); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		var crashes []crash.Document
		for i, d := range in.Crashes {
			for range in.Times[i] {
				crashes = append(crashes, d)
			}
		}
		in.Crashes = crashes
		in.Registered = func(eco.ExtensionID) bool { return true }
		out.Files = append(out.Files, f)
		files, err := Of(in.Input).Files()
		if err != nil {
			t.Fatal(err)
		}
		for _, made := range files {
			out.Files = append(out.Files, txtar.File{Name: name + made.Name, Data: []byte(strings.ReplaceAll(made.Body, "\r\n", "\n"))})
		}
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(out), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(string(txtar.Format(a)), string(txtar.Format(out))); diff != "" {
		t.Error(diff)
	}
}

// Whoever has a public key names any extension as active, or puts it on a stack. A
// launcher would fetch it from the marketplace and run it on the machine of whoever
// looks into the crash: only what the register knows is installed.
func TestForgedNamesAreNotInstalled(t *testing.T) {
	d := crash.Document{Version: 1, Crash: eco.Crash{
		Active:     []eco.Active{{ID: "acme.linter", Version: "1.0.0"}, {ID: "evil.worm", Version: "6.6.6"}, {ID: "evil.always", Version: "6.6.6"}},
		Exceptions: []eco.Exception{{Parent: -1, Frames: []eco.Frame{{Function: "f", Class: eco.FrameExtension, Owner: "evil.worm"}}}}}}
	for _, kind := range []string{VSCode, Blender} {
		for _, blamed := range []eco.ExtensionID{"", "evil.worm", "acme.linter"} {
			in := Input{Kind: kind, Family: crash.Family{ID: "F-1", Blame: blamed}, Registered: func(id eco.ExtensionID) bool { return id == "acme.linter" }}
			for range 30 {
				in.Crashes = append(in.Crashes, d)
			}
			r := Of(in)
			files, err := r.Files()
			if err != nil {
				t.Fatal(err)
			}
			seen := false
			for _, f := range files {
				for line := range strings.Lines(f.Body) {
					run := strings.Contains(line, "--install-extension") || strings.HasPrefix(line, "    ('") || strings.HasPrefix(line, "    (\"")
					if run && (strings.Contains(line, "worm") || strings.Contains(line, "always")) {
						t.Errorf("%s, %s: %s runs %s", kind, blamed, f.Name, line)
					}
					seen = seen || run && strings.Contains(line, "linter")
				}
			}
			if !seen || !strings.Contains(strings.Join(r.Reasons, " "), "evil.worm is not in the register") {
				t.Errorf("%s, %s: %v %+v", kind, blamed, seen, r)
			}
		}
	}
	in := Input{Kind: VSCode, Family: crash.Family{ID: "F-1", Blame: "acme.linter"}, Crashes: []crash.Document{d, d, d}} // nobody said what is registered
	if s := Of(in).launcher(shell); strings.Contains(s, "--install-extension") {
		t.Errorf("without a register: %s", s)
	}
}

// However often it is made, a recipe is the same, to the byte.
func TestDeterministic(t *testing.T) {
	in := hostileInput()
	first, err := Of(in).Zip()
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, err := Of(in).Zip()
		if err != nil || string(again) != string(first) {
			t.Fatalf("another zip (%v)", err)
		}
	}
}

// Many crashes with long lists cost no more than the bounds allow.
func TestBounds(t *testing.T) {
	in := hostileInput()
	d := in.Crashes[0]
	for i := range 3000 {
		d.Crash.Active = append(d.Crash.Active, active(fmt.Sprintf("many.x%d", i), "1"))
		d.Crash.Breadcrumbs = append(d.Crash.Breadcrumbs, crumb(fmt.Sprintf("c%c%c", 'a'+i%26, 'a'+i/26%26), "went"))
		d.Crash.Tags[fmt.Sprint("key", i)] = strings.Repeat("v", 5000)
	}
	in.Crashes = nil
	for range 300 {
		in.Crashes = append(in.Crashes, d)
	}
	r := Of(in)
	if r.Crashes != MaxCrashes || len(r.Steps) != maxSteps || len(r.Settings) != maxSettings || len(r.Active) > maxActive+2 {
		t.Errorf("%d crashes, %d steps, %d settings, %d active", r.Crashes, len(r.Steps), len(r.Settings), len(r.Active))
	}
	for _, s := range r.Settings {
		if len(s.Value) > maxText {
			t.Errorf("a value of %d bytes", len(s.Value))
		}
	}
}

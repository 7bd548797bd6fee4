package stack

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/bellwether-project/bellwether/internal/eco"
)

var update = flag.Bool("update", false, "rewrite what the cases want")

// dump prints a trace the way the case files show it; runs of equal frames are
// counted.
func dump(tr Trace, ok bool) string {
	var b strings.Builder
	if !ok {
		fmt.Fprintf(&b, "no trace: %s\n", tr.Why[len(tr.Why)-1].What)
		return b.String()
	}
	fmt.Fprintf(&b, "dialect %s\nplatform %s\n", tr.Dialect, tr.Platform)
	if tr.Thread != "" {
		fmt.Fprintf(&b, "thread %s\n", tr.Thread)
	}
	if o := tr.Origin; tr.Level != "" || o != (eco.Origin{}) {
		fmt.Fprintf(&b, "level %s\norigin %s\n", tr.Level, strings.Join(strings.Fields(o.OS+" "+o.OSVersion+" "+o.Arch+" "+o.Runtime), " "))
	}
	for _, k := range slices.Sorted(maps.Keys(tr.Tags)) {
		fmt.Fprintf(&b, "tag %s = %s\n", k, tr.Tags[k])
	}
	for _, i := range tr.Images {
		fmt.Fprintf(&b, "image %s %s %s\n", i.Type, i.CodeFile, i.DebugID)
	}
	for _, w := range tr.Why {
		if w.Step == "bound" {
			fmt.Fprintf(&b, "bound %s\n", w.What)
		}
	}
	for i, x := range tr.Exceptions {
		fmt.Fprintf(&b, "\n[%d]", i)
		if x.Parent >= 0 {
			fmt.Fprintf(&b, " of %d", x.Parent)
		}
		if x.Suppressed {
			b.WriteString(" suppressed")
		}
		if x.Grouped {
			b.WriteString(" grouped")
		}
		fmt.Fprintf(&b, " %s", x.Type)
		if x.Value != "" {
			fmt.Fprintf(&b, ": %q", x.Value)
		}
		if x.Mechanism != "" {
			fmt.Fprintf(&b, " (%s)", x.Mechanism)
		}
		b.WriteString("\n")
		last, n := "", 0
		flush := func() {
			if n > 1 {
				fmt.Fprintf(&b, "%s  x%d\n", last, n)
			} else if n == 1 {
				fmt.Fprintf(&b, "%s\n", last)
			}
		}
		for _, f := range x.Frames {
			if l := frameLine(f); l == last {
				n++
			} else {
				flush()
				last, n = l, 1
			}
		}
		flush()
		if x.More > 0 {
			fmt.Fprintf(&b, "  ... %d more\n", x.More)
		}
	}
	return b.String()
}

func frameLine(f eco.Frame) string {
	s := "  " + f.Function
	if f.Function == "" {
		s = "  -"
	}
	if f.Module != "" {
		s += " | " + f.Module
	}
	if f.File != "" {
		s += " @ " + f.File
	}
	if f.Line > 0 {
		s += fmt.Sprintf(":%d", f.Line)
	}
	if f.Col > 0 {
		s += fmt.Sprintf(":%d", f.Col)
	}
	if f.Addr != "" {
		s += " " + f.Addr
	}
	if f.Package != "" {
		s += " [" + f.Package + "]"
	}
	if f.Async {
		s += " async"
	}
	return s
}

// TestCases runs testdata/*.txtar: a comment, "-- trace --", "-- want --".
// A file may hold several pairs (trace.name, want.name).
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		changed := false
		for i := 0; i < len(ar.Files); i++ { // -update inserts
			name, is := strings.CutPrefix(ar.Files[i].Name, "trace")
			if !is {
				continue
			}
			t.Run(filepath.Base(file)+name, func(t *testing.T) {
				tr, ok := Parse(strings.TrimSuffix(string(ar.Files[i].Data), "\n"))
				got := dump(tr, ok)
				want := -1
				for j := range ar.Files {
					if ar.Files[j].Name == "want"+name {
						want = j
					}
				}
				if *update {
					changed = true
					if want < 0 {
						ar.Files = append(ar.Files[:i+1:i+1], append([]txtar.File{{Name: "want" + name}}, ar.Files[i+1:]...)...)
						want = i + 1
					}
					ar.Files[want].Data = []byte(got)
					return
				}
				if want < 0 {
					t.Fatalf("no want%s; run with -update", name)
				}
				if d := cmp.Diff(string(ar.Files[want].Data), got); d != "" {
					t.Errorf("-want +got\n%s", d)
				}
				checkForm(t, tr)
			})
		}
		if changed {
			if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestCaptured reads what real runtimes printed; beside each text stands what
// is wanted of it.
func TestCaptured(t *testing.T) {
	n := 0
	err := filepath.WalkDir("testdata/crash-text", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".want") {
			return err
		}
		n++
		t.Run(strings.TrimPrefix(path, "testdata/crash-text/"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			tr, ok := Parse(string(text))
			got := dump(tr, ok)
			if *update {
				if err := os.WriteFile(path+".want", []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path + ".want")
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			checkForm(t, tr)
			checkPrivate(t, tr)
		})
		return nil
	})
	if err != nil || n < 60 {
		t.Fatalf("%d texts: %v", n, err)
	}
}

// checkPrivate: what reports hold beside the crash never comes out. Paths below a
// user's folder are the scrubber's, which stands behind.
func checkPrivate(t *testing.T, tr Trace) {
	t.Helper()
	all := strings.ReplaceAll(fmt.Sprintf("%+v", tr), "/Users/zqcanary/", "")
	for _, w := range []string{"zqcanary", "CRASHKEY", "203.0.113.", "AAAAAAAA-BBBB"} {
		if strings.Contains(all, w) {
			t.Errorf("%s came out: %s", w, all)
		}
	}
}

// checkForm: what holds of every trace, wanted or not.
func checkForm(t *testing.T, tr Trace) {
	t.Helper()
	if len(tr.Exceptions) > MaxExceptions {
		t.Errorf("%d exceptions", len(tr.Exceptions))
	}
	for i, x := range tr.Exceptions {
		if x.Parent >= i || x.Parent < -1 || i == 0 && x.Parent != -1 {
			t.Errorf("exception %d: parent %d", i, x.Parent)
		}
		if len(x.Frames) > MaxFrames || len(x.Value) > MaxValue || len(x.Type) > MaxName {
			t.Errorf("exception %d: %d frames, value %d, type %d", i, len(x.Frames), len(x.Value), len(x.Type))
		}
		for _, f := range x.Frames {
			if f.Line < 0 || f.Col < 0 || len(f.Function) > MaxName || len(f.File) > MaxName || len(f.Module) > MaxName {
				t.Errorf("exception %d: frame %+v", i, f)
			}
		}
	}
	c := eco.Crash{Platform: tr.Platform, Exceptions: tr.Exceptions}
	before := dump(tr, true)
	Normalise(&c)
	tr.Exceptions = c.Exceptions
	if d := cmp.Diff(before, dump(tr, true)); d != "" {
		t.Errorf("not normalised: %s", d)
	}
}

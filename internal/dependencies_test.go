package internal_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// TestDependencies: every direct dependency has its line of reasons, and no line
// speaks of one that is gone.
func TestDependencies(t *testing.T) {
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	f, err := modfile.Parse("go.mod", mod, nil)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for line := range strings.Lines(string(page)) {
		if rest, ok := strings.CutPrefix(line, "| `"); ok {
			name, _, _ := strings.Cut(rest, "`")
			known[name] = true
		}
	}
	for _, r := range f.Require {
		if !r.Indirect && !known[r.Mod.Path] {
			t.Errorf("docs/dependencies.md has no line for %s", r.Mod.Path)
		}
		if !r.Indirect {
			delete(known, r.Mod.Path)
		}
	}
	for name := range known {
		t.Errorf("docs/dependencies.md speaks of %s, which is no direct dependency", name)
	}
}

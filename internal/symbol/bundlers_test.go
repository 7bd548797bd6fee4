package symbol

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/stack"
)

// TestBundlers: what the real esbuild, vite and webpack made of one small program, and
// the stacks that Node.js wrote when it died, end in the names of its source
// (testdata/bundlers/regenerate.sh makes them again).
func TestBundlers(t *testing.T) {
	stacks, err := os.ReadFile("testdata/bundlers/stacks.txt")
	if err != nil {
		t.Fatal(err)
	}
	sections := strings.Split(string(stacks), "== ")[1:]
	if len(sections) != 3 {
		t.Fatalf("%d stacks", len(sections))
	}
	want := map[string]string{
		"esbuild": "readSettings main.ts:7; run main.ts:11; ExtensionRegistry.runCommand registry.ts:13; activate main.ts:12;  main.ts:16",
		"vite":    "readSettings main.ts:7; run main.ts:11; ExtensionRegistry.runCommand registry.ts:13; activate main.ts:12;  main.ts:16",
		// Given plain JavaScript; it inlined readSettings into run, and its own last line has no source.
		"webpack": "readSettings main.js:5; ExtensionRegistry.runCommand registry.js:9; activate main.js:9; Object.<anonymous> main.js:1",
	}
	for _, s := range sections {
		head, text, _ := strings.Cut(s, "\n")
		tool, _, _ := strings.Cut(head, " ")
		m, err := ParseMap(read(t, filepath.Join("bundlers", tool, "main.js.map")))
		if err != nil {
			t.Fatal(tool, err)
		}
		trace, ok := stack.Parse(text)
		if !ok {
			t.Fatalf("%s: no stack", tool)
		}
		c := &eco.Crash{Platform: "javascript", Exceptions: trace.Exceptions}
		Apply(c, func(n Need) (Artifact, bool) {
			return Artifact{ID: tool, Map: m}, n.File == "~/"+tool+"/main.js"
		})
		var got []string
		for _, f := range c.Exceptions[0].Frames {
			got = append(got, fmt.Sprintf("%s %s:%d", f.Function, filepath.Base(f.File), f.Line))
		}
		if line := strings.Join(got, "; "); line != want[tool] {
			t.Errorf("%s: %s, want %s", head, line, want[tool])
		}
	}
}

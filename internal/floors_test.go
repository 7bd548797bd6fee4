package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// floors, from the ground up: a package imports only lines above its own in this
// list (lower floors), never its own line. A sub-package stands on its parent's
// floor and may import its parent; docs/ARCHITECTURE.md says what each is for.
const floors = `
fault
eco
blob stream facts db notify keyring
audit
stack
consent scrub symbol signature estimate anomaly route
blame
family
account registry receipt
crash
pipeline jobs alert
door
ingest api web
world load eval
app
cli
`

const module = "github.com/bellwether-project/bellwether/internal/"

// doorsFrom is the lowest floor that may speak HTTP.
const doorsFrom = "door"

// scopeMakers may make a facts.Scope: who may see what is decided in one place.
var scopeMakers = []string{"facts", "account", "pipeline", "crash", "app"}

func TestFloors(t *testing.T) {
	level := map[string]int{}
	for i, line := range strings.Split(strings.TrimSpace(floors), "\n") {
		for _, name := range strings.Fields(line) {
			level[name] = i
		}
	}
	// The files are opened here, in the test process, so that the test cache sees them.
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "testdata" {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(file, ".go") || file == filepath.Base(file) {
			return nil
		}
		src, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		checkFile(t, level, filepath.ToSlash(file), src)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkFile reports every way one file breaks the house.
func checkFile(t *testing.T, level map[string]int, file string, src []byte) {
	t.Helper()
	dir := path.Dir(file)
	room, _, _ := strings.Cut(dir, "/")
	isTest := strings.HasSuffix(file, "_test.go") || strings.HasSuffix(dir, "test")
	own, ok := level[room]
	if !ok {
		t.Errorf("%s: package %s stands on no floor", file, room)
		return
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, src, parser.SkipObjectResolution)
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	for _, spec := range parsed.Imports {
		imp := strings.Trim(spec.Path.Value, `"`)
		if imp == "net/http" && own < level[doorsFrom] && !isTest && !strings.HasPrefix(dir, "facts/") && room != "notify" {
			t.Errorf("%s: net/http below the doors", file)
		}
		rest, ours := strings.CutPrefix(imp, module)
		if !ours {
			continue
		}
		other, _, _ := strings.Cut(rest, "/")
		switch {
		case other == room: // parent, sibling or child of one room
		case isTest && level[other] <= own: // tests may look sideways at their own floor's ground
		case level[other] >= own:
			t.Errorf("%s (floor %s) imports %s of its own or a higher floor", file, room, other)
		}
	}
	if !isTest && !slices.Contains(scopeMakers, room) {
		ast.Inspect(parsed, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "facts" && (sel.Sel.Name == "Everything" || sel.Sel.Name == "Only") {
				t.Errorf("%s makes a facts.Scope; ask account for one", file)
			}
			return true
		})
	}
}

// TestFloorsCatches plants bad files and wants them caught.
func TestFloorsCatches(t *testing.T) {
	level := map[string]int{"eco": 0, "crash": 1, "door": 2}
	for _, c := range []struct{ name, file, src string }{
		{"upward import", "eco/x.go", "package eco\nimport _ \"" + module + "crash\""},
		{"unknown room", "nowhere/x.go", "package nowhere"},
		{"http below doors", "crash/x.go", "package crash\nimport _ \"net/http\""},
		{"scope outside", "door/x.go", "package door\nimport \"" + module + "eco\"\nvar _ = facts.Everything()"},
	} {
		probe := &testing.T{}
		done := make(chan struct{})
		go func() { defer close(done); checkFile(probe, level, c.file, []byte(c.src)) }()
		<-done
		if !probe.Failed() {
			t.Errorf("%s: not caught", c.name)
		}
	}
}

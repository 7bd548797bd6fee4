package scrub

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var updateDoc = flag.Bool("update-doc", false, "write the table of rules into docs/design/scrub.md")

// TestDocumentedRules keeps the table of the documentation that of the code.
func TestDocumentedRules(t *testing.T) {
	const file, begin, end = "../../docs/design/scrub.md", "<!-- rules: written by go test ./internal/scrub -run TestDocumentedRules -update-doc -->\n", "<!-- end of rules -->\n"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(b), begin)
	is, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", file)
	}
	var s strings.Builder
	s.WriteString("| rule | takes out | leaves |\n|---|---|---|\n")
	for _, r := range Describe() {
		leaves := "nothing"
		if r.Token != "" {
			leaves = "`" + r.Token + "`"
		}
		fmt.Fprintf(&s, "| %s | %s | %s |\n", r.ID, r.What, leaves)
	}
	if *updateDoc {
		if err := os.WriteFile(file, []byte(head+begin+s.String()+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(s.String(), is); d != "" {
		t.Errorf("%s: run go test ./internal/scrub -run TestDocumentedRules -update-doc\n%s", file, d)
	}
}

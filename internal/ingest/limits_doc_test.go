package ingest

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var updateDoc = flag.Bool("update-doc", false, "write the table of limits into docs/design/intake.md")

// TestDocumentedLimits keeps the table of the documentation that of the code.
func TestDocumentedLimits(t *testing.T) {
	const file, begin, end = "../../docs/design/intake.md", "<!-- limits: written by go test ./internal/ingest -update-doc -->\n", "<!-- end of limits -->\n"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(b), begin)
	is, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", file)
	}
	want := limitsTable()
	if *updateDoc {
		if err := os.WriteFile(file, []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(want, is); d != "" {
		t.Errorf("%s: run go test ./internal/ingest -run TestDocumentedLimits -update-doc\n%s", file, d)
	}
}

func limitsTable() string {
	var s strings.Builder
	s.WriteString("| what | at most | past it |\n|---|---|---|\n")
	for _, l := range Limits() {
		fmt.Fprintf(&s, "| %s | %s | %s |\n", l.Name, amount(l.Value, l.Unit), l.Past)
	}
	return s.String()
}

func amount(n int64, unit string) string {
	switch {
	case unit == "bytes" && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case unit == "bytes" && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return strings.TrimSpace(fmt.Sprint(n, " ", unit))
}

package ingest

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite what is generated")

// The table in the documentation is the table in the code.
func TestLimitsAreDocumented(t *testing.T) {
	const file = "../../docs/design/intake.md"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), "-update -->\n")
	_, after, ok2 := strings.Cut(rest, "<!-- end -->")
	if !ok || !ok2 {
		t.Fatal("the marks are gone")
	}
	var table strings.Builder
	table.WriteString("| bound | value | past it |\n|---|---|---|\n")
	for _, l := range Limits() {
		fmt.Fprintf(&table, "| %s | %s | %s |\n", l.Name, strings.TrimSpace(fmt.Sprintf("%d %s", l.Value, l.Unit)), l.Past)
	}
	want := before + "-update -->\n" + table.String() + "<!-- end -->" + after
	if want == string(b) {
		return
	}
	if !*update {
		t.Fatal("docs/design/intake.md is behind the code; run with -update")
	}
	if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

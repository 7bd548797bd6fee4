package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A report's text does nothing to the terminal of whoever looks at it.
func TestTerminal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trace.txt")
	text := "Error: boom \x1b]0;pwned\x07\x1b[31mred\r\n    at ev\x1b[2Jil (/srv/\u009b31mx.js:1:2)\n    at run\u202e (/srv/y.js:3:4)\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := Main(t.Context(), []string{"crash", "explain", file}, strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	got := out.String()
	if strings.ContainsAny(got, "\x1b\x07\r\u009b\u202e") || !strings.Contains(got, `ev\x1b[2Jil`) {
		t.Errorf("%q", got)
	}
	var b bytes.Buffer
	if _, err := (plain{&b}).Write([]byte("grün\t— „ok“\n")); err != nil || b.String() != "grün\t— „ok“\n" {
		t.Errorf("%v %q", err, b.String())
	}
}

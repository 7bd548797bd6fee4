package symbols

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// An archive that says of itself that it unfolds to more than is taken is refused
// before anything of it is unfolded, or kept.
func TestBombsAreRefusedUnread(t *testing.T) {
	h := newHouse(t)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("engine.sym")
	if err == nil {
		_, err = w.Write([]byte(engineSym))
	}
	zeros := make([]byte, 1<<20)
	for i := range 9 {
		w, err := z.Create(strings.Repeat("b", i+1) + ".map")
		if err != nil {
			t.Fatal(err)
		}
		for range 60 {
			if _, err := w.Write(zeros); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	if _, err := h.Put(t.Context(), Upload{Subject: of("acme.linter"), Actor: "a-1", Name: "x.zip"}, &b); fault.CodeOf(err) != fault.TooLarge {
		t.Errorf("%v", err)
	}
	var n int
	if err := h.db.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM symbol_file`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d files of it were kept, %v", n, err)
	}
}

// A name is one line, wherever it is shown: in a list, in a log, in a terminal.
func TestNamesAreOneLine(t *testing.T) {
	h := newHouse(t)
	for name, want := range map[string]string{"../../etc/a\r\nX-Evil: y.sym": "a  X-Evil: y.sym", "a\x1b[2Jb.sym": "a [2Jb.sym", `C:\x\engine.sym`: "engine.sym"} {
		text := strings.Replace(engineSym, "engine.so", strings.Map(func(r rune) rune {
			if r == '\r' || r == '\n' || r == '/' || r == '\\' {
				return -1
			}
			return r
		}, name), 1)
		out := h.put(of("acme.linter"), name, text)
		if len(out) != 1 || out[0].Kept == nil || out[0].Kept.Name != want || strings.ContainsAny(out[0].Kept.File, "\x1b\r\n") {
			t.Errorf("%q: %+v", name, out)
		}
	}
}

package priority

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the answers into the cases")

func TestCases(t *testing.T) {
	const file = "testdata/cases.txtar"
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := Load()
	for i := 0; i+1 < len(a.Files); i += 2 {
		var in Input
		if err := json.Unmarshal(a.Files[i].Data, &in); err != nil {
			t.Fatalf("%s: %v", a.Files[i].Name, err)
		}
		out := r.Of(in)
		var b strings.Builder
		fmt.Fprintf(&b, "%s %d loss=%v\n", out.Band, out.Score, out.Loss)
		for _, x := range out.Reasons {
			fmt.Fprintf(&b, "%d %s: %s\n", x.Points, x.Part, x.Text)
		}
		if *update {
			a.Files[i+1].Data = []byte(b.String())
		} else if diff := cmp.Diff(string(a.Files[i+1].Data), b.String()); diff != "" {
			t.Errorf("%s:\n%s", a.Files[i].Name, diff)
		}
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// More of anything bad never makes a family less urgent.
func TestMonotone(t *testing.T) {
	r := Load()
	base := Input{Crashes: 40, Installs: 20, Repeated: 4, Active: 5000, Stated: 40, Handled: 40, Recent: 20, Earlier: 20}
	worse := map[string]func(*Input){
		"repeats":   func(in *Input) { in.Repeated = 18 },
		"installs":  func(in *Input) { in.Installs, in.Repeated, in.Crashes = 400, 80, 800 },
		"uncaught":  func(in *Input) { in.Handled = 0 },
		"fatal":     func(in *Input) { in.Fatal = 40 },
		"data loss": func(in *Input) { in.Words = "saveDocument" },
		"rising":    func(in *Input) { in.Recent, in.Earlier = 60, 5 },
		"back":      func(in *Input) { in.Back = true },
	}
	was := r.Of(base).Score
	for name, f := range worse {
		in := base
		f(&in)
		if got := r.Of(in).Score; got <= was {
			t.Errorf("%s: %d, and %d without", name, got, was)
		}
	}
	if got := r.Of(Input{}); got.Band != "P4" || len(got.Reasons) == 0 {
		t.Errorf("nothing: %+v", got)
	}
}

func TestLosing(t *testing.T) {
	r := Load()
	for words, want := range map[string]string{"saveAll": "save", "doSave": "save", "unsaved changes": "", "rewrite": "", "AutoSave.run": "save", "writeFile": "write", "paint": "", "": "", "é save": "save", "İİİ SAVE": "save"} {
		if got := r.losing(Input{Words: words}); got != want {
			t.Errorf("%q: %q, want %q", words, got, want)
		}
	}
}

package registry

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

var update = flag.Bool("update", false, "rewrite testdata")

// Each case is a file to import over the seeded register (extensions acme.git,
// acme.theme, zeta.lint) and the report that is wanted. Importing it twice must
// change nothing the second time.
func TestImportCases(t *testing.T) {
	files, err := filepath.Glob("testdata/import/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			h := open(t, dbtest.Open(t))
			h.seed()
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var src, want []byte
			for _, f := range ar.Files {
				switch f.Name {
				case "file":
					src = f.Data
				case "want":
					want = f.Data
				}
			}
			before := h.entries()
			dry, err := h.Import(t.Context(), who, bytes.NewReader(src), true, nil)
			if err != nil || h.entries() != before {
				t.Fatalf("the dry run: %v, %d new audit entries", err, h.entries()-before)
			}
			rep, err := h.Import(t.Context(), who, bytes.NewReader(src), false, nil)
			if err != nil {
				t.Fatal(err)
			}
			dry.DryRun = false
			if d := cmp.Diff(dry, rep); d != "" {
				t.Errorf("the dry run said something else:\n%s", d)
			}
			if len(rep.Mistakes) > 0 && h.entries() != before {
				t.Error("something was changed in spite of mistakes")
			}
			got := show(rep)
			if len(rep.Mistakes) == 0 {
				again, err := h.Import(t.Context(), who, bytes.NewReader(src), false, nil)
				if err != nil || again.Created+again.Changed != 0 {
					t.Errorf("the second time: %+v, %v", again, err)
				}
			}
			if *update {
				for i := range ar.Files {
					if ar.Files[i].Name == "want" {
						ar.Files[i].Data = []byte(got)
					}
				}
				if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Error(d)
			}
		})
	}
}

func show(r ImportReport) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d created, %d changed, %d unchanged\n", r.Format, r.Created, r.Changed, r.Unchanged)
	for _, m := range r.Mistakes {
		fmt.Fprintf(&b, "line %d %s: %s\n", m.Line, m.Field, m.Text)
	}
	return b.String()
}

func TestImportIsForOnesOwn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d)
		h.seed()
		mine := func(id eco.ExtensionID, owners bool) bool { return !owners && id.Publisher() == "acme" }
		rep, err := h.Import(t.Context(), who, strings.NewReader("id,name\nacme.new,New\nzeta.lint,Mine now\n"), false, mine)
		if err != nil || len(rep.Mistakes) != 1 || rep.Mistakes[0].Line != 3 {
			t.Errorf("%+v, %v", rep, err)
		}
		if _, err := h.Extension(t.Context(), "acme.new"); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("half of the file was imported: %v", err)
		}
		rep, err = h.Import(t.Context(), who, strings.NewReader("id,name\nacme.new,New\n"), false, mine)
		if err != nil || rep.Created != 1 {
			t.Errorf("%+v, %v", rep, err)
		}
		list, _ := h.log.List(t.Context(), 0, 10)
		actions := map[string]bool{}
		for _, r := range list {
			actions[r.Action] = true
		}
		if !actions["extension.import"] || !actions["extension.create"] {
			t.Errorf("the log lacks the import: %v", actions)
		}
	})
}

func TestImportBounds(t *testing.T) {
	h := open(t, dbtest.Open(t))
	var b bytes.Buffer
	b.WriteString("id,name\n")
	for i := range MaxImportRows + 1 {
		fmt.Fprintf(&b, "acme.e%d,E\n", i)
	}
	_, err := h.Import(t.Context(), who, &b, true, nil)
	wantCode(t, "too many rows", err, fault.TooLarge)
	_, err = h.Import(t.Context(), who, strings.NewReader(strings.Repeat(" ", MaxImportBytes+1)), true, nil)
	wantCode(t, "too many bytes", err, fault.TooLarge)
	b.Reset()
	b.WriteString("id,name\n")
	for range 500 {
		b.WriteString("nodot,x\n")
	}
	rep, err := h.Import(t.Context(), who, &b, true, nil)
	if err != nil || len(rep.Mistakes) != maxMistakes || rep.More != 300 {
		t.Errorf("%d mistakes and %d more, %v", len(rep.Mistakes), rep.More, err)
	}
}

func FuzzImport(f *testing.F) {
	f.Add([]byte("id,name\nacme.x,X\n"))
	f.Add([]byte(`[{"id":"acme.x","kind":"vscode","prefixes":["a"]}]`))
	f.Add([]byte(`{"id":"acme.x"} {"id":1}`))
	f.Add([]byte("id,\"na\nme\"\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		var bad mistakes
		lines := 1 + bytes.Count(src, []byte("\n"))
		for _, rows := range [][]row{readJSON(src, &bad), readCSV(src, &bad)} {
			for _, x := range rows {
				if x.line < 1 || x.line > lines {
					t.Fatalf("line %d of %d", x.line, lines)
				}
			}
		}
		for _, m := range bad {
			if m.Line < 1 || m.Line > lines+1 || m.Text == "" {
				t.Fatalf("mistake %+v in %d lines", m, lines)
			}
		}
	})
}

// The column of owners keeps whom the marketplace's own list names, and only those
// who keep the accounts may bring it.
func TestImportOfTheMarketplacesList(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, ctx := open(t, d), t.Context()
		h.seed()
		const file = "id,owners\nacme.theme,Ravi@Acme.example mei@acme.example\nzeta.lint,\n"
		rep, err := h.Import(ctx, who, strings.NewReader(file), false, func(_ eco.ExtensionID, owners bool) bool { return !owners })
		if err != nil || len(rep.Mistakes) != 2 || rep.Mistakes[0].Field != "owners" || rep.Mistakes[0].Line != 2 {
			t.Errorf("an author brings owners: %+v, %v", rep, err)
		}
		for i, want := range []string{"csv: 0 created, 1 changed, 1 unchanged\n", "csv: 0 created, 0 changed, 2 unchanged\n"} {
			if rep, err := h.Import(ctx, who, strings.NewReader(file), false, nil); err != nil || show(rep) != want {
				t.Errorf("time %d: %s%v", i+1, show(rep), err)
			}
		}
		for email, want := range map[string]bool{"ravi@acme.example": true, "MEI@acme.example": true, "eve@evil.example": false} {
			if ok, err := h.Listed(ctx, "acme.theme", email); ok != want || err != nil {
				t.Error(email, ok, err)
			}
		}
		// A file without the column leaves them; an empty cell takes them all off.
		for _, x := range []struct {
			file string
			want bool
		}{{"id,name\nacme.theme,Another Name\n", true}, {`[{"id": "acme.theme", "owners": ["ravi@acme.example"]}]`, true}, {"id,owners\nacme.theme,\n", false}} {
			if _, err := h.Import(ctx, who, strings.NewReader(x.file), false, nil); err != nil {
				t.Fatal(err)
			}
			if ok, err := h.Listed(ctx, "acme.theme", "ravi@acme.example"); ok != x.want || err != nil {
				t.Errorf("%s: %v %v", x.file, ok, err)
			}
		}
		rep, err = h.Import(ctx, who, strings.NewReader("id,owners\nacme.theme,somebody\n"), false, nil)
		if err != nil || len(rep.Mistakes) != 1 || rep.Mistakes[0].Text != "An owner is an e-mail address." {
			t.Errorf("%+v %v", rep, err)
		}
	})
}

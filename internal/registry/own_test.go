package registry

import (
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// An author writes the own entry, and gets nobody else's crashes by it: neither by
// words, nor by a name chosen in a claim, nor by what an entry named once.
func TestAuthorsOwnEntries(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, ctx := open(t, d), t.Context()
		for _, p := range []string{"acme", "northwind"} {
			if _, err := h.PutPublisher(ctx, who, Publisher{ID: p, Name: p}); err != nil {
				t.Fatal(err)
			}
		}
		todo, err := h.PutExtension(ctx, who, Extension{ID: "acme.todo", Kind: VSCode, Name: "Todo", Repository: "https://github.com/acme/todo"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.PutExtension(ctx, who, Extension{ID: "northwind.notes", Kind: VSCode, Name: "Notes", Prefixes: []string{"com.northwind"}}); err != nil {
			t.Fatal(err)
		}
		stolen := todo
		stolen.Prefixes = []string{"com.northwind"}
		if _, err := h.PutOwnExtension(ctx, who, stolen); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("another's prefix: %v", err)
		}
		stolen.Prefixes, stolen.Locals = nil, []string{"notes"}
		if _, err := h.PutOwnExtension(ctx, who, stolen); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("another's folder: %v", err)
		}
		mine := todo
		mine.Prefixes = []string{"com.acme.todo"}
		if todo, err = h.PutOwnExtension(ctx, who, mine); err != nil || len(todo.Prefixes) != 1 {
			t.Fatalf("the own prefix: %v", err)
		}
		author := func(id eco.ExtensionID, owners bool) bool { return !owners && id.Publisher() == "acme" }
		rep, err := h.Import(ctx, who, strings.NewReader(`[{"id":"acme.todo","prefixes":["com.northwind.notes"]}]`), false, author)
		if err != nil || len(rep.Mistakes) != 1 {
			t.Errorf("an import of an author: %+v %v", rep, err)
		}

		// Who proved what the entry named before owns nothing now.
		c, err := h.NewClaim(ctx, "account:z", Claim{Extension: "acme.todo", Publisher: "ms-python", Account: "z", Method: ByFile})
		if err != nil {
			t.Fatal(err)
		}
		todo.Repository = "https://github.com/acme-org/todo"
		if todo, err = h.PutExtension(ctx, who, todo); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Looked(ctx, "account:z", c, true, "the line is there"); fault.CodeOf(err) != fault.Conflict || h.OwnerOf("acme.todo") != "acme" {
			t.Errorf("at the former place: %v, owner %s", err, h.OwnerOf("acme.todo"))
		}
		// A publisher whose name somebody chose registers nothing under that name.
		if c, err = h.NewClaim(ctx, "account:z", Claim{Extension: "acme.todo", Publisher: "ms-python", Account: "z", Method: ByFile}); err != nil {
			t.Fatal(err)
		}
		if _, err = h.Looked(ctx, "account:z", c, true, "the line is there"); err != nil {
			t.Fatal(err)
		}
		if _, err := h.PutOwnExtension(ctx, "account:z", Extension{ID: "ms-python.python", Kind: VSCode, Name: "Python"}); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("a name that was chosen: %v", err)
		}
		if _, err := h.PutExtension(ctx, who, Extension{ID: "ms-python.python", Kind: VSCode, Name: "Python"}); err != nil {
			t.Errorf("whoever keeps the register: %v", err)
		}
		if _, err := h.PutOwnExtension(ctx, who, Extension{ID: "northwind.second", Kind: VSCode, Name: "Second"}); err != nil {
			t.Errorf("a publisher of the register: %v", err)
		}
	})
}

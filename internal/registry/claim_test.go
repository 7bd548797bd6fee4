package registry

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		repository, contact string
		want                []Place
	}{
		{"https://github.com/acme/todo", "", []Place{{ByFile, "https://raw.githubusercontent.com/acme/todo/HEAD/.bellwether-claim"}, {ByList, ""}}},
		{"https://github.com/acme/todo.git", "help@gmail.com", []Place{{ByFile, "https://raw.githubusercontent.com/acme/todo/HEAD/.bellwether-claim"}, {ByList, ""}}},
		{"https://github.com/acme", "", []Place{{ByList, ""}}}, // no repository
		{"https://gitlab.com/acme/a/todo/", "", []Place{{ByFile, "https://gitlab.com/acme/a/todo/-/raw/HEAD/.bellwether-claim"}, {ByList, ""}}},
		{"https://git.acme.example/todo", "dev@acme.example", []Place{{ByFile, "https://git.acme.example/todo/raw/HEAD/.bellwether-claim"},
			{ByDNS, "_bellwether.git.acme.example"}, {ByDNS, "_bellwether.acme.example"}, {ByList, ""}}},
		{"http://git.acme.example/todo", "https://acme.example/help", []Place{{ByDNS, "_bellwether.git.acme.example"}, {ByDNS, "_bellwether.acme.example"}, {ByList, ""}}},
		{"https://eve@git.acme.example/todo", "", []Place{{ByDNS, "_bellwether.git.acme.example"}, {ByList, ""}}},
		{"", "", []Place{{ByList, ""}}},
	} {
		e := Extension{ID: "acme.todo", Repository: c.repository, Contact: c.contact}
		if d := cmp.Diff(c.want, e.Places()); d != "" {
			t.Errorf("%s, %s: %s", c.repository, c.contact, d)
		}
	}
}

func TestClaimChangesTheOwner(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, ctx := open(t, d), t.Context()
		if _, err := h.PutPublisher(ctx, who, Publisher{ID: "acme", Name: "Acme"}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.PutPublisher(ctx, who, Publisher{ID: "zeta", Name: "Zeta"}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.PutExtension(ctx, who, Extension{ID: "acme.todo", Kind: VSCode, Name: "Todo", Repository: "https://github.com/acme/todo"}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.NewClaim(ctx, "account:z", Claim{Extension: "acme.todo", Publisher: "acme", Account: "z", Method: ByFile}); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("claiming what one owns: %v", err)
		}
		if _, err := h.NewClaim(ctx, "account:z", Claim{Extension: "acme.todo", Publisher: "zeta", Account: "z", Method: ByDNS}); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("a record of a forge: %v", err)
		}
		if _, err := h.NewClaim(ctx, "account:z", Claim{Extension: "acme.todo", Publisher: "zeta", Account: "z", Method: ByFile, Place: "https://evil.example/x"}); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("a place of one's own: %v", err)
		}
		c, err := h.NewClaim(ctx, "account:z", Claim{Extension: "acme.todo", Publisher: "zeta", Account: "z", Method: ByFile})
		if err != nil {
			t.Fatal(err)
		}
		other, err := h.NewClaim(ctx, "account:y", Claim{Extension: "acme.todo", Publisher: "new-one", Account: "y", Method: ByList})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Claim(ctx, "y", c.ID); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("another's claim: %v", err)
		}
		if c, err = h.Looked(ctx, "account:z", c, false, "no such file"); err != nil || c.State != ClaimOpen || h.OwnerOf("acme.todo") != "acme" {
			t.Errorf("without a proof: %+v %v, owner %s", c, err, h.OwnerOf("acme.todo"))
		}
		if c, err = h.Looked(ctx, "account:z", c, true, "the line is there"); err != nil || c.State != ClaimProven {
			t.Fatalf("%+v %v", c, err)
		}
		if h.OwnerOf("acme.todo") != "zeta" || len(h.ExtensionsOf("acme")) != 0 || !cmp.Equal(h.ExtensionsOf("zeta"), []eco.ExtensionID{"acme.todo"}) {
			t.Errorf("owner %s, acme has %v, zeta %v", h.OwnerOf("acme.todo"), h.ExtensionsOf("acme"), h.ExtensionsOf("zeta"))
		}
		if o, err := h.Claim(ctx, "y", other.ID); err != nil || o.State != ClaimWithdrawn {
			t.Errorf("the other claim: %+v %v", o, err)
		}
		if _, err := h.Looked(ctx, "account:z", c, true, "again"); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("twice: %v", err)
		}
		// The entry keeps its owner when it is edited, whatever the editor sends.
		e, err := h.Extension(ctx, "acme.todo")
		if err != nil {
			t.Fatal(err)
		}
		e.Name, e.Owner = "Todo list", "acme"
		if e, err = h.PutExtension(ctx, "account:z", e); err != nil || e.Owner != "zeta" || h.OwnerOf("acme.todo") != "zeta" {
			t.Errorf("after an edit: %+v %v", e, err)
		}
	})
}

func TestListed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, ctx := open(t, d), t.Context()
		if _, err := h.PutPublisher(ctx, who, Publisher{ID: "acme", Name: "Acme"}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.PutExtension(ctx, who, Extension{ID: "acme.todo", Kind: VSCode, Name: "Todo"}); err != nil {
			t.Fatal(err)
		}
		if err := h.SetListed(ctx, "account:op", "acme.todo", []string{"Ravi@Acme.example"}); err != nil {
			t.Fatal(err)
		}
		if ok, err := h.Listed(ctx, "acme.todo", " ravi@acme.example"); !ok || err != nil {
			t.Error(ok, err)
		}
		if ok, _ := h.Listed(ctx, "acme.todo", "eve@evil.example"); ok {
			t.Error("somebody else is listed")
		}
		if err := h.SetListed(ctx, "account:op", "acme.todo", nil); err != nil {
			t.Fatal(err)
		}
		if ok, _ := h.Listed(ctx, "acme.todo", "ravi@acme.example"); ok {
			t.Error("still listed")
		}
	})
}

package registry

import (
	"database/sql"
	"testing"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// What an entry said before words were checked does not count as far as it names
// others' code; the entry says which words and why. An author cannot save them on;
// whoever keeps the register can.
func TestWordsOfBefore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, ctx := open(t, d), t.Context()
		for _, p := range []string{"acme", "thief"} {
			if _, err := h.PutPublisher(ctx, who, Publisher{ID: p, Name: p}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := h.PutExtension(ctx, who, Extension{ID: "acme.todo", Kind: VSCode, Name: "Todo", Prefixes: []string{"com.acme.todo"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.PutExtension(ctx, who, Extension{ID: "thief.x", Kind: VSCode, Name: "X", Prefixes: []string{"thief.x", "com.acme.todo.core"}}); err != nil {
			t.Fatal(err)
		}
		owner := func() eco.ExtensionID {
			c := eco.Crash{Exceptions: []eco.Exception{{Parent: -1, Frames: []eco.Frame{{Function: "f", Module: "com.acme.todo.core.Draw"}}}}}
			h.World().Classify(&c, eco.Origin{})
			return c.Exceptions[0].Frames[0].Owner
		}
		if o := owner(); o != "thief.x" {
			t.Fatalf("what the keeper of the register entered: %q", o)
		}
		if err := d.Tx(ctx, func(tx *sql.Tx) error { // as it was written before there was a rule
			if _, err := tx.ExecContext(ctx, `UPDATE registry_extension SET rules = $1 WHERE id = 'thief.x'`, `{"prefixes":["thief.x","com.acme.todo.core"]}`); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, `UPDATE registry_state SET version = version + 1`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := h.refresh(ctx, true); err != nil {
			t.Fatal(err)
		}
		e, err := h.Extension(ctx, "thief.x")
		if err != nil || owner() != "acme.todo" || len(e.Ignored) != 1 || e.Ignored[0].Word != "com.acme.todo.core" || e.Ignored[0].Why == "" || len(e.Prefixes) != 2 {
			t.Fatalf("%q, %+v, %v", owner(), e, err)
		}
		saved := e
		saved.Summary = "New."
		if _, err := h.PutOwnExtension(ctx, who, saved); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("its author saves it on: %v", err)
		}
		saved.Prefixes = []string{"thief.x"}
		if _, err := h.PutOwnExtension(ctx, who, saved); err != nil {
			t.Errorf("its author takes it out: %v", err)
		}
		if e, err = h.Extension(ctx, "thief.x"); err != nil || len(e.Ignored) != 0 {
			t.Errorf("%+v %v", e, err)
		}
		e.Prefixes = []string{"thief.x", "com.acme.todo.core"}
		if _, err = h.PutExtension(ctx, who, e); err != nil || owner() != "thief.x" {
			t.Errorf("whoever keeps the register: %q, %v", owner(), err)
		}
	})
}

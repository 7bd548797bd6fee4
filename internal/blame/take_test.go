package blame

import (
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// An author cannot give an extension the words by which others' code is known.
func TestTakes(t *testing.T) {
	w, err := NewWorld(map[string]HostRules{"studio": {Prefixes: []string{"com.studio.host"}}}, map[eco.ExtensionID]ExtRules{
		"acme.todo":       {Prefixes: []string{"com.acme.todo"}},
		"northwind.notes": {Prefixes: []string{"com.northwind"}, Locals: []string{"nw-notes"}, Libraries: []string{"com.google.gson"}},
		"acme.sold":       {Prefixes: []string{"com.acme.sold"}}, // another's by now
		"zeta.board":      {Host: "other", Locals: []string{"board"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		id       eco.ExtensionID
		was, now ExtRules
		want     string // of the refusal; "" = none
	}{
		{"acme.todo", ExtRules{}, ExtRules{Prefixes: []string{"com.acme.todo", "acme_todo", "acmetodo.views", "github.com/acme/todo"}}, ""},
		{"acme.todo", ExtRules{}, ExtRules{Shaded: []string{"com.acme.todo.shaded"}, Libraries: []string{"com.google.gson", "org.yaml.snake"}, Locals: []string{"todo", "acme-todo"}}, ""},
		{"ms-python.lint", ExtRules{}, ExtRules{Prefixes: []string{"ms_python.lint"}}, ""},
		{"acme.todo", ExtRules{}, ExtRules{Prefixes: []string{"com.northwind"}}, "does not name"},
		{"acme.todo", ExtRules{}, ExtRules{Prefixes: []string{"com"}}, "does not name"},
		{"acme.todo", ExtRules{}, ExtRules{Prefixes: []string{"com.northwind.acme"}}, "overlaps"},
		{"acme.todo", ExtRules{}, ExtRules{Prefixes: []string{"com.studio.host.acme"}}, "overlaps"},
		{"acme.todo", ExtRules{}, ExtRules{Prefixes: []string{"java.acme"}}, "overlaps"},
		{"java.util", ExtRules{}, ExtRules{Prefixes: []string{"java.util.concurrent"}}, "overlaps"},
		{"com.todo", ExtRules{}, ExtRules{Prefixes: []string{"com"}}, "overlaps"},
		{"acme.todo", ExtRules{}, ExtRules{Shaded: []string{"com.northwind.notes"}}, "does not name"},
		{"acme.todo", ExtRules{}, ExtRules{Libraries: []string{"com.northwind.notes"}}, "overlaps"},
		{"acme.todo", ExtRules{}, ExtRules{Libraries: []string{"org"}}, "anybody's"},
		{"acme.todo", ExtRules{}, ExtRules{Locals: []string{"NW-Notes"}}, "is what another"},
		{"acme.todo", ExtRules{}, ExtRules{Locals: []string{"notes"}}, "is what another"},
		{"acme.todo", ExtRules{}, ExtRules{Locals: []string{"northwind_notes"}}, "is what another"},
		{"acme.todo", ExtRules{Host: "studio"}, ExtRules{Host: "studio", Locals: []string{"board"}}, ""},
		{"acme.todo", ExtRules{Prefixes: []string{"com.northwind"}}, ExtRules{Prefixes: []string{"com.northwind."}}, ""}, // was entered by whoever keeps the register
		{"acme.todo", ExtRules{}, ExtRules{Prefixes: []string{"com.acme"}}, "overlaps"},
		{"zet.aboard", ExtRules{}, ExtRules{}, "reads like"},
	} {
		err := w.Takes(c.id, func(x eco.ExtensionID) bool { return x.Publisher() == c.id.Publisher() && x != "acme.sold" }, c.was, c.now)
		if c.want == "" && err != nil || c.want != "" && (fault.CodeOf(err) != fault.Invalid || !strings.Contains(fault.TextOf(err), c.want)) {
			t.Errorf("%s %+v: %v, want %q", c.id, c.now, err, c.want)
		}
	}
}

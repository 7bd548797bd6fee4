package blame

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// Words that were entered before there was a rule count only as far as it takes
// them; of two that name the same, the earlier one's counts. What was checked, or
// entered by whoever keeps the register, counts whatever it says.
func TestSift(t *testing.T) {
	hosts := map[string]HostRules{"studio": {Prefixes: []string{"com.studio.host"}}}
	exts := map[eco.ExtensionID]ExtRules{
		"acme.todo":   {Prefixes: []string{"com.acme.todo"}},
		"kept.odd":    {Prefixes: []string{"org.entered.by.hand"}},
		"thief.all":   {Host: "studio", Prefixes: []string{"com.acme.todo.core", "thief.own", "com.studio.host.ui"}, Libraries: []string{"com.acme.todo.lib", "org.yaml.snake"}, Locals: []string{"todo", "thief-all"}},
		"early.bird":  {Prefixes: []string{"com.early.late.x"}},
		"late.riser":  {Prefixes: []string{"com.early.late"}},
		"thief.other": {Prefixes: []string{"thief.own.more"}},
	}
	owner := func(a, b eco.ExtensionID) bool { return a.Publisher() == b.Publisher() }
	w, ignored, err := Sift(hosts, exts, []eco.ExtensionID{"early.bird", "late.riser", "thief.all", "thief.other"}, owner)
	if err != nil {
		t.Fatal(err)
	}
	got := map[eco.ExtensionID][]string{}
	for id, list := range ignored {
		for _, x := range list {
			if x.Why == "" {
				t.Errorf("%s %s: no reason", id, x.Word)
			}
			got[id] = append(got[id], x.Field+" "+x.Word)
		}
	}
	want := map[eco.ExtensionID][]string{"late.riser": {"prefixes com.early.late"},
		"thief.all": {"locals todo", "prefixes com.acme.todo.core", "prefixes com.studio.host.ui", "libraries com.acme.todo.lib"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	c := eco.Crash{Exceptions: []eco.Exception{{Parent: -1, Frames: []eco.Frame{{Function: "f", Module: "com.acme.todo.core.Draw"}, {Function: "g", Module: "org.entered.by.hand.X"}, {Function: "h", Module: "thief.own.Y"}}}}}
	w.Classify(&c, eco.Origin{Host: "studio"})
	var owners []eco.ExtensionID
	for _, f := range c.Exceptions[0].Frames {
		owners = append(owners, f.Owner)
	}
	if d := cmp.Diff([]eco.ExtensionID{"acme.todo", "kept.odd", "thief.all"}, owners); d != "" {
		t.Error(d)
	}
}

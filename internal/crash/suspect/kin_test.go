package suspect_test

import (
	"testing"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// One extension that makes several others crash stands out in the family of each:
// the host's people see that these may be one cause. An author sees the own family.
func TestKin(t *testing.T) {
	h := open(t)
	h.sessions(600)
	h.crashes("F-pair", "acme.lint", 40, 0, "acme.lint", "pixel.draw")
	h.crashes("F-second", "acme.git", 60, 0, "acme.git", "pixel.draw")
	h.crashes("F-third", "", 30, 0, "pixel.draw")
	h.crashes("F-other", "", 40, 0, "north.note")
	h.run()
	f := crash.Family{ID: "F-pair", Host: "studio", Blame: "acme.lint"}
	kin := h.of(people, f).Kin
	if len(kin) != 2 || kin[0].Family != "F-second" || kin[0].Blame != "acme.git" || !kin[0].Alike || kin[1].Family != "F-third" || len(kin[0].Shared) != 1 || kin[0].Shared[0] != "pixel.draw" {
		t.Errorf("the host's people: %+v", kin)
	}
	if kin := h.of(everything, crash.Family{ID: "F-other", Host: "studio"}).Kin; len(kin) != 0 {
		t.Errorf("another suspect: %+v", kin)
	}
	for _, who := range []eco.ExtensionID{"acme.lint", "pixel.draw"} {
		if r := h.of(facts.Only([]eco.ExtensionID{who}, nil), f); len(r.Kin) != 0 {
			t.Errorf("%s is told of others' families: %+v", who, r.Kin)
		}
	}
}

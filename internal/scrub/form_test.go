package scrub

import (
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// Fields that have a form hold nothing else: a word in an address or in a debug id
// is no text that a rule could judge.
func TestForms(t *testing.T) {
	c := &eco.Crash{Exceptions: []eco.Exception{{Frames: []eco.Frame{{Function: "f", Addr: "0x1 johanna"}, {Function: "g", Addr: "+0x1f"}, {Function: "h", Addr: "0x7f3040245249"}}}},
		DebugImages: []eco.DebugImage{{Type: "elf", DebugID: "of johanna"}, {Type: "elf", DebugID: "5f1c0c0e9b7a4d2e8f3a1c9e5b7d20460"}}}
	outs := New(Options{}).Crash(c)
	f, d := c.Exceptions[0].Frames, c.DebugImages
	if f[0].Addr != "" || f[1].Addr != "+0x1f" || f[2].Addr != "0x7f3040245249" || d[0].DebugID != "" || d[1].DebugID == "" || len(outs) != 2 || outs[0].Rule != "form" {
		t.Errorf("%+v %+v %+v", f, d, outs)
	}
}

package eval

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// A defect of two extensions, of which only the victim is on the stack: after some
// crashes the other one is blamed; the victim's own defect never is another's, and
// what the victim depends on, and so is always active beside it, is not blamed.
func TestBeside(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 1))
	crash := func(must ...eco.ExtensionID) *eco.Crash {
		c := &eco.Crash{}
		for _, id := range must {
			c.Active = append(c.Active, eco.Active{ID: id})
		}
		for i := range 18 {
			if dice.Float64() < 0.33 {
				c.Active = append(c.Active, eco.Active{ID: eco.ExtensionID(fmt.Sprint("x.e", i))})
			}
		}
		return c
	}
	b := newBeside()
	r := &read{sig: eco.Signature{Hash: "s"}, b: eco.Blame{Extension: "a.victim", Target: "extension"}}
	found := 0
	for i := range 60 {
		if got := b.judge(crash("a.victim", "a.base"), r, "F-own"); got != "a.victim" {
			t.Errorf("own defect, crash %d: %s", i, got)
		}
		switch got := b.judge(crash("a.victim", "a.base", "z.culprit"), r, "F-two"); got {
		case "z.culprit":
			found++
		case "a.victim":
			if i > 30 {
				t.Errorf("two-plugin defect, crash %d: %s", i, got)
			}
		default:
			t.Errorf("two-plugin defect, crash %d: %s", i, got)
		}
	}
	if found < 40 {
		t.Errorf("the culprit was named %d of 60 times", found)
	}
	// Without it being active, it is not blamed though the family says so.
	if got := b.judge(crash("a.victim", "a.base"), r, "F-two"); got != "a.victim" {
		t.Errorf("%s", got)
	}
}

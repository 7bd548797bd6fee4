package scrub_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/scrub"
	"github.com/bellwether-project/bellwether/internal/scrub/scrubtest"
)

// TestCanaries puts each invented secret in its place and looks for it in
// everything that is left, removals included.
func TestCanaries(t *testing.T) {
	r := scrub.New(scrub.Options{})
	all := scrubtest.Canaries()
	if len(all) < 150 {
		t.Fatalf("%d canaries", len(all))
	}
	for _, c := range all {
		e := c.Envelope()
		r.Envelope(e, &eco.Origin{})
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		// JSON writes <, > and & as escapes and doubles backslashes: look at both.
		flat := strings.ReplaceAll(string(b), `\\`, `\`)
		if leaks := append(c.Leaks(string(b)), c.Leaks(flat)...); len(leaks) > 0 {
			t.Errorf("%s: %q leaks in %s", c.Place, leaks[0], strings.ReplaceAll(strings.ReplaceAll(flat, `\u003c`, "<"), `\u003e`, ">"))
		}
		if len(e.Removed) == 0 {
			t.Errorf("%s %q: nothing removed", c.Place, c.Text)
		}
		before, _ := json.Marshal(e)
		e.Removed = nil
		if again := r.Envelope(e, &eco.Origin{}); len(again) > 0 {
			t.Errorf("%s: a second time removes %+v of %s", c.Place, again, before)
		}
	}
}

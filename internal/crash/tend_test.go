package crash

import (
	"testing"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

func TestTend(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		x := newDesk(t, d)
		ctx := t.Context()
		r := report{family: "F-A", sig: "aaaaaaaaaaaaaaaa", ext: "acme.theme", blame: "acme.theme", version: "1.2.0", text: "gutter"}
		old := report{family: "F-OLD", sig: "bbbbbbbbbbbbbbbb", ext: "acme.theme", blame: "acme.theme", at: x.now.AddDate(0, 0, -401), text: "zebra"}
		shared := old
		shared.sig, shared.text = "aaaaaaaaaaaaaaaa", "gutter"
		x.add(old, shared)
		got := x.add(r, r)
		if _, err := x.mem.Erase(ctx, facts.Subject{Project: 1, Crash: got[0]}); err != nil {
			t.Fatal(err)
		}
		if note, err := x.Tend(ctx); err != nil || note != "1 families forgotten, 1 given a new representative" {
			t.Fatalf("%q %v", note, err)
		}
		f, err := x.Family(ctx, everything, "F-A", Period{})
		if err != nil || f.Representative != got[1] {
			t.Errorf("representative %v, want the next crash (%v)", f.Representative, err)
		}
		if _, err := x.Family(ctx, everything, "F-OLD", Period{}); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("the old family: %v", err)
		}
		for word, want := range map[string]int{"zebra": 0, "gutter": 1} {
			if found, err := d.Search().Find(ctx, SearchIndex, word, 10); err != nil || len(found) != want {
				t.Errorf("%s is found %d times (%v), want %d", word, len(found), err, want)
			}
		}
		if note, err := x.Tend(ctx); err != nil || note != "nothing to do" {
			t.Errorf("again: %q %v", note, err)
		}
	})
}

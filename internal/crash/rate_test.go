package crash

import (
	"testing"

	"github.com/bellwether-project/bellwether/internal/crash/diagnosis"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Families are weighed and named, sorted and filtered by it; a person's word goes
// before the machine's until it is taken back.
func TestPriorities(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		x := newDesk(t, d)
		ctx := t.Context()
		doc := func(typ, value, fn string) *Document {
			return &Document{Crash: eco.Crash{Exceptions: []eco.Exception{{Type: typ, Value: value, Parent: -1, Frames: []eco.Frame{{Function: fn, Class: eco.FrameExtension}}}}}}
		}
		for i := range 30 { // many installs, again and again, losing data
			r := theme("F-A", "a1a1a1a1a1a1a1a1", eco.Install(i%10+1), "1.0.0")
			r.doc = doc("OSError", "[Errno 28] No space left on device", "saveDocument")
			x.add(r)
		}
		b := theme("F-B", "b1b1b1b1b1b1b1b1", 40, "1.0.0")
		b.doc = doc("TypeError", "Cannot read properties of undefined (reading 'x')", "paint")
		x.add(b)
		for i := range 12 {
			x.sessions("acme.theme", "1.0.0", eco.Install(i+1), 3, 0, 0, 0)
		}
		list := func(f Filter) string {
			t.Helper()
			p, err := x.Families(ctx, themes, f)
			if err != nil {
				t.Fatal(err)
			}
			return ids(p)
		}
		p, err := x.Families(ctx, themes, Filter{}) // weighed when first seen, without the job
		if err != nil || p.Families[0].Priority != "P1" || p.Families[0].Label != "disk_full" || p.Families[1].Label != "null_access" {
			t.Fatalf("%+v %v", p.Families, err)
		}
		if note, err := x.Rate(ctx); err != nil || note != "2 families weighed" {
			t.Fatal(note, err)
		}
		f, err := x.Family(ctx, themes, "F-A", Period{})
		if err != nil || f.Rated == nil || !f.Rated.Priority.Loss || f.Rated.Priority.Repeat.Value != 1 || f.Rated.Diagnosis.Version != diagnosis.Version || len(f.Rated.Priority.Reasons) < 4 {
			t.Fatalf("%+v %v", f.Rated, err)
		}
		if got := list(Filter{Sort: ByPriority}) + "|" + list(Filter{Priority: "P1"}) + "|" + list(Filter{Label: "null_access"}) + "|" + list(Filter{Priority: "P1", Label: "null_access"}); got != "F-A F-B|F-A|F-B|" {
			t.Error(got)
		}
		if err := x.Overrule(ctx, themes, "F-B", "P1", " ", "a-1"); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("without a reason: %v", err)
		}
		if err := x.Overrule(ctx, themes, "F-A", "P4", "A test rig.", "a-1"); err != nil {
			t.Fatal(err)
		}
		if err := x.Overrule(ctx, stranger, "F-A", "P1", "mine", "s"); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("a stranger: %v", err)
		}
		if got := list(Filter{Sort: ByPriority, Priority: "P4"}); got != "F-A" && got != "F-A F-B" && got != "F-B F-A" {
			t.Error(got)
		}
		f, err = x.Family(ctx, themes, "F-A", Period{})
		if err != nil || f.Priority != "P4" || f.Overruled == nil || f.Overruled.Reason != "A test rig." || f.Rated.Priority.Band != "P1" {
			t.Errorf("%+v %v", f.Family, err)
		}
		if err := x.Overrule(ctx, themes, "F-A", "", "", "a-1"); err != nil {
			t.Fatal(err)
		}
		if err := x.Overrule(ctx, themes, "F-A", "", "", "a-1"); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("taken back twice: %v", err)
		}
		if got := list(Filter{Priority: "P1"}); got != "F-A" {
			t.Errorf("given back: %s", got)
		}
		if f, err := x.Family(ctx, stranger, "F-A", Period{}); err == nil || f.Priority != "" {
			t.Errorf("a stranger reads %+v", f)
		}
	})
}

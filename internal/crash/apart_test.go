package crash

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Families that somebody keeps apart are not proposed, until that is taken back;
// merges are followed, and merging them all the same is warned of.
func TestApart(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		x := newDesk(t, d)
		ctx := t.Context()
		x.add(theme("F-A", "a1a1a1a1a1a1a1a1", 1, "1.0.0"), theme("F-B", "b1b1b1b1b1b1b1b1", 2, "1.0.0"), theme("F-C", "c1c1c1c1c1c1c1c1", 3, "1.0.0"),
			report{family: "F-O", sig: "d1d1d1d1d1d1d1d1", ext: "other.thing", blame: "other.thing", version: "1.0.0", install: 4, hostVersion: "5.0", os: "linux"})
		x.record([]Seen{{Family: "F-A", Blame: "acme.theme", First: 1, Last: 2, Near: []Near{{"F-B", -.05}, {"F-C", -.1}}}})
		near := func(id string) string {
			t.Helper()
			f, err := x.Family(ctx, themes, id, Period{})
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, n := range f.Nearby {
				out = append(out, n.Family)
			}
			for _, a := range f.Apart {
				out = append(out, "not "+a.Family+" "+a.Note)
			}
			return strings.Join(out, ", ")
		}
		if got := near("F-A"); got != "F-B, F-C" {
			t.Fatal(got)
		}
		for what, err := range map[string]error{
			"itself":          x.KeepApart(ctx, themes, "F-A", "F-A", "", "a-1"),
			"another's":       x.KeepApart(ctx, themes, "F-A", "F-O", "", "a-1"),
			"another's own":   x.KeepApart(ctx, stranger, "F-O", "F-A", "", "s"),
			"nothing to undo": x.UndoApart(ctx, themes, "F-A", "F-B", "a-1"),
		} {
			want := map[string]fault.Code{"itself": fault.Invalid, "another's": fault.NotFound, "another's own": fault.NotFound, "nothing to undo": fault.Conflict}[what]
			if fault.CodeOf(err) != want {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := x.KeepApart(ctx, themes, "F-B", "F-A", "another file", "a-1"); err != nil {
			t.Fatal(err)
		}
		if err := x.KeepApart(ctx, themes, "F-A", "F-B", "", "a-2"); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("twice: %v", err)
		}
		if a, b := near("F-A"), near("F-B"); a != "F-C, not F-B another file" || b != "not F-A another file" {
			t.Errorf("%s; %s", a, b)
		}
		// What is said of a part is said of the whole.
		g, err := x.Merge(ctx, themes, Merge{Into: "F-C", Families: []string{"F-B"}, Actor: "a-1"})
		if err != nil {
			t.Fatal(err)
		}
		if got := near("F-A"); got != "not F-C another file" {
			t.Errorf("after a merge: %s", got)
		}
		p, err := x.PreviewMerge(ctx, themes, Merge{Into: "F-A", Families: []string{"F-C"}, Actor: "a-1"})
		if err != nil || len(p.Conflicts) == 0 || !strings.Contains(p.Conflicts[len(p.Conflicts)-1], "have not one cause") {
			t.Errorf("%q %v", p.Conflicts, err)
		}
		if _, err := x.Unmerge(ctx, themes, "F-C", g.ID, "a-1"); err != nil {
			t.Fatal(err)
		}
		if err := x.UndoApart(ctx, themes, "F-A", "F-B", "a-2"); err != nil {
			t.Fatal(err)
		}
		if got := near("F-A"); got != "F-B, F-C" {
			t.Errorf("taken back: %s", got)
		}
	})
}

// Every word on a priority stays readable; the rules speak only where no person did.
func TestOverrules(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		x := newDesk(t, d)
		ctx := t.Context()
		x.add(theme("F-A", "a1a1a1a1a1a1a1a1", 1, "1.0.0"))
		rules := func(band string) (string, bool) {
			t.Helper()
			var was string
			var changed bool
			err := d.Tx(ctx, func(tx *sql.Tx) (err error) {
				was, changed, err = x.OverruleByRules(ctx, tx, "F-A", band, "By a rule.")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			x.now = x.now.Add(time.Minute)
			return was, changed
		}
		said := func() string {
			t.Helper()
			f, err := x.Family(ctx, themes, "F-A", Period{})
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, o := range f.Overrules {
				s := o.Actor + " " + o.Band
				if !o.Ended.IsZero() {
					s += " until " + o.EndedBy
				}
				out = append(out, s)
			}
			return strings.Join(out, ", ")
		}
		if was, changed := rules("P2"); was != "" || !changed {
			t.Error(was, changed)
		}
		if _, changed := rules("P2"); changed {
			t.Error("said twice")
		}
		if was, changed := rules("P1"); was != "P2" || !changed || said() != "rules P1, rules P2 until rules" {
			t.Error(was, changed, said())
		}
		if err := x.Overrule(ctx, themes, "F-A", "P4", "A test rig.", "a-1"); err != nil {
			t.Fatal(err)
		}
		x.now = x.now.Add(time.Minute)
		if _, changed := rules("P2"); changed {
			t.Error("the rules changed what a person said")
		}
		if err := x.Overrule(ctx, themes, "F-A", "", "", "a-2"); err != nil {
			t.Fatal(err)
		}
		x.now = x.now.Add(time.Minute)
		if _, changed := rules("P1"); changed {
			t.Error("the rules say again what a person took back")
		}
		if got, want := said(), "a-1 P4 until a-2, rules P1 until a-1, rules P2 until rules"; got != want {
			t.Errorf("%s; want %s", got, want)
		}
		if _, changed := rules("P3"); !changed {
			t.Error("another word of the rules was not taken")
		}
		if f, err := x.Family(ctx, stranger, "F-A", Period{}); err == nil {
			t.Errorf("a stranger reads %+v", f.Overrules)
		}
	})
}

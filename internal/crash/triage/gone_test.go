package triage

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// A merged or deleted label comes back to where it was; what was done since stays.
func TestLabelsComeBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := furnished(t, d)
		ctx := t.Context()
		do := func(a Act) {
			t.Helper()
			_, err := h.Do(ctx, h.ines, a)
			h.must(err)
		}
		do(Act{Families: []string{"F-A", "F-R"}, NewLabel: "flaky"})
		do(Act{Families: []string{"F-R", "F-H"}, NewLabel: "wobbly"})
		flaky, wobbly := labelID("", "flaky"), labelID("", "wobbly")
		_, err := h.SaveFilter(ctx, h.ines, Filter{Name: "x", Query: "labelled=" + wobbly})
		h.must(err)
		state := func() string {
			t.Helper()
			var out []string
			for _, id := range []string{"F-A", "F-R", "F-H"} {
				v := h.view(h.ines, id)
				var names []string
				for _, l := range v.Labels {
					if l.Name == "flaky" || l.Name == "wobbly" {
						names = append(names, l.Name)
					}
				}
				slices.Sort(names)
				said := 0
				for _, e := range v.Feed {
					if strings.Contains(fmt.Sprint(e), "wobbly") {
						said++
					}
				}
				out = append(out, fmt.Sprint(id, names, said))
			}
			list, _, err := h.Filters(ctx, h.ines)
			h.must(err)
			return strings.Join(out, " ") + " " + strings.ReplaceAll(list[0].Query, flaky, "flaky")
		}
		before := state()
		h.must(h.MergeLabels(ctx, h.ines, wobbly, flaky))
		if got := state(); got == before || !strings.HasSuffix(got, "labelled=flaky") {
			t.Fatalf("merged: %s", got)
		}
		gone, err := h.GoneLabels(ctx, h.ines)
		if err != nil || len(gone) != 1 || gone[0].Name != "wobbly" || gone[0].Merged != flaky || gone[0].Families != 2 || !gone[0].Until.Equal(h.now.Add(labelUndo)) {
			t.Fatalf("%+v %v", gone, err)
		}
		if list, err := h.GoneLabels(ctx, h.jo); err != nil || len(list) != 0 {
			t.Errorf("an author sees %v %v", list, err)
		}
		if _, err := h.RestoreLabel(ctx, h.jo, wobbly); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("an author brings it back: %v", err)
		}
		_, err = h.RestoreLabel(ctx, h.ines, wobbly)
		h.must(err)
		if got := state(); got != before {
			t.Errorf("it was\n%s\nand is\n%s", before, got)
		}
		if _, err := h.RestoreLabel(ctx, h.ines, wobbly); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("twice: %v", err)
		}

		h.must(h.DeleteLabel(ctx, h.ines, wobbly))
		do(Act{Families: []string{"F-A"}, NewLabel: "wobbly"}) // somebody makes it anew
		if _, err := h.RestoreLabel(ctx, h.ines, wobbly); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("the name is taken: %v", err)
		}
		h.must(h.DeleteLabel(ctx, h.ines, wobbly)) // the last one is what comes back
		_, err = h.RestoreLabel(ctx, h.ines, wobbly)
		h.must(err)
		if got := state(); !strings.HasPrefix(got, "F-A[flaky wobbly]") || !strings.Contains(got, "F-H[]") {
			t.Errorf("deleted and back: %s", got)
		}

		h.must(h.DeleteLabel(ctx, h.ines, wobbly))
		h.now = h.now.Add(labelUndo + time.Second)
		if list, err := h.GoneLabels(ctx, h.ines); err != nil || len(list) != 0 {
			t.Errorf("after seven days: %v %v", list, err)
		}
		if _, err := h.RestoreLabel(ctx, h.ines, wobbly); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("after seven days: %v", err)
		}
		h.must(h.DeleteLabel(ctx, h.ines, flaky)) // and what is too old is forgotten
		var n int
		h.must(d.Read().QueryRowContext(ctx, `SELECT count(*) FROM triage_label_gone`).Scan(&n))
		if n != 1 {
			t.Errorf("%d are kept", n)
		}
	})
}

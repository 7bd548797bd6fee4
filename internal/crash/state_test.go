package crash

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/fault"
)

func TestRegressed(t *testing.T) {
	for _, c := range []struct {
		in   string
		seen []string
		want bool
	}{
		{"1.4.0", []string{"1.3.9"}, false},
		{"1.4.0", []string{"1.4.0"}, true},
		{"1.4.0", []string{"1.3.0", "1.10.0"}, true},
		{"1.4.0", []string{"1.4.0-beta.1"}, false},
		{"1.4.0", []string{""}, false},
		{"1.4.0", nil, false},
		{">1.3.9", []string{"1.3.9", "1.2"}, false},
		{">1.3.9", []string{"1.3.10"}, true},
		{"", []string{""}, true},
		{"", []string{"0.1"}, true},
		{"", nil, false},
	} {
		if got := Regressed(nil, c.in, c.seen); got != c.want {
			t.Errorf("Regressed(%q, %q) = %v", c.in, c.seen, got)
		}
	}
}

func TestStatesHaveAHistory(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		x := newDesk(t, d)
		ctx := t.Context()
		r := report{family: "F-A", sig: "aaaaaaaaaaaaaaaa", ext: "acme.theme", blame: "acme.theme", version: "1.2.0"}
		x.add(r)
		set := func(to State, in string) Change {
			t.Helper()
			x.now = x.now.Add(time.Minute)
			c, err := x.SetState(ctx, themes, Decision{Family: "F-A", To: to, ResolvedIn: in, Actor: "a-1", Note: "because"})
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		is := func(state State, in string, regressed bool) {
			t.Helper()
			f, err := x.Family(ctx, themes, "F-A", Period{})
			if err != nil || f.State != state || f.ResolvedIn != in || f.Regressed != regressed {
				t.Fatalf("%s %q %v (%v), want %s %q %v", f.State, f.ResolvedIn, f.Regressed, err, state, in, regressed)
			}
		}
		ignored := set(Ignored, "")
		resolved := set(Resolved, NextRelease)
		is(Resolved, ">1.2.0", false)
		if _, err := x.Undo(ctx, themes, "F-A", ignored.ID, "a-1"); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("undo of what is not the newest: %v", err)
		}
		if _, err := x.Undo(ctx, themes, "F-A", "c-none", "a-1"); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("undo of nothing: %v", err)
		}
		if _, err := x.Undo(ctx, themes, "F-A", resolved.ID, "a-2"); err != nil {
			t.Fatal(err)
		}
		is(Ignored, "", false)
		if _, err := x.Undo(ctx, themes, "F-A", ignored.ID, "a-2"); err != nil { // step by step back
			t.Fatal(err)
		}
		is(Open, "", false)
		set(Resolved, "1.3.0")
		r.version = "1.3.0"
		x.add(r)
		is(Open, "", true)
		x.add(r) // telling it twice changes nothing
		p, err := x.Families(ctx, themes, Filter{Regressed: true})
		if err != nil || ids(p) != "F-A" {
			t.Errorf("regressed: %s %v", ids(p), err)
		}
		if p, err := x.Families(ctx, themes, Filter{State: Resolved}); err != nil || p.Total != 0 {
			t.Errorf("resolved: %d %v", p.Total, err)
		}
		f, err := x.Family(ctx, themes, "F-A", Period{})
		if err != nil {
			t.Fatal(err)
		}
		want := []Change{
			{ID: "c-6", Actor: System, From: Resolved, To: Open, Note: "Seen again in 1.3.0.", Last: true},
			{ID: "c-5", Actor: "a-1", From: Open, To: Resolved, ResolvedIn: "1.3.0", Note: "because"},
			{ID: "c-4", Actor: "a-2", From: Ignored, To: Open, Undoes: "c-1"},
			{ID: "c-3", Actor: "a-2", From: Resolved, To: Ignored, Undoes: "c-2"},
			{ID: "c-2", Actor: "a-1", From: Ignored, To: Resolved, ResolvedIn: ">1.2.0", Note: "because", Undone: true},
			{ID: "c-1", Actor: "a-1", From: Open, To: Ignored, Note: "because", Undone: true},
		}
		if diff := cmp.Diff(want, f.History, cmpopts.IgnoreFields(Change{}, "At", "Family"), cmpopts.IgnoreUnexported(Change{})); diff != "" {
			t.Error(diff)
		}
		if _, err := x.Undo(ctx, themes, "F-A", "c-6", "a-1"); err != nil { // a person knows better
			t.Fatal(err)
		}
		is(Resolved, "1.3.0", false)
		entries, err := x.audit.List(ctx, 0, 100)
		if err != nil || len(entries) != 7 || entries[0].Action != "family.undo" || entries[1].Action != "family.regress" || entries[1].Actor != System {
			t.Errorf("audit: %+v %v", entries, err)
		}
		for _, bad := range []Decision{{Family: "F-A", To: "closed", Actor: "a"}, {Family: "F-none", To: Open, Actor: "a"}} {
			if _, err := x.SetState(ctx, themes, bad); err == nil {
				t.Errorf("%+v was accepted", bad)
			}
		}
		if _, err := x.SetState(ctx, stranger, Decision{Family: "F-A", To: Open, Actor: "a"}); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("a stranger: %v", err)
		}
	})
}

// Resolved from now on: a crash that happened before and arrives late is no regression.
func TestResolvedFromNowOn(t *testing.T) {
	x := newDesk(t, dbtest.Open(t))
	r := report{family: "F-H", sig: "aaaaaaaaaaaaaaaa"} // of a host without versions
	x.add(r)
	x.now = x.now.Add(time.Hour)
	if _, err := x.SetState(t.Context(), everything, Decision{Family: "F-H", To: Resolved, ResolvedIn: NextRelease, Actor: "a-1"}); err != nil {
		t.Fatal(err)
	}
	late := r
	late.at = x.now.Add(-time.Minute)
	x.add(late)
	if f, err := x.Family(t.Context(), everything, "F-H", Period{}); err != nil || f.State != Resolved {
		t.Fatalf("after a late report: %s %v", f.State, err)
	}
	x.now = x.now.Add(time.Hour)
	x.add(r)
	if f, err := x.Family(t.Context(), everything, "F-H", Period{}); err != nil || f.State != Open || !f.Regressed {
		t.Fatalf("after a new one: %s %v", f.State, err)
	}
}

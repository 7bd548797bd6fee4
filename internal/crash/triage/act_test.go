package triage

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// furnished has rules, one family of each publisher and one of the host.
func furnished(t *testing.T, d *db.DB) *house {
	h := newHouse(t, d)
	h.save(someRules, false)
	h.add(report{family: "F-A", typ: "TypeError", blame: "acme.theme"}, report{family: "F-R", typ: "KeyError", blame: "rival.theme"}, report{family: "F-H", typ: "OutOfMemory"})
	h.routed()
	return h
}

func (h *house) view(p account.Principal, id string) View {
	h.t.Helper()
	v, err := h.View(h.t.Context(), p, id, nil, "")
	h.must(err)
	return v
}

func (h *house) texts(p account.Principal, id string) []string {
	var out []string
	for _, e := range h.view(p, id).Feed {
		out = append(out, e.Actor.Name+" "+e.Text)
	}
	return out
}

func TestByHandWins(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := furnished(t, d)
		ctx := t.Context()
		if a := h.view(h.tom, "F-A").Assignment; a.Team.ID != "core" || !a.Team.Sees || a.Rule != "acme" || a.Hand {
			t.Errorf("by rule: %+v", a)
		}
		h.now = h.now.Add(time.Minute)
		one, err := h.Do(ctx, h.tom, Act{Families: []string{"F-A"}, Team: "all", Person: h.jo.ID, NewLabel: "flaky", Watch: "on"})
		h.must(err)
		v := h.view(h.ines, "F-A")
		if v.Assignment.Team.ID != "all" || !v.Assignment.Hand || v.Assignment.Team.Sees || v.Assignment.Person.Name != "Jo Acme" || len(v.Labels) != 2 {
			t.Errorf("by hand: %+v %+v", v.Assignment, v.Labels)
		}
		h.save(strings.Replace(someRules, "team: core", "team: all", 1), true)
		h.save(someRules, true)
		if a := h.view(h.tom, "F-A").Assignment; a.Team.ID != "all" || !a.Hand {
			t.Errorf("a rule moved what a person decided: %+v", a)
		}
		back, err := h.Undo(ctx, h.tom, one.Batch)
		h.must(err)
		v = h.view(h.tom, "F-A")
		if back.Changed != 1 || back.Skipped != 0 || v.Assignment.Team.ID != "core" || v.Assignment.Hand || v.Assignment.Person != nil || len(v.Labels) != 1 {
			t.Errorf("%+v %+v %+v", back, v.Assignment, v.Labels)
		}
		if _, err := h.Undo(ctx, h.tom, one.Batch); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("twice: %v", err)
		}
		if got := h.texts(h.tom, "F-A"); !slices.Contains(got, "Tom Ferris gave it to Jo Acme") || !slices.Contains(got, "the rules gave it to the team Core, by the rule “acme”") {
			t.Errorf("feed %q", got)
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	h := furnished(t, dbtest.Open(t))
	ctx := t.Context()
	ids := []string{"F-A", "F-R", "F-H"}
	// All or none: Tom does not see the others.
	if _, err := h.Do(ctx, h.tom, Act{Families: ids, Person: h.tom.ID}); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("%v", err)
	}
	if h.view(h.ines, "F-A").Assignment.Person != nil {
		t.Error("half of it was done")
	}
	done, err := h.Do(ctx, h.ines, Act{Families: ids, Person: h.ines.ID})
	if err != nil || done.Changed != 3 {
		t.Fatalf("%+v %v", done, err)
	}
	if again, err := h.Do(ctx, h.ines, Act{Families: ids, Person: h.ines.ID}); err != nil || again.Changed != 0 || again.Batch != "" {
		t.Errorf("%+v %v", again, err)
	}
	_, err = h.Do(ctx, h.tom, Act{Families: []string{"F-A"}, Person: h.tom.ID})
	h.must(err)
	back, err := h.Undo(ctx, h.ines, done.Batch)
	if err != nil || back.Changed != 2 || back.Skipped != 1 {
		t.Errorf("%+v %v", back, err)
	}
	for q, want := range map[Query]string{{Mine: true}: "F-A", {Team: "core"}: "F-A", {Person: h.ines.ID}: "", {Unassigned: true}: "F-H F-R", {Team: "all"}: "F-H F-R"} {
		among, err := h.Find(ctx, h.tom, q)
		h.must(err)
		p := h.ines
		page, err := h.crash.Families(ctx, h.accounts.Scope(p), crash.Filter{Among: among})
		h.must(err)
		var got []string
		for _, f := range page.Families {
			got = append(got, f.ID)
		}
		slices.Sort(got)
		if q.Team == "all" { // Tom sees neither
			want = ""
		}
		if q.Unassigned {
			want = "F-H F-R"
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%+v: %q, want %q", q, got, want)
		}
	}
}

func TestTenantsStayApart(t *testing.T) {
	h := furnished(t, dbtest.Open(t))
	ctx := t.Context()
	for who, p := range map[string]account.Principal{"an author of another": h.rob, "a team that does not own it": h.tom} {
		if _, err := h.View(ctx, p, "F-H", nil, ""); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("%s: %v", who, err)
		}
		if _, err := h.Do(ctx, p, Act{Families: []string{"F-H"}, NewLabel: "x"}); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("%s: %v", who, err)
		}
		if _, err := h.Comment(ctx, p, "F-H", "hello", false); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("%s: %v", who, err)
		}
	}
	if _, err := h.Do(ctx, h.ana, Act{Families: []string{"F-A"}, Team: "all"}); fault.CodeOf(err) != fault.Forbidden {
		t.Errorf("support assigns: %v", err)
	}
	if _, err := h.Do(ctx, h.ana, Act{Families: []string{"F-A"}, Watch: "on"}); err != nil {
		t.Errorf("support watches: %v", err)
	}
	if _, err := h.Do(ctx, h.ines, Act{Families: []string{"F-A"}, Person: h.rob.ID}); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("given to somebody who does not see it: %v", err)
	}
	// An author's words are the publisher's own; the ecosystem's are not theirs to use.
	_, err := h.Do(ctx, h.jo, Act{Families: []string{"F-A"}, NewLabel: "ours too"})
	h.must(err)
	v := h.view(h.jo, "F-A")
	if v.Inside || len(v.Why.Steps) != 0 || len(v.Labels) != 2 || v.Labels[0].Mine || !v.Labels[1].Mine || v.Labels[1].Owner != "acme" {
		t.Errorf("%+v", v.Labels)
	}
	if _, err := h.Do(ctx, h.jo, Act{Families: []string{"F-A"}, Unlabel: []string{v.Labels[0].ID}}); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("an author took off the ecosystem's label: %v", err)
	}
	list, err := h.Labels(ctx, h.rob)
	if err != nil || slices.ContainsFunc(list, func(l Label) bool { return l.Owner == "acme" }) {
		t.Errorf("%+v %v", list, err)
	}
	marks, err := h.Marks(ctx, h.rob, []crash.Family{{ID: "F-A"}, {ID: "F-A", Blame: "acme.theme"}})
	if err != nil || len(marks) != 0 {
		t.Errorf("%+v %v", marks, err)
	}
	// A label that a rule gives and a person took off stays off.
	_, err = h.Do(ctx, h.ines, Act{Families: []string{"F-A"}, Unlabel: []string{v.Labels[0].ID}})
	h.must(err)
	h.save(someRules+"# again\n", true)
	if v := h.view(h.ines, "F-A"); len(v.Labels) != 1 {
		t.Errorf("%+v", v.Labels)
	}
}

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

// stands says in words what people did with a family.
func (h *house) stands(p account.Principal, id string) string {
	v := h.view(p, id)
	var out []string
	if v.Assignment.Team != nil {
		out = append(out, "team "+v.Assignment.Team.ID)
	}
	if v.Assignment.Person != nil {
		out = append(out, "person "+v.Assignment.Person.Name)
	}
	for _, l := range v.Labels {
		out = append(out, "label "+l.Name)
	}
	for _, w := range v.Watchers {
		out = append(out, "watcher "+w.Name)
	}
	for _, e := range v.Feed {
		if e.Comment != nil {
			out = append(out, "comment "+e.Comment.Text+" "+e.Of)
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// What people did with a family follows it into another one, and taking the merge
// back gives what was before.
func TestWhatFollowsAMerge(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx := t.Context()
		h.add(report{family: "F-A", typ: "TypeError", blame: "acme.theme"}, report{family: "F-B", typ: "TypeError", blame: "acme.theme"}, report{family: "F-R", typ: "KeyError", blame: "rival.theme"})
		h.routed()
		act := func(p account.Principal, a Act) {
			t.Helper()
			_, err := h.Do(ctx, p, a)
			h.must(err)
			h.now = h.now.Add(time.Minute)
		}
		act(h.tom, Act{Families: []string{"F-A"}, NewLabel: "seen", Watch: "on"})
		act(h.tom, Act{Families: []string{"F-B"}, Team: "core", Person: h.jo.ID, NewLabel: "flaky"})
		act(h.tom, Act{Families: []string{"F-B"}, NewLabel: "seen"})
		act(h.jo, Act{Families: []string{"F-B"}, NewLabel: "ours"})
		act(h.rob, Act{Families: []string{"F-R"}, Person: h.rob.ID, NewLabel: "rob's", Watch: "on"})
		_, err := h.Comment(ctx, h.tom, "F-B", "It is the cache.", false)
		h.must(err)
		_, err = h.Comment(ctx, h.rob, "F-R", "Of rival alone.", false)
		h.must(err)
		before := h.stands(h.ines, "F-A")
		beforeB := h.stands(h.ines, "F-B")

		// The preview says it all, and changes nothing.
		would, err := h.crash.PreviewMerge(ctx, h.accounts.Scope(h.ines), crash.Merge{Into: "F-A", Families: []string{"F-B"}, Actor: h.ines.ID})
		h.must(err)
		var along []string
		for _, a := range would.Along {
			along = append(along, strings.TrimSuffix(a.Family+" "+a.Kind+" "+a.Name+" "+a.Stays, " "))
		}
		if got := strings.Join(along, ", "); got != "F-B team Core, F-B person Jo Acme, F-B label flaky, F-B label ours, F-B watch Jo Acme" {
			t.Errorf("would come along: %s", got)
		}
		if got := h.stands(h.ines, "F-A"); got != before {
			t.Errorf("a preview changed something:\n%s\nwas\n%s", got, before)
		}
		h.must(func() error {
			act(h.tom, Act{Families: []string{"F-A"}, Person: h.tom.ID})
			w, err := h.crash.PreviewMerge(ctx, h.accounts.Scope(h.ines), crash.Merge{Into: "F-A", Families: []string{"F-B"}, Actor: h.ines.ID})
			if !slices.Contains(w.Along, crash.Along{Family: "F-B", Kind: "person", Name: "Jo Acme", Stays: "Tom Ferris"}) {
				t.Errorf("who stays behind is not said: %+v", w.Along)
			}
			act(h.tom, Act{Families: []string{"F-A"}, Person: Nobody})
			return err
		}())

		g, err := h.crash.Merge(ctx, h.accounts.Scope(h.ines), crash.Merge{Into: "F-A", Families: []string{"F-B"}, Actor: h.ines.ID})
		h.must(err)
		want := "comment It is the cache. F-B, label flaky, label ours, label seen, person Jo Acme, team core, watcher Jo Acme, watcher Tom Ferris"
		if got := h.stands(h.jo, "F-A"); got != want {
			t.Errorf("merged:\n%s\nwant\n%s", got, want)
		}
		if got := h.stands(h.jo, "F-B"); got != want {
			t.Errorf("by the old id:\n%s", got)
		}
		if got := h.texts(h.tom, "F-A"); !slices.Contains(got, "Ines Duarte gave it to Jo Acme (it came with F-B)") || !slices.Contains(got, "Ines Duarte put on the label flaky (it came with F-B)") {
			t.Errorf("feed %q", got)
		}
		c, err := h.Comment(ctx, h.jo, "F-B", "Mended.", false)
		if err != nil || c.Family != "F-A" {
			t.Errorf("a comment under the old id: %+v %v", c, err)
		}
		h.must(h.DeleteComment(ctx, h.jo, c.ID))
		if _, err := h.Undo(ctx, h.ines, followBatch+g.ID); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("half of a merge was taken back: %v", err)
		}
		// What somebody says meanwhile stays.
		act(h.tom, Act{Families: []string{"F-A"}, Unlabel: []string{labelID("", "flaky")}})
		_, err = h.crash.Unmerge(ctx, h.accounts.Scope(h.ines), "F-A", g.ID, h.ines.ID)
		h.must(err)
		after := strings.ReplaceAll(h.stands(h.ines, "F-A"), "comment  , ", "")
		if after != before {
			t.Errorf("taken back:\n%s\nwant\n%s", after, before)
		}
		if got := h.stands(h.ines, "F-B"); got != beforeB {
			t.Errorf("taken back, F-B:\n%s\nwant\n%s", got, beforeB)
		}
		if got := h.texts(h.tom, "F-A"); !slices.Contains(got, "Ines Duarte took it from Jo Acme (F-B was parted again)") {
			t.Errorf("feed %q", got)
		}
	})
}

// Of a family of another publisher only those who sort for everybody read what was said.
func TestAMergeOverPublishers(t *testing.T) {
	h := newHouse(t, dbtest.Open(t))
	ctx := t.Context()
	h.add(report{family: "F-A", typ: "TypeError", blame: "acme.theme"}, report{family: "F-R", typ: "KeyError", blame: "rival.theme"})
	h.routed()
	_, err := h.Do(ctx, h.rob, Act{Families: []string{"F-R"}, Person: h.rob.ID, NewLabel: "robs", Watch: "on"})
	h.must(err)
	_, err = h.Comment(ctx, h.rob, "F-R", "Of rival alone.", false)
	h.must(err)
	_, err = h.crash.Merge(ctx, h.accounts.Scope(h.ines), crash.Merge{Into: "F-A", Families: []string{"F-R"}, Actor: h.ines.ID})
	h.must(err)
	if got := h.stands(h.jo, "F-A"); got != "" {
		t.Errorf("acme reads of rival: %s", got)
	}
	if got := h.stands(h.ines, "F-A"); got != "comment Of rival alone. F-R" {
		t.Errorf("triage reads %s", got)
	}
}

func TestVocabulary(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := furnished(t, d)
		ctx := t.Context()
		_, err := h.Do(ctx, h.ines, Act{Families: []string{"F-A", "F-R"}, NewLabel: "flaky"})
		h.must(err)
		_, err = h.Do(ctx, h.ines, Act{Families: []string{"F-R", "F-H"}, NewLabel: "wobbly"})
		h.must(err)
		_, err = h.Do(ctx, h.jo, Act{Families: []string{"F-A"}, NewLabel: "docs"})
		h.must(err)
		_, err = h.SaveFilter(ctx, h.ines, Filter{Name: "x", Query: "labelled=" + labelID("", "wobbly")})
		h.must(err)
		words := func(p account.Principal) string {
			t.Helper()
			list, err := h.Vocabulary(ctx, p)
			h.must(err)
			var out []string
			for _, w := range list {
				s := w.Name
				if w.Mine {
					s += " " + strings.Repeat("|", w.Families)
				}
				if w.ByRules {
					s += " by rules"
				}
				out = append(out, s)
			}
			return strings.Join(out, ", ")
		}
		if got := words(h.ines); got != "flaky ||, loud  by rules, ours | by rules, wobbly ||, docs |" {
			t.Errorf("triage: %s", got)
		}
		if got := words(h.jo); got != "flaky, loud by rules, ours by rules, wobbly, docs |" {
			t.Errorf("author: %s", got)
		}
		flaky, wobbly, ours, docs := labelID("", "flaky"), labelID("", "wobbly"), labelID("", "ours"), labelID("acme", "docs")
		for what, c := range map[string]struct {
			err  error
			want fault.Code
		}{
			"into itself":         {h.MergeLabels(ctx, h.ines, flaky, flaky), fault.Invalid},
			"of another owner":    {h.MergeLabels(ctx, h.ines, flaky, docs), fault.Invalid},
			"not one's own":       {h.MergeLabels(ctx, h.jo, flaky, docs), fault.NotFound},
			"given by rules":      {h.MergeLabels(ctx, h.ines, ours, flaky), fault.Conflict},
			"deleted, by rules":   {h.DeleteLabel(ctx, h.ines, ours), fault.Conflict},
			"deleted by a guest":  {h.DeleteLabel(ctx, h.rob, docs), fault.NotFound},
			"merged into nothing": {h.MergeLabels(ctx, h.ines, flaky, "l-nothing"), fault.NotFound},
		} {
			if fault.CodeOf(c.err) != c.want {
				t.Errorf("%s: %v", what, c.err)
			}
		}
		h.must(h.MergeLabels(ctx, h.ines, wobbly, flaky))
		if got := words(h.ines); got != "flaky |||, loud  by rules, ours | by rules, docs |" {
			t.Errorf("merged: %s", got)
		}
		if list, _, err := h.Filters(ctx, h.ines); err != nil || list[0].Query != "labelled="+flaky {
			t.Errorf("%+v %v", list, err)
		}
		h.must(h.DeleteLabel(ctx, h.jo, docs))
		if got := words(h.jo); strings.Contains(got, "docs") {
			t.Error(got)
		}
	})
}

// A rule's priority is the family's, until a person says otherwise; moving families
// and taking that back takes it along.
func TestPriorityByRules(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx := t.Context()
		h.add(report{family: "F-A", typ: "TypeError", blame: "acme.theme"}, report{family: "F-R", typ: "KeyError", blame: "rival.theme"})
		h.routed()
		const rules = "- {name: loss, when: extension.publisher == \"acme\", then: {priority: %}}\n"
		rank := func(id string) string {
			t.Helper()
			f, err := h.crash.Family(ctx, h.accounts.Scope(h.ines), id, crash.Period{})
			h.must(err)
			if f.Overruled == nil {
				return "the machine's"
			}
			return f.Priority + " " + f.Overruled.Actor + " " + f.Overruled.Reason
		}
		first := h.save(strings.ReplaceAll(rules, "%", "P2"), true)
		if got := rank("F-A"); got != "P2 rules By the routing rule “loss”." || rank("F-R") != "the machine's" || first.Moved != 1 {
			t.Errorf("%s, %s, %+v", got, rank("F-R"), first)
		}
		if got := h.texts(h.tom, "F-A"); !slices.Contains(got, "the rules set the priority P2, by the rule “loss”") {
			t.Errorf("feed %q", got)
		}
		second := h.save(strings.ReplaceAll(rules, "%", "critical"), true) // the word of older sets
		if got := rank("F-A"); got != "P1 rules By the routing rule “loss”." {
			t.Error(got)
		}
		back, err := h.Undo(ctx, h.ines, second.Batch)
		if err != nil || back.Changed != 1 || rank("F-A") != "P2 rules By the routing rule “loss”." {
			t.Errorf("%+v %v %s", back, err, rank("F-A"))
		}
		h.now = h.now.Add(time.Minute)
		h.must(h.crash.Overrule(ctx, h.accounts.Scope(h.ines), "F-A", "P4", "A test rig.", h.ines.ID))
		h.save(strings.ReplaceAll(rules, "%", "P3"), true)
		if got := rank("F-A"); !strings.HasPrefix(got, "P4") {
			t.Errorf("the rules changed what a person said: %s", got)
		}
	})
}

func TestPagesOfAPreview(t *testing.T) {
	h := newHouse(t, dbtest.Open(t))
	var all []report
	for i := range PreviewPage + 7 {
		all = append(all, report{family: "F-" + string(rune('A'+i/26)) + string(rune('A'+i%26)), typ: "TypeError", blame: "acme.theme"})
	}
	h.add(all...)
	h.routed()
	const rules = "- {name: x, when: true, then: {team: core}}\n"
	seen := map[string]bool{}
	for page, want := range []int{PreviewPage, 7, 0} {
		p, err := h.Preview(t.Context(), h.ines, rules, page)
		h.must(err)
		if p.Changed != len(all) || len(p.Examples) != want || p.Page != page {
			t.Errorf("page %d: %d of %d, %d", page, len(p.Examples), p.Changed, p.Page)
		}
		for _, e := range p.Examples {
			seen[e.Family] = true
		}
	}
	if len(seen) != len(all) {
		t.Errorf("%d of %d named", len(seen), len(all))
	}
}

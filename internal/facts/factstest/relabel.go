package factstest

import (
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// relabels: two families seen as one count an install once; a signature can be seen
// as a family of its own; without relabels everything is as it was.
func relabels(t *testing.T, open Open) {
	s, reopen := open(t)
	crash := func(n int, install uint64, family, sig string) eco.Fact {
		return event(n, at(n), "a.x", func(f *eco.Fact) {
			f.Kind, f.Class, f.Family, f.Signature, f.Origin.Install = eco.KindCrash, eco.ClassCrash, family, sig, eco.Install(install)
		})
	}
	insert(t, s, 1, crash(1, 1, "F-A", "a1"), crash(2, 2, "F-A", "a2"), crash(3, 1, "F-B", "b1"), crash(4, 3, "F-B", "b1"), crash(5, 9, "F-C", "c1"))
	byFamily := facts.Query{Group: []facts.Column{facts.Family}, Measures: []facts.Measure{{Fn: facts.Count}, {Fn: facts.Installs}}}
	one := byFamily
	one.Relabel = []facts.Relabel{{Family: "F-B", To: "F-A"}, {Family: "F-A", Signature: "a2", To: "F-D"}}
	for range 2 {
		wantEqual(t, ask(t, s, byFamily).Rows, [][]any{{"F-A", int64(2), int64(2)}, {"F-B", int64(2), int64(2)}, {"F-C", int64(1), int64(1)}})
		wantEqual(t, ask(t, s, one).Rows, [][]any{{"F-A", int64(3), int64(2)}, {"F-C", int64(1), int64(1)}, {"F-D", int64(1), int64(1)}})
		rows := facts.Query{Rows: true, Where: []facts.Cond{is(facts.Family, "F-A")}, Relabel: one.Relabel}
		got := ask(t, s, rows).Facts
		for _, f := range got {
			if f.Family != "F-A" {
				t.Errorf("a fact of %s", f.Family)
			}
		}
		if len(got) != 3 {
			t.Errorf("%d facts of F-A, want 3", len(got))
		}
		rows.Where = []facts.Cond{is(facts.Family, "F-B")}
		wantEqual(t, len(ask(t, s, rows).Facts), 0)
		not := one
		not.Where = []facts.Cond{{Col: facts.Family, Op: facts.NotIn, Values: []string{"F-A"}}}
		wantEqual(t, len(ask(t, s, not).Rows), 2)
		s = reopen()
	}
	for _, bad := range [][]facts.Relabel{{{Family: "", To: "F-A"}}, {{Family: "F-A"}}, {{Family: "a\x00", To: "b"}}, make([]facts.Relabel, facts.MaxRelabels+1), {{Family: strings.Repeat("x", 300), To: "b"}}} {
		q := byFamily
		q.Scope, q.Relabel = facts.Everything(), bad
		if _, err := s.Query(t.Context(), q); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%d bad relabels: %v", len(bad), err)
		}
	}
}

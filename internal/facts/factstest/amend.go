package factstest

import (
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

func amend(t *testing.T, open Open) {
	s, reopen := open(t)
	b := facts.Batch{Position: 1}
	for i := range 4 {
		f := event(i, at(-700*i), "a.x", func(f *eco.Fact) { f.Class = eco.ClassCrash })
		b.Facts = append(b.Facts, f)
		b.Docs = append(b.Docs, facts.Doc{ID: f.ID, Class: f.Class, Body: []byte(`{"old":true}`)})
	}
	if err := s.Insert(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Erase(t.Context(), facts.Subject{Crash: b.Facts[1].ID}); err != nil {
		t.Fatal(err)
	}
	next := []byte(`{"new":"a longer body than before"}`)
	n, err := s.Amend(t.Context(), []facts.Doc{
		{ID: b.Facts[0].ID, Class: eco.ClassCrash, Body: next}, {ID: b.Facts[3].ID, Class: eco.ClassCrash, Body: next},
		{ID: b.Facts[1].ID, Class: eco.ClassCrash, Body: next}, // erased: stays away
		{ID: b.Facts[2].ID, Class: eco.Standard, Body: next},   // of another class: there is none
		{ID: idAt(at(0), 999), Class: eco.ClassCrash, Body: next},
	})
	if err != nil || n != 2 {
		t.Fatalf("%d amended, %v", n, err)
	}
	for range 2 {
		docs, err := s.Documents(t.Context(), facts.Everything(), []eco.ID{b.Facts[0].ID, b.Facts[1].ID, b.Facts[2].ID, b.Facts[3].ID})
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, docs, []facts.Doc{{ID: b.Facts[0].ID, Class: eco.ClassCrash, Body: next}, b.Docs[2], {ID: b.Facts[3].ID, Class: eco.ClassCrash, Body: next}})
		if _, err := s.Rewrite(t.Context()); err != nil {
			t.Fatal(err)
		}
		s = reopen()
	}
	// A batch that comes again does not bring the old bodies back.
	if err := s.Insert(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	docs, err := s.Documents(t.Context(), facts.Everything(), []eco.ID{b.Facts[0].ID})
	if err != nil || len(docs) != 1 || string(docs[0].Body) != string(next) {
		t.Fatalf("%v, %v", docs, err)
	}
	if _, err := s.Amend(t.Context(), make([]facts.Doc, facts.MaxIDs+1)); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("too many at once: %v", err)
	}
	if _, err := s.Amend(t.Context(), []facts.Doc{{ID: b.Facts[0].ID, Class: eco.ClassCrash}}); fault.CodeOf(err) != fault.TooLarge {
		t.Errorf("an empty body: %v", err)
	}
}

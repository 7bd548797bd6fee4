package factstest

import (
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

func documents(t *testing.T, open Open) {
	s, reopen := open(t)
	var b facts.Batch
	b.Position = 1
	for i := range 6 {
		f := event(i, at(-700*i), "a.x", func(f *eco.Fact) { f.Class = eco.ClassCrash })
		b.Facts = append(b.Facts, f)
		if i != 3 {
			b.Docs = append(b.Docs, facts.Doc{ID: f.ID, Class: f.Class, Body: []byte(`{"n":"` + strings.Repeat("x", i*1000) + `"}`)})
		}
	}
	// a row whose day of receipt was set apart from its id, as the demo world does
	odd := event(9, at(9), "a.x", func(f *eco.Fact) { f.Received -= (48 * time.Hour).Milliseconds() })
	b.Facts, b.Docs = append(b.Facts, odd), append(b.Docs, facts.Doc{ID: odd.ID, Class: odd.Class, Body: []byte(`{"odd":true}`)})
	if err := s.Insert(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	ids := []eco.ID{odd.ID, b.Facts[5].ID, b.Facts[0].ID, b.Facts[3].ID, idAt(at(0), 12345), b.Facts[4].ID}
	for range 2 {
		docs, err := s.Documents(t.Context(), facts.Everything(), ids)
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, docs, []facts.Doc{b.Docs[5], b.Docs[4], b.Docs[0], b.Docs[3]})
		s = reopen()
	}
	docs, err := s.Documents(t.Context(), facts.Everything(), nil)
	if err != nil || len(docs) != 0 {
		t.Fatalf("%v, %v", docs, err)
	}
}

func eraseInstall(t *testing.T, open Open) {
	s, reopen := open(t)
	who := func(project int64, n eco.Install) func(f *eco.Fact) {
		return func(f *eco.Fact) { f.Origin.Project, f.Origin.Install = project, n }
	}
	crash := func(f *eco.Fact) { f.Class = eco.ClassCrash }
	b := facts.Batch{Position: 1, Facts: []eco.Fact{
		event(1, at(1), "a.x", who(1, 7)), event(2, at(-2), "a.x", who(1, 7)), event(3, at(3), "a.x", who(1, 7), crash),
		event(4, at(4), "a.x", who(1, 8)), event(5, at(5), "b.y", who(2, 7)), event(6, at(6), "a.x", who(1, 0), crash),
	}}
	for _, i := range []int{2, 5} {
		b.Docs = append(b.Docs, facts.Doc{ID: b.Facts[i].ID, Class: eco.ClassCrash, Body: []byte(`{}`)})
	}
	if err := s.Insert(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	r, err := s.Erase(t.Context(), facts.Subject{Project: 1, Install: 7})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, r.Partitions, []facts.Partition{{Day: 20261120, Class: eco.Standard, Rows: 1}, {Day: 20261121, Class: eco.Standard, Rows: 1}, {Day: 20261121, Class: eco.ClassCrash, Rows: 1, Docs: 1}})
	wantEqual(t, []int64{r.Rows, r.Docs}, []int64{3, 1})
	left := func() {
		t.Helper()
		wantEqual(t, ask(t, s, facts.Query{Group: []facts.Column{facts.Project, facts.Install}[:1], Measures: []facts.Measure{{Fn: facts.Rows}, {Fn: facts.Installs}}}).Rows,
			[][]any{{int64(1), int64(2), int64(1)}, {int64(2), int64(1), int64(1)}})
		docs, err := s.Documents(t.Context(), facts.Everything(), []eco.ID{b.Facts[2].ID, b.Facts[5].ID})
		if err != nil || len(docs) != 1 || docs[0].ID != b.Facts[5].ID {
			t.Fatalf("documents %v, %v", docs, err)
		}
	}
	left()
	again, err := s.Erase(t.Context(), facts.Subject{Project: 1, Install: 7})
	if err != nil || again.Rows != 0 || len(again.Partitions) != 0 {
		t.Fatalf("a second erasure: %+v, %v", again, err)
	}
	if _, err := s.Rewrite(t.Context()); err != nil {
		t.Fatal(err)
	}
	left()
	// what was applied before the erasure is not applied again
	if err := s.Insert(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	s = reopen()
	if err := s.Insert(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	left()
	st, err := s.Stats(t.Context())
	if err != nil || st.Pending != 0 {
		t.Fatalf("pending %d, %v", st.Pending, err)
	}
}

func eraseReport(t *testing.T, open Open) {
	s, _ := open(t)
	b := facts.Batch{Position: 1, Facts: []eco.Fact{event(1, at(1), "a.x"), event(2, at(2), "a.x")}}
	for _, f := range b.Facts {
		b.Docs = append(b.Docs, facts.Doc{ID: f.ID, Class: f.Class, Body: []byte(`{}`)})
	}
	if err := s.Insert(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	id := b.Facts[0].ID
	r, err := s.Erase(t.Context(), facts.Subject{Project: 2, Crash: id})
	if err != nil || r.Rows != 0 {
		t.Fatalf("another project's: %+v, %v", r, err)
	}
	r, err = s.Erase(t.Context(), facts.Subject{Crash: id})
	if err != nil || r.Rows != 1 || r.Docs != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	docs, err := s.Documents(t.Context(), facts.Everything(), []eco.ID{id, b.Facts[1].ID})
	if err != nil || len(docs) != 1 {
		t.Fatalf("documents %v, %v", docs, err)
	}
	wantEqual(t, total(t, s, facts.Count), any(int64(1)))
}

// What is held goes without the rows that count, up to an id, of one signature or all.
func eraseHeld(t *testing.T, open Open) {
	s, reopen := open(t)
	held := func(sig string) func(f *eco.Fact) {
		return func(f *eco.Fact) {
			f.Kind, f.Class, f.Quarantined, f.Signature = eco.KindCrash, eco.ClassCrash, true, sig
		}
	}
	other := func(f *eco.Fact) { f.Origin.Project = 2 }
	b := facts.Batch{Position: 1, Facts: []eco.Fact{
		event(1, at(-2), "a.x", held("s1")), event(2, at(2), "a.x", held("s1")), event(3, at(3), "a.x", held("s'2")), event(4, at(4), "a.x", held("s1")),
		event(5, at(2), "a.x", held("s1"), other), event(6, at(2), "a.x", held("s1"), func(f *eco.Fact) { f.Quarantined = false }),
	}}
	for _, f := range b.Facts {
		b.Docs = append(b.Docs, facts.Doc{ID: f.ID, Class: f.Class, Body: []byte(`{}`)})
	}
	if err := s.Insert(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []facts.Subject{{Held: &facts.Held{Upto: b.Facts[0].ID}}, {Project: 1, Held: &facts.Held{}}, {Project: 1, Install: 1, Held: &facts.Held{Upto: b.Facts[0].ID}}} {
		if _, err := s.Erase(t.Context(), bad); err == nil {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	erase := func(upto int, sig string, rows int64, left ...int) {
		t.Helper()
		r, err := s.Erase(t.Context(), facts.Subject{Project: 1, Held: &facts.Held{Upto: b.Facts[upto].ID, Signature: sig}})
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, []int64{r.Rows, r.Docs}, []int64{rows, rows})
		var got []int
		for _, f := range ask(t, s, facts.Query{Rows: true, Where: []facts.Cond{is(facts.Quarantined, "0", "1")}, Order: []facts.Order{{By: "id"}}}).Facts {
			got = append(got, int(f.Origin.Install))
		}
		wantEqual(t, got, left)
		wantEqual(t, total(t, s, facts.Count), any(int64(1)))
	}
	erase(2, "s1", 2, 5, 6, 3, 4)
	erase(2, "s'2", 1, 5, 6, 4)
	s = reopen()
	erase(2, "", 0, 5, 6, 4)
	erase(3, "", 1, 5, 6)
}

func purge(t *testing.T, open Open) {
	s, reopen := open(t)
	n := 0
	for _, class := range eco.Classes {
		for _, days := range []int{0, 1, 2, 30, 31, 90, 91, 400} {
			n++
			insert(t, s, uint64(n), event(n, at(5).AddDate(0, 0, -days), "a.x", func(f *eco.Fact) { f.Class = class }))
		}
	}
	got, err := s.Purge(t.Context(), Now())
	if err != nil {
		t.Fatal(err)
	}
	gone := map[eco.Class]int{}
	for _, p := range got {
		gone[p.Class] += int(p.Rows)
	}
	// of receipt plus the class's full days: what came two days ago had its 24 hours
	wantEqual(t, gone, map[eco.Class]int{eco.Ephemeral: 6, eco.Short: 4, eco.Standard: 2, eco.ClassCrash: 2, eco.ClassSupport: 1})
	s = reopen()
	wantEqual(t, total(t, s, facts.Rows), any(int64(n-15)))
	wantEqual(t, total(t, s, facts.Rows, is(facts.Class, "support", "hold")), any(int64(15)))
	got, err = s.Purge(t.Context(), Now())
	if err != nil || len(got) != 0 {
		t.Fatalf("a second purge: %v, %v", got, err)
	}
	// a late row makes its partition again
	insert(t, s, 0, event(999, at(5).AddDate(0, 0, -91), "a.x"))
	wantEqual(t, total(t, s, facts.Rows), any(int64(n-14)))
}

// Package factstest is the contract every facts.Store keeps. Run has a case per
// promise; Compare asks two stores the same random questions, so that facts.Mem,
// which is plain enough to be read, judges the engines.
package factstest

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Now is the clock of the suite: noon of the last of its days.
func Now() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// Open makes an empty store, and a function that closes it and opens it again
// (a store in memory returns itself).
type Open func(t *testing.T) (s facts.Store, reopen func() facts.Store)

// Run runs every case.
func Run(t *testing.T, open Open) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, open Open)
	}{
		{"an unset scope is an error", unsetScope},
		{"what no engine can answer is invalid", invalidQueries},
		{"facts come back as they went in", roundTrip},
		{"a position is applied once", positions},
		{"installs that the question names are groups", namedInstalls},
		{"a batch cut differently after a restart adds only what is missing", overlap},
		{"what cannot be stored is refused whole", refusedBatches},
		{"hostile values harm nothing", hostile},
		{"quarantined rows are apart", quarantine},
		{"another tenant's rows and documents are not there", tenants},
		{"long lists of values and large scopes", longLists},
		{"installs are not joined across extensions", installs},
		{"the standard error is that of 64 groups", standardError},
		{"no group is one row, even of nothing", emptyGroups},
		{"pages join without gap or overlap", pages},
		{"documents", documents},
		{"amending documents", amend},
		{"erasing an install", eraseInstall},
		{"erasing a report", eraseReport},
		{"erasing what is held", eraseHeld},
		{"families under other names", relabels},
		{"purging", purge},
		{"export", export},
		{"stats", stats},
		{"a cancelled context", cancelled},
		{"random questions", random},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open) })
	}
}

// at is a time on the last day, the given number of minutes after midnight.
func at(minutes int) time.Time {
	return time.Date(2026, 11, 21, 0, minutes, 0, 0, time.UTC)
}

func idAt(t time.Time, n uint64) eco.ID {
	var r [16]byte
	for i := range 8 {
		r[8+i] = byte(n >> (56 - 8*i))
	}
	return eco.NewID(t, r)
}

// event is a simple fact of an extension; ids differ by n.
func event(n int, when time.Time, ext eco.ExtensionID, change ...func(*eco.Fact)) eco.Fact {
	f := eco.Fact{
		ID: idAt(when, uint64(n)), Class: eco.Standard, Kind: eco.KindEvent, Received: when.UnixMilli(), Time: when.UnixMilli() - 5, Weight: 1, Count: 1, Name: "run",
		Origin: eco.Origin{Project: 1, Extension: ext, ExtVersion: "1.0.0", Host: "vscode", HostVersion: "1.98.0", Channel: eco.Stable, OS: "linux", Install: eco.Install(n)},
	}
	for _, c := range change {
		c(&f)
	}
	return f
}

func insert(t *testing.T, s facts.Store, position uint64, fs ...eco.Fact) {
	t.Helper()
	if err := s.Insert(t.Context(), facts.Batch{Position: position, Facts: fs}); err != nil {
		t.Fatal(err)
	}
}

func ask(t *testing.T, s facts.Store, q facts.Query) facts.Result {
	t.Helper()
	if !q.Scope.IsSet() {
		q.Scope = facts.Everything()
	}
	r, err := s.Query(t.Context(), q)
	if err != nil {
		t.Fatalf("%v\n%v", err, &q)
	}
	return r
}

// total asks for one number.
func total(t *testing.T, s facts.Store, fn facts.Fn, where ...facts.Cond) any {
	t.Helper()
	return ask(t, s, facts.Query{Where: where, Measures: []facts.Measure{{Fn: fn}}}).Rows[0][0]
}

func is(c facts.Column, values ...string) facts.Cond {
	return facts.Cond{Col: c, Op: facts.In, Values: values}
}

func wantCode(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != code {
		t.Fatalf("code = %q, want %q (%v)", got, code, err)
	}
}

func wantEqual(t *testing.T, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("-want +got\n%s", d)
	}
}

func unsetScope(t *testing.T, open Open) {
	s, _ := open(t)
	insert(t, s, 1, event(1, at(1), "a.x"))
	_, err := s.Query(t.Context(), facts.Query{Measures: []facts.Measure{{Fn: facts.Count}}})
	wantCode(t, err, fault.Invalid)
	_, err = s.Query(t.Context(), facts.Query{Rows: true})
	wantCode(t, err, fault.Invalid)
	_, err = s.Documents(t.Context(), facts.Scope{}, []eco.ID{idAt(at(1), 1)})
	wantCode(t, err, fault.Invalid)
	_, err = s.Export(t.Context(), facts.Query{}, t.TempDir())
	wantCode(t, err, fault.Invalid)
}

func invalidQueries(t *testing.T, open Open) {
	s, _ := open(t)
	insert(t, s, 1, event(1, at(1), "a.x"))
	count := []facts.Measure{{Fn: facts.Count}}
	for i, q := range []facts.Query{
		{Group: []facts.Column{"nope"}, Measures: count},
		{Group: []facts.Column{"1; DROP TABLE facts"}, Measures: count},
		{Group: []facts.Column{facts.Install}, Measures: count},
		{Group: []facts.Column{facts.Install}, Measures: count, Where: []facts.Cond{{Col: facts.Install, Op: facts.NotIn, Values: []string{"1"}}}},
		{Group: []facts.Column{facts.Received}, Measures: count},
		{Group: []facts.Column{facts.OS, facts.OS}, Measures: count},
		{Measures: []facts.Measure{{Fn: "median"}}},
		{Measures: []facts.Measure{{Fn: facts.Quantile, Arg: 1.5}}},
		{Measures: []facts.Measure{{Fn: facts.Count}, {Fn: facts.Count}}},
		{Measures: count, Where: []facts.Cond{{Col: "nope", Op: facts.In, Values: []string{"1"}}}},
		{Measures: count, Where: []facts.Cond{{Col: facts.OS, Op: "like", Values: []string{"l%"}}}},
		{Measures: count, Where: []facts.Cond{{Col: facts.OS, Op: facts.Ge, Values: []string{"l"}}}},
		{Measures: count, Where: []facts.Cond{is(facts.Project, "one")}},
		{Measures: count, Where: []facts.Cond{is(facts.ID, "xyz")}},
		{Measures: count, Where: []facts.Cond{is(facts.Received, "1")}},
		{Measures: count, Where: []facts.Cond{{Col: facts.Received, Op: facts.Ge}}},
		{Measures: count, Order: []facts.Order{{By: "os"}}},
		{Measures: count, Limit: -1},
		{Measures: count, Limit: facts.MaxLimit + 1},
		{Measures: count, Offset: -1},
		{Rows: true, Measures: count},
		{Rows: true, Order: []facts.Order{{By: "count"}}},
		{},
	} {
		q.Scope = facts.Everything()
		_, err := s.Query(t.Context(), q)
		if fault.CodeOf(err) != fault.Invalid {
			t.Errorf("case %d: %v gives %v", i, &q, err)
		}
	}
	_, err := s.Documents(t.Context(), facts.Everything(), make([]eco.ID, facts.MaxIDs+1))
	wantCode(t, err, fault.Invalid)
	_, err = s.Erase(t.Context(), facts.Subject{Project: 1})
	wantCode(t, err, fault.Invalid)
	_, err = s.Erase(t.Context(), facts.Subject{Install: 1})
	wantCode(t, err, fault.Invalid)
}

func cancelled(t *testing.T, open Open) {
	s, _ := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantCode(t, s.Insert(ctx, facts.Batch{Facts: []eco.Fact{event(1, at(1), "a.x")}}), fault.Unavailable)
	insert(t, s, 1, event(1, at(1), "a.x"))
	_, err := s.Query(ctx, facts.Query{Scope: facts.Everything(), Measures: []facts.Measure{{Fn: facts.Count}}})
	wantCode(t, err, fault.Unavailable)
	wantEqual(t, total(t, s, facts.Rows), any(int64(1)))
}

func stats(t *testing.T, open Open) {
	s, reopen := open(t)
	st, err := s.Stats(t.Context())
	if err != nil || len(st.Partitions) != 0 || !st.Newest.IsZero() {
		t.Fatalf("an empty store reports %+v, %v", st, err)
	}
	crash := func(f *eco.Fact) { f.Class = eco.ClassCrash }
	b := facts.Batch{Position: 7, Facts: []eco.Fact{event(1, at(1), "a.x"), event(2, at(-5), "a.x"), event(3, at(2), "a.x", crash)}}
	b.Docs = []facts.Doc{{ID: b.Facts[2].ID, Class: eco.ClassCrash, Body: []byte(`{}`)}}
	if err := s.Insert(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		st, err := s.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range st.Partitions {
			st.Partitions[i].Bytes = 0
		}
		wantEqual(t, st, facts.Stats{Newest: at(2), Position: 7, Partitions: []facts.Partition{
			{Day: 20261120, Class: eco.Standard, Rows: 1}, {Day: 20261121, Class: eco.Standard, Rows: 1}, {Day: 20261121, Class: eco.ClassCrash, Rows: 1, Docs: 1},
		}})
		s = reopen()
	}
}

func export(t *testing.T, open Open) {
	s, _ := open(t)
	insert(t, s, 1, event(1, at(-5), "a.x"), event(2, at(5), "a.x"), event(3, at(6), "a.x", func(f *eco.Fact) { f.Class = eco.Short }), event(4, at(6), "b.y"))
	dir := t.TempDir()
	files, err := s.Export(t.Context(), facts.Query{Scope: facts.Only([]eco.ExtensionID{"a.x"}, nil)}, dir)
	if err != nil || len(files) != 2 {
		t.Fatalf("files %v, %v; want two days", files, err)
	}
	for _, f := range files {
		if st, err := os.Stat(f); err != nil || st.Size() == 0 {
			t.Fatalf("%s: %v", f, err)
		}
	}
	files, err = s.Export(t.Context(), facts.Query{Scope: facts.Only([]eco.ExtensionID{"c.z"}, nil)}, dir)
	if err != nil || len(files) != 0 {
		t.Fatalf("an empty export gives %v, %v", files, err)
	}
}

func pages(t *testing.T, open Open) {
	s, _ := open(t)
	var fs []eco.Fact
	for i := range 95 {
		fs = append(fs, event(i, at(-60*i), "a.x", func(f *eco.Fact) { f.Name = strconv.Itoa(i % 40) })) // four days
	}
	insert(t, s, 1, fs...)
	var got []string
	for offset := 0; ; offset += 10 {
		r := ask(t, s, facts.Query{Rows: true, Limit: 10, Offset: offset})
		for _, f := range r.Facts {
			got = append(got, f.ID.String())
		}
		if !r.More {
			break
		}
	}
	cursor := []string{}
	for where := []facts.Cond(nil); ; {
		r := ask(t, s, facts.Query{Rows: true, Limit: 7, Where: where})
		for _, f := range r.Facts {
			cursor = append(cursor, f.ID.String())
		}
		if !r.More {
			break
		}
		where = []facts.Cond{{Col: facts.ID, Op: facts.Lt, Values: []string{cursor[len(cursor)-1]}}}
	}
	want := []string{}
	for i := range fs {
		want = append(want, fs[i].ID.String())
	}
	wantEqual(t, got, want)
	wantEqual(t, cursor, want)
	q := facts.Query{Group: []facts.Column{facts.Name}, Measures: []facts.Measure{{Fn: facts.Count}}, Order: []facts.Order{{By: "count", Desc: true}}}
	all := ask(t, s, q).Rows
	var joined [][]any
	q.Limit = 7
	for more := true; more; q.Offset += 7 {
		r := ask(t, s, q)
		joined, more = append(joined, r.Rows...), r.More
	}
	wantEqual(t, joined, all)
	if len(all) != 40 || fmt.Sprint(all[0]) != "[0 3]" || fmt.Sprint(all[39]) != "[39 2]" {
		t.Fatalf("%d groups, %v … %v", len(all), all[0], all[39])
	}
}

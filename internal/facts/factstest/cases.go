package factstest

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

func roundTrip(t *testing.T, open Open) {
	s, reopen := open(t)
	full := eco.Fact{
		ID: idAt(at(9), 99), Class: eco.ClassCrash, Kind: eco.KindCrash, Received: at(9).UnixMilli(), Time: at(8).UnixMilli(),
		Origin: eco.Origin{
			Project: math.MinInt64, Extension: "a.x", ExtVersion: "1.2.3", Host: "vscode", HostVersion: "1.98.0", Channel: eco.Nightly, OS: "linux", OSVersion: "6.8",
			Arch: "arm64", Runtime: "node/22", Environment: "production", Country: "NZ", SDK: "bellwether-ts/1", Install: math.MaxUint64,
		},
		Name: "TypeError", Value: -1.5, Weight: 12.25, Assumed: true, Count: 1, Errored: 2, Crashed: 3, Abnormal: 4,
		Signature: "0123456789abcdef", Family: "F-1", Blame: "b.y", BlameVer: "2.0.0", Level: "error", Handled: true,
		Dedup: math.MaxUint64 - 1, Session: 1 << 63, ClientID: strings.Repeat("ab", 16), Attrs: `{"k":"v'\"\n\\"}`,
	}
	plain := event(1, at(1), "")
	insert(t, s, 1, full, plain)
	for range 2 {
		wantEqual(t, ask(t, s, facts.Query{Rows: true}).Facts, []eco.Fact{full, plain})
		s = reopen()
	}
	// every column of a fact finds it
	for _, c := range append([]facts.Column{facts.Hour, facts.Date, facts.SubjectExt, facts.SubjectVer, facts.Counted, facts.Dedup, facts.Session, facts.Install}, facts.Exported...) {
		r := ask(t, s, facts.Query{Rows: true, Where: []facts.Cond{is(c, printed(facts.Value(&full, c))), is(facts.Family, "F-1")}})
		if len(r.Facts) != 1 {
			t.Errorf("%s: %d facts", c, len(r.Facts))
		}
	}
}

// namedInstalls: a pseudonym is a group where the question names it, and no other is in the answer.
func namedInstalls(t *testing.T, open Open) {
	s, _ := open(t)
	insert(t, s, 1, event(1, at(1), "a.x"), event(2, at(1), "a.x"), event(3, at(1), "a.x"))
	insert(t, s, 2, event(1, at(-24*60), "a.x"))
	r := ask(t, s, facts.Query{Where: []facts.Cond{{Col: facts.Install, Op: facts.In, Values: []string{"1", "3", "77"}}}, Group: []facts.Column{facts.Install, facts.Date}, Measures: []facts.Measure{{Fn: facts.Rows}}})
	if len(r.Rows) != 3 {
		t.Fatalf("%v", r.Rows)
	}
	for _, row := range r.Rows {
		if n := row[0]; n != int64(1) && n != int64(3) {
			t.Errorf("%v", row)
		}
	}
}

func positions(t *testing.T, open Open) {
	s, reopen := open(t)
	first := []eco.Fact{event(1, at(1), "a.x"), event(2, at(2), "a.x")}
	insert(t, s, 5, first...)
	insert(t, s, 5, first...)
	insert(t, s, 4, event(3, at(3), "a.x"))
	s = reopen()
	insert(t, s, 5, first...)
	wantEqual(t, total(t, s, facts.Rows), any(int64(2)))
	// another partition has its own position
	insert(t, s, 5, append(first, event(4, at(-5), "a.x"))...)
	wantEqual(t, total(t, s, facts.Rows), any(int64(3)))
	insert(t, s, 6, event(5, at(5), "a.x"))
	wantEqual(t, total(t, s, facts.Rows), any(int64(4)))
	// without a stream there is no position
	insert(t, s, 0, event(6, at(6), "a.x"))
	insert(t, s, 0, event(7, at(6), "a.x"))
	wantEqual(t, total(t, s, facts.Rows), any(int64(6)))
	insert(t, s, 7)
	st, err := s.Stats(t.Context())
	if err != nil || st.Position != 6 {
		t.Fatalf("position %d, %v; want 6: a batch of nothing leaves no trace", st.Position, err)
	}
}

func overlap(t *testing.T, open Open) {
	s, reopen := open(t)
	var fs []eco.Fact
	for i := range 20 {
		fs = append(fs, event(i, at(i), "a.x"))
	}
	b := facts.Batch{Position: 10, Facts: fs[:10]}
	b.Docs = []facts.Doc{{ID: fs[8].ID, Class: eco.Standard, Body: []byte(`{"n":8}`)}}
	if err := s.Insert(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	s = reopen()
	b = facts.Batch{Position: 15, Facts: fs[6:15]}
	b.Docs = []facts.Doc{{ID: fs[8].ID, Class: eco.Standard, Body: []byte(`{"n":8}`)}, {ID: fs[12].ID, Class: eco.Standard, Body: []byte(`{"n":12}`)}}
	if err := s.Insert(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	insert(t, s, 20, fs[15:]...)
	wantEqual(t, total(t, s, facts.Rows), any(int64(20)))
	st, err := s.Stats(t.Context())
	if err != nil || len(st.Partitions) != 1 || st.Partitions[0].Rows != 20 || st.Partitions[0].Docs != 2 {
		t.Fatalf("%+v, %v", st, err)
	}
}

func refusedBatches(t *testing.T, open Open) {
	s, _ := open(t)
	good := event(1, at(1), "a.x")
	for name, bad := range map[string]facts.Batch{
		"class":       {Facts: []eco.Fact{good, event(2, at(1), "a.x", func(f *eco.Fact) { f.Class = "../x" })}},
		"no class":    {Facts: []eco.Fact{good, event(2, at(1), "a.x", func(f *eco.Fact) { f.Class = "" })}},
		"received":    {Facts: []eco.Fact{good, event(2, at(1), "a.x", func(f *eco.Fact) { f.Received = math.MaxInt64 })}},
		"no received": {Facts: []eco.Fact{good, event(2, at(1), "a.x", func(f *eco.Fact) { f.Received = 0 })}},
		"lone doc":    {Facts: []eco.Fact{good}, Docs: []facts.Doc{{ID: idAt(at(1), 77), Class: eco.Standard, Body: []byte("{}")}}},
	} {
		if err := s.Insert(t.Context(), bad); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	err := s.Insert(t.Context(), facts.Batch{Facts: []eco.Fact{good}, Docs: []facts.Doc{{ID: good.ID, Class: eco.Standard, Body: make([]byte, facts.MaxDoc+1)}}})
	wantCode(t, err, fault.TooLarge)
	wantCode(t, s.Insert(t.Context(), facts.Batch{Facts: make([]eco.Fact, facts.MaxBatch+1)}), fault.TooLarge)
	wantEqual(t, total(t, s, facts.Rows), any(int64(0)))
}

func hostile(t *testing.T, open Open) {
	s, _ := open(t)
	for i, v := range []string{`'; DROP TABLE facts; --`, `\'`, "''", "é\u202e", "a\x00b", "\xff\xfe", strings.Repeat("x", 100_000), "%", "NULL"} {
		insert(t, s, 0, event(i, at(i), "a.x", func(f *eco.Fact) { f.Name, f.Attrs, f.Origin.OS = v, v, v }))
		r := ask(t, s, facts.Query{Group: []facts.Column{facts.Name, facts.OS}, Measures: []facts.Measure{{Fn: facts.Count, As: `x" '`}}, Where: []facts.Cond{is(facts.ID, idAt(at(i), uint64(i)).String())}})
		stored := facts.Normal(eco.Fact{Name: v}).Name
		wantEqual(t, r.Rows, [][]any{{stored, stored, int64(1)}})
		wantEqual(t, total(t, s, facts.Rows, is(facts.Name, stored)), any(int64(1)))
		if stored != v {
			wantEqual(t, total(t, s, facts.Rows, is(facts.Name, v)), any(int64(0)))
			wantEqual(t, total(t, s, facts.Rows, facts.Cond{Col: facts.Name, Op: facts.NotIn, Values: []string{v}}), any(int64(i+1)))
		}
	}
	insert(t, s, 0, event(100, at(100), "a.x", func(f *eco.Fact) {
		f.Count, f.Errored, f.Weight, f.Value = math.MaxInt64, -1, math.Inf(1), math.NaN()
	}), event(101, at(101), "a.x", func(f *eco.Fact) {
		f.Count, f.Crashed, f.Weight, f.Value = math.MaxInt64, math.MinInt64, math.NaN(), math.Inf(-1)
	}))
	r := ask(t, s, facts.Query{Where: []facts.Cond{{Col: facts.ID, Op: facts.Ge, Values: []string{idAt(at(100), 0).String()}}}, Measures: []facts.Measure{
		{Fn: facts.Count}, {Fn: facts.Errored}, {Fn: facts.Crashed}, {Fn: facts.Weighted}, {Fn: facts.Sum}, {Fn: facts.StdErr}, {Fn: facts.Mean}, {Fn: facts.Quantile, Arg: .5}}})
	for i, v := range r.Rows[0] {
		if x, ok := v.(float64); ok && (math.IsNaN(x) || math.IsInf(x, 0)) {
			t.Errorf("%s = %v", r.Cols[i], x)
		}
	}
	wantEqual(t, r.Rows[0][0], any(int64(2<<40)))
}

func quarantine(t *testing.T, open Open) {
	s, _ := open(t)
	apart := func(f *eco.Fact) { f.Quarantined = true }
	insert(t, s, 1, event(1, at(1), "a.x"), event(2, at(2), "a.x", apart), event(3, at(3), "b.y", apart))
	wantEqual(t, total(t, s, facts.Count), any(int64(1)))
	wantEqual(t, total(t, s, facts.Count, is(facts.Quarantined, "1")), any(int64(2)))
	wantEqual(t, total(t, s, facts.Count, is(facts.Quarantined, "0", "1")), any(int64(3)))
	wantEqual(t, len(ask(t, s, facts.Query{Rows: true}).Facts), 1)
	wantEqual(t, len(ask(t, s, facts.Query{Rows: true, Where: []facts.Cond{is(facts.Quarantined, "1")}}).Facts), 2)
}

func tenants(t *testing.T, open Open) {
	s, _ := open(t)
	blamed := func(f *eco.Fact) { f.Blame = "a.x" }
	noHost := func(f *eco.Fact) { f.Origin.Host = "" }
	fs := []eco.Fact{
		event(1, at(1), "a.x"), event(2, at(2), "b.y"), event(3, at(3), "b.y", blamed),
		event(4, at(4), ""), event(5, at(5), "", blamed), event(6, at(6), "", noHost), event(7, at(7), "a.xx"),
	}
	b := facts.Batch{Position: 1, Facts: fs}
	var ids []eco.ID
	for _, f := range fs {
		b.Docs = append(b.Docs, facts.Doc{ID: f.ID, Class: f.Class, Body: []byte(`{}`)})
		ids = append(ids, f.ID)
	}
	if err := s.Insert(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		scope facts.Scope
		want  []int
	}{
		{"everything", facts.Everything(), []int{1, 2, 3, 4, 5, 6, 7}},
		{"nothing", facts.Only(nil, nil), nil},
		{"an extension: its rows and those blamed on it", facts.Only([]eco.ExtensionID{"a.x"}, nil), []int{1, 3, 5}},
		{"a host: its own projects' rows", facts.Only(nil, []string{"vscode"}), []int{4, 5}},
		{"both", facts.Only([]eco.ExtensionID{"b.y"}, []string{"vscode"}), []int{2, 3, 4, 5}},
		{"the empty name is nobody's", facts.Only([]eco.ExtensionID{""}, []string{""}), nil},
		{"a name is not a pattern", facts.Only([]eco.ExtensionID{"%", "a.x' OR '1'='1"}, []string{"%"}), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got, groups, docs []int
			r := ask(t, s, facts.Query{Scope: c.scope, Rows: true, Order: []facts.Order{{By: "id"}}})
			for _, f := range r.Facts {
				got = append(got, int(f.Origin.Install))
			}
			wantEqual(t, got, c.want)
			r = ask(t, s, facts.Query{Scope: c.scope, Group: []facts.Column{facts.ID}, Measures: []facts.Measure{{Fn: facts.StdErr}}})
			for _, row := range r.Rows {
				id, _ := eco.ParseID(row[0].(string))
				groups = append(groups, int(id[15]))
			}
			wantEqual(t, groups, c.want)
			wantEqual(t, ask(t, s, facts.Query{Scope: c.scope, Measures: []facts.Measure{{Fn: facts.Count}}}).Rows[0][0], any(int64(len(c.want))))
			ds, err := s.Documents(t.Context(), c.scope, ids)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range ds {
				docs = append(docs, int(d.ID[15]))
			}
			wantEqual(t, docs, c.want)
			// asking for another's id by name does not help
			for i, f := range fs {
				n := len(ask(t, s, facts.Query{Scope: c.scope, Rows: true, Where: []facts.Cond{is(facts.ID, f.ID.String())}}).Facts)
				if want := c.scope.Sees(&fs[i]); (n == 1) != want {
					t.Errorf("fact %d by id: %d rows, visible %v", i+1, n, want)
				}
			}
		})
	}
}

func longLists(t *testing.T, open Open) {
	s, _ := open(t)
	var b facts.Batch
	var names, ids []string
	var exts []eco.ExtensionID
	for i := range 200 {
		ext := eco.ExtensionID("p.e" + strconv.Itoa(i))
		f := event(i+1, at(-60*i), ext, func(f *eco.Fact) { f.Name = strconv.Itoa(i) })
		b.Facts, b.Docs = append(b.Facts, f), append(b.Docs, facts.Doc{ID: f.ID, Class: f.Class, Body: []byte("{}")})
		names, ids, exts = append(names, f.Name), append(ids, f.ID.String()), append(exts, ext)
	}
	if err := s.Insert(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, total(t, s, facts.Count, is(facts.Name, names[:150]...), is(facts.ID, ids[50:]...)), any(int64(100)))
	wantEqual(t, total(t, s, facts.Count, facts.Cond{Col: facts.Name, Op: facts.NotIn, Values: names[:150]}), any(int64(50)))
	scope := facts.Only(exts[20:120], []string{"h"})
	for _, q := range []facts.Query{
		{Scope: scope, Measures: []facts.Measure{{Fn: facts.Count}}},
		{Scope: scope, Measures: []facts.Measure{{Fn: facts.Weighted}, {Fn: facts.StdErr}}},
	} {
		if r := ask(t, s, q); r.Rows[0][0] != any(int64(100)) && r.Rows[0][0] != any(100.0) {
			t.Errorf("%v: %v", &q, r.Rows)
		}
	}
	wantEqual(t, len(ask(t, s, facts.Query{Scope: scope, Rows: true}).Facts), 100)
	var all []eco.ID
	for _, f := range b.Facts {
		all = append(all, f.ID)
	}
	docs, err := s.Documents(t.Context(), scope, all)
	if err != nil || len(docs) != 100 {
		t.Fatalf("%d documents, %v", len(docs), err)
	}
	files, err := s.Export(t.Context(), facts.Query{Scope: scope}, t.TempDir())
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
}

func installs(t *testing.T, open Open) {
	s, _ := open(t)
	same := func(n eco.Install, crashed int64) func(f *eco.Fact) {
		return func(f *eco.Fact) { f.Origin.Install, f.Crashed = n, crashed }
	}
	other := func(f *eco.Fact) { f.Origin.Host = "obsidian" }
	insert(t, s, 1,
		event(1, at(1), "a.x", same(7, 1)), event(2, at(2), "a.x", same(7, 0)), event(3, at(3), "a.x", same(8, 0)),
		event(4, at(4), "b.y", same(7, 0)), event(5, at(5), "b.y", same(0, 5)),
		event(6, at(6), "", same(7, 0)), event(7, at(7), "", same(7, 2), other),
		event(8, at(8), "a.x", same(8, 0), other), // one extension, another host: the same install
	)
	wantEqual(t, total(t, s, facts.Installs), any(int64(5)))
	wantEqual(t, total(t, s, facts.CrashedBy), any(int64(2)))
	wantEqual(t, total(t, s, facts.Unnamed), any(int64(1)))
	wantEqual(t, total(t, s, facts.Unnamed, is(facts.Extension, "a.x")), any(int64(0)))
	wantEqual(t, total(t, s, facts.Installs, is(facts.Extension, "a.x")), any(int64(2)))
	wantEqual(t, total(t, s, facts.Installs, is(facts.Extension, "")), any(int64(2)))
	r := ask(t, s, facts.Query{Group: []facts.Column{facts.Extension}, Measures: []facts.Measure{{Fn: facts.Installs}, {Fn: facts.CrashedBy}}})
	wantEqual(t, r.Rows, [][]any{{"", int64(2), int64(1)}, {"a.x", int64(2), int64(1)}, {"b.y", int64(1), int64(0)}})
}

func standardError(t *testing.T, open Open) {
	s, _ := open(t)
	install := func(n eco.Install, w float64) func(f *eco.Fact) {
		return func(f *eco.Fact) { f.Origin.Install, f.Weight = n, w }
	}
	noInstall := func(f *eco.Fact) { f.Origin.Install = 0; f.ID[15] = 66 } // unit 2
	insert(t, s, 1,
		event(1, at(1), "a.x", install(1, 2)), event(2, at(2), "a.x", install(1, 4)), event(3, at(3), "a.x", install(65, 4)), // unit 1: 10
		event(4, at(4), "a.x", noInstall),     // unit 2: 1
		event(5, at(5), "b.y", install(3, 8)), // unit 3: 8
	)
	se := func(units ...float64) float64 {
		sum, sq := 0.0, 0.0
		for _, u := range units {
			sum += u
		}
		for _, u := range append(units, make([]float64, 64-len(units))...) {
			sq += (u - sum/64) * (u - sum/64)
		}
		return math.Sqrt(sq * 64 / 63)
	}
	near := func(got any, want float64) {
		t.Helper()
		if x := got.(float64); math.Abs(x-want) > 1e-9*want {
			t.Errorf("standard error %v, want %v", x, want)
		}
	}
	near(total(t, s, facts.StdErr), se(10, 1, 8))
	r := ask(t, s, facts.Query{Group: []facts.Column{facts.Extension}, Measures: []facts.Measure{{Fn: facts.StdErr}, {Fn: facts.Weighted}, {Fn: facts.Installs}, {Fn: facts.Quantile, Arg: .5}}})
	near(r.Rows[0][1], se(10, 1))
	near(r.Rows[1][1], se(8))
	wantEqual(t, r.Rows[0][2:], []any{11.0, int64(2), 0.0})
}

func emptyGroups(t *testing.T, open Open) {
	s, _ := open(t)
	all := facts.Query{}
	want := []any{}
	for _, fn := range []facts.Fn{facts.Count, facts.Rows, facts.Installs, facts.Unnamed, facts.Weighted, facts.WeightSq, facts.StdErr, facts.Errored, facts.Crashed, facts.Abnormal,
		facts.CrashedBy, facts.Sum, facts.Mean, facts.Quantile, facts.First, facts.Last} {
		all.Measures = append(all.Measures, facts.Measure{Fn: fn})
		if fn.IsInt() {
			want = append(want, int64(0))
		} else {
			want = append(want, 0.0)
		}
	}
	for range 2 {
		r := ask(t, s, all)
		wantEqual(t, r.Rows, [][]any{want})
		wantEqual(t, r.Cols[3], "unnamed")
		all.Where = []facts.Cond{is(facts.OS)} // no values: nothing matches
		r = ask(t, s, facts.Query{Group: []facts.Column{facts.OS}, Measures: all.Measures, Where: all.Where})
		wantEqual(t, len(r.Rows), 0)
		r = ask(t, s, facts.Query{Rows: true, Where: all.Where})
		wantEqual(t, len(r.Facts), 0)
		insert(t, s, 0, event(1, at(1), "a.x"))
	}
}

//go:build cgo

package duck

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/facts/factstest"
)

// thrice asks every question three times: the last answer is read from what the
// others left.
type thrice struct{ *Store }

func (s thrice) Query(ctx context.Context, q facts.Query) (facts.Result, error) {
	for range 2 {
		if r, err := s.Store.Query(ctx, q); err != nil {
			return r, err
		}
	}
	return s.Store.Query(ctx, q)
}

// settle keeps tables of any number of files, and no answers.
func settle(s *Store) thrice {
	s.settled.least, s.answers.most = 1, 0
	return thrice{s}
}

// What is kept of settled days changes no answer: after late rows, an erasure,
// the closing of days, a purge, and the end of a day.
func TestSettledDaysAnswerAsFacts(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 1))
	now := factstest.Now()
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), MemoryLimit: 256 << 20, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	got, want := settle(s), facts.NewMem()
	fs := factstest.Facts(r, 0, 700)
	both := func(f func(st facts.Store)) { f(want); f(s) }
	position, from := 0, 0
	more := func(n int) {
		t.Helper()
		position++
		put(t, position, fs[from:from+n], want, s)
		from += n
	}
	more(300)
	factstest.Compare(t, want, got, r, fs, 40)
	if tables(t, s) < 20 {
		t.Fatalf("only %d tables: the comparison proves little", tables(t, s))
	}
	more(100)
	factstest.Compare(t, want, got, r, fs, 40)
	both(func(st facts.Store) {
		if rec, err := st.Erase(t.Context(), facts.Subject{Project: 1, Install: 2}); err != nil || rec.Rows == 0 {
			t.Fatalf("%+v, %v", rec, err)
		}
	})
	factstest.Compare(t, want, got, r, fs, 40)
	eager(s)
	if _, err := s.Compact(t.Context(), 20261121); err != nil {
		t.Fatal(err)
	}
	factstest.Compare(t, want, got, r, fs, 40)
	more(100)
	now = now.AddDate(0, 0, 1) // today's files settle, too
	factstest.Compare(t, want, got, r, fs, 40)
	more(200)
	factstest.Compare(t, want, got, r, fs, 40)
	both(func(st facts.Store) {
		if gone, err := st.Purge(t.Context(), now.AddDate(0, 0, 30)); err != nil || len(gone) == 0 {
			t.Fatalf("%v, %v", gone, err)
		}
	})
	factstest.Compare(t, want, got, r, fs, 40)
}

// tables counts what lies in memory, and holds it against what is known to.
func tables(t *testing.T, s *Store) (n int) {
	t.Helper()
	if err := s.db.QueryRow("SELECT count(*) FROM duckdb_tables() WHERE database_name = '" + settledDB + "'").Scan(&n); err != nil {
		t.Fatal(err)
	}
	s.settled.mu.Lock()
	defer s.settled.mu.Unlock()
	if n != len(s.settled.have) {
		t.Errorf("%d tables in memory, %d known", n, len(s.settled.have))
	}
	return n
}

func byVersion() facts.Query {
	return facts.Query{Scope: facts.Everything(), Group: []facts.Column{facts.SubjectVer}, Measures: []facts.Measure{{Fn: facts.Count}, {Fn: facts.Installs}, {Fn: facts.First}}}
}

// Nothing of an erased install is left in memory when Erase returns, and nothing
// of a file that is purged.
func TestErasureReachesSettledDays(t *testing.T) {
	s := openIn(t, t.TempDir())
	got := settle(s)
	put(t, 1, factstest.Facts(rand.New(rand.NewPCG(3, 1)), 0, 400), s)
	if _, err := got.Query(t.Context(), byVersion()); err != nil {
		t.Fatal(err)
	}
	if tables(t, s) != 1 {
		t.Fatalf("%d tables", tables(t, s))
	}
	if rec, err := s.Erase(t.Context(), facts.Subject{Project: 1, Install: 2}); err != nil || rec.Rows == 0 {
		t.Fatalf("%+v, %v", rec, err)
	}
	if tables(t, s) != 0 {
		t.Error("a table outlived the erasure")
	}
	if _, err := got.Query(t.Context(), byVersion()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Purge(t.Context(), factstest.Now().AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if tables(t, s) != 0 {
		t.Error("a table outlived the purge")
	}
}

// Extensions and readers share a table; each sees its own rows of it.
func TestSettledTablesAreShared(t *testing.T) {
	s := openIn(t, t.TempDir())
	settle(s)
	put(t, 1, factstest.Facts(rand.New(rand.NewPCG(3, 2)), 0, 400), s)
	for _, scope := range []facts.Scope{facts.Everything(), facts.Only([]eco.ExtensionID{"a.x"}, nil), facts.Only(nil, []string{"vscode"})} {
		for _, ext := range []string{"a.x", "b.y", "none"} {
			q := byVersion()
			q.Scope, q.Where = scope, []facts.Cond{{Col: facts.SubjectExt, Op: facts.In, Values: []string{ext}}}
			if _, err := s.Query(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := tables(t, s); n != 1 {
		t.Errorf("%d tables for one question of three readers about three extensions", n)
	}
	// what few would ask is kept from the second time on
	q := byVersion()
	q.Where = []facts.Cond{{Col: facts.OS, Op: facts.In, Values: []string{"linux"}}}
	for _, want := range []int{1, 2, 2} {
		if _, err := s.Query(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		if n := tables(t, s); n != want {
			t.Errorf("%d tables, want %d", n, want)
		}
	}
}

// The bound holds, and what was used last stays.
func TestSettledTablesAreBounded(t *testing.T) {
	s := openIn(t, t.TempDir())
	settle(s)
	put(t, 1, factstest.Facts(rand.New(rand.NewPCG(3, 3)), 0, 100), s)
	for n := range mostTables + 20 {
		q := byVersion()
		q.Where = []facts.Cond{{Col: facts.Kind, Op: facts.NotIn, Values: []string{string(rune(0x4e00 + n))}}}
		for _, q := range []facts.Query{q, byVersion()} {
			if _, err := s.Query(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := tables(t, s); n != mostTables {
		t.Errorf("%d tables, want %d", n, mostTables)
	}
	newest := int64(0)
	for _, r := range s.settled.have {
		newest = max(newest, r.used)
	}
	if newest != s.settled.tick {
		t.Error("the question that was asked last lost its table")
	}
}

// While rows come late, days are closed and an install is erased, every answer is
// that of some moment, and the one after the erasure knows nobody who was erased.
func TestSettledDaysWhileFilesChange(t *testing.T) {
	s := openIn(t, t.TempDir())
	settle(s)
	fs := factstest.Facts(rand.New(rand.NewPCG(9, 1)), 0, 600)
	want := facts.NewMem()
	put(t, 1, fs[:200], s, want)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if _, err := s.Query(t.Context(), byVersion()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 3 {
		put(t, i+2, fs[200+50*i:250+50*i], s, want)
		for _, st := range []facts.Store{s, want} {
			if _, err := st.Erase(t.Context(), facts.Subject{Project: 1, Install: eco.Install(i)}); i > 0 && err != nil {
				t.Fatal(err)
			}
		}
		factstest.Compare(t, want, s, rand.New(rand.NewPCG(uint64(i), 7)), fs, 5)
		if _, err := s.Rewrite(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	wg.Wait()
	tables(t, s)
}

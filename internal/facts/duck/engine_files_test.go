//go:build cgo

package duck

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/facts/factstest"
)

func TestLogsAreWrittenBack(t *testing.T) {
	s := openIn(t, t.TempDir())
	put(t, 1, factstest.Facts(rand.New(rand.NewPCG(1, 2)), 0, 500), s)
	conn, err := s.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	logs := func() (n int) {
		for _, p := range s.all() {
			if fileSize(p.path+".wal") > 0 {
				n++
			}
		}
		return n
	}
	if n := logs(); n != 9 {
		t.Fatalf("%d logs, want 9", n)
	}
	s.writeBack(t.Context(), conn)
	if n := logs(); n != 9 {
		t.Fatalf("%d logs: short ones are left alone", n)
	}
	ps := s.all()
	ps[4].logged.Store(maxLog)
	s.writeBack(t.Context(), conn)
	if n := logs(); n != 8 || fileSize(ps[4].path+".wal") != 0 {
		t.Fatalf("%d logs, want all but the longest", n)
	}
	if !slices.ContainsFunc(ps, func(p *part) bool { return p.logged.Load() > 0 }) {
		t.Error("the other logs are forgotten")
	}
	ps[5].replayed = true
	s.writeBack(t.Context(), conn)
	if n := logs(); n != 7 || fileSize(ps[5].path+".wal") != 0 || ps[5].replayed {
		t.Fatalf("%d logs, want the one that was replayed written back too", n)
	}
}

// While a question is being answered, inserts go on: the rollup waits instead.
func TestAQuestionDoesNotHoldUpInserts(t *testing.T) {
	s := openIn(t, t.TempDir())
	put(t, 1, childBatch(1).Facts, s)
	s.pace = pace{after: 1, most: 1 << 40, any: true}
	ps, done := s.reading(func(*part) bool { return true })
	put(t, 2, childBatch(2).Facts, s)
	for _, p := range ps {
		if in := p.info.Load(); in.rolled != 0 || in.tail != 250 {
			t.Errorf("%s was rolled up under a reader: %+v", p.alias, in)
		}
	}
	done()
	put(t, 3, childBatch(3).Facts, s)
	for _, p := range s.all() {
		if in := p.info.Load(); in.tail != 0 {
			t.Errorf("%s was not rolled up afterwards: %+v", p.alias, in)
		}
	}
	if n := count(t, s); n != 3*childRows {
		t.Errorf("%d rows", n)
	}
}

// A file with a log takes memory however short its log is: after a history of many
// days only some may keep theirs, or nothing is left to answer with.
func TestFewFilesKeepALog(t *testing.T) {
	s := openIn(t, t.TempDir())
	for d := range 6 {
		fs := factstest.Facts(rand.New(rand.NewPCG(uint64(d), 3)), d*1000, 200)
		for i := range fs {
			fs[i].Received -= int64(d) * 3 * 86_400_000
		}
		put(t, d+1, fs, s)
	}
	var logs int
	for _, p := range s.all() {
		if fileSize(p.path+".wal") > 0 {
			logs++
		}
	}
	if len(s.all()) <= maxLog/leastLog || logs == 0 || logs > maxLog/leastLog {
		t.Errorf("%d of %d files have a log, want at most %d", logs, len(s.all()), maxLog/leastLog)
	}
}

// Queries that together need more memory than there is are asked one after another.
func TestQueriesShareTheMemory(t *testing.T) {
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), MemoryLimit: 24 << 20, Threads: 2, Now: factstest.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	put(t, 1, factstest.Facts(rand.New(rand.NewPCG(4, 3)), 0, 20_000), s)
	if _, err := s.Compact(t.Context(), 1<<20); err != nil {
		t.Fatal(err)
	}
	q := facts.Query{Scope: facts.Everything(), Group: []facts.Column{facts.Signature, facts.OSVersion}, Measures: []facts.Measure{{Fn: facts.Installs}, {Fn: facts.Count}}, Limit: 10}
	if _, err := s.Query(t.Context(), q); err != nil {
		t.Fatalf("alone: %v", err)
	}
	var wg sync.WaitGroup
	for range maxConns {
		wg.Go(func() {
			for range 5 {
				if _, err := s.Query(t.Context(), q); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

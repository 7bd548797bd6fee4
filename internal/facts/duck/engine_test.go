//go:build cgo

package duck

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/facts/factstest"
	"github.com/bellwether-project/bellwether/internal/fault"
)

func TestLockedDown(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	outside := filepath.Join(t.TempDir(), "x")
	for _, q := range []string{
		"SELECT * FROM read_csv('/etc/passwd')",
		"SELECT * FROM read_text('/etc/passwd')",
		"SELECT * FROM glob('/etc/*')",
		"COPY (SELECT 1) TO " + quote(outside),
		"ATTACH " + quote(outside) + " AS x",
		"ATTACH " + quote(dir+"/../x.duckdb") + " AS x",
		"INSTALL httpfs",
		"LOAD httpfs",
		"SET enable_external_access = true",
		"SET allowed_directories = ['/']",
		"SET memory_limit = '64GB'",
	} {
		if _, err := s.db.Exec(q); err == nil {
			t.Errorf("DuckDB did not refuse: %s", q)
		}
	}
}

func TestExportIsParquetWithoutPseudonyms(t *testing.T) {
	s := openIn(t, t.TempDir())
	fs := factstest.Facts(rand.New(rand.NewPCG(8, 8)), 0, 300)
	put(t, 1, fs, s)
	out := t.TempDir()
	files, err := s.Export(t.Context(), facts.Query{Scope: facts.Everything(), Where: []facts.Cond{{Col: facts.Kind, Op: facts.In, Values: []string{"crash"}}}}, out)
	if err != nil || len(files) != 3 {
		t.Fatalf("%v, %v", files, err)
	}
	want := 0
	for i := range fs {
		if fs[i].Kind == eco.KindCrash && !fs[i].Quarantined {
			want++
		}
	}
	plain, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	var n, wrong int
	if err := plain.QueryRow("SELECT count(*), count(*) FILTER (kind <> 'crash' OR length(id) <> 32) FROM read_parquet("+quote(filepath.Join(out, "*.parquet"))+")").Scan(&n, &wrong); err != nil {
		t.Fatal(err)
	}
	if n != want || wrong != 0 {
		t.Errorf("%d rows, %d wrong; want %d", n, wrong, want)
	}
	for _, c := range []string{"install", "session", "dedup"} {
		if _, err := plain.Exec("SELECT " + c + " FROM read_parquet(" + quote(files[0]) + ")"); err == nil {
			t.Errorf("the export has the column %s", c)
		}
	}
	if left, _ := os.ReadDir(s.temp()); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestQueriesAreInterrupted(t *testing.T) {
	s := openIn(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		// as a query of the store, but one that would run for hours
		_, err := s.db.ExecContext(ctx, "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b")
		done <- failed("facts.Query", err)
	}()
	cancel()
	if err := <-done; fault.CodeOf(err) != fault.Unavailable {
		t.Fatalf("%v", err)
	}
}

// A failed insert may have reached some files; what follows may be cut differently.
func TestAfterAFailureNothingIsTwice(t *testing.T) {
	s := openIn(t, t.TempDir())
	fs := factstest.Facts(rand.New(rand.NewPCG(8, 1)), 0, 300)
	put(t, 10, fs[:200], s)
	s.suspectAll()
	put(t, 20, fs[100:], s)
	if n := count(t, s); n != 300 {
		t.Errorf("%d rows, want 300", n)
	}
	if p := s.all()[0]; p.suspect.Load() {
		t.Error("the file is still looked through for every batch")
	}
}

// Inserts, questions, rewrites, erasures and purges at once: every question sees
// whole batches, and nothing is lost or counted twice.
func TestAtOnce(t *testing.T) {
	s := openIn(t, t.TempDir())
	s.pace = pace{after: 50, most: 100, any: true}
	const batches, size = 40, 30
	var wg, readers sync.WaitGroup
	stop := make(chan struct{})
	for range 3 {
		readers.Go(func() {
			last := int64(0)
			for {
				select {
				case <-stop:
					return
				default:
				}
				r, err := s.Query(t.Context(), facts.Query{Scope: facts.Everything(), Group: []facts.Column{facts.Class}, Measures: []facts.Measure{{Fn: facts.Count}, {Fn: facts.Rows}}})
				if err != nil {
					t.Error(err)
					return
				}
				sum := int64(0)
				for _, row := range r.Rows {
					if n := row[2].(int64); n%size != 0 {
						t.Errorf("%v: half a batch", row)
					}
					sum += row[2].(int64)
				}
				if sum < last {
					t.Errorf("%d rows after %d", sum, last)
				}
				last = sum
			}
		})
	}
	readers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := s.Compact(t.Context(), 20261123); err != nil {
				t.Error(err)
			}
			if _, err := s.Erase(t.Context(), facts.Subject{Project: 77, Install: 1}); err != nil {
				t.Error(err)
			}
			if _, err := s.Purge(t.Context(), factstest.Now()); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Go(func() {
		for b := range batches {
			var fs []eco.Fact
			for i := range size {
				at := day(20 + b%2).Add(hour * 3)
				fs = append(fs, eco.Fact{ID: eco.NewID(at, [16]byte{10: byte(b), 15: byte(i)}), Received: at.UnixMilli(), Class: []eco.Class{eco.Standard, eco.ClassCrash}[b/2%2],
					Kind: eco.KindEvent, Count: 1, Origin: eco.Origin{Project: 1, Extension: "a.x", Install: eco.Install(i)}})
			}
			if err := s.Insert(t.Context(), facts.Batch{Position: uint64(b + 1), Facts: fs}); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	close(stop)
	readers.Wait()
	if n := count(t, s); n != batches*size {
		t.Errorf("%d rows, want %d", n, batches*size)
	}
}

const childDir = "BELLWETHER_DUCK_CHILD_DIR"

// TestKilled kills a process while it inserts: every batch it reported is there
// with its position, and what it did not report is there once or not at all.
func TestKilled(t *testing.T) {
	if dir := os.Getenv(childDir); dir != "" {
		childInserts(t, dir)
		return
	}
	for _, after := range []int{3, 17} {
		t.Run(strconv.Itoa(after), func(t *testing.T) {
			dir := t.TempDir()
			cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
			cmd.Env = append(os.Environ(), childDir+"="+dir)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			acked := 0
			for lines := bufio.NewScanner(out); acked < after && lines.Scan(); {
				if n, ok := strings.CutPrefix(lines.Text(), "acked "); ok {
					acked, _ = strconv.Atoi(n)
				}
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			cmd.Wait()
			if acked < after {
				t.Fatalf("the child ended after %d batches", acked)
			}
			s := openIn(t, dir)
			st, err := s.Stats(t.Context())
			if err != nil || st.Position < uint64(acked) {
				t.Fatalf("position %d, %d acked, %v", st.Position, acked, err)
			}
			// replayed from the start, with other borders, all is there once
			for from := 0; from < acked+5; from += 3 {
				var fs []eco.Fact
				for b := from; b < from+3; b++ {
					fs = append(fs, childBatch(b+1).Facts...)
				}
				put(t, from+3, fs, s)
			}
			r, err := s.Query(t.Context(), facts.Query{Scope: facts.Everything(), Group: []facts.Column{facts.Project}, Measures: []facts.Measure{{Fn: facts.Rows}, {Fn: facts.Sum}}})
			if err != nil {
				t.Fatal(err)
			}
			for i, row := range r.Rows {
				if row[0] != int64(i+1) || row[1] != int64(childRows) {
					t.Errorf("batch %v has %v rows, want %d", row[0], row[1], childRows)
				}
			}
			if len(r.Rows) < acked {
				t.Errorf("%d batches, %d acked", len(r.Rows), acked)
			}
		})
	}
}

const childRows = 500

// childBatch is batch n of the child; Project says which batch a row is of.
func childBatch(n int) facts.Batch {
	b := facts.Batch{Position: uint64(n)}
	for i := range childRows {
		at := day(20 + i%2).Add(hour)
		b.Facts = append(b.Facts, eco.Fact{ID: eco.NewID(at, [16]byte{9: byte(n >> 8), 10: byte(n), 14: byte(i >> 8), 15: byte(i)}), Received: at.UnixMilli(),
			Class: []eco.Class{eco.Standard, eco.ClassCrash}[i/2%2], Kind: eco.KindEvent, Count: 1, Origin: eco.Origin{Project: int64(n), Extension: "a.x"}})
	}
	return b
}

func childInserts(t *testing.T, dir string) {
	s, err := Open(t.Context(), Options{Dir: dir, MemoryLimit: 128 << 20, Now: factstest.Now})
	if err != nil {
		t.Fatal(err)
	}
	s.pace = pace{after: 500, most: 1000, any: true}
	for n := 1; n < 10_000; n++ {
		if err := s.Insert(t.Context(), childBatch(n)); err != nil {
			t.Fatal(err)
		}
		if n%7 == 0 {
			if _, err := s.Compact(t.Context(), 20261121); err != nil {
				t.Fatal(err)
			}
		}
		fmt.Println("acked", n)
	}
}

func TestOptions(t *testing.T) {
	if _, err := Open(t.Context(), Options{Dir: t.TempDir()}); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("without a clock: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Dir: file, Now: factstest.Now}); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("a file as folder: %v", err)
	}
	s := openIn(t, filepath.Join(t.TempDir(), "it's new"))
	put(t, 1, factstest.Facts(rand.New(rand.NewPCG(1, 1)), 0, 10), s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	err := s.Insert(t.Context(), facts.Batch{Facts: factstest.Facts(rand.New(rand.NewPCG(1, 1)), 0, 1)})
	if fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("after closing: %v", err)
	}
}

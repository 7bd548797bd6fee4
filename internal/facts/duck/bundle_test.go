//go:build cgo

package duck

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/facts/factstest"
)

// crashesOnly asks every question about crashes alone.
type crashesOnly struct{ facts.Store }

func (s crashesOnly) Query(ctx context.Context, q facts.Query) (facts.Result, error) {
	q.Where = append(slices.Clone(q.Where), facts.Cond{Col: facts.Kind, Op: facts.In, Values: []string{string(eco.KindCrash)}})
	return s.Store.Query(ctx, q)
}

// bundling makes bundles of any number of files, and keeps no answers and no tables.
func bundling(s *Store) *Store {
	s.settled.least, s.answers.most = 1, 0
	return s
}

func files(t *testing.T, s *Store) int {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(s.o.Dir, bundleFolder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	s.bundles.mu.Lock()
	defer s.bundles.mu.Unlock()
	if len(list) != len(s.bundles.have) {
		t.Errorf("%d files, %d bundles in use", len(list), len(s.bundles.have))
	}
	return len(list)
}

// Bundles change no answer: after late rows, an erasure, a start, a purge.
func TestBundlesAnswerAsFacts(t *testing.T) {
	r := rand.New(rand.NewPCG(22, 1))
	dir := t.TempDir()
	s := bundling(openIn(t, dir))
	want := facts.NewMem()
	fs := factstest.Facts(r, 0, 1500)
	position, from := 0, 0
	more := func(n int) {
		t.Helper()
		position++
		put(t, position, fs[from:from+n], want, s)
		from += n
	}
	compare := func() {
		t.Helper()
		factstest.Compare(t, crashesOnly{want}, crashesOnly{s}, r, fs, 60)
	}
	pack := func() {
		t.Helper()
		if _, err := s.Compact(t.Context(), 20261121); err != nil {
			t.Fatal(err)
		}
		if files(t, s) == 0 {
			t.Fatal("no bundle: the comparison proves little")
		}
	}
	more(700)
	pack()
	compare()
	for _, f := range fs[:40] { // a client's id, of which a bundle has a hash
		q := facts.Query{Scope: facts.Everything(), Rows: true, Limit: 100, Where: []facts.Cond{{Col: facts.ClientID, Op: facts.In, Values: []string{f.ClientID}}, {Col: facts.Quarantined, Op: facts.In, Values: []string{"0", "1"}}}}
		a, err := crashesOnly{want}.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		b, err := crashesOnly{s}.Query(t.Context(), q)
		if err != nil || len(a.Facts) != len(b.Facts) {
			t.Fatalf("%q: %d rows, %d wanted, %v", f.ClientID, len(b.Facts), len(a.Facts), err)
		}
	}
	more(400) // late rows
	compare()
	pack()
	compare()
	for _, st := range []facts.Store{want, s} {
		if rec, err := st.Erase(t.Context(), facts.Subject{Project: 1, Install: 2}); err != nil || rec.Rows == 0 {
			t.Fatalf("%+v, %v", rec, err)
		}
	}
	compare()
	if _, err := s.Rewrite(t.Context()); err != nil {
		t.Fatal(err)
	}
	pack()
	had := files(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = bundling(openIn(t, dir))
	if files(t, s) != had {
		t.Fatalf("%d bundles after a start, %d before", files(t, s), had)
	}
	compare()
	for _, st := range []facts.Store{want, s} {
		if gone, err := st.Purge(t.Context(), factstest.Now().AddDate(0, 0, 30)); err != nil || len(gone) == 0 {
			t.Fatalf("%v, %v", gone, err)
		}
	}
	compare()
	pack()
	more(400)
	compare()
}

// A bundle that does not fit the files is not used after a start: somebody was
// killed between a change and the end of the bundle.
func TestBundleOfOtherFilesIsRemoved(t *testing.T) {
	dir := t.TempDir()
	s := bundling(openIn(t, dir))
	put(t, 1, factstest.Facts(rand.New(rand.NewPCG(5, 1)), 0, 400), s)
	pack := func() {
		t.Helper()
		if _, err := s.Compact(t.Context(), 20261121); err != nil || files(t, s) == 0 {
			t.Fatal(files(t, s), err)
		}
	}
	pack()
	kept := map[string][]byte{}
	list, _ := filepath.Glob(filepath.Join(dir, bundleFolder, "*"))
	for _, path := range list {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		kept[path] = b
	}
	rec, err := s.Erase(t.Context(), facts.Subject{Project: 1, Install: 2})
	if err != nil || rec.Rows == 0 {
		t.Fatalf("%+v, %v", rec, err)
	}
	for path := range kept { // what the erased are in is gone when Erase returns
		if _, err := os.Stat(path); err == nil && len(kept) == 1 {
			t.Errorf("%s is still there", path)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for path, b := range kept {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, bundleFolder, "1-1.duckdb.new"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, bundleFolder, "1-2.duckdb"), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	s = bundling(openIn(t, dir))
	touched := map[eco.Day]bool{}
	for _, p := range rec.Partitions {
		touched[p.Day] = true
	}
	for _, b := range s.bundles.have {
		for _, p := range b.parts {
			if touched[p.day] {
				t.Errorf("a bundle with %s from before the erasure is in use", p.day)
			}
		}
	}
	files(t, s)
}

// The contract holds with bundles made after every other batch.
func TestContractWithBundles(t *testing.T) {
	factstest.Run(t, func(t *testing.T) (facts.Store, func() facts.Store) {
		dir := t.TempDir()
		s := bundling(openIn(t, dir))
		return &eagerBundles{Store: s}, func() facts.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = bundling(openIn(t, dir))
			return &eagerBundles{Store: s}
		}
	})
}

type eagerBundles struct {
	*Store
	n int
}

func (s *eagerBundles) Insert(ctx context.Context, b facts.Batch) error {
	if err := s.Store.Insert(ctx, b); err != nil {
		return err
	}
	if s.n++; s.n%2 == 0 || len(b.Facts) == 0 {
		return nil
	}
	_, err := s.Compact(ctx, eco.DayOf(factstest.Now().Add(48*time.Hour)))
	if err != nil {
		return fmt.Errorf("packing: %w", err)
	}
	return nil
}

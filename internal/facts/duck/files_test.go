//go:build cgo

package duck

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/facts/factstest"
	"github.com/bellwether-project/bellwether/internal/fault"
)

const hour = time.Hour

func count(t *testing.T, s facts.Store) int64 {
	t.Helper()
	r, err := s.Query(t.Context(), facts.Query{Scope: facts.Everything(), Where: []facts.Cond{{Col: facts.Quarantined, Op: facts.In, Values: []string{"0", "1"}}}, Measures: []facts.Measure{{Fn: facts.Rows}}})
	if err != nil {
		t.Fatal(err)
	}
	return r.Rows[0][0].(int64)
}

// grep returns the files under dir that contain the text.
func grep(t *testing.T, dir, text string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(text)) {
			found = append(found, filepath.Base(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// marked makes facts of which one install's carry a marker in a text column.
func marked(n int, marker string) []eco.Fact {
	fs := factstest.Facts(rand.New(rand.NewPCG(9, 9)), 0, n)
	for i := range fs {
		fs[i].Origin.Project, fs[i].Origin.Install = 1, eco.Install(i%4+1)
		if i%4 == 0 {
			fs[i].Name = fmt.Sprintf("%s-%d", marker, i)
		}
	}
	return fs
}

// What was erased is in no file after Rewrite: not in facts, rollups, logs or temporary files.
func TestErasedBytesLeaveTheDisk(t *testing.T) {
	const marker = "MARKER-of-a-person"
	for _, closed := range []bool{false, true} {
		t.Run(fmt.Sprint("closed ", closed), func(t *testing.T) {
			dir := t.TempDir()
			s := openIn(t, dir)
			eager(s)
			put(t, 1, marked(3000, marker), s)
			if closed {
				if _, err := s.Compact(t.Context(), 20261122); err != nil {
					t.Fatal(err)
				}
			}
			if len(grep(t, dir, marker)) == 0 {
				t.Fatal("the marker is not on disk to begin with: the test proves nothing")
			}
			rec, err := s.Erase(t.Context(), facts.Subject{Project: 1, Install: 1})
			if err != nil || rec.Physical || rec.Rows != 750 {
				t.Fatalf("%+v, %v", rec, err)
			}
			st, err := s.Stats(t.Context())
			if err != nil || st.Pending != len(rec.Partitions) {
				t.Fatalf("pending %d, want %d, %v", st.Pending, len(rec.Partitions), err)
			}
			n, err := s.Rewrite(t.Context())
			if err != nil || n != len(rec.Partitions) {
				t.Fatalf("rewrote %d files, want %d, %v", n, len(rec.Partitions), err)
			}
			if left := grep(t, dir, marker); len(left) > 0 {
				t.Errorf("the marker is still in %v", left)
			}
			if n := count(t, s); n != 2250 {
				t.Errorf("%d rows left, want 2250", n)
			}
		})
	}
}

// An erasure that is not physical yet stays known over a restart.
func TestPendingErasureSurvives(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	put(t, 1, marked(100, "x"), s)
	if _, err := s.Erase(t.Context(), facts.Subject{Project: 1, Install: 1}); err != nil {
		t.Fatal(err)
	}
	st, _ := s.Stats(t.Context())
	s.Close()
	s = openIn(t, dir)
	again, err := s.Stats(t.Context())
	if err != nil || again.Pending == 0 || again.Pending != st.Pending {
		t.Fatalf("pending %d, then %d, %v", st.Pending, again.Pending, err)
	}
	if n, err := s.Rewrite(t.Context()); n != st.Pending || err != nil {
		t.Fatalf("rewrote %d, %v", n, err)
	}
}

// Whatever a crash during a rewrite, an export or a purge leaves is removed, and
// the file it was about is whole.
func TestHalfWrittenFilesAreRemoved(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	fs := factstest.Facts(rand.New(rand.NewPCG(2, 2)), 0, 200)
	put(t, 1, fs, s)
	name := filepath.Base(s.all()[0].path)
	s.Close()
	whole, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	left := map[string][]byte{
		name + ".new":                   whole[:len(whole)/2],
		name + ".new.wal":               []byte("half a log"),
		"2026-01-01-crash.duckdb.wal":   []byte("the log of a purged file"),
		"2026-01-02-crash.duckdb.new":   nil,
		"tmp/export-1.parquet":          []byte("PAR1"),
		"tmp/duckdb_temp_storage-0.tmp": []byte("spilled"),
		"2026-01-03-crash.duckdb":       nil, // made, and then the machine stopped
		"2026-01-04-crash.duckdb":       make([]byte, 4096),
		"2026-11-21-nonsense.duckdb":    bytes.Repeat([]byte("not ours"), 3000),
	}
	for f, b := range left {
		if err := os.WriteFile(filepath.Join(dir, f), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s = openIn(t, dir)
	for f := range left {
		_, err := os.Stat(filepath.Join(dir, f))
		kept := f == "2026-11-21-nonsense.duckdb"
		if (err == nil) != kept {
			t.Errorf("%s: %v", f, err)
		}
	}
	if n := count(t, s); n != 200 {
		t.Errorf("%d rows, want 200", n)
	}
}

// A rewrite that is cut off between its steps loses nothing and leaves nothing twice.
func TestRewriteCutOff(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	put(t, 1, marked(400, "x"), s)
	p := s.all()[0]
	next := &part{partKey: p.partKey, alias: p.alias + "_new", path: p.path + fresh}
	if err := s.copyInto(t.Context(), p, next, blockSize); err != nil { // built, but not renamed
		t.Fatal(err)
	}
	s.Close()
	s = openIn(t, dir)
	if n := count(t, s); n != 400 {
		t.Fatalf("before the rename: %d rows", n)
	}
	if _, err := os.Stat(next.path); !os.IsNotExist(err) {
		t.Fatalf("the unused file is still there: %v", err)
	}
	if err := s.copyInto(t.Context(), s.all()[0], next, blockSize); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if err := os.Rename(next.path, p.path); err != nil { // renamed, and then the machine stopped
		t.Fatal(err)
	}
	s = openIn(t, dir)
	if n := count(t, s); n != 400 {
		t.Fatalf("after the rename: %d rows", n)
	}
	if !s.all()[0].info.Load().sorted {
		t.Error("the new file is not the one in place")
	}
}

func TestOldFilesAreReadAndUpgraded(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	fs := factstest.Facts(rand.New(rand.NewPCG(4, 4)), 0, 60)
	for i := range fs {
		fs[i].Received, fs[i].Class, fs[i].Origin.Country, fs[i].Assumed = day(20).UnixMilli()+int64(i), eco.Standard, "", false
	}
	put(t, 1, fs, s)
	p := s.all()[0]
	// as a version before this one would have left it: without two columns and without rollups
	for _, q := range []string{"ALTER TABLE %s.facts DROP COLUMN country", "ALTER TABLE %s.facts DROP COLUMN assumed", "DROP TABLE %s.roll_page", "UPDATE %s.state SET version = 0, rolled = 1, kept = 7"} {
		if _, err := s.db.Exec(fmt.Sprintf(q, p.alias)); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	before, err := os.ReadFile(p.path)
	if err != nil {
		t.Fatal(err)
	}
	s = openIn(t, dir)
	want := facts.NewMem()
	put(t, 1, fs, want)
	r := rand.New(rand.NewPCG(6, 6))
	factstest.Compare(t, want, s, r, fs, 80)
	s.Close()
	if after, _ := os.ReadFile(p.path); !bytes.Equal(before, after) {
		t.Error("reading altered an old file")
	}
	s = openIn(t, dir)
	more := factstest.Facts(r, 100, 1)
	more[0].Received, more[0].Class = day(20).UnixMilli(), eco.Standard
	put(t, 2, more, s, want)
	if in := s.all()[0].info.Load(); in.version != schemaVersion || in.rows != 61 {
		t.Fatalf("an insert leaves %+v", in)
	}
	factstest.Compare(t, want, s, r, fs, 80)
	if _, err := s.db.Exec("UPDATE " + p.alias + ".state SET version = 99"); err != nil {
		t.Fatal(err)
	}
	s.Close()
	_, err = Open(t.Context(), Options{Dir: dir, Now: factstest.Now})
	if fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "newer version") {
		t.Fatalf("a file of a newer version: %v", err)
	}
}

func TestDamagedFileIsNamed(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "2026-11-20-crash.duckdb"), bytes.Repeat([]byte("damage"), 10_000), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{Dir: dir, Now: factstest.Now})
	if fault.CodeOf(err) != fault.Unavailable || !strings.Contains(fault.TextOf(err), "2026-11-20-crash.duckdb") {
		t.Fatalf("%v", err)
	}
}

func TestCompactClosesDaysOnce(t *testing.T) {
	s := openIn(t, t.TempDir())
	fs := factstest.Facts(rand.New(rand.NewPCG(3, 3)), 0, 900)
	put(t, 1, fs, s)
	for i, want := range []int{6, 0} { // two of three days are over, three classes
		if n, err := s.Compact(t.Context(), 20261121); err != nil || n != want {
			t.Fatalf("run %d closed %d files, want %d, %v", i, n, want, err)
		}
	}
	late := fs[:1:1]
	late[0].ID[15]++
	late[0].Received, late[0].Class = day(19).UnixMilli(), eco.Standard
	put(t, 2, late, s)
	if n, err := s.Compact(t.Context(), 20261121); err != nil || n != 1 {
		t.Fatalf("after a late row %d files, %v", n, err)
	}
	if n := count(t, s); n != 901 {
		t.Errorf("%d rows, want 901", n)
	}
}

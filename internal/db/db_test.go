package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/fault"
)

func files(texts ...string) fstest.MapFS {
	fs := fstest.MapFS{}
	for i, s := range texts {
		fs[fmt.Sprintf("%05d_step.sql", i+1)] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + s)}
	}
	return fs
}

const things = `CREATE TABLE thing (id text NOT NULL PRIMARY KEY, n bigint NOT NULL, UNIQUE (n));`

func exec(t *testing.T, d *db.DB, query string, args ...any) error {
	t.Helper()
	return d.Tx(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), query, args...)
		return err
	})
}

func count(t *testing.T, d *db.DB) (n int) {
	t.Helper()
	if err := d.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM thing`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestMigrateEachSetHasItsOwnVersions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		for range 2 { // the second run changes nothing
			if err := d.Migrate(ctx, "one", files(things)); err != nil {
				t.Fatal(err)
			}
			if err := d.Migrate(ctx, "two", files(`CREATE TABLE other (id text);`)); err != nil {
				t.Fatal(err)
			}
		}
		bad := files(things, `INSERT INTO thing (id, n) VALUES ('a', 1); INSERT INTO nowhere VALUES (1);`)
		if err := d.Migrate(ctx, "one", bad); fault.CodeOf(err) != fault.Internal {
			t.Fatalf("broken migration: %v", err)
		}
		if n := count(t, d); n != 0 {
			t.Fatalf("a failed migration left %d rows", n)
		}
		if err := d.Migrate(ctx, "one; drop", files()); fault.CodeOf(err) != fault.Invalid {
			t.Fatalf("name: %v", err)
		}
	})
}

func TestTx(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.Migrate(t.Context(), "one", files(things)); err != nil {
			t.Fatal(err)
		}
		want := errors.New("no")
		err := d.Tx(t.Context(), func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO thing (id, n) VALUES ($1, $2)`, "a", 1); err != nil {
				t.Fatal(err)
			}
			return want
		})
		if !errors.Is(err, want) || count(t, d) != 0 {
			t.Fatalf("err %v, rows %d; want the error and no row", err, count(t, d))
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			d.Tx(t.Context(), func(tx *sql.Tx) error {
				tx.ExecContext(t.Context(), `INSERT INTO thing (id, n) VALUES ('p', 9)`)
				panic("x")
			})
		}()
		if count(t, d) != 0 {
			t.Fatal("a panic committed")
		}
		if err := exec(t, d, `INSERT INTO thing (id, n) VALUES ('a', 1)`); err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{`INSERT INTO thing (id, n) VALUES ('a', 2)`, `INSERT INTO thing (id, n) VALUES ('b', 1)`} {
			if err := exec(t, d, q); !db.IsUnique(err) {
				t.Errorf("%s: %v, want a unique violation", q, err)
			}
		}
		if err := exec(t, d, `INSERT INTO nowhere VALUES (1)`); err == nil || db.IsUnique(err) {
			t.Errorf("other error: %v", err)
		}
	})
}

// What one transaction reads, no other may change before it commits: else two
// of these increments would read the same n.
func TestTxIsSerial(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.Migrate(t.Context(), "one", files(things)); err != nil {
			t.Fatal(err)
		}
		if err := exec(t, d, `INSERT INTO thing (id, n) VALUES ('a', 0)`); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				err := d.Tx(t.Context(), func(tx *sql.Tx) error {
					var n int
					if err := tx.QueryRow(`SELECT n FROM thing WHERE id = $1`, "a").Scan(&n); err != nil {
						return err
					}
					_, err := tx.Exec(`UPDATE thing SET n = $1 WHERE id = 'a'`, n+1)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		var n int
		if err := d.Read().QueryRow(`SELECT n FROM thing`).Scan(&n); err != nil || n != 40 {
			t.Fatalf("n = %d, %v; want 40", n, err)
		}
	})
}

func TestTxWaitsNoLongerThanItsContext(t *testing.T) {
	d := dbtest.Open(t)
	in, out := make(chan bool), make(chan bool)
	go d.Tx(t.Context(), func(*sql.Tx) error { in <- true; <-out; return nil })
	<-in
	defer close(out)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Tx(ctx, func(*sql.Tx) error { return nil }); fault.CodeOf(err) != fault.Unavailable {
		t.Fatalf("got %v, want unavailable", err)
	}
}

func TestTextSortsByBytes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.Migrate(t.Context(), "one", files(`CREATE TABLE w (s text NOT NULL);`)); err != nil {
			t.Fatal(err)
		}
		if err := exec(t, d, `INSERT INTO w (s) VALUES ('b'), ('B'), ('a-b'), ('aa'), ('é'), ('z')`); err != nil {
			t.Fatal(err)
		}
		rows, err := d.Read().Query(`SELECT s FROM w ORDER BY s`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var got []string
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				t.Fatal(err)
			}
			got = append(got, s)
		}
		if diff := cmp.Diff([]string{"B", "a-b", "aa", "b", "z", "é"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestLease(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		at := time.UnixMilli(1_700_000_000_000)
		for _, step := range []struct {
			holder string
			now    time.Duration
			want   bool
		}{
			{"a", 0, true}, {"b", 0, false}, {"a", 30, true}, // renewed until 90
			{"b", 89, false}, {"b", 90, true}, {"a", 100, false},
		} {
			now := at.Add(step.now * time.Second)
			got, err := d.Lease(t.Context(), "job", step.holder, now.Add(time.Minute), now)
			if err != nil || got != step.want {
				t.Fatalf("%s at %d: %v, %v; want %v", step.holder, step.now, got, err, step.want)
			}
		}
		if err := d.Release(t.Context(), "job", "a"); err != nil { // not a's: nothing happens
			t.Fatal(err)
		}
		if got, _ := d.Lease(t.Context(), "job", "a", at.Add(200*time.Second), at.Add(101*time.Second)); got {
			t.Fatal("a released what b holds")
		}
		if err := d.Release(t.Context(), "job", "b"); err != nil {
			t.Fatal(err)
		}
		if got, _ := d.Lease(t.Context(), "job", "a", at.Add(200*time.Second), at.Add(101*time.Second)); !got {
			t.Fatal("not free after release")
		}
	})
}

func TestSQLiteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c#.db") // a path is not a URL
	d, err := db.Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	fi, err := os.Stat(path)
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Fatalf("file: %v %v, want mode 0600", fi, err)
	}
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "secure_delete": "1"} {
		var got string
		err := d.Tx(t.Context(), func(tx *sql.Tx) error { return tx.QueryRow("PRAGMA " + pragma).Scan(&got) })
		if err != nil || got != want {
			t.Errorf("%s = %q (%v), want %q", pragma, got, err, want)
		}
	}
	if _, err := d.Read().Exec(`CREATE TABLE x (y text)`); err == nil {
		t.Error("the pool for reading writes")
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, dsn := range []string{"", "mysql://x", "sqlite:" + t.TempDir(), "sqlite:/no/such/folder/x.db"} {
		if d, err := db.Open(t.Context(), dsn); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%q: %v %v, want invalid", dsn, d, err)
		}
	}
}

// Package dbtest gives tests a database of their own: SQLite always, and
// PostgreSQL when BELLWETHER_POSTGRES is set, either to the address of a
// database the test may fill with schemas, or to "auto": then a throw-away
// cluster is started from Debian's binaries and ends with the test process.
package dbtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/bellwether-project/bellwether/internal/db"
)

// Open returns an empty SQLite database in a folder of the test.
func Open(t testing.TB) *db.DB {
	t.Helper()
	return open(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
}

// Each runs f on every engine that is there, each time on an empty database. An
// absent PostgreSQL is a skip outside CI, and a failure when CI=true.
func Each(t *testing.T, f func(*testing.T, *db.DB)) {
	t.Run("sqlite", func(t *testing.T) { f(t, Open(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, open(t, Postgres(t))) })
}

// Postgres returns the address of an empty schema of its own on PostgreSQL, or
// skips the test.
func Postgres(t testing.TB) string {
	t.Helper()
	base := os.Getenv("BELLWETHER_POSTGRES")
	if base == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("BELLWETHER_POSTGRES is not set; in CI it must be")
		}
		t.Skip("BELLWETHER_POSTGRES is not set (an address, or auto)")
	}
	return schema(t, base)
}

func open(t testing.TB, dsn string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d
}

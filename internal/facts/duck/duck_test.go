//go:build cgo

package duck

import (
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/facts/factstest"
)

// openIn opens a store in a folder and closes it with the test.
func openIn(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{Dir: dir, MemoryLimit: 256 << 20, Now: factstest.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestContract(t *testing.T) {
	factstest.Run(t, func(t *testing.T) (facts.Store, func() facts.Store) {
		dir := t.TempDir()
		s := openIn(t, dir)
		return s, func() facts.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = openIn(t, dir)
			return s
		}
	})
}

func day(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }

//go:build !cgo

package duck

import (
	"context"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Store is the engine this build does not have.
type Store struct{ facts.Store }

// Open refuses: DuckDB is C++ and needs cgo.
func Open(context.Context, Options) (*Store, error) {
	return nil, fault.E("duck.Open", fault.Unavailable, "this build has no embedded facts engine: it was built without cgo. Install gcc and g++, and build it again.", nil)
}

// Compact is never reached, since Open never returns a store.
func (s *Store) Compact(context.Context, eco.Day) (int, error) { return 0, nil }

//go:build cgo

package duck

import (
	"context"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// Store keeps one DuckDB file per (day of receipt, retention class).
type Store struct{ facts.Store }

// Open opens the folder.
func Open(ctx context.Context, o Options) (*Store, error) { panic("later") }

// Compact rewrites the partitions of days before the given one that were not rewritten since their last row, sorted and small. It returns how many.
func (s *Store) Compact(ctx context.Context, before eco.Day) (int, error) { panic("later") }

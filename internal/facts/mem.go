package facts

import (
	"context"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// Mem is the reference: plain Go over slices, for tests and as the oracle of the
// engines. It answers exactly what the contract says and is not fast.
type Mem struct{}

var _ Store = (*Mem)(nil)

// NewMem returns an empty store.
func NewMem() *Mem { return &Mem{} }

func (m *Mem) Insert(ctx context.Context, b Batch) error             { panic("later") }
func (m *Mem) Query(ctx context.Context, q Query) (Result, error)    { panic("later") }
func (m *Mem) Erase(ctx context.Context, s Subject) (Receipt, error) { panic("later") }
func (m *Mem) Rewrite(ctx context.Context) (int, error)              { panic("later") }
func (m *Mem) Stats(ctx context.Context) (Stats, error)              { panic("later") }
func (m *Mem) Close() error                                          { return nil }
func (m *Mem) Purge(ctx context.Context, now time.Time) ([]Partition, error) {
	panic("later")
}
func (m *Mem) Documents(ctx context.Context, scope Scope, ids []eco.ID) ([]Doc, error) {
	panic("later")
}
func (m *Mem) Export(ctx context.Context, q Query, dir string) ([]string, error) { panic("later") }

// Package facts is the fact table: events, sessions and crashes reduced to their
// dimensions, with the crash documents beside their rows, partitioned by (UTC day
// of receipt, retention class). Nothing else counts anything.
//
// Engines: facts/duck (DuckDB, one file per partition, needs cgo) and Mem (plain
// Go, the reference). factstest.Run is the contract both keep.
package facts

import (
	"context"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// Batch is what one step of the pipeline commits.
type Batch struct {
	// Position is the stream's sequence number of the last message in the batch.
	// Each partition remembers the highest position applied to it, in the same
	// transaction as the rows: a batch at or below it changes nothing there.
	Position uint64
	Facts    []eco.Fact
	Docs     []Doc
}

// Doc is a crash document (scrubbed JSON), kept beside its row: the same
// partition, found by its time-ordered id.
type Doc struct {
	ID    eco.ID
	Class eco.Class
	Body  []byte // JSON; the engine compresses it
}

// Store is the contract.
type Store interface {
	Insert(ctx context.Context, b Batch) error
	// Query answers within the scope. fault.Invalid for an unknown column or an
	// unset scope (programming errors included).
	Query(ctx context.Context, q Query) (Result, error)
	// Documents returns the documents of the ids that exist and whose rows lie in the scope.
	Documents(ctx context.Context, scope Scope, ids []eco.ID) ([]Doc, error)
	// Erase removes the rows and documents of a subject: at once for every query,
	// physically when the receipt says (Rewrite does it).
	Erase(ctx context.Context, s Subject) (Receipt, error)
	// Rewrite makes pending erasures physical; it returns how many partitions it rewrote.
	Rewrite(ctx context.Context) (int, error)
	// Purge drops the partitions whose class has run out at now and reports them.
	Purge(ctx context.Context, now time.Time) ([]Partition, error)
	// Export writes the rows a query selects (Query.Rows) as Parquet (duck) or JSON lines (mem) to the folder and returns the files.
	Export(ctx context.Context, q Query, dir string) ([]string, error)
	Stats(ctx context.Context) (Stats, error)
	Close() error
}

// Subject is whom an erasure is about: one pseudonym of one extension or host
// project, or one crash.
type Subject struct {
	Project int64
	Install eco.Install
	Crash   eco.ID // one report that its sender withdraws; Install is then 0
}

// Receipt says what an erasure did and when it is physical.
type Receipt struct {
	Rows, Docs int64
	Partitions []Partition
	Physical   bool // nothing is left to rewrite
}

// Partition is one (day, class).
type Partition struct {
	Day   eco.Day
	Class eco.Class
	Rows  int64
	Docs  int64
	Bytes int64
}

// Stats is what the Intake page shows of the store.
type Stats struct {
	Partitions []Partition
	Newest     time.Time // time of receipt of the newest stored row
	Position   uint64    // highest position applied anywhere
	Pending    int       // partitions with erasures that are not physical yet
}

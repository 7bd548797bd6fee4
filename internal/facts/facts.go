// Package facts is the fact table: events, sessions and crashes reduced to their
// dimensions, with the crash documents beside their rows, partitioned by (UTC day
// of receipt, retention class). Nothing else counts anything.
//
// Engines: facts/duck (DuckDB, one file per partition, needs cgo) and Mem (plain
// Go, the reference). factstest.Run is the contract both keep.
package facts

import (
	"bytes"
	"context"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Batch is what one step of the pipeline commits.
type Batch struct {
	// Position is the stream's sequence number of the last message in the batch.
	// Each partition remembers the highest position applied to it, in the same
	// transaction as the rows: a batch at or below it changes nothing there. After a
	// restart or a failed Insert batches may be cut differently: the first one
	// that reaches past a partition's position adds only rows whose id is not there.
	// 0 = from no stream (the demo world): applied as often as it comes.
	Position uint64
	Facts    []eco.Fact // stored as Normal makes them; ids are distinct
	Docs     []Doc      // each with its row among Facts
}

// Doc is a crash document (scrubbed JSON), kept beside its row: the same
// partition (that of the row), found by its time-ordered id.
type Doc struct {
	ID    eco.ID
	Class eco.Class
	Body  []byte // JSON; the engine compresses it
}

// MaxIDs bounds one call of Documents.
const MaxIDs = 1000

// Store is the contract.
type Store interface {
	// Insert stores a batch; it is durable when Insert returns. Partitions commit one
	// after another: after an error some may hold the batch, and repeating it is right.
	// Nothing of the batch is kept or read afterwards.
	Insert(ctx context.Context, b Batch) error
	// Query answers within the scope. fault.Invalid for an unknown column or an
	// unset scope (programming errors included).
	Query(ctx context.Context, q Query) (Result, error)
	// Documents returns the documents of the ids that exist and whose rows lie in the
	// scope, in the order of ids.
	Documents(ctx context.Context, scope Scope, ids []eco.ID) ([]Doc, error)
	// Amend replaces the bodies of documents that are there and says how many; one that
	// is not (any more) stays away. Rows never change. At most MaxIDs at once.
	Amend(ctx context.Context, docs []Doc) (int, error)
	// Erase removes the rows and documents of a subject: at once for every query,
	// physically when the receipt says (Rewrite does it).
	Erase(ctx context.Context, s Subject) (Receipt, error)
	// Rewrite makes pending erasures physical; it returns how many partitions it rewrote.
	Rewrite(ctx context.Context) (int, error)
	// Purge drops the partitions whose class has run out at now (the day of receipt
	// and Class.Days full days after it are over) and reports them. Classes without
	// a fixed end are never dropped by it.
	Purge(ctx context.Context, now time.Time) ([]Partition, error)
	// Export writes the rows a query selects as Parquet (duck) or JSON lines (mem) to
	// the folder, one file per day, and returns their paths. Limit and Order do not
	// apply. Pseudonyms (install, session, dedup) are left out.
	Export(ctx context.Context, q Query, dir string) ([]string, error)
	Stats(ctx context.Context) (Stats, error)
	Close() error
}

// Subject is whom an erasure is about: one pseudonym of one extension's or host's
// project, or one crash, or what of a project is held in quarantine.
type Subject struct {
	Project int64
	Install eco.Install
	Crash   eco.ID // one report that its sender withdraws; Install is then 0, and Project may be
	Held    *Held  // then Install and Crash are 0
}

// Held names quarantined rows of a project: what a person let go, or threw away.
type Held struct {
	Upto      eco.ID // ids are ordered by the time of receipt; later ones stay
	Signature string // only those of this one; "" = all
}

// Check refuses a subject that names nobody.
func (s Subject) Check() error {
	if s.Held != nil {
		if s.Project == 0 || s.Install != 0 || !s.Crash.IsZero() || s.Held.Upto.IsZero() {
			return fault.E("facts.Erase", fault.Invalid, "What is held is named by its project and the last id.", nil)
		}
		return nil
	}
	if (s.Install == 0) == s.Crash.IsZero() || s.Install != 0 && s.Project == 0 {
		return fault.E("facts.Erase", fault.Invalid, "An erasure names an install of a project, or a report.", nil)
	}
	return nil
}

// Has reports whether the row is the subject's.
func (s Subject) Has(f *eco.Fact) bool {
	if h := s.Held; h != nil {
		return f.Quarantined && f.Origin.Project == s.Project && bytes.Compare(f.ID[:], h.Upto[:]) <= 0 && (h.Signature == "" || f.Signature == h.Signature)
	}
	if s.Install != 0 {
		return f.Origin.Project == s.Project && f.Origin.Install == s.Install
	}
	return f.ID == s.Crash && (s.Project == 0 || f.Origin.Project == s.Project)
}

// Expired reports whether the class of the partition has run out at now.
func (p Partition) Expired(now time.Time) bool {
	n := p.Class.Days()
	return n > 0 && eco.DayOf(p.Day.Time().AddDate(0, 0, n)) < eco.DayOf(now)
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

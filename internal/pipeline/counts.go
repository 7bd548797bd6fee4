package pipeline

import (
	"context"
	"time"

	"github.com/bellwether-project/bellwether/internal/db"
)

// Count is a number of items that came to the same end.
type Count struct {
	Hour     int64  `json:"hour"` // Unix milliseconds of its start; Add fills it in
	Project  int64  `json:"project"`
	Protocol string `json:"protocol"`
	Kind     string `json:"kind"`
	Outcome  string `json:"outcome"`          // accepted, dropped, stored, duplicate, dead
	Reason   string `json:"reason,omitempty"` // of a drop
	N        int64  `json:"n"`
}

// Outcomes. Doors say accepted (the stream has it) and dropped; the flow says
// what became of what was accepted.
const (
	Accepted  = "accepted"
	Dropped   = "dropped"
	Stored    = "stored"
	Duplicate = "duplicate"
	Dead      = "dead"
)

// Counts adds up what came in and what became of it, by hour, in memory; Flush
// adds it to pipeline.db. It is safe for concurrent use.
type Counts struct{}

// NewCounts opens the table of counts.
func NewCounts(ctx context.Context, d *db.DB, now func() time.Time) (*Counts, error) { panic("later") }

// Add counts c.N items (0 counts as 1) in the present hour. It does no I/O.
func (c *Counts) Add(n Count) { panic("later") }

// Flush writes what was added since the last flush.
func (c *Counts) Flush(ctx context.Context) error { panic("later") }

// CountFilter narrows Counts.List. Zero fields do not narrow.
type CountFilter struct {
	From, To time.Time
	Projects []int64 // nil: all; empty and not nil: none
	ByHour   bool    // a row an hour; else Hour is 0 and the hours are added up
}

// List returns counts, also those not flushed yet, ordered by hour, project,
// protocol, kind, outcome and reason; at most 10,000.
func (c *Counts) List(ctx context.Context, f CountFilter) ([]Count, error) { panic("later") }

// Prune drops hours before the time given.
func (c *Counts) Prune(ctx context.Context, before time.Time) error { panic("later") }

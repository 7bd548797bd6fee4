// Package jobs runs whatever recurs, from one table: name, how often, how long at
// most, and the function. In a cluster a lease keeps a job from running twice at
// a time; jobs are idempotent all the same. What it is not: a queue.
package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/bellwether-project/bellwether/internal/db"
)

// Job is one line of the table.
type Job struct {
	Name  string        // "purge", lower case, its id
	What  string        // for people: "Drops partitions whose retention has run out."
	Every time.Duration // from start to start
	Limit time.Duration // its context ends then
	Do    func(context.Context) (note string, err error)
}

// Status is a job as the page shows it.
type Status struct {
	Name     string        `json:"name"`
	What     string        `json:"what"`
	Every    time.Duration `json:"every"`
	Limit    time.Duration `json:"limit"`
	Last     time.Time     `json:"last"` // start of the last run; zero: never
	Took     time.Duration `json:"took"`
	Outcome  string        `json:"outcome"`  // "", ok, failed
	Note     string        `json:"note"`     // what it did, or why it failed
	Failures int           `json:"failures"` // in a row
	Next     time.Time     `json:"next"`
	Running  bool          `json:"running"`
	Holder   string        `json:"holder,omitempty"` // process that runs it now
}

// Options are what a table stands on.
type Options struct {
	DB     *db.DB // records.db
	Holder string // this process
	Now    func() time.Time
	Log    *slog.Logger
}

// Table holds the jobs.
type Table struct{}

// New checks the jobs (distinct names, sane times) and opens the table of runs.
func New(ctx context.Context, o Options, jobs []Job) (*Table, error) { panic("later") }

// Run starts jobs when they are due, until ctx is done and the running ones have ended.
func (t *Table) Run(ctx context.Context) error { panic("later") }

// List shows every job, in the order of the table.
func (t *Table) List(ctx context.Context) ([]Status, error) { panic("later") }

// RunNow runs a job at once, unless it is running: fault.Conflict.
func (t *Table) RunNow(ctx context.Context, name string) error { panic("later") }

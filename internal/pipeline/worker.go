// Package pipeline is the flow: it reads the stream in order, sends every
// envelope down one line of stages, and commits families, facts and the cursor
// in the order that makes a replay harmless. What it is not: a place for rules
// (floor of rules) or for the questions of people (desks).
package pipeline

import (
	"context"
	"log/slog"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/stream"
)

// Options are what a worker stands on.
type Options struct {
	Log     *slog.Logger
	Stream  stream.Log
	Flow    *db.DB // pipeline.db
	Facts   facts.Store
	Desk    *crash.Desk
	Counts  *Counts
	Audit   *audit.Log // replays and discards of dead letters; nil: none
	Records *db.DB     // where Audit writes
	World   func() *blame.World
	Now     func() time.Time
	// Releases is told of releases when they are first seen; it must be idempotent. nil: nobody is told.
	Releases func(context.Context, []Release) error
	// Feedback is given what users wrote, at least once, before it is stored; idempotent by envelope id. nil: it stays in facts.
	Feedback func(context.Context, []eco.Envelope) error
	// Erased says that the subject of an envelope was erased after it came in; it is dropped then. nil: nobody was.
	Erased func(*eco.Envelope) bool
}

// Release is a version that was seen for the first time since the start.
type Release struct {
	Extension eco.ExtensionID // "" for a host's own version
	Host      string
	Version   string
	Channel   eco.Channel
	Seen      time.Time
}

// Worker reads the stream. One at a time.
type Worker struct{ o Options }

// New prepares a worker: migrations, family snapshots, the sets of known ids.
func New(ctx context.Context, o Options) (*Worker, error) { panic("later") }

// Run works until ctx is done; what was begun is finished or replayed at the next start.
func (w *Worker) Run(ctx context.Context) error { panic("later") }

// Intake is what the Intake page shows of the flow.
type Intake struct {
	Stream    stream.Stats  `json:"stream"`
	Facts     facts.Stats   `json:"facts"`
	Position  uint64        `json:"position"` // last stream position whose facts are queryable
	Newest    time.Time     `json:"newest"`   // time of receipt of the newest stored record
	Waiting   uint64        `json:"waiting"`  // messages not yet stored
	Lag       time.Duration `json:"lag"`      // age of the oldest message not yet stored
	Letters   int           `json:"letters"`  // dead letters waiting for a person
	Families  int           `json:"families"`
	Sessions  int           `json:"sessions"`   // sessions that may still change
	Known     int           `json:"known"`      // ids in the set of known ids
	LastError string        `json:"last_error"` // why the worker waits, "" when it does not
	LastBatch time.Duration `json:"last_batch"` // how long the last batch took
}

// Intake reports.
func (w *Worker) Intake(ctx context.Context) (Intake, error) { panic("later") }

// Package pipeline is the flow: one worker reads the stream in order, sends every
// record down one line of stages, and commits in the order that makes a replay
// harmless:
//
//  1. families, snapshots, dead letters and the decisions of the batch with its
//     place in the stream: one transaction of pipeline.db
//  2. facts, each partition with its own applied position
//  3. reopened families, in records.db (idempotent)
//  4. the cursor of the stream
//
// A batch begins after step 2 of the one before. So after a crash at any moment
// at most one batch is half done; it is formed again from the same messages and
// stored with the recorded decisions, never decided anew.
//
// What it is not: a place for rules (floor of rules) or for the questions of
// people (desks).
package pipeline

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/dumps"
	"github.com/bellwether-project/bellwether/internal/crash/symbols"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/family"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/stream"
)

//go:embed migrations/*.sql
var migrations embed.FS

func migrate(ctx context.Context, d *db.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	return d.Migrate(ctx, "pipeline", files)
}

// Options are what a worker stands on.
type Options struct {
	Log    *slog.Logger
	Stream stream.Log
	Flow   *db.DB // pipeline.db
	Facts  facts.Store
	Desk   *crash.Desk
	Counts *Counts
	// Records is where Audit writes of replays and discards of dead letters.
	Records  *db.DB
	Audit    *audit.Log
	World    func() *blame.World
	Now      func() time.Time
	Families family.Options
	// Holder, when set, makes Run wait for the lease "pipeline" and keep it: several
	// processes may then run one. Empty: the only process.
	Holder string
	// Releases is told of releases when they are first seen; it must be idempotent. nil: nobody is told.
	Releases func(context.Context, []Release) error
	// Feedback is given what users wrote, at least once, before it is stored; idempotent by envelope id. nil: it stays in facts.
	Feedback func(context.Context, []eco.Envelope) error
	// Reopened is told of families that came back, after it is recorded; at most once. nil: nobody is told.
	Reopened func(context.Context, []crash.Change)
	// Suspects names what many crashes of a family had active, for a new one of it (step
	// 6 of blame). nil: there is no evidence.
	Suspects func(family string, active []eco.Active) []eco.Candidate
	// Erased says that the subject of an envelope was erased after it came in; it is dropped then. nil: nobody was.
	Erased func(*eco.Envelope) bool
	// Symbols names frames. nil: there are no symbol files.
	Symbols *symbols.Store
	// Dumps keeps minidumps, to be unwound again when symbols come late. nil: none are kept.
	Dumps *dumps.Store
}

// Release is a version that was seen for the first time since the start.
type Release struct {
	Extension eco.ExtensionID // "" for a host's own version
	Host      string
	Version   string
	Channel   eco.Channel // "" when the crash of another project named it
	Seen      time.Time
}

// Worker reads the stream. One at a time runs; any number may show its dead
// letters and intake.
type Worker struct {
	o       Options
	stages  []stage
	pause   func(ctx context.Context, attempt int) error // between tries of a commit
	trip    func(step string, done bool) error           // tests only: a fault before or after a step
	maxRows int                                          // of a batch

	turns chan turn // what others ask the goroutine of Run to do between two batches

	// Owned by the goroutine of Run.
	index    *family.Index
	links    *family.Links   // what people merged and split, as the index knows it
	changed  map[string]bool // blocks that learned something since their last snapshot
	known    *aging[struct{}]
	sessions *aging[sessionState]
	releases map[Release]struct{}
	signed   map[string][]crash.Signed // by hash, of the signatures that the batch counts by
	newest   time.Time
	batches  uint64     // since the start
	rows     []eco.Fact // room for those of a batch

	shown atomic.Pointer[family.Index] // index, for Nearest: it guards itself

	mu   sync.Mutex
	view view
}

// view is what Intake shows of a running worker.
type view struct {
	position  uint64
	newest    time.Time
	families  int
	sessions  int
	known     int
	lastError string
	lastBatch time.Duration
	rows      int64
}

// New prepares a worker and makes its tables when they are missing. What it
// remembers is loaded by Run.
func New(ctx context.Context, o Options) (*Worker, error) {
	if err := migrate(ctx, o.Flow); err != nil {
		return nil, fault.Wrap("pipeline.New", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Worker{o: o, stages: withSymbols(crashLine, o.Symbols), pause: backoff, maxRows: maxRows, turns: make(chan turn)}, nil
}

// Run works until ctx is done. It returns nil then, and an error when it cannot
// begin; once it runs, it tries again whatever fails. What was begun when ctx
// ends is finished at the next start.
func (w *Worker) Run(ctx context.Context) error {
	for {
		hold, err := w.lease(ctx)
		if err != nil || ctx.Err() != nil {
			return ended(ctx, err)
		}
		held, stop := hold(ctx)
		err = w.work(held)
		stop()
		if err != nil || ctx.Err() != nil || w.o.Holder == "" {
			return err
		} // else the lease went elsewhere: stand in line again
	}
}

// work loads what the worker remembers and runs until ctx is done.
func (w *Worker) work(ctx context.Context) error {
	w.index, w.links = family.NewIndex(w.o.Families), nil
	w.shown.Store(w.index)
	w.known, w.sessions = newAging[struct{}](maxDedup), newAging[sessionState](maxSessions)
	w.releases, w.changed, w.signed = map[Release]struct{}{}, map[string]bool{}, map[string][]crash.Signed{}
	w.newest = time.UnixMilli(0)
	err := w.o.Desk.Blocks(ctx, func(b crash.Block) error {
		_, err := w.index.Restore(b.Body)
		if err != nil { // the block begins anew rather than the server not at all
			w.o.Log.Error("family snapshot cannot be read", "block", b.Key, "err", err)
		}
		return nil
	})
	if err != nil {
		return ended(ctx, err)
	}
	position, err := w.replayLast(ctx)
	if err != nil {
		return ended(ctx, err)
	}
	if err := w.restore(ctx); err != nil {
		return ended(ctx, err)
	}
	w.show(func(v *view) { v.position = position; v.sessions, v.known = w.sessions.len(), w.known.len() })
	return w.flow(ctx, position)
}

// ended is nil for what is only the end of ctx.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (w *Worker) show(f func(*view)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(&w.view)
}

// backoff waits longer after each failure, at most ten seconds.
func backoff(ctx context.Context, attempt int) error {
	wait := min(50*time.Millisecond<<min(attempt, 10), 10*time.Second)
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

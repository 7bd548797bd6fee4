// Package jobs runs whatever recurs, from one table: name, how often, how long at
// most, and the function. The last and the next run of each are kept and shown.
// In a cluster a lease keeps a job from running twice at a time; jobs are
// idempotent all the same, because a process may die between doing and noting.
// What it is not: a queue, or a place for what jobs do.
package jobs

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Job is one line of the table.
type Job struct {
	Name  string        // "purge", small letters and dashes: its id
	What  string        // for people: "Drops partitions whose retention has run out."
	Every time.Duration // from start to start, at least a second
	Limit time.Duration // its context ends then
	// Do says in its note what it did. A note that begins with "nothing" is of a run
	// that had nothing to do: it is logged for those who debug, as idle jobs would
	// otherwise be most of the log.
	Do func(context.Context) (note string, err error)
	// Local jobs concern this process only (its memory, its buffers): every process
	// runs them, without a lease, and what became of them is kept in memory. A job
	// that runs every few seconds costs the disk nothing that way.
	Local bool
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
	Next     time.Time     `json:"next"`     // zero: as soon as a process runs the table
	Running  bool          `json:"running"`
	Holder   string        `json:"holder,omitempty"` // process that runs it now
}

// Outcomes of a run.
const (
	OK     = "ok"
	Failed = "failed"
)

// MaxNote bounds what is kept of a note, in bytes.
const MaxNote = 500

// look is how often the table is read for what other processes did.
const look = 30 * time.Second

// Options are what a table stands on.
type Options struct {
	DB     *db.DB // records.db
	Holder string // this process, the same after a restart on one machine, so that it takes its own lease again
	Now    func() time.Time
	Log    *slog.Logger
}

// Table holds the jobs.
type Table struct {
	o    Options
	jobs []Job

	mu      sync.Mutex
	running map[string]bool
	local   map[string]run // of local jobs
	runs    sync.WaitGroup
	ended   chan struct{} // a run has ended: look again
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)

// New checks the jobs (distinct names, sane times) and opens the table of runs.
func New(ctx context.Context, o Options, jobs []Job) (*Table, error) {
	const op = "jobs.New"
	seen := map[string]bool{}
	for _, j := range jobs {
		if !nameForm.MatchString(j.Name) || seen[j.Name] || j.Every < time.Second || j.Limit <= 0 || j.Do == nil || j.What == "" {
			return nil, fault.E(op, fault.Internal, "The job "+j.Name+" has a name that is taken or not valid, no text, no function or no times.", nil)
		}
		seen[j.Name] = true
	}
	files, err := fs.Sub(migrations, "migrations")
	if err == nil {
		err = o.DB.Migrate(ctx, "jobs", files)
	}
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Table{o: o, jobs: jobs, running: map[string]bool{}, local: map[string]run{}, ended: make(chan struct{}, 1)}, nil
}

// Run starts jobs when they are due, until ctx is done and the running ones,
// whose contexts end with it, have returned.
func (t *Table) Run(ctx context.Context) error {
	defer t.runs.Wait()
	for {
		wait := t.start(ctx)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		case <-t.ended:
			timer.Stop()
		}
	}
}

// start starts what is due and returns how long nothing else will be.
func (t *Table) start(ctx context.Context) time.Duration {
	runs, err := t.read(ctx)
	if err != nil {
		if ctx.Err() == nil {
			t.o.Log.Error("the table of jobs cannot be read", "err", err)
		}
		return look
	}
	now := t.o.Now()
	wait := look
	for _, j := range t.jobs {
		if t.isRunning(j.Name) {
			continue
		}
		if due := runs[j.Name].next.Sub(now); due > 0 {
			wait = min(wait, due)
			continue
		}
		if err := t.begin(ctx, j); err != nil && fault.CodeOf(err) != fault.Conflict && ctx.Err() == nil {
			t.o.Log.Error("a job cannot start", "job", j.Name, "err", err)
		}
	}
	return max(wait, 10*time.Millisecond)
}

// RunNow runs a job at once and returns when it has begun. fault.Conflict: it is
// running, here or elsewhere. It outlives ctx, within its limit; Run waits for it.
func (t *Table) RunNow(ctx context.Context, name string) error {
	for _, j := range t.jobs {
		if j.Name == name {
			return t.begin(context.WithoutCancel(ctx), j)
		}
	}
	return fault.E("jobs.RunNow", fault.NotFound, "No such job.", nil)
}

func (t *Table) isRunning(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.running[name]
}

// begin takes the lease and runs the job in a goroutine that Run waits for.
func (t *Table) begin(ctx context.Context, j Job) error {
	t.mu.Lock()
	if t.running[j.Name] {
		t.mu.Unlock()
		return errBusy
	}
	t.running[j.Name] = true
	t.runs.Add(1)
	t.mu.Unlock()
	now := t.o.Now()
	if err := t.take(ctx, j, now); err != nil {
		t.over(j.Name)
		return err
	}
	go t.run(ctx, j, now)
	return nil
}

var errBusy = fault.E("jobs.begin", fault.Conflict, "This job is running.", nil)

// take gets the lease and notes the beginning; for a local job there is neither.
func (t *Table) take(ctx context.Context, j Job, now time.Time) error {
	if j.Local {
		return nil
	}
	got, err := t.o.DB.Lease(ctx, lease(j.Name), t.o.Holder, now.Add(j.Limit+time.Minute), now)
	if err != nil {
		return err
	}
	if !got {
		return errBusy
	}
	return t.note(ctx, j.Name, run{began: now, next: now.Add(j.Every), holder: t.o.Holder}, true)
}

func lease(name string) string { return "job " + name }

func (t *Table) over(name string) {
	t.mu.Lock()
	delete(t.running, name)
	t.mu.Unlock()
	t.runs.Done()
}

func (t *Table) run(ctx context.Context, j Job, began time.Time) {
	defer func() {
		t.over(j.Name)
		select {
		case t.ended <- struct{}{}:
		default:
		}
	}()
	limited, cancel := context.WithTimeout(ctx, j.Limit)
	defer cancel()
	note, err := guarded(limited, j.Do)
	took := t.o.Now().Sub(began)
	r := run{began: began, took: took, outcome: OK, note: eco.Clean(note, MaxNote), next: began.Add(j.Every)}
	if err != nil {
		r.outcome, r.note = Failed, eco.Clean(fault.TextOf(err), MaxNote)
		level := slog.LevelError
		if ctx.Err() != nil { // the server ends, and the job with it
			level = slog.LevelInfo
		}
		t.o.Log.Log(ctx, level, "job failed", "job", j.Name, "took", took, "err", err)
	} else if !j.Local {
		level := slog.LevelInfo
		if strings.HasPrefix(note, "nothing") {
			level = slog.LevelDebug
		}
		t.o.Log.Log(ctx, level, "job", "job", j.Name, "took", took, "note", note)
	}
	t.finish(context.WithoutCancel(ctx), j, r) // the end of ctx must not keep the outcome from being noted
}

func (t *Table) finish(ctx context.Context, j Job, r run) {
	if j.Local {
		t.mu.Lock()
		if r.outcome == Failed {
			r.failures = t.local[j.Name].failures + 1
		}
		t.local[j.Name] = r
		t.mu.Unlock()
		return
	}
	if err := t.note(ctx, j.Name, r, false); err != nil {
		t.o.Log.Error("the outcome of a job is not noted", "job", j.Name, "err", err)
	}
	if err := t.o.DB.Release(ctx, lease(j.Name), t.o.Holder); err != nil {
		t.o.Log.Error("the lease of a job is not released", "job", j.Name, "err", err)
	}
}

// guarded turns a panic of a job into an error.
func guarded(ctx context.Context, do func(context.Context) (string, error)) (note string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.E("jobs.run", fault.Internal, "The job broke.", fmt.Errorf("panic: %v", p))
		}
	}()
	return do(ctx)
}

// Package app wires the house: it opens the engines, hands each part what it
// needs, runs the parts, and closes them in the order that loses nothing. It is
// the only place that knows them all, and holds no logic of its own.
package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"github.com/bellwether-project/bellwether/internal/alert"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/crash/dumps"
	"github.com/bellwether-project/bellwether/internal/crash/suspect"
	"github.com/bellwether-project/bellwether/internal/crash/triage"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/facts/duck"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/walk"
	"github.com/bellwether-project/bellwether/internal/jobs"
	"github.com/bellwether-project/bellwether/internal/keyring"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/receipt"
	"github.com/bellwether-project/bellwether/internal/stream"
	"github.com/bellwether-project/bellwether/internal/stream/jet"
)

// App is a running server: New opens it, Run serves, Close ends it.
type App struct {
	o       Options
	log     *slog.Logger
	Records *Records
	facts   facts.Store
	dumps   *dumps.Store
	walker  *walk.Tool // nil: none is installed
	stream  stream.Log
	group   *stream.Group
	keys    *keyring.Ring
	desk    *crash.Desk
	triage  *triage.Desk
	Alerts  *alert.Service
	answers *answers.Desk
	book    *receipt.Book
	board   *receipt.Board
	suspect *suspect.Desk
	counts  *pipeline.Counts
	worker  *pipeline.Worker
	jobs    *jobs.Table
	disk    *disk
	servers []*server
	base    string
	closers []func() error // last opened, first closed
	once    sync.Once
}

// New opens everything and starts to listen; no request is answered before Run.
func New(ctx context.Context, o Options, log *slog.Logger) (_ *App, err error) {
	if err := o.Check(); err != nil {
		return nil, fault.E("app.New", fault.Invalid, "The configuration has mistakes: "+err.Error(), nil)
	}
	if err := forbidCores(); err != nil {
		return nil, fault.E("app.New", fault.Internal, "Core dumps cannot be switched off; one would hold reports that are not scrubbed yet.", err)
	}
	a := &App{o: o, log: log, disk: newDisk(o, log)}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if a.Records, err = OpenRecords(ctx, o, log); err != nil {
		return nil, err
	}
	a.onClose(a.Records.Close)
	if err := a.openGround(ctx); err != nil {
		return nil, err
	}
	if err := a.openFlow(ctx); err != nil {
		return nil, err
	}
	return a, a.openDoors()
}

func (a *App) onClose(f func() error) { a.closers = append(a.closers, f) }

// openGround opens keys, the stream and facts.
func (a *App) openGround(ctx context.Context) (err error) {
	if a.keys, err = keyring.Open(a.o.Keyring); err != nil {
		return err
	}
	// The stream locks its folder, so it comes before what a second process on the
	// same data folder could harm.
	log, err := jet.Open(ctx, jet.Options{Dir: filepath.Join(a.o.Data, "stream"), MaxBytes: a.o.StreamMax, URL: a.o.StreamURL, Replicas: a.o.StreamReplicas})
	if err != nil {
		return err
	}
	a.stream = log
	a.onClose(log.Close)
	store, err := duck.Open(ctx, duck.Options{Dir: filepath.Join(a.o.Data, "facts"), Now: now, Log: a.log})
	if err != nil {
		return err
	}
	a.onClose(store.Close)
	if err := a.openDumps(ctx); err != nil {
		return err
	}
	a.facts = &erasing{store, a.dumps}
	a.group = stream.NewGroup(log, stream.GroupOptions{})
	a.onClose(func() error { a.group.Close(); return nil })
	return nil
}

// openFlow opens the crash desk, the worker and the jobs.
func (a *App) openFlow(ctx context.Context) (err error) {
	r := a.Records
	if a.desk, err = crash.New(ctx, crash.Options{
		Flow: r.Flow, Records: r.DB, Audit: r.Audit, Facts: a.facts, Now: now, NewID: randomID, Pseudonym: a.keys.Pseudonym, Order: a.releaseOrder,
	}); err != nil {
		return err
	}
	if a.triage, err = r.triage(ctx, a.desk, a.log); err != nil {
		return err
	}
	if err = a.openAnswers(ctx); err != nil {
		return err
	}
	if a.suspect, err = suspect.New(ctx, suspect.Options{Log: a.log, Flow: r.Flow, Facts: a.facts, Desk: a.desk, Now: now}); err != nil {
		return err
	}
	if a.counts, err = pipeline.NewCounts(ctx, r.Flow, now); err != nil {
		return err
	}
	if a.worker, err = pipeline.New(ctx, pipeline.Options{
		Log: a.log, Stream: a.stream, Flow: r.Flow, Facts: a.facts, Desk: a.desk, Counts: a.counts,
		Audit: r.Audit, Records: r.DB, World: r.Registry.World, Now: now, Releases: a.ensureReleases, Holder: a.holder(), Erased: a.answers.Erased,
		Suspects: a.suspect.Blame,
		Symbols:  r.Symbols, Dumps: a.dumps,
	}); err != nil {
		return err
	}
	if err := a.openAlerts(ctx); err != nil {
		return err
	}
	a.jobs, err = jobs.New(ctx, jobs.Options{DB: r.DB, Holder: a.holder(), Now: now, Log: a.log}, append(a.schedule(), a.alertJobs()...))
	return err
}

// holder names this process for leases. It survives a restart, so that a process
// that was killed does not wait for its own leases to end.
func (a *App) holder() string {
	host, _ := os.Hostname()
	data, err := filepath.Abs(a.o.Data)
	if err != nil {
		data = a.o.Data
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(host+" "+data)))[:16]
}

// openDoors binds the addresses and mounts every door.
func (a *App) openDoors() error {
	ln, err := net.Listen("tcp", a.o.Listen)
	if err != nil {
		return fault.E("app.openDoors", fault.Unavailable, "The address "+a.o.Listen+" cannot be listened on.", err)
	}
	a.base = a.o.base(ln.Addr())
	base, err := url.Parse(a.base)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	a.Alerts.SetBase(base)
	handler, rpc, err := a.doors(base)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	main, err := listen(ln, a.o, handler, a.log)
	if err != nil {
		return err
	}
	a.servers = append(a.servers, main)
	if a.o.GRPC == "" {
		return nil
	}
	if ln, err = net.Listen("tcp", a.o.GRPC); err != nil {
		return fault.E("app.openDoors", fault.Unavailable, "The address "+a.o.GRPC+" cannot be listened on.", err)
	}
	second, err := listen(ln, a.o, rpc, a.log)
	if err != nil {
		return err
	}
	a.servers = append(a.servers, second)
	return nil
}

// URL is the address under which people and clients reach the server.
func (a *App) URL() string { return a.base }

// SetupLink is the one-time link of the set-up page while no account exists.
func (a *App) SetupLink(ctx context.Context) (string, bool, error) {
	token, ok, err := a.Records.Accounts.SetupLink(ctx)
	if err != nil || !ok {
		return "", false, err
	}
	return a.base + "/setup?token=" + token, true, nil
}

// Run serves until ctx is done or a part fails; then it drains: no new requests,
// those under way are answered, what the stream holds waits there for the next
// start.
func (a *App) Run(ctx context.Context) error {
	setMemory()
	parts, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var wg sync.WaitGroup
	failed := make(chan error, len(a.servers)+2)
	start := func(run func() error) {
		wg.Go(func() {
			if err := run(); err != nil && !errors.Is(err, context.Canceled) {
				failed <- err
			}
		})
	}
	start(func() error { return a.worker.Run(parts) })
	start(func() error { return a.jobs.Run(parts) })
	for _, s := range a.servers {
		start(s.serve)
	}
	start(leaveStart)
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	for _, s := range a.servers {
		err = errors.Join(err, s.shutdown())
	}
	stop()
	wg.Wait()
	return errors.Join(err, a.counts.Flush(context.WithoutCancel(ctx)))
}

// Close closes what New opened; it may be called more than once.
func (a *App) Close() error {
	var errs []error
	a.once.Do(func() {
		for _, s := range a.servers {
			errs = append(errs, s.http.Close())
		}
		for i := len(a.closers) - 1; i >= 0; i-- {
			errs = append(errs, a.closers[i]())
		}
	})
	return errors.Join(errs...)
}

// ensureReleases registers releases that the flow sees for the first time. A stop
// does not interrupt it: what the flow has stored already it does not tell again.
func (a *App) ensureReleases(ctx context.Context, list []pipeline.Release) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime/2)
	defer cancel()
	for _, r := range list {
		subject := subjectOf(r)
		if err := a.Records.Registry.EnsureRelease(ctx, subject, r.Version, r.Channel, r.Seen); err != nil {
			return err
		}
	}
	return nil
}

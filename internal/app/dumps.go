package app

import (
	"context"
	"path/filepath"
	"time"

	"github.com/bellwether-project/bellwether/internal/blob"
	"github.com/bellwether-project/bellwether/internal/crash/dumps"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/facts/duck"
	"github.com/bellwether-project/bellwether/internal/ingest"
	"github.com/bellwether-project/bellwether/internal/ingest/walk"
	"github.com/bellwether-project/bellwether/internal/jobs"
)

// openDumps opens what is kept of minidumps, and looks for a stack walker.
func (a *App) openDumps(ctx context.Context) error {
	bucket, err := blob.OpenDir(filepath.Join(a.o.Data, "dumps"))
	if err != nil {
		return err
	}
	if a.dumps, err = dumps.New(ctx, dumps.Options{Records: a.Records.DB, Audit: a.Records.Audit, Blobs: bucket, Keys: a.keys, Now: now}); err != nil {
		return err
	}
	if a.walker, err = walk.Find(ctx, a.o.Stackwalk, a.o.StackwalkSymbols); err != nil {
		return err
	}
	if a.walker != nil {
		a.log.Info("minidumps are unwound by another program", "program", a.walker.Name())
	}
	return nil
}

// dumpDoor is what the door does with minidumps.
func (a *App) dumpDoor() ingest.Dumps {
	d := ingest.Dumps{Days: a.dumps.Days, Keep: func(ctx context.Context, k ingest.KeptDump) error {
		return a.dumps.Keep(ctx, k.Crash, k.Project, k.Scope, k.Install, k.Days, k.Raw)
	}}
	if a.walker != nil {
		d.Walk = a.walker.Walk
	}
	return d
}

func (a *App) dumpJobs() []jobs.Job {
	return []jobs.Job{
		{Name: "dumps", What: "Deletes minidumps past their day.", Every: time.Hour, Limit: 10 * time.Minute, Do: func(ctx context.Context) (string, error) {
			n, err := a.dumps.Purge(ctx)
			return counted(n, "dump", "deleted"), err
		}},
		{Name: "dump-settings", What: "Looks whether another process changed for how long dumps are kept.", Every: 15 * time.Second, Limit: time.Minute, Local: true, Do: func(ctx context.Context) (string, error) {
			return "", a.dumps.Refresh(ctx)
		}},
	}
}

// erasing is the store of facts whose erasures take kept dumps along, first: a
// dump without its crash could not be found again.
type erasing struct {
	*duck.Store
	dumps *dumps.Store
}

func (e *erasing) Erase(ctx context.Context, s facts.Subject) (facts.Receipt, error) {
	if _, err := e.dumps.Erase(ctx, s); err != nil {
		return facts.Receipt{}, err
	}
	return e.Store.Erase(ctx, s)
}

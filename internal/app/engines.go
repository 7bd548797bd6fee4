package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/blob"
	"github.com/bellwether-project/bellwether/internal/crash/symbols"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// now is the one clock of the process; everything below gets it handed in.
func now() time.Time { return time.Now() }

// Records are what people work on: the databases, the log and the registers.
// Commands that work on a folder open just these.
type Records struct {
	DB       *db.DB // accounts, registers, decisions, the audit log
	Flow     *db.DB // what the flow keeps: families, assignments, dead letters
	Audit    *audit.Log
	Accounts *account.Service
	Registry *registry.Registry
	Symbols  *symbols.Store // symbol files: rows here, bytes in the folder of objects
}

// OpenRecords opens the databases of a data folder and the registers in them.
func OpenRecords(ctx context.Context, o Options, log *slog.Logger) (_ *Records, err error) {
	const op = "app.OpenRecords"
	keepPrivate()
	if err := os.MkdirAll(o.Data, 0o700); err != nil {
		return nil, fault.E(op, fault.Unavailable, "The data folder cannot be made.", err)
	}
	r := &Records{}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	dsn := o.Records
	if dsn == "" {
		dsn = "sqlite:" + filepath.Join(o.Data, "records.db")
	}
	if r.DB, err = db.Open(ctx, dsn); err != nil {
		return nil, err
	}
	if r.Flow = r.DB; o.Records == "" {
		if r.Flow, err = db.Open(ctx, "sqlite:"+filepath.Join(o.Data, "pipeline.db")); err != nil {
			return nil, err
		}
	}
	if r.Audit, err = audit.New(ctx, r.DB, now); err != nil {
		return nil, err
	}
	if r.Registry, err = registry.New(ctx, r.DB, r.Audit, registry.Options{Now: now, Rand: rand.Reader}); err != nil {
		return nil, err
	}
	r.Accounts, err = account.New(ctx, r.DB, r.Audit, account.Options{
		Now: now, Rand: rand.Reader,
		OwnerOf: r.Registry.OwnerOf, ExtensionsOf: r.Registry.ExtensionsOf,
		TeamOwns: r.Registry.TeamOwns,
		Alarm: func(a account.Action, policies []string) {
			log.Error("policy could not be evaluated; the request was denied", "action", string(a), "policies", policies)
		},
	})
	if err != nil {
		return nil, err
	}
	blobs, err := blob.OpenDir(filepath.Join(o.Data, "blobs"))
	if err != nil {
		return nil, err
	}
	r.Symbols, err = symbols.New(ctx, symbols.Options{Records: r.DB, Audit: r.Audit, Blobs: blobs, Now: now, NewID: randomID})
	return r, err
}

// Close closes the databases.
func (r *Records) Close() error {
	var errs []error
	if r.Flow != nil && r.Flow != r.DB {
		errs = append(errs, r.Flow.Close())
	}
	if r.DB != nil {
		errs = append(errs, r.DB.Close())
	}
	return errors.Join(errs...)
}

// randomID returns 32 random hex digits.
func randomID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails; it ends the process instead
	return hex.EncodeToString(b[:])
}

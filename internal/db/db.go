// Package db opens the relational records: SQLite in a file, or PostgreSQL. Both
// stand behind database/sql and read the same SQL text; what cannot be one text
// (opening, locking, full text) lives here and nowhere else. It is not for
// telemetry: there is no row per event.
//
// Rules for the SQL of all packages: placeholders are $1, $2 …; times are BIGINT
// Unix milliseconds, booleans BIGINT 0 or 1; ids come from Go, there is no
// autoincrement and no NOW(); JSON is text that Go reads; lists have an ORDER
// BY; in ON CONFLICT DO UPDATE the old value is written with its table
// (SET n = t.n + 1). No COLLATE: Open insists on a PostgreSQL database whose
// collation is "C", so text sorts by bytes on both engines.
package db

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"strings"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Dialect names the engine.
type Dialect string

const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// ErrNoRows is what Row.Scan returns when there is no row.
var ErrNoRows = sql.ErrNoRows

// DB is one database: a single writer and a pool of readers.
type DB struct {
	dialect Dialect
	write   *sql.DB // SQLite: one connection
	read    *sql.DB
	search  *Search
	turn    chan struct{} // held by the transaction that writes; SQLite only, so that waiting obeys ctx
}

// Open opens "sqlite:/path/file.db" (created when missing, mode 0600, in a
// folder that must exist) or "postgres://…", and brings the tables of this
// package up to date.
func Open(ctx context.Context, dsn string) (*DB, error) {
	const op = "db.Open"
	var d *DB
	var err error
	switch {
	case strings.HasPrefix(dsn, "sqlite:"):
		d, err = openSQLite(ctx, strings.TrimPrefix(dsn, "sqlite:"))
	case strings.HasPrefix(dsn, "postgres://"), strings.HasPrefix(dsn, "postgresql://"):
		d, err = openPostgres(ctx, dsn)
	default:
		return nil, fault.E(op, fault.Invalid, "A database is written as sqlite:/path/file.db or postgres://….", nil)
	}
	if err != nil {
		return nil, err
	}
	d.search = &Search{d: d}
	own, err := fs.Sub(migrations, "migrations/"+string(d.dialect))
	if err == nil {
		err = d.Migrate(ctx, "db", own)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Dialect says which engine it is. Packages above have no business asking,
// except to show it.
func (d *DB) Dialect() Dialect { return d.dialect }

// Read returns the pool for reading. On SQLite it refuses to write. It sees what
// was committed; inside a Tx use that transaction, or the read will miss its changes.
func (d *DB) Read() *sql.DB { return d.read }

// Search returns the full-text index of this database.
func (d *DB) Search() *Search { return d.search }

// Close waits for transactions under way and closes the database.
func (d *DB) Close() error {
	if d.write == d.read {
		return d.write.Close()
	}
	return errors.Join(d.read.Close(), d.write.Close())
}

// Tx runs f in the writing transaction and commits when f returns nil. On both
// engines there is one such transaction at a time, over all processes, and f
// runs at most once: whatever f reads cannot change before its commit. The price
// is that f must be short, do no I/O of its own, and never call Tx again (that
// would wait for itself until ctx ends).
func (d *DB) Tx(ctx context.Context, f func(*sql.Tx) error) (err error) {
	const op = "db.Tx"
	if d.turn != nil {
		select {
		case d.turn <- struct{}{}:
			defer func() { <-d.turn }()
		case <-ctx.Done():
			return fault.E(op, fault.Unavailable, "The database is busy; please try again.", ctx.Err())
		}
	}
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return fault.E(op, fault.Unavailable, "The database cannot be written now.", err)
	}
	done := false
	defer func() {
		if !done { // f failed or panicked
			if rerr := tx.Rollback(); rerr != nil && !errors.Is(rerr, sql.ErrTxDone) {
				err = errors.Join(err, rerr)
			}
		}
	}()
	if d.dialect == Postgres {
		if _, err := tx.ExecContext(ctx, lockWriter); err != nil {
			return fault.E(op, fault.Unavailable, "The database is busy; please try again.", err)
		}
	}
	if err := f(tx); err != nil {
		return err
	}
	done = true
	if err := tx.Commit(); err != nil {
		return fault.E(op, fault.Unavailable, "The change could not be stored.", err)
	}
	return nil
}

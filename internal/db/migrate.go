package db

import (
	"context"
	"embed"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/bellwether-project/bellwether/internal/fault"
)

//go:embed migrations
var migrations embed.FS

// Migrate applies the numbered files 00001_name.sql … in the root of files that
// were not applied yet, each in its own transaction, forward only. Each package
// has its own name and so its own table of versions (goose_<name>); the files
// begin with "-- +goose Up" and are valid on both engines.
func (d *DB) Migrate(ctx context.Context, name string, files fs.FS) error {
	const op = "db.Migrate"
	for i := range len(name) {
		if c := name[i]; !(c >= 'a' && c <= 'z' || c == '_') {
			return fault.E(op, fault.Invalid, "A set of migrations is named with small letters.", nil)
		}
	}
	dialect := goose.DialectSQLite3
	if d.dialect == Postgres {
		dialect = goose.DialectPostgres
		// Two nodes that start together take turns: the lock is that of a session.
		conn, err := d.write.Conn(ctx)
		if err != nil {
			return fault.E(op, fault.Unavailable, "The database does not answer.", err)
		}
		defer conn.Close()
		const key = `(hashtextextended('bellwether migrate ' || current_schema(), 0))`
		if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock`+key); err != nil {
			return fault.E(op, fault.Unavailable, "The database does not answer.", err)
		}
		defer conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock`+key)
	}
	p, err := goose.NewProvider(dialect, d.write, files,
		goose.WithTableName("goose_"+name), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fault.E(op, fault.Internal, "The migrations of "+name+" are not valid.", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fault.E(op, fault.Internal, "The tables of "+name+" could not be brought up to date.", err)
	}
	return nil
}

// IsUnique reports whether err is a violated primary key or unique index.
func IsUnique(err error) bool { return isUniqueSQLite(err) || isUniquePostgres(err) }

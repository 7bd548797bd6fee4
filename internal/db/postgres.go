package db

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// lockWriter makes the writing transactions of a schema stand in one line, as
// they do on SQLite. Read committed then shows each of them all earlier ones.
const lockWriter = `SELECT pg_advisory_xact_lock(hashtextextended('bellwether writer ' || current_schema(), 0))`

func openPostgres(ctx context.Context, dsn string) (*DB, error) {
	const op = "db.Open"
	pool, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, fault.E(op, fault.Invalid, "The address of the PostgreSQL database is not valid.", nil) // err repeats the password
	}
	pool.SetMaxOpenConns(16)
	pool.SetMaxIdleConns(4)
	pool.SetConnMaxIdleTime(time.Minute)
	var collation string
	err = pool.QueryRowContext(ctx, `SELECT datcollate FROM pg_database WHERE datname = current_database()`).Scan(&collation)
	if err != nil {
		return nil, fault.E(op, fault.Unavailable, "The PostgreSQL database does not answer.", errors.Join(err, pool.Close()))
	}
	if collation != "C" && collation != "C.UTF-8" && collation != "POSIX" {
		return nil, errors.Join(fault.E(op, fault.Invalid,
			"The PostgreSQL database must sort by bytes; create it with: CREATE DATABASE bellwether TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'", nil), pool.Close())
	}
	return &DB{dialect: Postgres, write: pool, read: pool}, nil
}

func isUniquePostgres(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "23505"
}

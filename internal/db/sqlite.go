package db

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"time"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// readers bounds the pool for reading; each connection keeps a page cache of 2 MB.
const readers = 4

func openSQLite(ctx context.Context, path string) (*DB, error) {
	const op = "db.Open"
	// SQLite would create the file readable for the group and others.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fault.E(op, fault.Invalid, "The database file cannot be opened.", err)
	}
	if err := f.Close(); err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	source := func(extra ...string) string {
		q := url.Values{"_pragma": append([]string{
			"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)",
			"foreign_keys(1)", "secure_delete(1)", "cache_size(-2000)", "temp_store(MEMORY)",
		}, extra...)}
		return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
	}
	write, err := sql.Open("sqlite", source()+"&_txlock=immediate")
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	write.SetMaxOpenConns(1)
	if err := write.PingContext(ctx); err != nil {
		return nil, fault.E(op, fault.Invalid, "The database file cannot be opened.", errors.Join(err, write.Close()))
	}
	read, err := sql.Open("sqlite", source("query_only(1)"))
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", errors.Join(err, write.Close()))
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(2)
	read.SetConnMaxIdleTime(time.Minute)
	return &DB{dialect: SQLite, write: write, read: read, turn: make(chan struct{}, 1)}, nil
}

func isUniqueSQLite(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code() == lib.SQLITE_CONSTRAINT_UNIQUE || e.Code() == lib.SQLITE_CONSTRAINT_PRIMARYKEY)
}

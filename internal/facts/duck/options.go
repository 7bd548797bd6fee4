// Package duck keeps facts in DuckDB, inside the process: one file per (UTC day of
// receipt, retention class), named like 2026-11-21-crash.duckdb, so that a purge
// is an unlink. It needs cgo; nothing above it knows which engine it is.
//
// A file holds these tables:
//
//	facts      a row per fact; batch numbers the commits of this file
//	docs       crash documents, zstd, by id
//	applied    a row per commit: stream position, what it added or erased, bounds
//	state      version of the schema; up to which batch the rollups reach, and which are kept
//	roll_page  sums per day, kind, extension, release, blame, host, channel
//	roll_unit  the same in 64 groups of installs, for standard errors
//	roll_hour  sums per hour and every dimension that pages filter by
//
// Rollups are derived from facts of the same file and never lead: a query adds the
// facts of later batches to them, so that its answer is that of the facts at any
// moment. A rollup that saves too little is not kept. Each file is chosen for on
// its own: a day that lies only half within the asked time is read from its facts.
//
// A file whose day is over is rewritten once, sorted for compression (Compact).
// Erased bytes leave the disk when a file is rewritten (Rewrite does so for those
// that have some), since DuckDB's DELETE leaves them in place. A rewrite builds a
// new file beside the old one and renames it; whatever a crash leaves is removed
// or complete at the next Open. Files of older versions are read with defaults for
// the columns they lack and never altered; a rewrite upgrades them.
//
// The folder bundles holds copies of the crashes of closed days, many days in a file,
// for searches: derived, removed with any change of a day in them (see bundle.go).
//
// DuckDB is locked down before the first file is attached: no extensions, no files
// outside the folder, no change of settings.
package duck

import (
	"log/slog"
	"time"
)

// Options says where the files are and what they may cost.
type Options struct {
	Dir         string           // folder of the fact files; made when missing
	MemoryLimit int64            // bytes DuckDB may hold; 0 = the smaller of 384 MB and a quarter of the machine's memory
	Threads     int              // 0 = 2
	Now         func() time.Time // decides which days are over; required
	Log         *slog.Logger     // nil = discard
}

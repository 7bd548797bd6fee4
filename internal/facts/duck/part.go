//go:build cgo

package duck

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// part is one file.
type part struct {
	partKey
	alias string // its name inside DuckDB
	path  string

	write sync.Mutex   // one change at a time
	use   sync.RWMutex // shared: reading; exclusive: swapping the file, changing rollups
	gone  bool         // purged or closed; guarded by use
	many  bool         // not a file: it stands for those of a bundle, where day and class are columns

	// suspect is set while rows past applied may be there already: after a start and
	// after a failed insert.
	suspect atomic.Bool
	info    atomic.Pointer[info]
	logged  atomic.Int64 // bytes of the log

	// replayed is set while the log holds what a start had to replay. Guarded by insert.
	replayed bool
}

// info is what queries are planned by. It is replaced, never changed. Bounds only
// ever widen; they may be too wide after an erasure.
type info struct {
	version      int64
	source       string // what to select facts from: the table, or the table with defaults for missing columns
	batch        int64  // last commit
	position     uint64
	rows, docs   int64
	kinds        int64 // bit set: kinds and traits of the rows
	lo, hi       int64 // received
	idLo, idHi   int64 // time in ids
	erased       int64 // rows erased and still on disk
	sorted       bool  // rewritten after its last row
	rolled       int64 // rollups hold the batches up to this one
	kept         int64 // bit set of levels
	tail, ledger int64 // rows after rolled; rows of the table applied
	number       int64 // of the last change of the rows; distinct in the process
}

func (s *Store) newPart(k partKey) *part {
	p := &part{
		partKey: k,
		alias:   fmt.Sprintf("d%d_%s", k.day, k.class),
		path:    filepath.Join(s.o.Dir, k.day.String()+"-"+string(k.class)+suffix),
	}
	p.info.Store(&info{number: s.files.Add(1)})
	return p
}

// storage pins the format of new files, so that an update of DuckDB does not
// change what an older binary can read. Small blocks suit small days: measured 46
// bytes a fact with 64 KB, 48 with 256 KB, 55 with 16 KB.
// A rewritten file of few rows (see fewRows) is smallest with 16 KB.
func attachSQL(path, alias string, block int64) string {
	q := "ATTACH " + quote(path) + " AS " + alias
	if fileSize(path) == 0 { // files that are there keep theirs
		q += " (STORAGE_VERSION 'v1.5.0', BLOCK_SIZE " + itoa(block) + ")"
	}
	return q
}

const (
	blockSize  = 64 << 10
	smallBlock = 16 << 10
	fewRows    = 12_000
)

// attach opens the file, makes its tables when it is new, and reads its state.
func (p *part) attach(ctx context.Context, db *sql.DB, block int64) error {
	if _, err := db.ExecContext(ctx, attachSQL(p.path, p.alias, block)); err != nil {
		return err
	}
	if err := p.load(ctx, db); err != nil {
		_, errDetach := db.ExecContext(context.WithoutCancel(ctx), "DETACH "+p.alias)
		return errors.Join(err, errDetach)
	}
	return nil
}

func (p *part) load(ctx context.Context, db *sql.DB) error {
	err := loadAll(ctx, db, []*part{p})
	var missing *duckdb.Error
	if !errors.As(err, &missing) || missing.Type != duckdb.ErrorTypeCatalog {
		return err
	}
	// new, or a crash came before its tables: they come all at once
	if _, err := db.ExecContext(ctx, createTables(p.alias)); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(p.path)); err != nil {
		return err
	}
	return loadAll(ctx, db, []*part{p})
}

// defaults selects the columns of an older file with stand-ins for those it lacks.
func (p *part) defaults(ctx context.Context, db *sql.DB) (string, error) {
	rows, err := db.QueryContext(ctx, "SELECT column_name FROM duckdb_columns() WHERE database_name = "+quote(p.alias)+" AND table_name = 'facts'")
	if err != nil {
		return "", err
	}
	defer rows.Close()
	there := make(map[string]bool)
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return "", err
		}
		there[name] = true
	}
	var cols []string
	for _, c := range factColumns {
		if there[c.name] {
			cols = append(cols, c.name)
		} else {
			cols = append(cols, c.def+"::"+c.typ+" AS "+c.name)
		}
	}
	return "(SELECT " + strings.Join(cols, ", ") + " FROM " + p.alias + ".facts)", rows.Err()
}

// partition reports the file with its size, log included.
func (p *part) partition() facts.Partition {
	in := p.info.Load()
	return facts.Partition{Day: p.day, Class: p.class, Rows: in.rows, Docs: in.docs, Bytes: fileSize(p.path) + fileSize(p.path+".wal")}
}

func fileSize(path string) int64 {
	st, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return st.Size()
}

// syncDir makes names in the folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// traits are columns that few kinds of rows fill: a file without such a row need not
// be asked for a value.
var traits = []struct {
	col facts.Column
	bit int64
	sql string
	has func(*eco.Fact) bool
}{
	{facts.Signature, 1 << 50, "signature <> ''", func(f *eco.Fact) bool { return f.Signature != "" }},
	{facts.Family, 1 << 51, "family <> ''", func(f *eco.Fact) bool { return f.Family != "" }},
	{facts.Blame, 1 << 52, "blame <> ''", func(f *eco.Fact) bool { return f.Blame != "" }},
	{facts.ClientID, 1 << 53, "client_id <> ''", func(f *eco.Fact) bool { return f.ClientID != "" }},
	{facts.Session, 1 << 54, "session <> 0", func(f *eco.Fact) bool { return f.Session != 0 }},
	{facts.Quarantined, 1 << 56, "quarantined", func(f *eco.Fact) bool { return f.Quarantined }},
	{facts.Dedup, 1 << 55, "dedup <> 0", func(f *eco.Fact) bool { return f.Dedup != 0 }},
}

// bitsOf returns the kind and traits of a row.
func bitsOf(f *eco.Fact) int64 {
	bits := kindBit(f.Kind)
	for i := range traits {
		if traits[i].has(f) {
			bits |= traits[i].bit
		}
	}
	return bits
}

// mayFill reports whether rows of the file can have one of the values in the column.
func (in *info) mayFill(c facts.Column, vals []any) bool {
	for i := range traits {
		if traits[i].col == c && in.kinds&traits[i].bit == 0 && in.version == schemaVersion {
			return slices.Contains(vals, any("")) || slices.Contains(vals, any(int64(0)))
		}
	}
	return true
}

// kindBit returns the bit of a kind; kinds this version does not know share one.
func kindBit(k eco.Kind) int64 {
	switch k {
	case eco.KindCrash:
		return 1
	case eco.KindSession:
		return 2
	case eco.KindEvent:
		return 4
	case eco.KindSpan:
		return 8
	case eco.KindMetric:
		return 16
	case eco.KindFeedback:
		return 32
	}
	return 1 << 62
}

//go:build cgo

package duck

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Store keeps one DuckDB file per (day of receipt, retention class).
//
// Locks, in the order they are taken: insert (one batch at a time), part.write
// (one change of a file at a time), alone (shared by queries, exclusive for one that
// ran out of memory beside others and is asked again), part.use (shared by queries,
// exclusive while a file is swapped or its rollups change), mu (the map; never held
// for long).
type Store struct {
	o      Options
	pace   pace
	db     *sql.DB
	insert sync.Mutex
	alone  sync.RWMutex
	files  atomic.Int64 // numbers temporary files, and changes of files

	settled *settled
	bundles bundles
	closed  atomic.Bool

	mu    sync.RWMutex
	parts map[partKey]*part

	answers answers

	zip   *zstd.Encoder
	unzip *zstd.Decoder
}

var _ facts.Store = (*Store)(nil)

type partKey struct {
	day   eco.Day
	class eco.Class
}

// maxConns bounds the connections to DuckDB: queries beyond it wait their turn.
const maxConns = 8

// Open opens the folder and every file in it. A file that cannot be opened is an
// error that names it: better no server than one that shows numbers with a hole.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Now == nil {
		return nil, fault.E("duck.Open", fault.Invalid, "The facts engine needs a clock.", nil)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Threads <= 0 {
		o.Threads = 2
	}
	if o.MemoryLimit <= 0 {
		o.MemoryLimit = min(384<<20, max(machineMemory()/4, 64<<20))
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fault.E("duck.Open", fault.Invalid, "The folder of facts has no such path.", err)
	}
	o.Dir = dir
	keys, err := prepareDir(dir)
	if err != nil {
		return nil, fault.E("duck.Open", fault.Unavailable, "The folder of facts cannot be used.", err)
	}
	s := &Store{o: o, pace: usualPace(), parts: make(map[partKey]*part), settled: newSettled(), answers: answers{most: maxCells}}
	if s.zip, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1)); err != nil {
		return nil, fault.E("duck.Open", fault.Internal, "", err)
	}
	if s.unzip, err = zstd.NewReader(nil, zstd.WithDecoderMaxMemory(facts.MaxDoc+1<<20), zstd.WithDecoderConcurrency(1)); err != nil {
		return nil, fault.E("duck.Open", fault.Internal, "", err)
	}
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return nil, fault.E("duck.Open", fault.Unavailable, "DuckDB does not start.", err)
	}
	s.db = sql.OpenDB(connector)
	s.db.SetMaxOpenConns(maxConns)
	s.db.SetMaxIdleConns(maxConns)
	if err := s.start(ctx, keys); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}

func (s *Store) start(ctx context.Context, keys []partKey) error {
	if _, err := s.db.ExecContext(ctx, s.settings()); err != nil {
		return fault.E("duck.Open", fault.Unavailable, "DuckDB refuses its settings.", err)
	}
	ps := make([]*part, len(keys))
	for i, k := range keys {
		p := s.newPart(k)
		if _, err := s.db.ExecContext(ctx, attachSQL(p.path, p.alias, blockSize)); err != nil {
			return unopened(p, err)
		}
		ps[i], s.parts[k] = p, p
	}
	if loadAll(ctx, s.db, ps) == nil {
		return s.openBundles(ctx)
	}
	for _, p := range ps { // one of them is special: a crash came before its tables, or worse
		if err := p.load(ctx, s.db); err != nil {
			return unopened(p, err)
		}
	}
	return s.openBundles(ctx)
}

func unopened(p *part, err error) error {
	return fault.E("duck.Open", fault.Unavailable, "The facts file "+filepath.Base(p.path)+" cannot be opened (damaged, or another process has it).", err)
}

// live refuses work after Close.
func (s *Store) live(op string) error {
	if s.closed.Load() {
		return fault.E(op, fault.Unavailable, "The facts are closed.", nil)
	}
	return nil
}

// maxLog is how many bytes of logs wait for a checkpoint, over all files: it bounds
// the replay after a crash and the rows that memory holds unpacked. Each checkpoint
// writes a half-filled row group once more, so that small ones cost: 16 MB took 3
// times the CPU of 256 MB. 128 MB costs what 256 MB does (1.30 and 1.29 CPU seconds
// per 100,000 facts) with half the memory.
const maxLog = 128 << 20

// leastLog is what any log counts in that sum: a file with a log holds 1.75 MB of
// memory however short the log is, and a hundred of them would leave queries none.
const leastLog = 4 << 20

// shortLog is how long a log may be that a start replays (half a second of
// processor time) and that is left as it is. A longer one is written back with the
// first batch after the start; else the next start after a kill would replay it
// again, and what came in since.
const shortLog = 32 << 20

// settings locks DuckDB down before it sees a file.
func (s *Store) settings() string {
	return strings.Join([]string{
		fmt.Sprintf("SET memory_limit = '%d B'", s.o.MemoryLimit),
		fmt.Sprintf("SET threads = %d", s.o.Threads),
		fmt.Sprintf("SET checkpoint_threshold = '%d B'", maxLog),
		"SET temp_directory = " + quote(s.temp()),
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
		"SET allow_community_extensions = false",
		"ATTACH ':memory:' AS " + settledDB + " (COMPRESS, BLOCK_SIZE " + itoa(int64(smallBlock)) + ")",
		"SET allowed_directories = [" + quote(s.o.Dir+string(filepath.Separator)) + "]",
		"SET enable_external_access = false",
		"SET lock_configuration = true",
	}, ";\n")
}

func (s *Store) temp() string { return filepath.Join(s.o.Dir, "tmp") }

const suffix = ".duckdb"

// prepareDir makes the folder, removes what a crash left half done, and lists the files.
func prepareDir(dir string) ([]partKey, error) {
	temp := filepath.Join(dir, "tmp")
	if err := os.RemoveAll(temp); err != nil { // spilled rows and half-written exports
		return nil, err
	}
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	there := make(map[string]bool)
	for _, e := range entries {
		there[e.Name()] = true
	}
	var keys []partKey
	for name := range there {
		half := strings.HasSuffix(name, suffix+fresh) || strings.HasSuffix(name, suffix+fresh+".wal")
		main, isLog := strings.CutSuffix(name, ".wal")
		orphan := isLog && strings.HasSuffix(main, suffix) && !there[main]
		if half || orphan || unborn(filepath.Join(dir, name)) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				return nil, err
			}
			continue
		}
		if k, ok := parseName(name); ok {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, compareKeys)
	return keys, syncDir(dir)
}

// unborn reports whether a crash came while DuckDB made the file: it is shorter than
// DuckDB's headers, and there is no log that could hold rows.
func unborn(path string) bool {
	st, err := os.Stat(path)
	return err == nil && strings.HasSuffix(path, suffix) && st.Size() < 3*4096 && fileSize(path+".wal") == 0
}

func compareKeys(a, b partKey) int {
	return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(slices.Index(eco.Classes, a.class), slices.Index(eco.Classes, b.class)))
}

func parseName(name string) (partKey, bool) {
	name, ok := strings.CutSuffix(name, suffix)
	if !ok || len(name) < 12 || name[10] != '-' {
		return partKey{}, false
	}
	day, err := eco.ParseDay(name[:10])
	class := eco.Class(name[11:])
	return partKey{day, class}, err == nil && slices.Contains(eco.Classes, class)
}

// all returns the partitions by day, then class.
func (s *Store) all() []*part {
	s.mu.RLock()
	defer s.mu.RUnlock()
	ps := make([]*part, 0, len(s.parts))
	for _, p := range s.parts {
		ps = append(ps, p)
	}
	slices.SortFunc(ps, func(a, b *part) int { return compareKeys(a.partKey, b.partKey) })
	return ps
}

// Stats implements facts.Store.
func (s *Store) Stats(context.Context) (facts.Stats, error) {
	var st facts.Stats
	for _, p := range s.all() {
		in := p.info.Load()
		st.Partitions = append(st.Partitions, p.partition())
		st.Position = max(st.Position, in.position)
		if in.rows > 0 {
			if t := time.UnixMilli(in.hi).UTC(); t.After(st.Newest) {
				st.Newest = t
			}
		}
		if in.erased > 0 {
			st.Pending++
		}
	}
	return st, nil
}

// Close writes what is in the logs into the files and lets them go.
func (s *Store) Close() error {
	s.insert.Lock()
	defer s.insert.Unlock()
	if s.closed.Swap(true) {
		return nil
	}
	var errs []error
	s.bundles.making.Lock()
	defer s.bundles.making.Unlock()
	for _, p := range s.all() {
		p.write.Lock()
		p.use.Lock()
		if !p.gone {
			p.gone = true
			_, err := s.db.Exec("DETACH " + p.alias)
			errs = append(errs, err)
		}
		p.use.Unlock()
		p.write.Unlock()
	}
	s.unzip.Close()
	if err := errors.Join(append(errs, s.db.Close())...); err != nil {
		return fault.E("duck.Close", fault.Unavailable, "The facts files did not close cleanly; their logs are replayed at the next start.", err)
	}
	return nil
}

// failed gives an error of the driver a code.
func failed(op string, err error) error {
	var d *duckdb.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, sql.ErrConnDone):
		return fault.E(op, fault.Unavailable, "The query was stopped.", err)
	case errors.As(err, &d) && (d.Type == duckdb.ErrorTypeInterrupt):
		return fault.E(op, fault.Unavailable, "The query was stopped.", err)
	case outOfMemory(err), errors.As(err, &d) && d.Type == duckdb.ErrorTypeIO:
		return fault.E(op, fault.Unavailable, "The facts engine is out of memory or disk.", err)
	}
	return fault.E(op, fault.Internal, "The facts engine failed.", err)
}

func outOfMemory(err error) bool {
	var d *duckdb.Error
	return errors.As(err, &d) && d.Type == duckdb.ErrorTypeOutOfMemory
}

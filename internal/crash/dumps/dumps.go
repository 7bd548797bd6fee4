// Package dumps keeps minidumps for days, where a project's policy says so: the
// one exception to the rule that the memory of a process ends at the door. A dump
// is sealed with the keys of its project's extension or host before its first byte
// is written, found by the id of its crash alone, listed nowhere, and read only by
// an act that stands in the audit log. It goes with its day, with the crash, with
// the install, or with the keys. Nothing here looks into a dump.
//
// Format of an object dumps/<crash>: a row of chunks, each 4 bytes of length (big
// endian) and that many sealed bytes; unsealed, a chunk is the 16 bytes of the
// crash's id, 4 bytes of its number from 0, a byte 1 if it is the last, and at most
// 64 KiB of the dump. So chunks of one dump cannot be exchanged, dropped or cut.
package dumps

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/blob"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// MaxDays is the longest a project may keep dumps.
const MaxDays = 30

// maxSize bounds a dump that is read back; doors take less.
const maxSize = 64 << 20

// Sealer is the keyring.
type Sealer interface {
	Seal(scope string, plain []byte) ([]byte, error)
	Unseal(scope string, sealed []byte) ([]byte, error)
}

// Options are what the store stands on. Without Blobs it knows settings only.
type Options struct {
	Records *db.DB
	Audit   *audit.Log
	Blobs   blob.Bucket
	Keys    Sealer
	Now     func() time.Time
}

// Store keeps dumps. It is safe for concurrent use.
type Store struct {
	o  Options
	mu sync.RWMutex
	of map[int64]int // days, by project
}

// Dump is what is told of one that is kept.
type Dump struct {
	Crash   eco.ID    `json:"crash"`
	Project int64     `json:"project"`
	Size    int64     `json:"size" doc:"Bytes."`
	Kept    time.Time `json:"kept"`
	Until   time.Time `json:"until"`
}

// New opens the store and makes its tables when they are missing.
func New(ctx context.Context, o Options) (*Store, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fault.E("dumps.New", fault.Internal, "", err)
	}
	if err := o.Records.Migrate(ctx, "dumps", files); err != nil {
		return nil, err
	}
	s := &Store{o: o}
	return s, s.Refresh(ctx)
}

// Refresh reads the settings again: another process may have changed them.
func (s *Store) Refresh(ctx context.Context) error {
	rows, err := s.o.Records.Read().QueryContext(ctx, `SELECT project, days FROM dump_policy`)
	if err != nil {
		return fault.Wrap("dumps.Refresh", err)
	}
	defer rows.Close()
	of := map[int64]int{}
	for rows.Next() {
		var project int64
		var days int
		if err := rows.Scan(&project, &days); err != nil {
			return fault.Wrap("dumps.Refresh", err)
		}
		of[project] = days
	}
	s.mu.Lock()
	s.of = of
	s.mu.Unlock()
	return fault.Wrap("dumps.Refresh", rows.Err())
}

// Days is for how long a project keeps dumps; 0 = not at all.
func (s *Store) Days(project int64) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.of[project]
}

// SetDays changes that. Fewer days end dumps that are older than that at once.
func (s *Store) SetDays(ctx context.Context, actor string, project int64, days int) error {
	const op = "dumps.SetDays"
	if days < 0 || days > MaxDays {
		return fault.E(op, fault.Invalid, fmt.Sprintf("Dumps are kept for 0 to %d days.", MaxDays), nil)
	}
	old := s.Days(project)
	err := s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO dump_policy (project, days) VALUES ($1, $2) ON CONFLICT (project) DO UPDATE SET days = excluded.days`, project, days); err != nil {
			return err
		}
		// Shorter times hold for what is there, too; longer ones are for what comes.
		if _, err := tx.ExecContext(ctx, `UPDATE dump_kept SET until = kept + $1 WHERE project = $2 AND until > kept + $1`, int64(days)*dayMS, project); err != nil {
			return err
		}
		return s.o.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: "project.dumps", Ref: eco.Ref{Kind: "project", ID: strconv.FormatInt(project, 10)},
			Note: fmt.Sprintf("keep minidumps: from %d to %d days", old, days)})
	})
	if err != nil {
		return fault.Wrap(op, err)
	}
	s.mu.Lock()
	s.of[project] = days
	s.mu.Unlock()
	_, err = s.Purge(ctx)
	return err
}

const dayMS = 24 * 60 * 60 * 1000

func key(crash eco.ID) string { return "dumps/" + crash.String() }

// Keep stores a dump: sealed bytes first, then the row that finds them.
func (s *Store) Keep(ctx context.Context, crash eco.ID, project int64, scope string, install eco.Install, days int, raw []byte) error {
	const op = "dumps.Keep"
	if days <= 0 || days > MaxDays || crash.IsZero() || len(raw) > maxSize {
		return fault.E(op, fault.Invalid, "This dump is not to be kept.", nil)
	}
	if err := s.o.Blobs.Put(ctx, key(crash), &sealing{keys: s.o.Keys, scope: scope, id: crash, rest: raw}); err != nil {
		return err
	}
	now := s.o.Now().UnixMilli()
	err := s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO dump_kept (crash, project, install, scope, size, kept, until) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			crash.String(), project, int64(install), scope, len(raw), now, now+int64(days)*dayMS)
		return err
	})
	if err != nil {
		return errors.Join(fault.Wrap(op, err), s.o.Blobs.Delete(context.WithoutCancel(ctx), key(crash)))
	}
	return nil
}

// Of tells whether a crash's dump is kept, and until when.
func (s *Store) Of(ctx context.Context, crash eco.ID) (Dump, bool, error) {
	d, _, ok, err := s.find(ctx, crash)
	return d, ok, err
}

func (s *Store) find(ctx context.Context, crash eco.ID) (d Dump, scope string, ok bool, err error) {
	var kept, until int64
	err = s.o.Records.Read().QueryRowContext(ctx, `SELECT project, scope, size, kept, until FROM dump_kept WHERE crash = $1`, crash.String()).Scan(&d.Project, &scope, &d.Size, &kept, &until)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && until <= s.o.Now().UnixMilli():
		return Dump{}, "", false, nil
	case err != nil:
		return Dump{}, "", false, fault.Wrap("dumps.Of", err)
	}
	d.Crash, d.Kept, d.Until = crash, time.UnixMilli(kept).UTC(), time.UnixMilli(until).UTC()
	return d, scope, true, nil
}

// Read gives a dump to a person: the act is in the audit log before the first byte.
func (s *Store) Read(ctx context.Context, actor string, crash eco.ID) ([]byte, error) {
	const op = "dumps.Read"
	if _, ok, err := s.Of(ctx, crash); err != nil || !ok {
		return nil, orGone(op, err)
	}
	err := s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		return s.o.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: "dump.read", Ref: eco.Ref{Kind: "crash", ID: crash.String()}, Note: "downloaded the minidump"})
	})
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	return s.Open(ctx, crash)
}

// Open gives a dump to the program itself, to walk it again when symbols came
// late. It must not leave the process.
func (s *Store) Open(ctx context.Context, crash eco.ID) ([]byte, error) {
	const op = "dumps.Open"
	d, scope, ok, err := s.find(ctx, crash)
	if err != nil || !ok || s.o.Blobs == nil {
		return nil, orGone(op, err)
	}
	r, err := s.o.Blobs.Get(ctx, key(crash))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return unseal(r, s.o.Keys, scope, crash, d.Size)
}

func orGone(op string, err error) error {
	if err != nil {
		return err
	}
	return fault.E(op, fault.NotFound, "There is no dump of this crash.", nil)
}

// Purge deletes what is past its day. It returns how many dumps went.
func (s *Store) Purge(ctx context.Context) (int, error) {
	return s.drop(ctx, `until <= $1`, s.o.Now().UnixMilli())
}

// Erase deletes the dumps of a subject: a crash, or an install's in a project.
func (s *Store) Erase(ctx context.Context, sub facts.Subject) (int, error) {
	switch {
	case !sub.Crash.IsZero():
		return s.drop(ctx, `crash = $1`, sub.Crash.String())
	case sub.Install != 0:
		return s.drop(ctx, `project = $1 AND install = $2`, sub.Project, int64(sub.Install))
	}
	return 0, nil // what is held has no dumps
}

// drop deletes bytes first, then rows: what breaks off is found again.
func (s *Store) drop(ctx context.Context, where string, args ...any) (int, error) {
	const op = "dumps.drop"
	rows, err := s.o.Records.Read().QueryContext(ctx, `SELECT crash FROM dump_kept WHERE `+where, args...)
	if err != nil {
		return 0, fault.Wrap(op, err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return 0, fault.Wrap(op, err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return 0, fault.Wrap(op, err)
	}
	if len(ids) > 0 && s.o.Blobs == nil { // a console changes settings; the server deletes
		return 0, nil
	}
	for i, id := range ids {
		if err := s.o.Blobs.Delete(ctx, "dumps/"+id); err != nil {
			return i, err
		}
		err := s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM dump_kept WHERE crash = $1`, id)
			return err
		})
		if err != nil {
			return i, fault.Wrap(op, err)
		}
	}
	return len(ids), nil
}

// Package audit is the log of who did what to which record. An entry is written
// in the transaction of the change it records, so there is neither a change
// without its entry nor an entry without its change. Entries are leaves of a
// Merkle tree (RFC 6962, golang.org/x/mod/sumdb/tlog): whoever kept a
// checkpoint can prove later that nothing before it was altered or taken out.
//
// Entries hold no personal data: an actor is the id of an account, token or job,
// and notes are written by the program. Nothing is logged per item of intake.
//
// An entry is hashed as one line of JSON with fields in this order:
//
//	{"v":1,"n":7,"at":1789000000000,"actor":"a-…","action":"key.revoke","ref":{"kind":"key","id":"k-…"},"note":"…"}
package audit

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"time"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// MaxNote bounds a note in bytes; longer ones are cut.
const MaxNote = 1000

// Entry is what a caller says happened.
type Entry struct {
	Actor  string  // id of an account, token or job; never a name or an address
	Action string  // noun.verb: "extension.add", "key.revoke"
	Ref    eco.Ref // what it was done to
	Note   string  // what changed, in the program's words
}

// Record is an entry with its place and time.
type Record struct {
	N  int64
	At time.Time
	Entry
}

// Log is the audit log of one database.
type Log struct {
	d   *db.DB
	now func() time.Time
}

// New opens the log and makes its tables when they are missing.
func New(ctx context.Context, d *db.DB, now func() time.Time) (*Log, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fault.E("audit.New", fault.Internal, "", err)
	}
	if err := d.Migrate(ctx, "audit", files); err != nil {
		return nil, fault.Wrap("audit.New", err)
	}
	return &Log{d: d, now: now}, nil
}

// Append writes e in the caller's transaction, which must be one of the
// database's own Tx: those stand in one line, and that keeps places unique.
func (l *Log) Append(ctx context.Context, tx *sql.Tx, e Entry) error {
	_, err := l.Place(ctx, tx, e)
	return err
}

// Place is Append and tells the place of the entry in the log.
func (l *Log) Place(ctx context.Context, tx *sql.Tx, e Entry) (int64, error) {
	const op = "audit.Append"
	if err := check(e); err != nil {
		return 0, err
	}
	var n int64
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(n) + 1, 0) FROM audit_entry`).Scan(&n); err != nil {
		return 0, fault.Wrap(op, err)
	}
	e.Note = eco.Clean(e.Note, MaxNote)
	body := encode(Record{N: n, At: l.now(), Entry: e})
	if _, err := tx.ExecContext(ctx, `INSERT INTO audit_entry (n, body) VALUES ($1, $2)`, n, string(body)); err != nil {
		return 0, fault.Wrap(op, err)
	}
	hashes, err := tlog.StoredHashes(n, body, reader(ctx, tx))
	if err != nil {
		return 0, fault.E(op, fault.Internal, "The audit log is damaged.", err)
	}
	for i, h := range hashes {
		_, err := tx.ExecContext(ctx, `INSERT INTO audit_hash (n, hash) VALUES ($1, $2)`, tlog.StoredHashIndex(0, n)+int64(i), h.String())
		if err != nil {
			return 0, fault.Wrap(op, err)
		}
	}
	return n, nil
}

func check(e Entry) error {
	for _, s := range []string{e.Actor, e.Action, e.Ref.Kind, e.Ref.ID} {
		if len(s) > 256 || !utf8.ValidString(s) {
			return fault.E("audit.Append", fault.Internal, "An audit entry has a field that is too long.", nil)
		}
	}
	if e.Actor == "" || e.Action == "" {
		return fault.E("audit.Append", fault.Internal, "An audit entry names its actor and its action.", nil)
	}
	return nil
}

// List returns at most limit (at most 1000) records before a place, the newest
// first; before <= 0 begins at the end.
func (l *Log) List(ctx context.Context, before int64, limit int) ([]Record, error) {
	const op = "audit.List"
	if before <= 0 {
		before = 1<<63 - 1
	}
	rows, err := l.d.Read().QueryContext(ctx, `SELECT body FROM audit_entry WHERE n < $1 ORDER BY n DESC LIMIT $2`, before, min(max(limit, 0), 1000))
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	defer rows.Close()
	var out []Record
	for rows.Next() {
		var body string
		if err := rows.Scan(&body); err != nil {
			return nil, fault.Wrap(op, err)
		}
		r, err := decode([]byte(body))
		if err != nil {
			return nil, fault.E(op, fault.Internal, "The audit log is damaged.", err)
		}
		out = append(out, r)
	}
	return out, fault.Wrap(op, rows.Err())
}

// Head returns the size of the log and the root of its tree.
func (l *Log) Head(ctx context.Context) (size int64, root [32]byte, err error) {
	const op = "audit.Head"
	if err := l.d.Read().QueryRowContext(ctx, `SELECT coalesce(max(n) + 1, 0) FROM audit_entry`).Scan(&size); err != nil {
		return 0, root, fault.Wrap(op, err)
	}
	h, err := tlog.TreeHash(size, reader(ctx, l.d.Read()))
	if err != nil {
		return 0, root, fault.E(op, fault.Internal, "The audit log is damaged.", err)
	}
	return size, h, nil
}

// querier is what a transaction and a pool have in common.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func reader(ctx context.Context, q querier) tlog.HashReaderFunc {
	return func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, n := range indexes {
			var s string
			if err := q.QueryRowContext(ctx, `SELECT hash FROM audit_hash WHERE n = $1`, n).Scan(&s); err != nil {
				return nil, err
			}
			var err error
			if out[i], err = tlog.ParseHash(s); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
}

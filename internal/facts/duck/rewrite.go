//go:build cgo

package duck

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// fresh marks a file that is being built; it is removed at Open.
const fresh = ".new"

// rewrite builds the file anew beside itself, sorted, with today's schema and with
// nothing of what was erased, and puts it in place. Called with the write lock held.
//
// A crash before the rename leaves the old file and a half one that Open removes;
// after it, the new file. The old file's log is gone before the rename, so that it
// can never be replayed into the new one.
func (s *Store) rewrite(ctx context.Context, p *part) error {
	path := p.path + fresh
	if err := removeFiles(path); err != nil {
		return err
	}
	next := &part{partKey: p.partKey, alias: p.alias + "_new", path: path}
	block := int64(blockSize)
	if p.info.Load().rows < fewRows {
		block = smallBlock
	}
	if err := s.copyInto(ctx, p, next, block); err != nil {
		return errors.Join(err, removeFiles(path))
	}
	p.use.Lock()
	defer p.use.Unlock()
	return s.swap(context.WithoutCancel(ctx), p, path)
}

// copyInto fills a new file and closes it.
func (s *Store) copyInto(ctx context.Context, p, next *part, block int64) error {
	if err := next.attach(ctx, s.db, block); err != nil {
		return err
	}
	err := s.fill(ctx, p, next)
	if err == nil {
		_, err = s.db.ExecContext(ctx, "FORCE CHECKPOINT "+next.alias) // which waits for what still winds up
	}
	_, errDetach := s.db.ExecContext(context.WithoutCancel(ctx), "DETACH "+next.alias)
	if err := errors.Join(err, errDetach); err != nil {
		return err
	}
	if fileSize(next.path+".wal") > 0 {
		return errors.New("the new file kept a log")
	}
	return nil
}

func (s *Store) fill(ctx context.Context, p, next *part) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	in := p.info.Load()
	var cols []string
	for _, c := range factColumns[1:] {
		cols = append(cols, c.name)
	}
	// every row of a rewritten file is of batch 1
	q := fmt.Sprintf("INSERT INTO %s.facts SELECT 1, %s FROM %s ORDER BY %s", next.alias, strings.Join(cols, ", "), in.source, sortedBy)
	if _, err := tx.ExecContext(ctx, q); err != nil {
		return err
	}
	q = fmt.Sprintf("INSERT INTO %s.docs SELECT id, body FROM %s.docs WHERE id IN (SELECT id FROM %s.facts) ORDER BY id", next.alias, p.alias, next.alias)
	if _, err := tx.ExecContext(ctx, q); err != nil {
		return err
	}
	out, err := recount(ctx, tx, next)
	if err != nil {
		return err
	}
	out.position = in.position
	for i, l := range levels {
		if out.rows < s.pace.least {
			break
		}
		// counted first: a table that is made and emptied again leaves its room in the file
		var n int64
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT DISTINCT "+l.keys()+" FROM "+next.alias+".facts WHERE NOT quarantined)").Scan(&n); err != nil {
			return err
		}
		if !s.pace.pays(l, n, out.rows) {
			continue
		}
		if _, err := rebuild(ctx, tx, next, l, next.alias+".facts", "", false); err != nil {
			return err
		}
		out.kept |= 1 << i
	}
	if _, err := tx.ExecContext(ctx, stateSQL(next.alias, out)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, ledgerRow(next.alias, out)); err != nil {
		return err
	}
	return tx.Commit()
}

// recount reads the state of a file from its rows.
func recount(ctx context.Context, tx *sql.Tx, p *part) (info, error) {
	in := info{batch: 1, rolled: 1, sorted: true}
	q := `SELECT count(*), coalesce(min(received), 0), coalesce(max(received), 0), coalesce(min(id)::VARCHAR, ''), coalesce(max(id)::VARCHAR, '') FROM ` + p.alias + ".facts"
	var lo, hi string
	if err := tx.QueryRowContext(ctx, q).Scan(&in.rows, &in.lo, &in.hi, &lo, &hi); err != nil {
		return in, err
	}
	in.idLo, in.idHi = idMilli(lo), idMilli(hi)
	bits := "0"
	for _, t := range traits {
		bits += " | CASE WHEN bool_or(" + t.sql + ") THEN " + itoa(t.bit) + " ELSE 0 END"
	}
	rows, err := tx.QueryContext(ctx, "SELECT kind, ("+bits+")::BIGINT FROM "+p.alias+".facts GROUP BY kind")
	if err != nil {
		return in, err
	}
	defer rows.Close()
	for rows.Next() {
		var k eco.Kind
		var more int64
		if err := rows.Scan(&k, &more); err != nil {
			return in, err
		}
		in.kinds |= kindBit(k) | more
	}
	if err := rows.Err(); err != nil {
		return in, err
	}
	err = tx.QueryRowContext(ctx, "SELECT count(*) FROM "+p.alias+".docs").Scan(&in.docs)
	return in, err
}

// idMilli returns the time in a printed id, and 0 for none.
func idMilli(s string) int64 {
	id, err := eco.ParseID(s)
	if err != nil {
		return 0
	}
	return id.Time().UnixMilli()
}

// swap puts the new file in the place of the old one. Called with both locks held.
func (s *Store) swap(ctx context.Context, p *part, path string) error {
	if _, err := s.db.ExecContext(ctx, "DETACH "+p.alias); err != nil { // checkpoints, and removes the log
		return err
	}
	err := patiently(func() error { return fileGone(p.path + ".wal") })
	if err == nil {
		err = os.Rename(path, p.path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(p.path))
	}
	suspect := p.suspect.Load()
	if errAttach := patiently(func() error { return p.attach(ctx, s.db, blockSize) }); errAttach != nil {
		p.gone = true // queries go on without it; the next start opens it, or says what is wrong
		return errors.Join(err, errAttach)
	}
	p.suspect.Store(suspect)
	return err
}

// patiently tries again for some seconds. DuckDB lets a file go when the last of its
// threads has, which may be a moment after DETACH: a query that was stopped, or
// another's look at the list of files, still winds up.
func patiently(f func() error) error {
	err := f()
	for wait := time.Millisecond; err != nil && wait < 4*time.Second; wait *= 2 {
		time.Sleep(wait)
		err = f()
	}
	return err
}

func fileGone(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return errors.Join(errors.New("the old file kept its log"), err)
	}
	return nil
}

func removeFiles(path string) error {
	for _, f := range []string{path, path + ".wal"} {
		if err := os.Remove(f); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Purge implements facts.Store.
func (s *Store) Purge(ctx context.Context, now time.Time) ([]facts.Partition, error) {
	var out []facts.Partition
	for _, p := range s.all() {
		n := p.partition()
		if !n.Expired(now) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return out, failed("facts.Purge", err)
		}
		if err := s.drop(ctx, p); err != nil {
			return out, fault.E("facts.Purge", fault.Unavailable, "A facts file whose time is over could not be removed.", err)
		}
		out = append(out, n)
	}
	return out, nil
}

// drop unlinks a file: first itself, then its log, which alone is nothing and is
// removed at Open.
func (s *Store) drop(ctx context.Context, p *part) error {
	p.write.Lock()
	defer p.write.Unlock()
	p.use.Lock()
	defer p.use.Unlock()
	if !p.gone {
		if _, err := s.db.ExecContext(context.WithoutCancel(ctx), "DETACH "+p.alias); err != nil {
			return err
		}
		p.gone = true
		s.changed(p)
	}
	if err := removeFiles(p.path); err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.parts, p.partKey)
	s.mu.Unlock()
	return syncDir(filepath.Dir(p.path))
}

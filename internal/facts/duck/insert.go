//go:build cgo

package duck

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Insert implements facts.Store: a transaction per file, each with its position.
// A batch that has begun is finished even when ctx ends.
func (s *Store) Insert(ctx context.Context, b facts.Batch) error {
	if err := b.Check(); err != nil {
		return err
	}
	s.insert.Lock()
	defer s.insert.Unlock()
	if err := errors.Join(ctx.Err(), s.live("facts.Insert")); err != nil {
		return fault.E("facts.Insert", fault.Unavailable, "The facts are closing.", err)
	}
	ctx = context.WithoutCancel(ctx)
	docs := make(map[eco.ID][]byte, len(b.Docs))
	for _, d := range b.Docs {
		docs[d.ID] = d.Body
	}
	if len(b.Facts) == 0 {
		return nil
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return failed("facts.Insert", err)
	}
	defer conn.Close()
	for _, share := range split(b.Facts) {
		share.position, share.docs = b.Position, docs
		if err := s.put(ctx, conn, share); err != nil {
			s.suspectAll()
			return fault.E("facts.Insert", fault.Unavailable, "The facts could not be stored.", err)
		}
	}
	s.writeBack(ctx, conn)
	return nil
}

// suspectAll makes the next batch of every file look for rows that are there
// already: it may be cut differently from the one that failed.
func (s *Store) suspectAll() {
	for _, p := range s.all() {
		p.suspect.Store(true)
	}
}

// share is what a batch has for one file.
type share struct {
	partKey
	position uint64
	facts    []eco.Fact
	rows     []int // indices into facts
	docs     map[eco.ID][]byte
}

// split sorts the facts of a batch by file, keeping their order.
func split(fs []eco.Fact) []*share {
	var shares []*share
	var day eco.Day
	var from, to int64
	for i := range fs {
		if ms := fs[i].Received; ms < from || ms >= to {
			day = fs[i].Day()
			from = day.Time().UnixMilli()
			to = from + 24*time.Hour.Milliseconds()
		}
		k := partKey{day, fs[i].Class}
		var sh *share
		for _, have := range shares {
			if have.partKey == k {
				sh = have
				break
			}
		}
		if sh == nil {
			sh = &share{partKey: k, facts: fs}
			shares = append(shares, sh)
		}
		sh.rows = append(sh.rows, i)
	}
	return shares
}

// put commits a share to its file.
func (s *Store) put(ctx context.Context, conn *sql.Conn, sh *share) error {
	p, err := s.lockPart(ctx, sh.partKey)
	if err != nil {
		return err
	}
	defer p.write.Unlock()
	in := p.info.Load()
	if sh.position != 0 && sh.position <= in.position {
		return nil
	}
	if in.version < schemaVersion {
		if err := s.rewrite(ctx, p); err != nil {
			return err
		}
	}
	if p.suspect.Load() && sh.position != 0 {
		if err := p.leaveOut(ctx, conn, sh); err != nil {
			return err
		}
	}
	next, err := s.commit(ctx, conn, p, sh)
	if err != nil {
		return err
	}
	p.info.Store(next)
	s.changed(p)
	if sh.position != 0 {
		p.suspect.Store(false)
	}
	// the facts are stored, and an answer without rollups is right too
	if err := s.roll(ctx, conn, p); err != nil {
		s.o.Log.Warn("rollup failed", "day", p.day.String(), "class", string(p.class), "err", err)
	}
	p.logged.Store(fileSize(p.path + ".wal"))
	return nil
}

// writeBack checkpoints the files with the longest logs when all logs together
// have grown past maxLog: a day that is over would keep its log otherwise. Logs
// that a start replayed go at once.
func (s *Store) writeBack(ctx context.Context, conn *sql.Conn) {
	ps := s.all()
	slices.SortFunc(ps, func(a, b *part) int { return cmp.Compare(b.logged.Load(), a.logged.Load()) })
	var sum int64
	for _, p := range ps {
		sum += logCost(p.logged.Load())
	}
	for _, p := range ps {
		if p.logged.Load() == 0 || sum <= maxLog && !p.replayed {
			continue
		}
		if !p.write.TryLock() {
			continue // being rewritten, which writes its log back too
		}
		if !p.gone {
			if _, err := conn.ExecContext(ctx, "CHECKPOINT "+p.alias); err != nil {
				s.o.Log.Warn("checkpoint failed", "day", p.day.String(), "class", string(p.class), "err", err)
			}
			p.replayed = false
			before := p.logged.Swap(fileSize(p.path + ".wal"))
			sum -= logCost(before) - logCost(p.logged.Load())
		}
		p.write.Unlock()
	}
}

// logCost is what a log of so many bytes counts.
func logCost(n int64) int64 {
	if n == 0 {
		return 0
	}
	return max(n, leastLog)
}

// lockPart returns the file of the key with its write lock held, making it when
// there is none.
func (s *Store) lockPart(ctx context.Context, k partKey) (*part, error) {
	s.mu.RLock()
	p := s.parts[k]
	s.mu.RUnlock()
	if p != nil {
		p.write.Lock()
		if !p.gone { // both locks are held to set it
			return p, nil
		}
		p.write.Unlock()
	}
	s.mu.RLock()
	p = s.parts[k]
	s.mu.RUnlock()
	if p != nil {
		return nil, errors.New("the store is closed")
	}
	p = s.newPart(k)
	if err := p.attach(ctx, s.db, blockSize); err != nil {
		return nil, err
	}
	p.write.Lock()
	s.mu.Lock()
	s.parts[k] = p
	s.mu.Unlock()
	return p, nil
}

// leaveOut drops the rows of the share whose id is in the file.
func (p *part) leaveOut(ctx context.Context, conn *sql.Conn, sh *share) error {
	ours := make(map[eco.ID]bool, len(sh.rows))
	lo, hi := sh.facts[sh.rows[0]].ID, sh.facts[sh.rows[0]].ID
	for _, i := range sh.rows {
		id := sh.facts[i].ID
		ours[id] = false
		if string(id[:]) < string(lo[:]) {
			lo = id
		}
		if string(id[:]) > string(hi[:]) {
			hi = id
		}
	}
	rows, err := conn.QueryContext(ctx, "SELECT id FROM "+p.info.Load().source+" WHERE id >= "+literal(lo)+" AND id <= "+literal(hi))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			return err
		}
		if id := eco.ID(raw); len(raw) == len(id) {
			if _, is := ours[id]; is {
				ours[id] = true
			}
		}
	}
	kept := sh.rows[:0]
	for _, i := range sh.rows {
		if !ours[sh.facts[i].ID] {
			kept = append(kept, i)
		}
	}
	sh.rows = kept
	return rows.Err()
}

// commit writes rows, documents and position in one transaction and returns the
// state of the file after it.
func (s *Store) commit(ctx context.Context, conn *sql.Conn, p *part, sh *share) (*info, error) {
	in := *p.info.Load()
	add := info{batch: in.batch + 1, position: sh.position, lo: math.MaxInt64, hi: math.MinInt64, idLo: math.MaxInt64, idHi: math.MinInt64}
	if len(sh.rows) == 0 {
		add.lo, add.hi, add.idLo, add.idHi = in.lo, in.hi, in.idLo, in.idHi
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	err = conn.Raw(func(c any) error { return s.appendRows(c.(driver.Conn), p, sh, &add) })
	if err == nil {
		_, err = tx.ExecContext(ctx, ledgerRow(p.alias, add))
	}
	if err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	if in.rows == 0 {
		in.lo, in.hi, in.idLo, in.idHi = add.lo, add.hi, add.idLo, add.idHi
	}
	in.number = s.files.Add(1)
	in.batch, in.position, in.sorted = add.batch, max(in.position, add.position), in.sorted && add.rows == 0
	in.rows, in.docs, in.tail, in.ledger = in.rows+add.rows, in.docs+add.docs, in.tail+add.rows, in.ledger+1
	in.kinds |= add.kinds
	in.lo, in.hi, in.idLo, in.idHi = min(in.lo, add.lo), max(in.hi, add.hi), min(in.idLo, add.idLo), max(in.idHi, add.idHi)
	return &in, nil
}

func ledgerRow(alias string, a info) string {
	vals := []string{itoa(a.batch), strconv.FormatUint(a.position, 10)}
	for _, n := range []int64{a.rows, a.docs, a.kinds, a.lo, a.hi, a.idLo, a.idHi, a.erased} {
		vals = append(vals, literal(n))
	}
	return "INSERT INTO " + alias + ".applied VALUES (" + strings.Join(vals, ", ") + ", " + strconv.FormatBool(a.sorted) + ")"
}

func (s *Store) appendRows(c driver.Conn, p *part, sh *share, add *info) error {
	rows, err := duckdb.NewAppender(c, p.alias, "main", "facts")
	if err != nil {
		return err
	}
	var bodies []eco.ID
	var w rowWriter
	var f eco.Fact // one for all rows: it is on the heap
	for _, i := range sh.rows {
		f = facts.Normal(sh.facts[i])
		add.rows++
		add.kinds |= bitsOf(&f)
		at := f.ID.Time().UnixMilli()
		add.lo, add.hi, add.idLo, add.idHi = min(add.lo, f.Received), max(add.hi, f.Received), min(add.idLo, at), max(add.idHi, at)
		if err := rows.AppendRow(w.row(add.batch, &f)...); err != nil {
			return errors.Join(err, rows.Close())
		}
		if _, has := sh.docs[f.ID]; has {
			bodies = append(bodies, f.ID)
		}
	}
	if err := rows.Close(); err != nil || len(bodies) == 0 {
		return err
	}
	docs, err := duckdb.NewAppender(c, p.alias, "main", "docs")
	if err != nil {
		return err
	}
	var zipped []byte // DuckDB takes a copy
	for _, id := range bodies {
		add.docs++
		zipped = s.zip.EncodeAll(sh.docs[id], zipped[:0])
		if err := docs.AppendRow(duckdb.UUID(id), zipped); err != nil {
			return errors.Join(err, docs.Close())
		}
	}
	return docs.Close()
}

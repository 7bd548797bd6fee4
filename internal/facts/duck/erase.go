//go:build cgo

package duck

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// Erase implements facts.Store: rows, documents and the rollups of the project are
// gone for every query when it returns, file by file. After an error it may have
// reached some files; doing it again is right.
func (s *Store) Erase(ctx context.Context, sub facts.Subject) (facts.Receipt, error) {
	if err := sub.Check(); err != nil {
		return facts.Receipt{}, err
	}
	if err := s.live("facts.Erase"); err != nil {
		return facts.Receipt{}, err
	}
	hits, err := s.touched(unstopped(ctx), sub)
	if err != nil {
		return facts.Receipt{}, failed("facts.Erase", err)
	}
	var r facts.Receipt
	for _, p := range hits {
		n, err := s.eraseIn(unstopped(ctx), p, sub)
		if err != nil {
			return r, failed("facts.Erase", err)
		}
		if n.Rows > 0 {
			r.Rows, r.Docs = r.Rows+n.Rows, r.Docs+n.Docs
			r.Partitions = append(r.Partitions, n)
		}
	}
	r.Physical = len(r.Partitions) == 0
	return r, nil
}

// subjectSQL writes which rows are the subject's.
func subjectSQL(sub facts.Subject) string {
	if h := sub.Held; h != nil {
		q := "quarantined AND project = " + literal(sub.Project) + " AND id <= " + literal(h.Upto)
		if h.Signature != "" {
			q += " AND " + test("signature", facts.In, []any{h.Signature})
		}
		return q
	}
	var and []string
	if sub.Project != 0 {
		and = append(and, "project = "+literal(sub.Project))
	}
	if sub.Install != 0 {
		and = append(and, "install = "+literal(int64(sub.Install)))
	} else {
		and = append(and, "id = "+literal(sub.Crash))
	}
	return strings.Join(and, " AND ")
}

// touched returns the files that hold rows of the subject.
func (s *Store) touched(ctx context.Context, sub facts.Subject) ([]*part, error) {
	ps, done := s.reading(func(p *part) bool {
		in := p.info.Load()
		if sub.Held != nil {
			return in.rows > 0 && in.kinds&kindBit(eco.KindCrash) != 0 && in.idLo <= sub.Held.Upto.Time().UnixMilli()
		}
		at := sub.Crash.Time().UnixMilli()
		return in.rows > 0 && (sub.Install != 0 || at >= in.idLo && at <= in.idHi)
	})
	defer done()
	if len(ps) == 0 {
		return nil, nil
	}
	var union []string
	for i, p := range ps {
		union = append(union, "SELECT "+itoa(i)+" AS p FROM "+p.info.Load().source+" WHERE "+subjectSQL(sub))
	}
	rows, err := s.db.QueryContext(ctx, "SELECT DISTINCT p FROM ("+strings.Join(union, " UNION ALL ")+") ORDER BY p")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var hits []*part
	for rows.Next() {
		var i int
		if err := rows.Scan(&i); err != nil {
			return nil, err
		}
		hits = append(hits, ps[i])
	}
	return hits, rows.Err()
}

func (s *Store) eraseIn(ctx context.Context, p *part, sub facts.Subject) (facts.Partition, error) {
	n := facts.Partition{Day: p.day, Class: p.class}
	p.write.Lock()
	defer p.write.Unlock()
	if p.gone {
		return n, nil
	}
	if p.info.Load().version < schemaVersion {
		if err := s.rewrite(ctx, p); err != nil {
			return n, err
		}
	}
	p.use.Lock() // rows and rollups change together for every reader
	defer p.use.Unlock()
	in := *p.info.Load()
	tx, err := s.db.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return n, err
	}
	if err := eraseRows(ctx, tx, p, sub, &in, &n); err != nil {
		return facts.Partition{}, errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return facts.Partition{}, err
	}
	in.number = s.files.Add(1)
	p.info.Store(&in)
	s.changed(p)
	return n, nil
}

func eraseRows(ctx context.Context, tx *sql.Tx, p *part, sub facts.Subject, in *info, n *facts.Partition) error {
	whose := " FROM " + p.alias + ".facts WHERE " + subjectSQL(sub)
	projects, err := projectsOf(ctx, tx, whose)
	if err != nil {
		return err
	}
	count := func(q string) (int64, error) {
		r, err := tx.ExecContext(ctx, q)
		if err != nil {
			return 0, err
		}
		return r.RowsAffected()
	}
	if n.Docs, err = count("DELETE FROM " + p.alias + ".docs WHERE id IN (SELECT id" + whose + ")"); err != nil {
		return err
	}
	if n.Rows, err = count("DELETE" + whose); err != nil || n.Rows == 0 {
		return err
	}
	for i, l := range levels {
		if in.kept&(1<<i) == 0 || len(projects) == 0 {
			continue
		}
		table, of := p.alias+"."+l.table, test("project", facts.In, projects)
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE "+of); err != nil {
			return err
		}
		q := "INSERT INTO " + table + " SELECT " + l.folded() + " FROM (SELECT " + l.raw() + " FROM " + p.alias + ".facts WHERE NOT quarantined AND batch <= " +
			itoa(in.rolled) + " AND " + of + ") GROUP BY ALL"
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	row := *in
	row.rows, row.docs, row.erased, row.ledger = -n.Rows, -n.Docs, n.Rows, 0
	_, err = tx.ExecContext(ctx, ledgerRow(p.alias, row))
	in.rows, in.docs, in.erased, in.ledger = in.rows-n.Rows, in.docs-n.Docs, in.erased+n.Rows, in.ledger+1
	return err
}

func projectsOf(ctx context.Context, tx *sql.Tx, whose string) ([]any, error) {
	rows, err := tx.QueryContext(ctx, "SELECT DISTINCT project"+whose)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []any
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, rows.Err()
}

// Rewrite implements facts.Store. Inserts wait while the file of a day that is not
// over is rewritten (about a CPU second per 100,000 rows): one of more than
// openMost rows is left until its day is over.
func (s *Store) Rewrite(ctx context.Context) (int, error) {
	today := eco.DayOf(s.o.Now())
	return s.rewriteAll(ctx, "facts.Rewrite", func(p *part) bool {
		in := p.info.Load()
		return in.erased > 0 && (p.day < today || in.rows <= openMost)
	})
}

// openMost bounds the rewriting of a day that still receives rows.
const openMost = 1_000_000

// Compact rewrites the files of days before the given one that were not rewritten
// since their last row, sorted and small, and bundles their crashes. It returns how
// many it rewrote.
func (s *Store) Compact(ctx context.Context, before eco.Day) (int, error) {
	n, err := s.rewriteAll(ctx, "facts.Compact", func(p *part) bool {
		in := p.info.Load()
		return p.day < before && (!in.sorted || in.version < schemaVersion)
	})
	if err != nil {
		return n, err
	}
	// the days are stored, and an answer without bundles is right too
	if err := s.bundle(ctx, before); err != nil {
		s.o.Log.Warn("closed days were not bundled", "err", err)
	}
	return n, nil
}

func (s *Store) rewriteAll(ctx context.Context, op string, want func(*part) bool) (int, error) {
	n := 0
	for _, p := range s.all() {
		if !want(p) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return n, failed(op, err)
		}
		p.write.Lock()
		var err error
		if !p.gone && want(p) {
			err = s.rewrite(unstopped(ctx), p)
			n++
		}
		p.write.Unlock()
		if err != nil {
			return n - 1, failed(op, err)
		}
	}
	return n, nil
}

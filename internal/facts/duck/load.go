//go:build cgo

package duck

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// loadAll reads the state of attached files with two questions over all of them:
// a start has hundreds, and planning a question costs more than answering it.
func loadAll(ctx context.Context, db *sql.DB, ps []*part) error {
	if len(ps) == 0 {
		return nil
	}
	in := make([]*info, len(ps))
	var states, ledgers []string
	for i, p := range ps {
		in[i] = &info{source: p.alias + ".facts"}
		states = append(states, "SELECT "+itoa(i)+" AS p, version, rolled, kept FROM "+p.alias+".state")
		ledgers = append(ledgers, "SELECT "+itoa(i)+" AS p, * FROM "+p.alias+".applied")
	}
	err := eachRow(ctx, db, strings.Join(states, " UNION ALL "), func(scan func(...any) error) error {
		var i int
		var version, rolled, kept int64
		if err := scan(&i, &version, &rolled, &kept); err != nil {
			return err
		}
		in[i].version, in[i].rolled, in[i].kept = version, rolled, kept
		return nil
	})
	if err != nil {
		return err
	}
	err = eachRow(ctx, db, `SELECT p, max(batch), max(position), sum(rows)::BIGINT, sum(docs)::BIGINT, bit_or(kinds), min(lo), max(hi), min(id_lo), max(id_hi),
		sum(erased)::BIGINT, arg_max(sorted, batch), count(*) FROM (`+strings.Join(ledgers, " UNION ALL ")+") GROUP BY p", func(scan func(...any) error) error {
		var i int
		var l info
		if err := scan(&i, &l.batch, &l.position, &l.rows, &l.docs, &l.kinds, &l.lo, &l.hi, &l.idLo, &l.idHi, &l.erased, &l.sorted, &l.ledger); err != nil {
			return err
		}
		l.source, l.version, l.rolled, l.kept = in[i].source, in[i].version, in[i].rolled, in[i].kept
		in[i] = &l
		return nil
	})
	if err != nil {
		return err
	}
	for i, p := range ps {
		if err := p.settle(ctx, db, in[i]); err != nil {
			return err
		}
	}
	return nil
}

// settle completes the state that was read and puts it in use.
func (p *part) settle(ctx context.Context, db *sql.DB, in *info) error {
	switch {
	case in.version > schemaVersion:
		return fmt.Errorf("%s was written by a newer version (schema %d, ours is %d)", p.alias, in.version, schemaVersion)
	case in.version < schemaVersion:
		in.rolled, in.kept, in.tail = 0, 0, in.rows // its rollups are not read
		var err error
		if in.source, err = p.defaults(ctx, db); err != nil {
			return err
		}
	case in.rolled == 0:
		in.tail = in.rows
	case in.batch > in.rolled:
		q := "SELECT coalesce(sum(rows), 0)::BIGINT FROM " + p.alias + ".applied WHERE batch > " + itoa(in.rolled)
		if err := db.QueryRowContext(ctx, q).Scan(&in.tail); err != nil {
			return err
		}
	}
	if was := p.info.Load(); was != nil { // a rewrite changes no row
		in.number = was.number
	}
	p.info.Store(in)
	p.suspect.Store(in.position > 0)
	p.logged.Store(fileSize(p.path + ".wal"))
	p.replayed = p.logged.Load() > shortLog
	return nil
}

func eachRow(ctx context.Context, db *sql.DB, q string, row func(scan func(...any) error) error) error {
	rows, err := db.QueryContext(ctx, q)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

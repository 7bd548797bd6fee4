//go:build cgo

package duck

import (
	"context"
	"database/sql"
	"strings"
)

// pace says when rollups are made. They follow the facts at a distance: below after
// rows a scan is as fast. A rollup waits for queries of its file only when most
// rows lie behind it.
type pace struct {
	after, most int64
	least       int64 // rows of a closed file that gets rollups
	any         bool  // keep rollups that save nothing (tests)
}

func usualPace() pace { return pace{after: 200_000, most: 2_000_000, least: 10_000} }

func (c pace) pays(l level, rolled, rows int64) bool { return c.any || rolled*l.gain <= rows }

// roll brings the rollups up to the last batch when enough rows lie after them. It
// waits for queries of this file only when it has been put off for long. Called
// with the write lock held.
func (s *Store) roll(ctx context.Context, conn *sql.Conn, p *part) error {
	if n := p.info.Load().tail; n < s.pace.after || n < s.pace.most && !p.use.TryLock() {
		return nil
	} else if n >= s.pace.most {
		p.use.Lock()
	}
	defer p.use.Unlock()
	in := *p.info.Load()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	since := " AND batch > " + itoa(in.rolled)
	first := in.rolled == 0
	for i, l := range levels {
		bit := int64(1) << i
		if !first && in.kept&bit == 0 {
			continue // did not pay, and is not looked at again before the day is rewritten
		}
		rows, err := rebuild(ctx, tx, p, l, in.source, since, !first)
		if err != nil {
			return err
		}
		in.kept |= bit
		if !s.pace.pays(l, rows, in.rows) {
			if _, err := tx.ExecContext(ctx, "TRUNCATE "+p.alias+"."+l.table); err != nil {
				return err
			}
			in.kept &^= bit
		}
	}
	in.rolled, in.tail = in.batch, 0
	if _, err := tx.ExecContext(ctx, stateSQL(p.alias, in)); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	p.info.Store(&in)
	return nil
}

func stateSQL(alias string, in info) string {
	return "UPDATE " + alias + ".state SET version = " + itoa(schemaVersion) + ", rolled = " + itoa(in.rolled) + ", kept = " + itoa(in.kept)
}

// rebuild replaces a rollup by the facts of a source that a condition selects,
// added to what it holds when add says so, and returns its rows.
func rebuild(ctx context.Context, tx *sql.Tx, p *part, l level, source, and string, add bool) (int64, error) {
	table := p.alias + "." + l.table
	from := "SELECT " + l.raw() + " FROM " + source + " WHERE NOT quarantined" + and
	if add {
		from += " UNION ALL SELECT " + strings.Join(l.dims, ", ")
		for _, sum := range sums {
			from += ", " + sum.name
		}
		from += " FROM " + table
	}
	q := "CREATE OR REPLACE TABLE " + table + " AS SELECT " + l.folded() + " FROM (" + from + ") GROUP BY ALL"
	if _, err := tx.ExecContext(ctx, q+" ORDER BY ALL"); err != nil {
		return 0, err
	}
	var n int64
	err := tx.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n)
	return n, err
}

package db

import (
	"context"
	"database/sql"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Lease takes or renews the lease of a name for a holder until a time, and
// reports whether the holder has it now. A lease that another holds is taken
// only when it has ended at now. Clocks of nodes may differ by less than the
// lease is long.
func (d *DB) Lease(ctx context.Context, name, holder string, until, now time.Time) (bool, error) {
	var n int64
	err := d.Tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `INSERT INTO db_lease (name, holder, until_ms) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms
			WHERE db_lease.holder = $2 OR db_lease.until_ms <= $4`,
			name, holder, until.UnixMilli(), now.UnixMilli())
		if err != nil {
			return err
		}
		n, err = r.RowsAffected()
		return err
	})
	if err != nil {
		return false, fault.Wrap("db.Lease", err)
	}
	return n == 1, nil
}

// Release ends the lease if this holder has it.
func (d *DB) Release(ctx context.Context, name, holder string) error {
	return fault.Wrap("db.Release", d.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM db_lease WHERE name = $1 AND holder = $2`, name, holder)
		return err
	}))
}

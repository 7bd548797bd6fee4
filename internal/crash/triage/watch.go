package triage

import (
	"context"
	"database/sql"
)

// setWatch says that an account watches a family, or does not, whatever happens.
func setWatch(ctx context.Context, tx *sql.Tx, family, account, why string, on bool) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO triage_watch (family, account, why, muted) VALUES ($1, $2, $3, $4)
		ON CONFLICT (family, account) DO UPDATE SET why = excluded.why, muted = excluded.muted`, family, account, why, bit(!on))
	return err
}

// autoWatch makes somebody watch who has neither said so nor muted it.
func autoWatch(ctx context.Context, tx *sql.Tx, family, account, why string) error {
	if account == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO triage_watch (family, account, why, muted) VALUES ($1, $2, $3, 0) ON CONFLICT (family, account) DO NOTHING`, family, account, why)
	return err
}

// watching lists who watches a family and has not muted it.
func watching(ctx context.Context, q querier, family string) ([]string, error) {
	var out []string
	err := scan(ctx, q, func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		out = append(out, id)
		return err
	}, `SELECT account FROM triage_watch WHERE family = $1 AND muted = 0 ORDER BY account`, family)
	return out, err
}

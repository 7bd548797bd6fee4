package triage

import (
	"context"
	"database/sql"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Watch makes p watch a family, or stop (mute: nothing makes p watch it again but
// Watch). A token watches for its owner.
func (d *Desk) Watch(ctx context.Context, p account.Principal, family string, on bool) error {
	const op = "triage.Watch"
	if p.Kind != account.KindAccount && p.Kind != account.KindToken {
		return fault.E(op, fault.Invalid, "Only people watch.", nil)
	}
	if _, err := d.sit(ctx, p, account.FamilyComment, family); err != nil {
		return err
	}
	return fault.Wrap(op, d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		if err := setWatch(ctx, tx, family, p.ID, "hand", on); err != nil {
			return err
		}
		action := "family.watch"
		if !on {
			action = "family.mute"
		}
		return d.record(ctx, tx, p.Actor(), action, family, "")
	}))
}

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

package crash

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// forgetAfterDays is how long a family that nobody sees any more is remembered,
// so that its return is known as one. Its crashes are gone long before.
const forgetAfterDays = 400

// tendAtMost bounds the families that one run forgets, and those it finds a new
// representative for; the next run goes on.
const tendAtMost = 1000

// Tend is the desk's daily job: it forgets families unseen for forgetAfterDays,
// and gives a new representative to families whose old one was erased or purged.
func (d *Desk) Tend(ctx context.Context) (note string, err error) {
	const op = "crash.Tend"
	gone, err := d.forget(ctx)
	if err != nil {
		return "", fault.Wrap(op, err)
	}
	mended, err := d.mend(ctx)
	if err != nil {
		return "", fault.Wrap(op, err)
	}
	if gone+mended == 0 {
		return "nothing to do", nil
	}
	return fmt.Sprintf("%d families forgotten, %d given a new representative", gone, mended), nil
}

func (d *Desk) forget(ctx context.Context) (int, error) {
	before := d.o.Now().AddDate(0, 0, -forgetAfterDays).UnixMilli()
	ids, err := column(ctx, d.o.Flow.Read(), `SELECT id FROM crash_family WHERE last_ms < $1 ORDER BY last_ms, id LIMIT $2`, before, tendAtMost)
	if err != nil {
		return 0, err
	}
	l, err := d.Links(ctx)
	if err != nil {
		return 0, err
	}
	for i, id := range ids {
		if l.Names(id) { // part of a family that others may still be seen of
			continue
		}
		err := d.o.Flow.Tx(ctx, func(tx *sql.Tx) error {
			// Only the signatures of no other family leave the index of words.
			hashes, err := column(ctx, tx, `SELECT hash FROM crash_signature a WHERE family = $1
				AND NOT EXISTS (SELECT 1 FROM crash_signature b WHERE b.hash = a.hash AND b.family <> $1) ORDER BY hash`, id)
			if err != nil {
				return err
			}
			for _, h := range hashes {
				for _, index := range []string{SearchIndex, messageIndex, frameIndex} {
					if err := d.o.Flow.Search().Delete(ctx, tx, index, h); err != nil {
						return err
					}
				}
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM crash_signature WHERE family = $1`, id); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM crash_rated WHERE family = $1`, id); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM crash_near WHERE family = $1 OR other = $1`, id); err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `DELETE FROM crash_family WHERE id = $1 AND last_ms < $2`, id, before)
			return err
		})
		if err != nil {
			return i, err
		}
	}
	d.mu.Lock()
	clear(d.sure) // it may name what is gone
	d.mu.Unlock()
	return len(ids), nil
}

func (d *Desk) mend(ctx context.Context) (int, error) {
	mended, after := 0, ""
	for mended < tendAtMost {
		ids, err := column(ctx, d.o.Flow.Read(), `SELECT id FROM crash_family WHERE id > $1 ORDER BY id LIMIT $2`, after, chunk)
		if err != nil || len(ids) == 0 {
			return mended, err
		}
		after = ids[len(ids)-1]
		known, err := families(ctx, d.o.Flow.Read(), ids)
		if err != nil {
			return mended, err
		}
		lost, err := d.lost(ctx, ids, known)
		if err != nil {
			return mended, err
		}
		for _, id := range lost {
			changed, err := d.mendOne(ctx, known[id])
			if err != nil {
				return mended, err
			}
			if changed {
				mended++
			}
		}
	}
	return mended, nil
}

// lost names the families whose representative is in facts no longer.
func (d *Desk) lost(ctx context.Context, ids []string, known map[string]*Family) ([]string, error) {
	reps := make([]string, 0, len(ids))
	for _, id := range ids {
		if f := known[id]; f != nil && !f.Representative.IsZero() {
			reps = append(reps, f.Representative.String())
		}
	}
	there := map[string]bool{}
	if len(reps) > 0 {
		a := (&ask{facts.Query{Scope: facts.Everything()}}).in(facts.ID, reps...).by(facts.ID).sum(facts.Rows)
		r, err := d.query(ctx, a)
		if err != nil {
			return nil, err
		}
		for _, v := range r.Rows {
			there[text(v[0])] = true
		}
	}
	l, err := d.Links(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, id := range ids {
		if l.Resolve(id, "") != id { // what it is part of has one
			continue
		}
		if f := known[id]; f != nil && !there[f.Representative.String()] {
			out = append(out, id)
		}
	}
	return out, nil
}

// mendOne gives a family its newest crash with a stack as representative, or none.
func (d *Desk) mendOne(ctx context.Context, f *Family) (bool, error) {
	a := (&ask{facts.Query{Scope: facts.Everything()}}).in(facts.Kind, string(eco.KindCrash)).in(facts.Family, f.ID).in(facts.Counted, "0").limit(1)
	a.q.Rows = true
	r, err := d.query(ctx, a)
	if err != nil {
		return false, err
	}
	next := eco.ID{}
	if len(r.Facts) > 0 {
		next = r.Facts[0].ID
	}
	if next == f.Representative {
		return false, nil
	}
	return true, d.o.Flow.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE crash_family SET representative = $1 WHERE id = $2 AND representative = $3`, idText(next), f.ID, idText(f.Representative))
		return err
	})
}

// column reads one column of text.
func column(ctx context.Context, q querier, query string, args ...any) ([]string, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

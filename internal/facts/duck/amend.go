//go:build cgo

package duck

import (
	"context"
	"errors"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Amend implements facts.Store: a transaction per file. An erasure of the same
// document comes before or after it, never between; what was erased stays away.
func (s *Store) Amend(ctx context.Context, docs []facts.Doc) (int, error) {
	if err := facts.CheckAmend(docs); err != nil {
		return 0, err
	}
	if err := errors.Join(ctx.Err(), s.live("facts.Amend")); err != nil {
		return 0, fault.E("facts.Amend", fault.Unavailable, "The facts are closing.", err)
	}
	ids := make([]eco.ID, len(docs))
	for i := range docs {
		ids[i] = docs[i].ID
	}
	n := 0
	for _, p := range s.all() {
		some := p.mayHold(ids)
		if len(some) == 0 {
			continue
		}
		there := make(map[eco.ID]bool, len(some))
		for _, id := range some {
			there[id.(eco.ID)] = true
		}
		k, err := s.amendIn(context.WithoutCancel(ctx), p, docs, there)
		if n += k; err != nil {
			return n, failed("facts.Amend", err)
		}
	}
	return n, nil
}

func (s *Store) amendIn(ctx context.Context, p *part, docs []facts.Doc, there map[eco.ID]bool) (n int, err error) {
	p.write.Lock()
	defer p.write.Unlock()
	if p.gone {
		return 0, nil
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	for i := range docs {
		d := &docs[i]
		if !there[d.ID] || d.Class != p.class {
			continue
		}
		r, err := tx.ExecContext(ctx, "UPDATE "+p.alias+".docs SET body = ? WHERE "+test("id", facts.In, []any{d.ID}), s.zip.EncodeAll(d.Body, nil))
		if err != nil {
			return 0, errors.Join(err, tx.Rollback())
		}
		k, err := r.RowsAffected()
		if err != nil {
			return 0, errors.Join(err, tx.Rollback())
		}
		n += int(k)
	}
	return n, tx.Commit()
}

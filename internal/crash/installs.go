package crash

import (
	"context"
	"slices"

	"github.com/bellwether-project/bellwether/internal/facts"
)

// installsOf counts the distinct installs of the families together: an install
// that had two of them counts once. all are the families that facts found, of
// which rows were kept. 0 when a question cannot tell the two apart: thousands on
// both sides.
func (d *Desk) installsOf(ctx context.Context, a *ask, rows []counted, all [][]any) (int64, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	var ids []string
	sum := &ask{facts.Query{Scope: a.q.Scope, From: a.q.From, To: a.q.To, Where: slices.Clone(a.q.Where)}}
	switch left := len(all) - len(rows); {
	case left == 0:
	case len(rows) <= maxApart:
		for i := range rows {
			ids = append(ids, rows[i].id)
		}
		sum.in(facts.Family, ids...)
	case left <= maxApart:
		kept := make(map[string]bool, len(rows))
		for i := range rows {
			kept[rows[i].id] = true
		}
		for _, v := range all {
			if id := text(v[0]); !kept[id] {
				ids = append(ids, id)
			}
		}
		sum.not(facts.Family, ids...)
	default:
		return 0, nil
	}
	r, err := d.query(ctx, sum.sum(facts.Installs))
	if err != nil || len(r.Rows) == 0 {
		return 0, err
	}
	return number(r.Rows[0][0]), nil
}

// installsEach counts the distinct installs of each family of a page.
func (d *Desk) installsEach(ctx context.Context, a *ask, page []counted) error {
	if len(page) == 0 {
		return nil
	}
	ids, at := make([]string, len(page)), make(map[string]int, len(page))
	for i := range page {
		ids[i], at[page[i].id] = page[i].id, i
	}
	of := &ask{facts.Query{Scope: a.q.Scope, From: a.q.From, To: a.q.To, Where: slices.Clone(a.q.Where)}}
	r, err := d.query(ctx, of.in(facts.Family, ids...).by(facts.Family).sum(facts.Installs))
	if err != nil {
		return err
	}
	for _, v := range r.Rows {
		page[at[text(v[0])]].installs = number(v[1])
	}
	return nil
}

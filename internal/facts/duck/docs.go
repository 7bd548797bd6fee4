//go:build cgo

package duck

import (
	"context"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Documents implements facts.Store. What is outside the scope is not looked at
// any longer than what is not there.
func (s *Store) Documents(ctx context.Context, scope facts.Scope, ids []eco.ID) ([]facts.Doc, error) {
	if !scope.IsSet() {
		return nil, fault.E("facts.Documents", fault.Invalid, "A query needs a scope.", nil)
	}
	if len(ids) > facts.MaxIDs {
		return nil, fault.E("facts.Documents", fault.Invalid, "At most 1,000 documents at once.", nil)
	}
	if err := s.live("facts.Documents"); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, failed("facts.Documents", err)
	}
	ctx = unstopped(ctx)
	ps, done := s.reading(func(p *part) bool { return len(p.mayHold(ids)) > 0 })
	defer done()
	if len(ps) == 0 {
		return nil, nil
	}
	var union []string
	var long lists
	for i, p := range ps {
		these := test("id", facts.In, p.mayHold(ids))
		seen := "SELECT id FROM " + p.info.Load().source + " WHERE " + these + " AND " + long.visible(scope)
		union = append(union, "SELECT "+itoa(i)+", id, body FROM "+p.alias+".docs WHERE "+these+" AND id IN ("+seen+")")
	}
	rows, err := s.db.QueryContext(ctx, long.with()+strings.Join(union, " UNION ALL "))
	if err != nil {
		return nil, failed("facts.Documents", err)
	}
	defer rows.Close()
	got := make(map[eco.ID]facts.Doc, len(ids))
	for rows.Next() {
		var i int
		var raw, zipped []byte
		if err := rows.Scan(&i, &raw, &zipped); err != nil {
			return nil, failed("facts.Documents", err)
		}
		body, err := s.unzip.DecodeAll(zipped, nil)
		if err != nil {
			return nil, failed("facts.Documents", err)
		}
		got[eco.ID(raw)] = facts.Doc{ID: eco.ID(raw), Class: ps[i].class, Body: body}
	}
	if err := rows.Err(); err != nil {
		return nil, failed("facts.Documents", err)
	}
	var out []facts.Doc
	for _, id := range ids {
		if d, ok := got[id]; ok {
			out = append(out, d)
		}
	}
	return out, nil
}

// mayHold returns those of the ids whose documents can be in the file.
func (p *part) mayHold(ids []eco.ID) (some []any) {
	in := p.info.Load()
	for _, id := range ids {
		if at := id.Time().UnixMilli(); in.docs > 0 && at >= in.idLo && at <= in.idHi {
			some = append(some, id)
		}
	}
	return some
}

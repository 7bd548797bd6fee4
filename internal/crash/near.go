package crash

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Nearby is another family so like this one that a person should look whether
// they have one cause.
type Nearby struct {
	Family string  `json:"family"`
	Title  string  `json:"title"`
	State  State   `json:"state"`
	Score  float64 `json:"score"` // the highest similarity of a crash of one to a representative of the other
}

// maxNearby bounds the families that are proposed for one.
const maxNearby = 10

// putNear notes what a batch found close by, with the highest score of all.
func putNear(ctx context.Context, tx *sql.Tx, s *Seen) error {
	for _, n := range s.Near {
		_, err := tx.ExecContext(ctx, `INSERT INTO crash_near (family, other, score, last_ms) VALUES ($1, $2, $3, $4)
			ON CONFLICT (family, other) DO UPDATE SET last_ms = CASE WHEN excluded.last_ms > crash_near.last_ms THEN excluded.last_ms ELSE crash_near.last_ms END,
			score = CASE WHEN excluded.score > crash_near.score THEN excluded.score ELSE crash_near.score END`, s.Family, n.Family, n.Score, s.Last)
		if err != nil {
			return fault.Wrap("crash.Record", err)
		}
	}
	return nil
}

// nearby lists the families close to one that the scope may decide on, the most similar first.
// Families that people keep apart from it are not proposed.
func (d *Desk) nearby(ctx context.Context, scope facts.Scope, id string, apart map[string]Apart) ([]Nearby, error) {
	l, err := d.Links(ctx)
	if err != nil {
		return nil, err
	}
	score := map[string]float64{}
	err = each(append([]string{id}, l.Sources(id)...), func(marks string, args []any) error {
		rows, err := d.o.Flow.Read().QueryContext(ctx, `SELECT family, other, score FROM crash_near WHERE family IN (`+marks+`) OR other IN (`+marks+`)
			ORDER BY score DESC, family, other LIMIT 200`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var a, b string
			var s float64
			if err := rows.Scan(&a, &b, &s); err != nil {
				return err
			}
			a, b = l.Resolve(a, ""), l.Resolve(b, "")
			if b == id {
				a, b = b, a
			}
			if a != id || b == id {
				continue
			}
			if was, ok := score[b]; !ok || s > was {
				score[b] = s
			}
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(score))
	for other := range score {
		ids = append(ids, other)
	}
	slices.Sort(ids)
	known, err := d.knownBy(ctx, l, ids)
	if err != nil {
		return nil, err
	}
	now, err := states(ctx, d.o.Records.Read(), ids)
	if err != nil {
		return nil, err
	}
	out := []Nearby{}
	for _, other := range ids {
		f := known[other]
		if _, no := apart[other]; no || f == nil || !owns(scope, f) {
			continue
		}
		f.take(now[other])
		out = append(out, Nearby{Family: other, Title: f.Title, State: f.State, Score: score[other]})
	}
	slices.SortStableFunc(out, func(a, b Nearby) int { return cmp.Compare(b.Score, a.Score) })
	return out[:min(len(out), maxNearby)], nil
}

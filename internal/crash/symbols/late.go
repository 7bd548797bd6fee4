package symbols

import (
	"context"
	"database/sql"
	"strconv"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Waiting are crashes that may be named now: a file came that they asked for.
type Waiting struct {
	Missing Missing
	Crashes []eco.ID
}

// maxDue bounds what one run of the job takes on.
const maxDue = 20

// Due lists what waits to be named.
func (s *Store) Due(ctx context.Context) ([]Waiting, error) {
	list, err := s.missing(ctx, ` WHERE due = 1 ORDER BY id LIMIT $1`, maxDue)
	if err != nil {
		return nil, fault.Wrap("symbols.Due", err)
	}
	var out []Waiting
	for _, m := range list {
		ids, err := s.crashesOf(ctx, m.ID)
		if err != nil {
			return nil, fault.Wrap("symbols.Due", err)
		}
		out = append(out, Waiting{m, ids})
	}
	return out, nil
}

// Name names the frames of a stored crash; it notes nothing as missing. by lists
// the files that did it.
func (s *Store) Name(ctx context.Context, c *eco.Crash, o *eco.Origin) (note string, by []File) {
	r, _ := s.apply(ctx, c, o)
	if r.Renamed == 0 {
		return "", nil
	}
	for _, a := range r.Used {
		if f, err := s.File(ctx, a.ID); err == nil {
			by = append(by, f)
		}
	}
	return describe(r, 0), by
}

// Settle ends the wait for a file: helped says that it named crashes, so that it is
// missing no more; else the file that came did not fit, and it stays on the list.
func (s *Store) Settle(ctx context.Context, missing string, helped bool) error {
	return fault.Wrap("symbols.Settle", s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		if helped {
			return drop(ctx, tx, missing)
		}
		_, err := tx.ExecContext(ctx, `UPDATE symbol_missing SET due = 0 WHERE id = $1`, missing)
		return err
	}))
}

// CountInstalls fills in how many distinct installs the newest crashes of each line
// come from, as far as the scope sees them.
func (s *Store) CountInstalls(ctx context.Context, f facts.Store, scope facts.Scope, list []Missing) error {
	const newest = 200
	for i := range list {
		ids, err := s.crashesOf(ctx, list[i].ID)
		if err != nil {
			return fault.Wrap("symbols.CountInstalls", err)
		}
		if len(ids) == 0 {
			continue
		}
		var values []string
		for _, id := range ids[:min(len(ids), newest)] {
			values = append(values, id.String())
		}
		r, err := f.Query(ctx, facts.Query{Scope: scope, Where: []facts.Cond{{Col: facts.ID, Op: facts.In, Values: values}}, Measures: []facts.Measure{{Fn: facts.Installs}}})
		if err != nil {
			return fault.Wrap("symbols.CountInstalls", err)
		}
		if len(r.Rows) == 1 && len(r.Rows[0]) == 1 {
			list[i].Installs = number(r.Rows[0][0])
		}
	}
	return nil
}

func number(v any) int64 {
	switch n := v.(type) {
	case int64:
		return n
	case float64:
		return int64(n)
	case string:
		i, _ := strconv.ParseInt(n, 10, 64)
		return i
	}
	return 0
}

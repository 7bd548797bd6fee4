//go:build cgo

package duck

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Export implements facts.Store: a Parquet file per day. DuckDB may only write
// inside its folder, so a file is made there and then moved.
func (s *Store) Export(ctx context.Context, q facts.Query, dir string) ([]string, error) {
	q.Rows, q.Limit, q.Offset, q.Order, q.Relabel = true, 0, 0, nil, nil // rows as they are kept
	if err := q.Check(); err != nil {
		return nil, err
	}
	if err := s.live("facts.Export"); err != nil {
		return nil, err
	}
	pl, err := newPlan(&q)
	if err != nil {
		return nil, err
	}
	ps, done := s.reading(pl.wants)
	defer done()
	var files []string
	for len(ps) > 0 {
		n := 1
		for n < len(ps) && ps[n].day == ps[0].day {
			n++
		}
		if err := ctx.Err(); err != nil {
			return files, failed("facts.Export", err)
		}
		file, err := s.exportDay(unstopped(ctx), pl, ps[:n], dir)
		if err != nil {
			return files, err
		}
		if file != "" {
			files = append(files, file)
		}
		ps = ps[n:]
	}
	return files, nil
}

func (s *Store) exportDay(ctx context.Context, pl *plan, ps []*part, dir string) (string, error) {
	var union []string
	for _, p := range ps {
		union = append(union, "SELECT "+exportColumns(p)+" FROM "+p.info.Load().source+" WHERE "+pl.where(p, false)+between("received", pl.from, pl.to))
	}
	temp := filepath.Join(s.temp(), fmt.Sprintf("export-%d.parquet", s.files.Add(1)))
	defer os.Remove(temp)
	// the row count comes back as rows affected
	r, err := s.db.ExecContext(ctx, "COPY ("+pl.lists.with()+strings.Join(union, " UNION ALL ")+" ORDER BY id) TO "+quote(temp)+" (FORMAT parquet, COMPRESSION zstd)")
	if err != nil {
		return "", failed("facts.Export", err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return "", failed("facts.Export", err)
	}
	path := filepath.Join(dir, "facts-"+ps[0].day.String()+".parquet")
	if err := move(temp, path); err != nil {
		return "", fault.E("facts.Export", fault.Unavailable, "The export could not be written.", err)
	}
	return path, nil
}

func exportColumns(p *part) string {
	var cols []string
	for _, c := range facts.Exported {
		switch c {
		case facts.ID:
			cols = append(cols, "replace(id::VARCHAR, '-', '') AS id")
		case facts.Handled, facts.Quarantined:
			cols = append(cols, string(c))
		default:
			cols = append(cols, expression(c, p, false)+" AS "+string(c))
		}
	}
	return strings.Join(cols, ", ") + `, received, received - lag AS time, value, weight, assumed, n AS count, errored, crashed, abnormal, attrs`
}

// move renames, or copies to another file system.
func move(from, to string) error {
	if err := os.Chmod(from, 0o600); err != nil {
		return err
	}
	if os.Rename(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

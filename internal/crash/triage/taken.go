package triage

import (
	"context"
	"database/sql"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// maxTaken bounds what Taken reads.
const maxTaken = 50_000

// Taken lists the families that a person is assigned to, without saying who. For
// the server's own answers to reporters.
func (d *Desk) Taken(ctx context.Context) (map[string]bool, error) {
	out := map[string]bool{}
	err := scan(ctx, d.o.Records.Read(), func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		out[id] = true
		return err
	}, `SELECT family FROM triage_family WHERE person > '' LIMIT $1`, maxTaken)
	return out, fault.Wrap("triage.Taken", err)
}

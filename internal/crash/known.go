package crash

import (
	"context"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Known returns what the flow knows of families, by id, without their counts and
// states; it is for the flow's own jobs, not for people.
func (d *Desk) Known(ctx context.Context, ids []string) (map[string]*Family, error) {
	out, err := families(ctx, d.o.Flow.Read(), ids)
	return out, fault.Wrap("crash.Known", err)
}

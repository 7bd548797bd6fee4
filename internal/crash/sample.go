package crash

import (
	"context"
	"encoding/json"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Sample returns the newest crashes of a family that came with a stack, redacted for whoever asks and
// without what would let a reader follow one person. Placements are as stored.
func (d *Desk) Sample(ctx context.Context, scope facts.Scope, family string, p Period, limit int) ([]Document, error) {
	const op = "crash.Sample"
	page, err := d.Crashes(ctx, scope, CrashFilter{Period: p, Family: family, Limit: limit, Stacks: true})
	if err != nil {
		return nil, err
	}
	ids := make([]eco.ID, len(page.Crashes))
	for i, c := range page.Crashes {
		ids[i] = c.ID
	}
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := d.o.Facts.Documents(ctx, scope, ids)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	out := make([]Document, 0, len(found))
	for _, f := range found {
		var doc Document
		if err := json.Unmarshal(f.Body, &doc); err != nil {
			return nil, fault.E(op, fault.Internal, "A document cannot be read.", err)
		}
		if doc.Version == 0 {
			continue
		}
		doc = Redact(doc, scope)
		doc.Origin.Install, doc.Crash.SessionID = 0, ""
		out = append(out, doc)
	}
	return out, nil
}

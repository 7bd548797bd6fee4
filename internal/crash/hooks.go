package crash

import (
	"context"
	"database/sql"

	"github.com/bellwether-project/bellwether/internal/facts"
)

// Hooks are called by the desk for those who work on families (crash/triage).
type Hooks struct {
	// Recorded is told of the families of every batch of the flow, after its commit.
	Recorded func(families []string)
	// Changed is called in the transaction of every change of a state.
	Changed func(ctx context.Context, tx *sql.Tx, c Change) error
	// Regrouped is called in the transaction of every merge and split, and of taking
	// one back (Undone). The links of before still hold for those who read beside it.
	Regrouped func(ctx context.Context, tx *sql.Tx, g Regrouping, actor string) error
	// Along says what of the parts' work a merge would bring to its target. It changes nothing.
	Along func(ctx context.Context, g Regrouping) ([]Along, error)
}

// Along is something that people did with a part of a merge.
type Along struct {
	Family string `json:"family"`          // the part
	Kind   string `json:"kind"`            // team, person, label, watch
	Name   string `json:"name"`            // of the team, person or label
	Stays  string `json:"stays,omitempty"` // what the target has instead: this one does not come along
}

// Listen sets the hooks. It is called once, before the flow starts.
func (d *Desk) Listen(h Hooks) { d.hooks = h }

func (d *Desk) changed(ctx context.Context, tx *sql.Tx, c Change) error {
	if d.hooks.Changed == nil {
		return nil
	}
	return d.hooks.Changed(ctx, tx, c)
}

func (d *Desk) regrouped(ctx context.Context, tx *sql.Tx, g Regrouping, actor string) error {
	if d.hooks.Regrouped == nil {
		return nil
	}
	return d.hooks.Regrouped(ctx, tx, g, actor)
}

// Owned returns a family that the scope may decide on: forbidden when it only
// sees it because some of its own crashes are in it, not_found when not even that.
func (d *Desk) Owned(ctx context.Context, scope facts.Scope, id string) (Family, error) {
	return d.owned(ctx, scope, id)
}

package triage

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// labelUndo is for how long a label that was deleted or merged can be brought back,
// with the families that wore it, the history and the saved filters that named it.
const labelUndo = 7 * 24 * time.Hour

// Gone is a label that was deleted, or merged into another one.
type Gone struct {
	Label
	Merged   string    `json:"merged_into,omitempty"` // id of the label that it became part of
	Families int       `json:"families"`              // that wore it
	At       time.Time `json:"at"`
	Until    time.Time `json:"until"` // it can be brought back
}

// trail is where a label was.
type trail struct {
	Worn    []trailWorn `json:"worn,omitempty"`
	Changes []int64     `json:"changes,omitempty"` // that name the other label now
	Filters []string    `json:"filters,omitempty"` // likewise
}

type trailWorn struct {
	Family string `json:"family"`
	Rule   string `json:"rule,omitempty"`
	Off    bool   `json:"off,omitempty"`
	Moved  bool   `json:"moved,omitempty"` // the other label came on by the merge
}

// MergeLabels makes one label of two of one vocabulary: families that wear the
// first wear the other instead, saved filters ask for it, and the first is gone.
func (d *Desk) MergeLabels(ctx context.Context, p account.Principal, id, into string) error {
	const op = "triage.MergeLabels"
	return d.liftLabel(ctx, op, p, id, func(tx *sql.Tx, from Label) (string, error) {
		to, err := d.kept(ctx, tx, p, into)
		if err != nil {
			return "", err
		}
		if from.ID == to.ID || from.Owner != to.Owner {
			return "", fault.E(op, fault.Invalid, "Choose another label of the same vocabulary.", nil)
		}
		return to.ID, nil
	})
}

// DeleteLabel takes a label off every family and out of the vocabulary.
func (d *Desk) DeleteLabel(ctx context.Context, p account.Principal, id string) error {
	return d.liftLabel(ctx, "triage.DeleteLabel", p, id, func(*sql.Tx, Label) (string, error) { return "", nil })
}

// liftLabel takes a label out of the vocabulary, in favour of the one that target
// names, and keeps what brings it back.
func (d *Desk) liftLabel(ctx context.Context, op string, p account.Principal, id string, target func(*sql.Tx, Label) (string, error)) error {
	given, err := d.given(ctx)
	if err != nil {
		return fault.Wrap(op, err)
	}
	return fault.Wrap(op, d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		l, err := d.kept(ctx, tx, p, id)
		if err != nil {
			return err
		}
		into, err := target(tx, l)
		if err != nil {
			return err
		}
		if given[id] {
			return givenByRules(op)
		}
		if err := d.keepTrail(ctx, tx, l, into); err != nil {
			return err
		}
		steps, action := []string{}, "label.delete"
		if into != "" {
			action = "label.merge"
			steps = []string{
				`UPDATE triage_family_label SET label = $2 WHERE label = $1 AND NOT EXISTS (SELECT 1 FROM triage_family_label b WHERE b.family = triage_family_label.family AND b.label = $2)`,
				`UPDATE triage_change SET item = $2 WHERE kind = 'label' AND item = $1`,
				`UPDATE triage_filter SET query = replace(query, 'labelled=' || $1, 'labelled=' || $2)`,
			}
		}
		for _, q := range append(steps, `DELETE FROM triage_family_label WHERE label = $1 AND label <> $2`, `DELETE FROM triage_label WHERE id = $1 AND id <> $2`) {
			if _, err := tx.ExecContext(ctx, q, id, into); err != nil {
				return err
			}
		}
		return d.o.Audit.Append(ctx, tx, audit.Entry{Actor: p.Actor(), Action: action, Ref: eco.Ref{Kind: "label", ID: id}, Note: into})
	}))
}

// keepTrail writes down where a label is, and forgets what is too old to come back.
func (d *Desk) keepTrail(ctx context.Context, tx *sql.Tx, l Label, into string) error {
	var t trail
	families := 0
	err := scan(ctx, tx, func(r *sql.Rows) error {
		var w trailWorn
		var off, moved int64
		err := r.Scan(&w.Family, &w.Rule, &off, &moved)
		w.Off, w.Moved = off != 0, moved != 0
		if !w.Off {
			families++
		}
		t.Worn = append(t.Worn, w)
		return err
	}, `SELECT a.family, a.rule, a.off, CASE WHEN b.family IS NULL THEN 1 ELSE 0 END FROM triage_family_label a
		LEFT JOIN triage_family_label b ON b.family = a.family AND b.label = $2 WHERE a.label = $1 ORDER BY a.family`, l.ID, into)
	if err != nil {
		return err
	}
	if into != "" {
		err = scan(ctx, tx, func(r *sql.Rows) error {
			var n int64
			err := r.Scan(&n)
			t.Changes = append(t.Changes, n)
			return err
		}, `SELECT n FROM triage_change WHERE kind = 'label' AND item = $1 ORDER BY n`, l.ID)
		if err != nil {
			return err
		}
		if t.Filters, err = column(ctx, tx, `SELECT id FROM triage_filter WHERE query LIKE '%labelled=' || $1 || '%' ORDER BY id`, l.ID); err != nil {
			return err
		}
	}
	body, err := json.Marshal(t)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM triage_label_gone WHERE id = $1 OR at_ms < $2`, l.ID, d.o.Now().Add(-labelUndo).UnixMilli()); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO triage_label_gone (id, owner, name, colour, about, merged, families, left_by, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		l.ID, l.Owner, l.Name, l.Colour, l.About, into, families, string(body), d.nowMs())
	return err
}

// GoneLabels lists the labels that p can bring back, the last one first.
func (d *Desk) GoneLabels(ctx context.Context, p account.Principal) ([]Gone, error) {
	list, _, err := d.gone(ctx, d.o.Records.Read(), "")
	list = slices.DeleteFunc(list, func(g Gone) bool { return !d.keeps(p, g.Owner) })
	return list[:min(len(list), 100)], fault.Wrap("triage.GoneLabels", err)
}

// gone reads labels that can be brought back, and what the last of them left.
func (d *Desk) gone(ctx context.Context, q querier, id string) (list []Gone, body string, err error) {
	list = []Gone{}
	err = scan(ctx, q, func(r *sql.Rows) error {
		var g Gone
		var at int64
		err := r.Scan(&g.ID, &g.Owner, &g.Name, &g.Colour, &g.About, &g.Merged, &g.Families, &body, &at)
		g.At, g.Until = moment(at), moment(at).Add(labelUndo)
		list = append(list, g)
		return err
	}, `SELECT id, owner, name, colour, about, merged, families, CASE WHEN $1 = '' THEN '' ELSE left_by END, at_ms FROM triage_label_gone
		WHERE ($1 = '' OR id = $1) AND at_ms >= $2 ORDER BY at_ms DESC, id LIMIT 1000`, id, d.o.Now().Add(-labelUndo).UnixMilli())
	return list, body, err
}

// RestoreLabel brings a label back to where it was. What somebody changed since
// stays; fault.Conflict when there is a label of its name again.
func (d *Desk) RestoreLabel(ctx context.Context, p account.Principal, id string) (Label, error) {
	const op = "triage.RestoreLabel"
	var l Label
	err := d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		list, body, err := d.gone(ctx, tx, id)
		if err != nil {
			return err
		}
		if id == "" || len(list) == 0 || !d.keeps(p, list[0].Owner) {
			return fault.E(op, fault.NotFound, "There is no such label to bring back.", nil)
		}
		var t trail
		if err := json.Unmarshal([]byte(body), &t); err != nil {
			return err
		}
		l = list[0].Label
		_, err = tx.ExecContext(ctx, `INSERT INTO triage_label (`+labelCols+`) VALUES ($1, $2, $3, $4, $5)`, l.ID, l.Owner, l.Name, l.Colour, l.About)
		if db.IsUnique(err) {
			return fault.E(op, fault.Conflict, "There is a label of this name again. Give that one another name first.", err)
		}
		if err != nil {
			return err
		}
		if err := putBack(ctx, tx, l.ID, list[0].Merged, t); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM triage_label_gone WHERE id = $1`, l.ID); err != nil {
			return err
		}
		return d.o.Audit.Append(ctx, tx, audit.Entry{Actor: p.Actor(), Action: "label.restore", Ref: eco.Ref{Kind: "label", ID: l.ID}})
	})
	return l, fault.Wrap(op, err)
}

// putBack puts a label where it was; merged is the one that stood in for it.
func putBack(ctx context.Context, tx *sql.Tx, id, merged string, t trail) error {
	do := func(q string, args ...any) error {
		_, err := tx.ExecContext(ctx, q, args...)
		return err
	}
	for _, w := range t.Worn {
		if err := do(`INSERT INTO triage_family_label (family, label, rule, off) VALUES ($1, $2, $3, $4) ON CONFLICT (family, label) DO NOTHING`, w.Family, id, w.Rule, bit(w.Off)); err != nil {
			return err
		}
		if merged == "" || !w.Moved {
			continue
		}
		if err := do(`DELETE FROM triage_family_label WHERE family = $1 AND label = $2 AND rule = $3 AND off = $4`, w.Family, merged, w.Rule, bit(w.Off)); err != nil {
			return err
		}
	}
	for _, n := range t.Changes {
		if err := do(`UPDATE triage_change SET item = $1 WHERE n = $2 AND kind = 'label' AND item = $3`, id, n, merged); err != nil {
			return err
		}
	}
	for _, f := range t.Filters {
		if err := do(`UPDATE triage_filter SET query = replace(query, $1, $2) WHERE id = $3`, "labelled="+merged, "labelled="+id, f); err != nil {
			return err
		}
	}
	return nil
}

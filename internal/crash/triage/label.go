package triage

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Colours is how many colours a label can have.
const Colours = 8

// Label is a word for families. It belongs to a publisher, who alone uses it, or
// to the ecosystem.
type Label struct {
	ID     string `json:"id"`
	Owner  string `json:"owner,omitempty"` // a publisher; "" = the ecosystem's
	Name   string `json:"name"`
	Colour int    `json:"colour"` // of the palette, 0 to 7
	About  string `json:"about,omitempty"`
}

// labelID is the id of an owner's label: the same whoever makes it.
func labelID(owner, name string) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\x00%s", owner, name)
	return fmt.Sprintf("l-%016x", h.Sum64())
}

// ensureLabel makes a label that is not there, in a colour its name gives, and
// returns its id.
func ensureLabel(ctx context.Context, tx *sql.Tx, owner, name string) (string, error) {
	id := labelID(owner, name)
	err := scan(ctx, tx, func(r *sql.Rows) error { return r.Scan(&id) }, `SELECT id FROM triage_label WHERE owner = $1 AND name = $2`, owner, name)
	if err != nil {
		return "", err
	}
	h := fnv.New32a()
	h.Write([]byte(name))
	_, err = tx.ExecContext(ctx, `INSERT INTO triage_label (id, owner, name, colour, about) VALUES ($1, $2, $3, $4, '') ON CONFLICT (id) DO NOTHING`,
		id, owner, name, int64(h.Sum32()%Colours))
	return id, err
}

// worn is a label on a family.
type worn struct {
	label, rule string
	off         bool
}

func wornBy(ctx context.Context, q querier, family string) (map[string]worn, error) {
	out := map[string]worn{}
	err := scan(ctx, q, func(r *sql.Rows) error {
		var w worn
		var off int64
		err := r.Scan(&w.label, &w.rule, &off)
		w.off = off != 0
		out[w.label] = w
		return err
	}, `SELECT label, rule, off FROM triage_family_label WHERE family = $1 ORDER BY label`, family)
	return out, err
}

// ruleLabels puts on the labels that rules give and takes off those that they gave
// before and do not give any more. What a person put on or took off stays.
func (d *Desk) ruleLabels(ctx context.Context, tx *sql.Tx, family string, names []string, batch string) (bool, error) {
	has, err := wornBy(ctx, tx, family)
	if err != nil {
		return false, err
	}
	var want []string
	changed := false
	for _, name := range names {
		id, err := ensureLabel(ctx, tx, "", name)
		if err != nil {
			return false, err
		}
		want = append(want, id)
		if _, ok := has[id]; ok {
			continue
		}
		changed = true
		if err := d.wear(ctx, tx, family, id, worn{id, rulesActor, false}, true); err != nil {
			return false, err
		}
		if err := d.note(ctx, tx, change{batch: batch, family: family, actor: rulesActor, kind: "label", item: id, was: "off", now: "on"}); err != nil {
			return false, err
		}
	}
	for id, w := range has {
		if w.rule != rulesActor || w.off || slices.Contains(want, id) {
			continue
		}
		changed = true
		if err := d.wear(ctx, tx, family, id, worn{}, false); err != nil {
			return false, err
		}
		if err := d.note(ctx, tx, change{batch: batch, family: family, actor: rulesActor, kind: "label", item: id, was: "on", now: "off"}); err != nil {
			return false, err
		}
	}
	return changed, nil
}

// wear stores how a label stands on a family; not there: nothing is said of it.
func (d *Desk) wear(ctx context.Context, tx *sql.Tx, family, label string, w worn, there bool) error {
	if !there {
		_, err := tx.ExecContext(ctx, `DELETE FROM triage_family_label WHERE family = $1 AND label = $2`, family, label)
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO triage_family_label (family, label, rule, off) VALUES ($1, $2, $3, $4)
		ON CONFLICT (family, label) DO UPDATE SET rule = excluded.rule, off = excluded.off`, family, label, w.rule, bit(w.off))
	return err
}

// maxLabelName bounds a label's name in bytes.
const maxLabelName = 64

// owner is whose vocabulary a new label of this person on this family belongs to:
// the ecosystem's for those who sort for it, else the publisher's.
func (s *seat) owner() string {
	if s.inside || s.f.Blame == "" {
		return ""
	}
	return s.f.Blame.Publisher()
}

// uses reports whether a label can be put on this family by this person: the
// family's publisher's own, and the ecosystem's by those who sort for it.
func (s *seat) uses(l Label) bool {
	if l.Owner == "" {
		return s.inside
	}
	return s.f.Blame != "" && s.f.Blame.Publisher() == l.Owner
}

const labelCols = `id, owner, name, colour, about`

func scanLabel(r *sql.Rows) (l Label, err error) {
	err = r.Scan(&l.ID, &l.Owner, &l.Name, &l.Colour, &l.About)
	return l, err
}

func labelByID(ctx context.Context, q querier, id string) (l Label, err error) {
	err = scan(ctx, q, func(r *sql.Rows) (err error) {
		l, err = scanLabel(r)
		return err
	}, `SELECT `+labelCols+` FROM triage_label WHERE id = $1`, id)
	if err == nil && l.ID == "" {
		err = fault.E("triage.label", fault.NotFound, "There is no such label.", nil)
	}
	return l, err
}

// vocabulary reads every label, by owner and name; at most maxVocabulary.
func vocabulary(ctx context.Context, q querier) ([]Label, error) {
	var out []Label
	err := scan(ctx, q, func(r *sql.Rows) error {
		l, err := scanLabel(r)
		out = append(out, l)
		return err
	}, `SELECT `+labelCols+` FROM triage_label ORDER BY owner, name LIMIT $1`, maxVocabulary)
	return out, err
}

// maxVocabulary bounds the labels of everybody together.
const maxVocabulary = 5000

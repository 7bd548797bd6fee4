package triage

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// keeps reports whether p keeps the labels of an owner: its authors a publisher's,
// those who sort the whole ecosystem everybody's.
func (d *Desk) keeps(p account.Principal, owner string) bool {
	r := account.OfServer("label", "")
	if owner != "" {
		r = account.OfPublisher("label", "", owner)
	}
	return d.o.Accounts.Authorize(p, account.FamilyEdit, r).Allow
}

// Labels lists the labels that p may meet: the ecosystem's, and those of the
// publishers whose labels p keeps or whose extensions p sees.
func (d *Desk) Labels(ctx context.Context, p account.Principal) (list []Label, err error) {
	const op = "triage.Labels"
	if err := d.o.Accounts.Check(op, p, account.FamilyRead, account.List("family")); err != nil {
		return nil, err
	}
	all, err := vocabulary(ctx, d.o.Records.Read())
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	scope := d.o.Accounts.Scope(p)
	list = []Label{}
	for _, l := range all {
		if l.Owner == "" || scope.All() || d.keeps(p, l.Owner) ||
			slices.ContainsFunc(scope.Extensions(), func(e eco.ExtensionID) bool { return e.Publisher() == l.Owner }) {
			list = append(list, l)
		}
	}
	return list, nil
}

// Word is a label with what it is used for, for those who keep it.
type Word struct {
	Label
	Mine     bool `json:"mine,omitempty"`     // the one who asks keeps it
	Families int  `json:"families,omitempty"` // that wear it, of all time; 0 unless it is mine
	ByRules  bool `json:"by_rules,omitempty"` // the routing rules in force give it
}

// Vocabulary lists the labels that p may meet, with their use.
func (d *Desk) Vocabulary(ctx context.Context, p account.Principal) ([]Word, error) {
	const op = "triage.Vocabulary"
	list, err := d.Labels(ctx, p)
	if err != nil {
		return nil, err
	}
	uses := map[string]int{}
	err = scan(ctx, d.o.Records.Read(), func(r *sql.Rows) error {
		var id string
		var n int
		err := r.Scan(&id, &n)
		uses[id] = n
		return err
	}, `SELECT label, count(*) FROM triage_family_label WHERE off = 0 GROUP BY label`)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	given, err := d.given(ctx)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	out := make([]Word, 0, len(list))
	for _, l := range list {
		w := Word{Label: l, Mine: d.keeps(p, l.Owner), ByRules: l.Owner == "" && given[l.ID]}
		if w.Mine {
			w.Families = uses[l.ID]
		}
		out = append(out, w)
	}
	return out, nil
}

// given are the labels that the rules in force put on.
func (d *Desk) given(ctx context.Context) (map[string]bool, error) {
	c, err := d.current(ctx)
	if err != nil {
		return nil, err
	}
	all, err := vocabulary(ctx, d.o.Records.Read())
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, name := range c.rules.Labels() {
		id := labelID("", name) // of one that was renamed since, too
		for _, l := range all {
			if l.Owner == "" && l.Name == name {
				id = l.ID
			}
		}
		out[id] = true
	}
	return out, nil
}

func givenByRules(op string) error {
	return fault.E(op, fault.Conflict, "The routing rules give this label; change them first, or it would be back with the next family.", nil)
}

// kept is a label that p keeps.
func (d *Desk) kept(ctx context.Context, tx *sql.Tx, p account.Principal, id string) (Label, error) {
	l, err := labelByID(ctx, tx, id)
	if err == nil && !d.keeps(p, l.Owner) {
		err = fault.E("triage.label", fault.NotFound, "There is no such label.", nil)
	}
	return l, err
}

// Owners lists whose labels p keeps: "" for the ecosystem's.
func (d *Desk) Owners(p account.Principal) []string {
	var out []string
	if d.keeps(p, "") {
		out = append(out, "")
	}
	return append(out, p.Publishers()...)
}

// PutLabel makes a label (without an id) or changes one's name, colour or meaning.
func (d *Desk) PutLabel(ctx context.Context, p account.Principal, l Label) (Label, error) {
	const op = "triage.PutLabel"
	l.Name = strings.Join(strings.Fields(eco.Clean(l.Name, maxLabelName)), " ")
	l.About = strings.TrimSpace(eco.Clean(l.About, 200))
	if l.Name == "" || l.Colour < 0 || l.Colour >= Colours {
		return Label{}, fault.E(op, fault.Invalid, "A label has a name and one of the colours.", nil)
	}
	err := d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		action := "label.edit"
		if l.ID == "" {
			l.ID, action = labelID(l.Owner, l.Name), "label.add"
			if old, err := labelByID(ctx, tx, l.ID); err == nil && old.Name != l.Name {
				l.ID = d.o.NewID() // that one was renamed, and rules still mean it
			}
		} else {
			old, err := labelByID(ctx, tx, l.ID)
			if err != nil {
				return err
			}
			l.Owner = old.Owner
		}
		if !d.keeps(p, l.Owner) {
			return fault.E(op, fault.NotFound, "There is no such label.", nil)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO triage_label (`+labelCols+`) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, colour = excluded.colour, about = excluded.about`, l.ID, l.Owner, l.Name, l.Colour, l.About)
		if db.IsUnique(err) {
			return fault.E(op, fault.Conflict, "There is a label of this name already.", err)
		}
		if err != nil {
			return err
		}
		return d.o.Audit.Append(ctx, tx, audit.Entry{Actor: p.Actor(), Action: action, Ref: eco.Ref{Kind: "label", ID: l.ID}})
	})
	return l, fault.Wrap(op, err)
}

package triage

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Filter is a saved filter of the list of families.
type Filter struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Query string `json:"query"`          // of the list's address: state=open&extension=…
	Team  string `json:"team,omitempty"` // whom it is shared with
	Mine  bool   `json:"mine"`
	By    string `json:"by,omitempty"` // whose it is, when it is shared
}

const (
	maxFilters    = 50 // of one account
	maxFilterName = 60
)

// FilterKeys are the parameters of the list's address that a filter may hold.
var FilterKeys = []string{"q", "extension", "publisher", "host", "os", "release", "channel", "state", "sort", "days", "new", "regressed", "team", "person", "label", "labelled", "who", "priority"}

// tidyQuery keeps what a filter may hold, in one form.
func tidyQuery(q string) (string, error) {
	v, err := url.ParseQuery(strings.TrimPrefix(q, "?"))
	if err != nil || len(q) > 2000 {
		return "", fault.E("triage.SaveFilter", fault.Invalid, "This filter cannot be read.", nil)
	}
	for k, list := range v {
		if !slices.Contains(FilterKeys, k) || list[0] == "" {
			v.Del(k)
			continue
		}
		v[k] = []string{eco.Clean(list[0], 200)}
	}
	return v.Encode(), nil
}

// myTeams lists the teams of which somebody shares and sees filters: their own; all
// of them for whoever sorts for the whole ecosystem.
func (d *Desk) myTeams(p account.Principal) []string {
	var out []string
	for _, g := range p.Grants {
		switch {
		case g.Role != account.Triager && g.Role != account.Support:
		case g.Team != "":
			out = append(out, g.Team)
		default:
			for id := range d.o.Registry.Snapshot().Teams {
				out = append(out, id)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Filters lists one's own filters and those shared with one's teams, by name, and
// the teams one can share with.
func (d *Desk) Filters(ctx context.Context, p account.Principal) (list []Filter, teams []string, err error) {
	const op = "triage.Filters"
	if err := d.o.Accounts.Check(op, p, account.FamilyRead, account.List("family")); err != nil {
		return nil, nil, err
	}
	teams = d.myTeams(p)
	all, err := d.directory(ctx)
	if err != nil {
		return nil, nil, err
	}
	list = []Filter{}
	err = scan(ctx, d.o.Records.Read(), func(r *sql.Rows) error {
		var f Filter
		var owner string
		if err := r.Scan(&f.ID, &owner, &f.Team, &f.Name, &f.Query); err != nil {
			return err
		}
		if f.Mine = owner == p.ID; !f.Mine {
			if !slices.Contains(teams, f.Team) {
				return nil
			}
			f.By = all.name(owner)
		}
		list = append(list, f)
		return nil
	}, `SELECT id, account, team, name, query FROM triage_filter WHERE account = $1 OR team <> '' ORDER BY name, id LIMIT 500`, p.ID)
	return list, teams, fault.Wrap(op, err)
}

// SaveFilter keeps a filter under a name; one of the same name is replaced.
func (d *Desk) SaveFilter(ctx context.Context, p account.Principal, f Filter) (Filter, error) {
	const op = "triage.SaveFilter"
	if err := d.o.Accounts.Check(op, p, account.FamilyComment, account.List("family")); err != nil {
		return Filter{}, err
	}
	f.Name = strings.Join(strings.Fields(eco.Clean(f.Name, maxFilterName)), " ")
	if f.Name == "" || p.ID == "" {
		return Filter{}, fault.E(op, fault.Invalid, "Give the filter a name.", nil)
	}
	if f.Team != "" && !slices.Contains(d.myTeams(p), f.Team) {
		return Filter{}, fault.E(op, fault.Invalid, "A filter is shared with one's own team.", nil)
	}
	var err error
	if f.Query, err = tidyQuery(f.Query); err != nil {
		return Filter{}, err
	}
	f.ID, f.Mine, f.By = d.o.NewID(), true, ""
	return f, fault.Wrap(op, d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM triage_filter WHERE account = $1 AND name = $2`, p.ID, f.Name); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM triage_filter WHERE account = $1`, p.ID).Scan(&n); err != nil {
			return err
		}
		if n >= maxFilters {
			return fault.E(op, fault.TooLarge, fmt.Sprintf("You have %d filters; delete one first.", maxFilters), nil)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO triage_filter (id, account, team, name, query, at_ms) VALUES ($1, $2, $3, $4, $5, $6)`,
			f.ID, p.ID, f.Team, f.Name, f.Query, d.nowMs())
		if err != nil {
			return err
		}
		return d.o.Audit.Append(ctx, tx, audit.Entry{Actor: p.Actor(), Action: "filter.save", Ref: eco.Ref{Kind: "filter", ID: f.ID}, Note: f.Team})
	}))
}

// DeleteFilter takes one's own filter away.
func (d *Desk) DeleteFilter(ctx context.Context, p account.Principal, id string) error {
	const op = "triage.DeleteFilter"
	if err := d.o.Accounts.Check(op, p, account.FamilyComment, account.List("family")); err != nil {
		return err
	}
	return fault.Wrap(op, d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `DELETE FROM triage_filter WHERE id = $1 AND account = $2`, id, p.ID)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return fault.E(op, fault.NotFound, "There is no such filter of yours.", err)
		}
		return d.o.Audit.Append(ctx, tx, audit.Entry{Actor: p.Actor(), Action: "filter.delete", Ref: eco.Ref{Kind: "filter", ID: id}})
	}))
}

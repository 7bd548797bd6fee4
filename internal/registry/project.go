package registry

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Project is a place clients send to: of exactly one extension or one host.
type Project struct {
	ID         int64          `json:"id"`
	Subject    Subject        `json:"subject"`
	Name       string         `json:"name"`
	Policy     consent.Policy `json:"policy"`
	Sampling   string         `json:"sampling,omitempty"` // a note: what the client samples, for the pages
	Quarantine Quarantine     `json:"quarantine"`
	Created    time.Time      `json:"created"`
	Updated    time.Time      `json:"updated"`
	Version    int64          `json:"version"`
}

// Quarantine says when a burst looks forged. Such items are kept apart: not in
// counts, not in blame. The decision runs at the door; here is only the data.
type Quarantine struct {
	All           bool    `json:"all,omitempty"`            // everything of this project, until a person lifts it
	PerMinute     int     `json:"per_minute,omitempty"`     // crashes a minute above which a burst is suspect; 0 = 600
	FactorOfHour  float64 `json:"factor_of_hour,omitempty"` // and how many times the last hour's mean it must be; 0 = 20
	InstallsBelow float64 `json:"installs_below,omitempty"` // and fewer distinct installs per crash than this; 0 = 0.05
}

// WithDefaults fills in the numbers that are 0.
func (q Quarantine) WithDefaults() Quarantine {
	if q.PerMinute == 0 {
		q.PerMinute = 600
	}
	if q.FactorOfHour == 0 {
		q.FactorOfHour = 20
	}
	if q.InstallsBelow == 0 {
		q.InstallsBelow = 0.05
	}
	return q
}

// ProjectView is a project as the doors see it: shared, never changed.
type ProjectView struct {
	Project
	Kind ExtKind // of its extension or host
}

const projectCols = `id, kind, subject, name, policy, sampling, quarantine, created, updated, version`

func scanProject(row *sql.Rows) (p Project, err error) {
	var kind, subject, policy, quarantine string
	var created, updated int64
	if err = row.Scan(&p.ID, &kind, &subject, &p.Name, &policy, &p.Sampling, &quarantine, &created, &updated, &p.Version); err != nil {
		return p, err
	}
	p.Subject = subjectOf(kind, subject)
	p.Created, p.Updated = timeOf(created), timeOf(updated)
	if err = json.Unmarshal([]byte(policy), &p.Policy); err != nil {
		return p, err
	}
	return p, json.Unmarshal([]byte(quarantine), &p.Quarantine)
}

func projectIn(ctx context.Context, tx *sql.Tx, id int64) (p Project, found bool, err error) {
	found, err = one(ctx, tx, `SELECT `+projectCols+` FROM registry_project WHERE id = $1`, []any{id}, func(row *sql.Rows) (err error) {
		p, err = scanProject(row)
		return err
	})
	return p, found, err
}

// ProjectFilter narrows a list of projects. Visible, when not nil, keeps those of
// subjects the caller may see. The cursor of the page is a project's number.
type ProjectFilter struct {
	Page
	Subject Subject // zero = all
	Visible func(Subject) bool
}

// Projects lists projects by number.
func (r *Registry) Projects(_ context.Context, f ProjectFilter) ([]Project, string, error) {
	after := int64(-1)
	if f.After != "" {
		var err error
		if after, err = strconv.ParseInt(f.After, 10, 64); err != nil {
			return nil, "", fault.E("registry.Projects", fault.Invalid, "The cursor is not one of ours.", nil)
		}
	}
	p := f.Page
	p.After = ""
	list, next := page(r.Snapshot().projects, p, func(x *Project) string { return strconv.FormatInt(x.ID, 10) }, func(x *Project) bool {
		return x.ID > after && (f.Subject == Subject{} || x.Subject == f.Subject) && (f.Visible == nil || f.Visible(x.Subject)) &&
			matches(f.Q, strconv.FormatInt(x.ID, 10), x.Name, x.Subject.Ref().ID)
	})
	return list, next, nil
}

// Project returns one project.
func (r *Registry) Project(_ context.Context, id int64) (Project, error) {
	if p, ok := r.Snapshot().Projects[id]; ok {
		return p.Project, nil
	}
	return Project{}, gone("registry.Project")
}

func (q Quarantine) check(m *mistakes) {
	if q.PerMinute < 0 || q.PerMinute > 10_000_000 {
		m.add("quarantine.per_minute", "It lies between 0 and 10,000,000.")
	}
	if !(q.FactorOfHour >= 0 && q.FactorOfHour <= 1e6) {
		m.add("quarantine.factor_of_hour", "It lies between 0 and 1,000,000.")
	}
	if !(q.InstallsBelow >= 0 && q.InstallsBelow <= 1) {
		m.add("quarantine.installs_below", "It lies between 0 and 1.")
	}
}

// CreateProject makes a project (its number, version and times are ours) and its
// first key, with the default limits.
func (r *Registry) CreateProject(ctx context.Context, actor string, p Project) (Project, Key, error) {
	const op = "registry.CreateProject"
	var m mistakes
	if (p.Subject.Extension == "") == (p.Subject.Host == "") {
		m.add("subject", "A project belongs to exactly one extension or one host.")
	}
	p.check(&m)
	if err := p.Policy.Validate(); err != nil {
		m.add("policy", fault.TextOf(err))
	}
	if err := m.err(op); err != nil {
		return p, Key{}, err
	}
	if !r.Snapshot().known(p.Subject) {
		return p, Key{}, gone(op)
	}
	k := Key{Label: "first key"}
	k.fill()
	err := r.change(ctx, func(tx *sql.Tx) (bool, error) {
		ref := p.Subject.Ref()
		var n int
		var last sql.NullInt64
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM registry_project WHERE kind = $1 AND subject = $2`, ref.Kind, ref.ID).Scan(&n); err != nil {
			return false, fault.Wrap(op, err)
		}
		if n >= MaxProjects {
			return false, fault.E(op, fault.TooLarge, fmt.Sprintf("There are at most %d projects.", MaxProjects), nil)
		}
		if err := tx.QueryRowContext(ctx, `SELECT max(id) FROM registry_project`).Scan(&last); err != nil {
			return false, fault.Wrap(op, err)
		}
		now := timeOf(r.nowMs())
		p.ID, p.Version, p.Created, p.Updated = last.Int64+1, 1, now, now
		p.Policy.Version = 1
		if err := putProject(ctx, tx, p); err != nil {
			return false, fault.Wrap(op, err)
		}
		if err := r.record(ctx, tx, actor, "project.create", p.ref(), ref.String()+"; "+tierWords(p.Policy)); err != nil {
			return false, err
		}
		k.Project = p.ID
		return true, r.addKey(ctx, tx, actor, &k, "")
	})
	return p, k, err
}

func (p *Project) ref() eco.Ref { return eco.Ref{Kind: "project", ID: strconv.FormatInt(p.ID, 10)} }

func (p *Project) check(m *mistakes) {
	m.line("name", &p.Name, 1, MaxName)
	m.line("sampling", &p.Sampling, 0, MaxSampling)
	p.Quarantine.check(m)
}

func putProject(ctx context.Context, tx *sql.Tx, p Project) error {
	ref := p.Subject.Ref()
	_, err := tx.ExecContext(ctx, `INSERT INTO registry_project (`+projectCols+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, policy = excluded.policy, sampling = excluded.sampling, quarantine = excluded.quarantine,
		updated = excluded.updated, version = excluded.version`,
		p.ID, ref.Kind, ref.ID, p.Name, text(p.Policy), p.Sampling, text(p.Quarantine), ms(p.Created), ms(p.Updated), p.Version)
	return err
}

// UpdateProject changes name, sampling note and quarantine; the rest of p is
// ignored. A Version other than the stored one is a conflict.
func (r *Registry) UpdateProject(ctx context.Context, actor string, p Project) (Project, error) {
	const op = "registry.UpdateProject"
	var m mistakes
	p.check(&m)
	if err := m.err(op); err != nil {
		return p, err
	}
	return r.editProject(ctx, op, p.ID, p.Version, func(tx *sql.Tx, now *Project) (bool, error) {
		if now.Name == p.Name && now.Sampling == p.Sampling && now.Quarantine == p.Quarantine {
			return false, nil
		}
		note := ""
		if now.Quarantine.All != p.Quarantine.All {
			note = "quarantine of everything: " + strconv.FormatBool(p.Quarantine.All)
		}
		now.Name, now.Sampling, now.Quarantine = p.Name, p.Sampling, p.Quarantine
		return true, r.record(ctx, tx, actor, "project.edit", now.ref(), note)
	})
}

// SetPolicy changes what the project's users were asked; the policy's own version
// grows by one. A version (the project's) other than the stored one is a conflict.
func (r *Registry) SetPolicy(ctx context.Context, actor string, project, version int64, pol consent.Policy) (Project, error) {
	const op = "registry.SetPolicy"
	pol.Tiers = sortTiers(pol.Tiers)
	if err := pol.Validate(); err != nil {
		return Project{}, fault.E(op, fault.Invalid, "policy: "+fault.TextOf(err), nil)
	}
	return r.editProject(ctx, op, project, version, func(tx *sql.Tx, now *Project) (bool, error) {
		old := now.Policy
		if old.Text == pol.Text && old.AskedBy == pol.AskedBy && slices.Equal(sortTiers(old.Tiers), pol.Tiers) {
			return false, nil
		}
		if old.Version == math.MaxInt {
			return false, fault.E(op, fault.TooLarge, "The policy changed too often.", nil)
		}
		pol.Version = old.Version + 1
		now.Policy = pol
		return true, r.record(ctx, tx, actor, "project.policy", now.ref(), "from "+tierWords(old)+" to "+tierWords(pol))
	})
}

// sortTiers brings tiers into the order they are shown.
func sortTiers(list []eco.Tier) []eco.Tier {
	out := slices.Clone(list)
	slices.SortFunc(out, func(a, b eco.Tier) int { return slices.Index(eco.Tiers, a) - slices.Index(eco.Tiers, b) })
	return out
}

func tierWords(p consent.Policy) string {
	words := make([]string, len(p.Tiers))
	for i, t := range p.Tiers {
		words[i] = string(t)
	}
	return "tiers [" + strings.Join(words, " ") + "]"
}

// editProject reads a project, lets f change it, and stores it.
func (r *Registry) editProject(ctx context.Context, op string, id, version int64, f func(*sql.Tx, *Project) (bool, error)) (p Project, err error) {
	err = r.change(ctx, func(tx *sql.Tx) (bool, error) {
		var found bool
		if p, found, err = projectIn(ctx, tx, id); err != nil {
			return false, fault.Wrap(op, err)
		}
		if !found {
			return false, gone(op)
		}
		if p.Version != version {
			return false, stale(op, true, p.Version, max(version, -1))
		}
		changed, err := f(tx, &p)
		if err != nil || !changed {
			return false, err
		}
		p.Version, p.Updated = p.Version+1, timeOf(r.nowMs())
		return true, fault.Wrap(op, putProject(ctx, tx, p))
	})
	return p, err
}

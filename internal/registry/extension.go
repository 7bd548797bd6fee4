package registry

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"reflect"
	"slices"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

const extensionCols = `id, publisher, kind, name, summary, repository, contact, host, rules, created, updated, version`

// wordsRule is the rule about the words of an entry that holds now: an author's were
// held against blame.World.Takes, all others are of those who keep the register.
// Entries that were written by an older one are held against it in memory, when the
// register is read (blame.Sift), until they are saved again.
const wordsRule = 1

type extRules struct {
	Locals    []string `json:"locals,omitempty"`
	Prefixes  []string `json:"prefixes,omitempty"`
	Shaded    []string `json:"shaded,omitempty"`
	Libraries []string `json:"libraries,omitempty"`
	Rule      int      `json:"rule,omitempty"`
}

func scanExtension(row *sql.Rows) (e Extension, err error) {
	var rules string
	var created, updated int64
	if err = row.Scan(&e.ID, &e.Owner, &e.Kind, &e.Name, &e.Summary, &e.Repository, &e.Contact, &e.Host, &rules, &created, &updated, &e.Version); err != nil {
		return e, err
	}
	e.Created, e.Updated = timeOf(created), timeOf(updated)
	var x extRules
	err = json.Unmarshal([]byte(rules), &x)
	e.Locals, e.Prefixes, e.Shaded, e.Libraries, e.Rule = x.Locals, x.Prefixes, x.Shaded, x.Libraries, x.Rule
	return e, err
}

// ExtensionFilter narrows a list of extensions. Visible, when not nil, keeps
// those the caller may see.
type ExtensionFilter struct {
	Page
	Publisher string
	Host      string
	Kind      ExtKind
	Visible   func(eco.ExtensionID) bool
}

// Extensions lists extensions by id.
func (r *Registry) Extensions(_ context.Context, f ExtensionFilter) ([]Extension, string, error) {
	list, next := page(r.Snapshot().extensions, f.Page, func(x *Extension) string { return string(x.ID) }, func(x *Extension) bool {
		return (f.Publisher == "" || x.Publisher() == f.Publisher) && (f.Host == "" || x.Host == f.Host) && (f.Kind == "" || x.Kind == f.Kind) &&
			(f.Visible == nil || f.Visible(x.ID)) && (f.Only == nil || f.Only(string(x.ID))) && matches(f.Q, string(x.ID), x.Name, x.Summary)
	})
	return list, next, nil
}

// Extension returns one extension.
func (r *Registry) Extension(_ context.Context, id eco.ExtensionID) (Extension, error) {
	if e, ok := r.Snapshot().Extensions[id]; ok {
		return *e, nil
	}
	return Extension{}, gone("registry.Extension")
}

// PutExtension creates (Version 0) or changes an extension of a publisher and a
// host that exist. A Version other than the stored one is a conflict. Putting
// what is there already changes nothing.
func (r *Registry) PutExtension(ctx context.Context, actor string, e Extension) (Extension, error) {
	return r.put(ctx, actor, e, false)
}

// PutOwnExtension is PutExtension for the people of its publisher: by words that
// name others' code they would get others' crashes (blame.World.Takes).
func (r *Registry) PutOwnExtension(ctx context.Context, actor string, e Extension) (Extension, error) {
	return r.put(ctx, actor, e, true)
}

func (r *Registry) put(ctx context.Context, actor string, e Extension, own bool) (Extension, error) {
	const op = "registry.PutExtension"
	if err := e.check().err(op); err != nil {
		return e, err
	}
	err := r.change(ctx, func(tx *sql.Tx) (bool, error) {
		var m mistakes
		if ok, err := exists(ctx, tx, `SELECT 1 FROM registry_publisher WHERE id = $1`, e.ID.Publisher()); err != nil {
			return false, fault.Wrap(op, err)
		} else if !ok {
			m.add("id", "Its publisher is not in the register.")
		}
		if e.Host != "" {
			if ok, err := exists(ctx, tx, `SELECT 1 FROM registry_host WHERE id = $1`, e.Host); err != nil {
				return false, fault.Wrap(op, err)
			} else if !ok {
				m.add("host", "There is no such host.")
			}
		}
		if err := m.err(op); err != nil {
			return false, err
		}
		old, found, err := extensionIn(ctx, tx, e.ID)
		if err != nil {
			return false, fault.Wrap(op, err)
		}
		if err := stale(op, found, old.Version, e.Version); err != nil {
			return false, err
		}
		if own {
			if err := r.mayOwn(ctx, tx, &e, old); err != nil {
				return false, err
			}
		}
		return r.putExtension(ctx, tx, actor, &e, old)
	})
	return e, err
}

// mayOwn reports what stands against an entry that an author wrote. A publisher that
// began with a claim has the name that the claimant chose: it is no proof that other
// extensions of that name are theirs.
func (r *Registry) mayOwn(ctx context.Context, tx *sql.Tx, e *Extension, old Extension) error {
	const op = "registry.PutOwnExtension"
	if old.Version == 0 {
		chosen, err := exists(ctx, tx, `SELECT 1 FROM registry_publisher p JOIN registry_claim c ON c.publisher = p.id AND c.state = 'proven' AND c.checked = p.created WHERE p.id = $1`, e.ID.Publisher())
		if err != nil {
			return fault.Wrap(op, err)
		}
		if chosen {
			return fault.E(op, fault.Forbidden, "This publisher began with a claim. Ask whoever keeps the register for further extensions of its name.", nil)
		}
	}
	snap, owner := r.Snapshot(), cmp.Or(old.Owner, e.ID.Publisher())
	mine := func(id eco.ExtensionID) bool {
		return snap.Extensions[id] != nil && snap.Extensions[id].Publisher() == owner
	}
	was := old.blame()
	if old.Rule != wordsRule { // nobody held those against it
		was = blame.ExtRules{}
	}
	return snap.world.Takes(e.ID, mine, was, e.blame())
}

// blame is what blame must know of an extension.
func (e *Extension) blame() blame.ExtRules {
	return blame.ExtRules{Host: e.Host, Locals: e.Locals, Prefixes: e.Prefixes, Shaded: e.Shaded, Libraries: e.Libraries}
}

func extensionIn(ctx context.Context, tx *sql.Tx, id eco.ExtensionID) (e Extension, found bool, err error) {
	found, err = one(ctx, tx, `SELECT `+extensionCols+` FROM registry_extension WHERE id = $1`, []any{string(id)}, func(row *sql.Rows) (err error) {
		e, err = scanExtension(row)
		return err
	})
	return e, found, err
}

// putExtension stores a checked entry over the old one (Version 0: none) and says
// whether that changed anything.
func (r *Registry) putExtension(ctx context.Context, tx *sql.Tx, actor string, e *Extension, old Extension) (bool, error) {
	e.Created, e.Updated, e.Version = old.Created, old.Updated, old.Version
	e.Owner = cmp.Or(old.Owner, e.ID.Publisher())
	e.Rule, e.Ignored = wordsRule, nil
	if reflect.DeepEqual(*e, old) {
		return false, nil
	}
	now := r.nowMs()
	if old.Version == 0 {
		e.Created = timeOf(now)
	}
	e.Updated, e.Version = timeOf(now), old.Version+1
	if _, err := tx.ExecContext(ctx, `INSERT INTO registry_extension (`+extensionCols+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, name = excluded.name, summary = excluded.summary, repository = excluded.repository,
		contact = excluded.contact, host = excluded.host, rules = excluded.rules, updated = excluded.updated, version = excluded.version`,
		string(e.ID), e.Publisher(), string(e.Kind), e.Name, e.Summary, e.Repository, e.Contact, e.Host,
		text(extRules{e.Locals, e.Prefixes, e.Shaded, e.Libraries, e.Rule}), ms(e.Created), ms(e.Updated), e.Version); err != nil {
		return false, fault.Wrap("registry.putExtension", err)
	}
	return true, r.record(ctx, tx, actor, verb("extension", old.Version), eco.Ref{Kind: "extension", ID: string(e.ID)}, "")
}

// RemoveExtension takes out an extension that has no project (one that has may
// have data; its keys are revoked instead). Its releases go with it.
func (r *Registry) RemoveExtension(ctx context.Context, actor string, id eco.ExtensionID) error {
	const op = "registry.RemoveExtension"
	return r.change(ctx, func(tx *sql.Tx) (bool, error) {
		if has, err := exists(ctx, tx, `SELECT 1 FROM registry_project WHERE kind = 'extension' AND subject = $1 LIMIT 1`, string(id)); err != nil {
			return false, fault.Wrap(op, err)
		} else if has {
			return false, fault.E(op, fault.Conflict, "It has a project; revoke the project's keys instead.", nil)
		}
		res, err := tx.ExecContext(ctx, `DELETE FROM registry_extension WHERE id = $1`, string(id))
		if err != nil {
			return false, fault.Wrap(op, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return false, gone(op)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM registry_release WHERE kind = 'extension' AND subject = $1`, string(id)); err != nil {
			return false, fault.Wrap(op, err)
		}
		r.seen.forget()
		if err := r.disown(ctx, tx, id); err != nil {
			return false, fault.Wrap(op, err)
		}
		return true, r.record(ctx, tx, actor, "extension.remove", eco.Ref{Kind: "extension", ID: string(id)}, "")
	})
}

// disown takes an extension out of what teams own.
func (r *Registry) disown(ctx context.Context, tx *sql.Tx, id eco.ExtensionID) error {
	var teams []Team
	if err := scan(ctx, tx, `SELECT `+teamCols+` FROM registry_team ORDER BY id`, nil, into(&teams, scanTeam)); err != nil {
		return err
	}
	for _, t := range teams {
		i := slices.Index(t.Extensions, id)
		if i < 0 {
			continue
		}
		if _, err := tx.ExecContext(ctx, `UPDATE registry_team SET owns = $1, updated = $2, version = version + 1 WHERE id = $3`,
			text(owns{slices.Delete(t.Extensions, i, i+1), t.Hosts}), r.nowMs(), t.ID); err != nil {
			return err
		}
	}
	return nil
}

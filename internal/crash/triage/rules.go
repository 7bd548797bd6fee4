package triage

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/route"
)

// rulesActor is who did what the rules did.
const rulesActor = "rules"

// MaxNote bounds the note of a version in bytes.
const MaxNote = 500

// Version is one saved set of rules. The zero version is no rules at all.
type Version struct {
	Version int64     `json:"version"` // 1, 2, …
	Text    string    `json:"text,omitempty"`
	Author  string    `json:"author,omitempty"` // account id
	Note    string    `json:"note,omitempty"`
	At      time.Time `json:"at"`
}

// compiled is a version that can be asked.
type compiled struct {
	version int64
	rules   *route.Rules[route.Crash]
}

// dynamic reports whether what the rules say can change while they stay the same.
func (c *compiled) dynamic() bool {
	return c.rules.Uses("impact") || c.rules.Uses("now") || c.rules.Uses("family")
}

// Rules returns the version in force, or another one by its number.
func (d *Desk) Rules(ctx context.Context, p account.Principal, version int64) (Version, error) {
	const op = "triage.Rules"
	if err := d.mayRules(op, p, account.RuleRead); err != nil {
		return Version{}, err
	}
	v, err := d.version(ctx, d.o.Records.Read(), version)
	if err == nil && version > 0 && v.Version == 0 {
		err = fault.E(op, fault.NotFound, "There is no such version.", nil)
	}
	return v, err
}

func (d *Desk) mayRules(op string, p account.Principal, a account.Action) error {
	return d.o.Accounts.Check(op, p, a, account.OfServer("rule", ""))
}

// version reads one version, or the newest for 0.
func (d *Desk) version(ctx context.Context, q querier, n int64) (Version, error) {
	var v Version
	err := scan(ctx, q, func(r *sql.Rows) error {
		var at int64
		err := r.Scan(&v.Version, &v.Text, &v.Author, &v.Note, &at)
		v.At = moment(at)
		return err
	}, `SELECT version, body, author, note, at_ms FROM triage_rules WHERE version = $1 OR $1 = 0 ORDER BY version DESC LIMIT 1`, n)
	return v, fault.Wrap("triage.version", err)
}

// Versions lists versions without their text, the newest first, before one (0 =
// all), at most limit (1 to 200).
func (d *Desk) Versions(ctx context.Context, p account.Principal, before int64, limit int) ([]Version, error) {
	const op = "triage.Versions"
	if err := d.mayRules(op, p, account.RuleRead); err != nil {
		return nil, err
	}
	var out []Version
	err := scan(ctx, d.o.Records.Read(), func(r *sql.Rows) error {
		var v Version
		var at int64
		err := r.Scan(&v.Version, &v.Author, &v.Note, &at)
		v.At = moment(at)
		out = append(out, v)
		return err
	}, `SELECT version, author, note, at_ms FROM triage_rules WHERE version < $1 OR $1 = 0 ORDER BY version DESC LIMIT $2`, before, min(max(limit, 1), 200))
	return out, fault.Wrap(op, err)
}

// Check reads a set of rules and says what is wrong with it.
func (d *Desk) Check(text string) []route.Mistake {
	_, mistakes := d.compile(text)
	return mistakes
}

func (d *Desk) compile(text string) (*route.Rules[route.Crash], []route.Mistake) {
	teams := d.o.Registry.Snapshot().Teams
	return d.engine.Compile(text, func(team string) bool { return teams[team] != nil })
}

// current returns the version in force, compiled once.
func (d *Desk) current(ctx context.Context) (*compiled, error) {
	const op = "triage.current"
	var newest int64
	if err := d.o.Records.Read().QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM triage_rules`).Scan(&newest); err != nil {
		return nil, fault.Wrap(op, err)
	}
	d.mu.Lock()
	c := d.rules
	d.mu.Unlock()
	if c != nil && c.version == newest {
		return c, nil
	}
	v, err := d.version(ctx, d.o.Records.Read(), newest)
	if err != nil {
		return nil, err
	}
	// Teams are looked at when something is sent to one: a team that is gone must not end the rest.
	rules, mistakes := d.engine.Compile(v.Text, nil)
	if rules == nil {
		return nil, fault.E(op, fault.Internal, "The routing rules in force cannot be read any more.", fmt.Errorf("version %d: %s", v.Version, mistakes[0]))
	}
	c = &compiled{v.Version, rules}
	d.mu.Lock()
	d.rules = c
	d.mu.Unlock()
	return c, nil
}

// NewRules is a set that somebody wants to be in force.
type NewRules struct {
	Text string
	Note string // what changed and why
	Base int64  // the version it was made from; conflict when that is not in force any more
	Move bool   // also send the families of the last 30 days where it says
}

// Saved is what came of saving.
type Saved struct {
	Version Version `json:"version"`
	Moved   int     `json:"moved"`           // families that went elsewhere
	Batch   string  `json:"batch,omitempty"` // takes them back (Undo)
}

// Save makes a new version. It holds for families that are new from now on; those
// that are there stay, unless they shall move. With mistakes nothing is saved.
func (d *Desk) Save(ctx context.Context, p account.Principal, n NewRules) (Saved, []route.Mistake, error) {
	const op = "triage.Save"
	if err := d.mayRules(op, p, account.RuleEdit); err != nil {
		return Saved{}, nil, err
	}
	n.Text = strings.ReplaceAll(n.Text, "\r\n", "\n")
	n.Note = eco.Clean(strings.TrimSpace(n.Note), MaxNote)
	rules, mistakes := d.compile(n.Text)
	if rules == nil {
		return Saved{}, mistakes, nil
	}
	var out Saved
	err := d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		last, err := d.version(ctx, tx, 0)
		switch {
		case err != nil:
			return err
		case last.Version != n.Base:
			return fault.E(op, fault.Conflict, fmt.Sprintf("Somebody saved version %d meanwhile; look at it and try again.", last.Version), nil)
		case last.Version > 0 && last.Text == n.Text && !n.Move:
			return fault.E(op, fault.Invalid, "Nothing was changed.", nil)
		}
		out.Version = Version{Version: last.Version + 1, Text: n.Text, Author: p.ID, Note: n.Note, At: moment(d.nowMs())}
		if _, err := tx.ExecContext(ctx, `INSERT INTO triage_rules (version, body, author, note, at_ms) VALUES ($1, $2, $3, $4, $5)`,
			out.Version.Version, n.Text, p.ID, n.Note, d.nowMs()); err != nil {
			return fault.Wrap(op, err)
		}
		for _, l := range rules.Labels() {
			if _, err := ensureLabel(ctx, tx, "", l); err != nil {
				return fault.Wrap(op, err)
			}
		}
		return d.o.Audit.Append(ctx, tx, audit.Entry{Actor: p.Actor(), Action: "rules.save", Ref: eco.Ref{Kind: "rules", ID: fmt.Sprint(out.Version.Version)}})
	})
	if err != nil {
		return Saved{}, nil, err
	}
	if !n.Move {
		return out, nil, nil
	}
	out.Batch = d.o.NewID()
	ids, err := d.o.Desk.Recent(ctx, d.o.Now().AddDate(0, 0, -recentDays), maxRecent)
	if err != nil {
		return out, nil, err
	}
	// The version stands, whatever becomes of who asked; so does what follows from it.
	out.Moved, err = d.send(context.WithoutCancel(ctx), &compiled{out.Version.Version, rules}, ids, p.Actor(), out.Batch)
	return out, nil, err
}

package answers

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

// Words are what a family's owner says of it to everybody who meets it.
type Words struct {
	Family     string         `json:"family"`
	Impact     string         `json:"impact,omitempty"`     // what it does to the user; plain text
	Expected   string         `json:"expected,omitempty"`   // the day a fix is expected: 2026-12-01
	Workaround string         `json:"workaround,omitempty"` // Markdown
	FixedIn    string         `json:"fixed_in,omitempty"`   // the release to name; "" = where the family is resolved in
	Wanted     receipt.Wanted `json:"wanted,omitempty"`     // "" = by the state: full, counts once fixed, none when ignored
	Title      string         `json:"title,omitempty"`      // of the public entry; "" = the family's
	Notes      string         `json:"notes,omitempty"`      // of the public entry; Markdown
	Public     string         `json:"public,omitempty"`     // id of the public entry, once there was one
	Published  bool           `json:"published"`
	Version    int64          `json:"version"`
	Updated    time.Time      `json:"updated"`
	Asked      receipt.Wanted `json:"asked"` // what clients that ask are told to send: Wanted, else by the state
	Why        string         `json:"why"`   // of Asked
}

// asked fills in what clients are told to send of a family in a state.
func (w Words) asked(s crash.State) Words {
	w.Asked, w.Why = receipt.Want(StateFor(s), w.Wanted)
	return w
}

// StateFor is a family's state in the words for outsiders.
func StateFor(s crash.State) receipt.State {
	switch s {
	case crash.Resolved:
		return receipt.Fixed
	case crash.Ignored:
		return receipt.Ignored
	}
	return receipt.Known
}

// Bounds of what an owner says, in bytes.
const (
	MaxImpact     = 300
	MaxWorkaround = 4 << 10
	MaxNotes      = 8 << 10
	MaxTitle      = 200
	MaxRelease    = 64
)

const wordCols = `family, impact, expected, workaround, fixed_in, wanted, title, notes, public_id, published, version, at_ms`

func scanWords(scan func(...any) error) (w Words, err error) {
	var at, published int64
	err = scan(&w.Family, &w.Impact, &w.Expected, &w.Workaround, &w.FixedIn, &w.Wanted, &w.Title, &w.Notes, &w.Public, &published, &w.Version, &at)
	w.Published, w.Updated = published != 0, time.UnixMilli(at).UTC()
	return w, err
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// wordsOf reads an owner's words; a family without any has empty ones of version 0.
func wordsOf(ctx context.Context, q querier, family string) (Words, error) {
	w, err := scanWords(q.QueryRowContext(ctx, `SELECT `+wordCols+` FROM answer WHERE family = $1`, family).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return Words{Family: family}, nil
	}
	return w, err
}

// Words returns what the owner says of a family that the scope sees. Those who do
// not own it read it like everybody else.
func (d *Desk) Words(ctx context.Context, scope facts.Scope, family string) (Words, error) {
	f, err := d.o.Desk.Family(ctx, scope, family, crash.Period{})
	if err != nil {
		return Words{}, err
	}
	w, err := wordsOf(ctx, d.o.Records.Read(), family)
	return w.asked(f.State), fault.Wrap("answers.Words", err)
}

// Say replaces the owner's words on a family. w.Version must be the one that was
// read (0: none yet); fault.Conflict otherwise. Published and Public are not
// changed by it; see Publish.
func (d *Desk) Say(ctx context.Context, scope facts.Scope, w Words, actor string) (Words, error) {
	const op = "answers.Say"
	if err := w.check(); err != nil {
		return w, err
	}
	f, err := d.o.Desk.Owned(ctx, scope, w.Family)
	if err != nil {
		return w, err
	}
	err = d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		old, err := wordsOf(ctx, tx, w.Family)
		if err != nil {
			return err
		}
		if old.Version != w.Version {
			return fault.E(op, fault.Conflict, "Somebody else changed the answer meanwhile. Look at it and try again.", nil)
		}
		w.Public, w.Published = old.Public, old.Published
		w.Version, w.Updated = old.Version+1, d.o.Now().UTC().Truncate(time.Millisecond)
		if err := putWords(ctx, tx, &w); err != nil {
			return err
		}
		return d.o.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: "family.answer", Ref: eco.Ref{Kind: "family", ID: w.Family}})
	})
	if err != nil {
		return w, fault.Wrap(op, err)
	}
	return w.asked(f.State), d.heard(w)
}

// heard shows what was said at once.
func (d *Desk) heard(w Words) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.words[w.Family] = w
	if d.base[w.Family] != nil {
		d.o.Board.Set(d.standing(w.Family))
	}
	return nil
}

func putWords(ctx context.Context, tx *sql.Tx, w *Words) error {
	published := 0
	if w.Published {
		published = 1
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO answer (`+wordCols+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (family) DO UPDATE SET impact = excluded.impact, expected = excluded.expected, workaround = excluded.workaround, fixed_in = excluded.fixed_in,
		wanted = excluded.wanted, title = excluded.title, notes = excluded.notes, public_id = excluded.public_id, published = excluded.published,
		version = excluded.version, at_ms = excluded.at_ms`,
		w.Family, w.Impact, w.Expected, w.Workaround, w.FixedIn, string(w.Wanted), w.Title, w.Notes, w.Public, published, w.Version, w.Updated.UnixMilli())
	return err
}

// check refuses what is too long or not of its form, and trims the rest.
func (w *Words) check() error {
	const op = "answers.Say"
	for _, f := range []struct {
		name string
		v    *string
		max  int
	}{{"impact", &w.Impact, MaxImpact}, {"workaround", &w.Workaround, MaxWorkaround}, {"fixed_in", &w.FixedIn, MaxRelease}, {"title", &w.Title, MaxTitle}, {"notes", &w.Notes, MaxNotes}} {
		*f.v = strings.TrimSpace(strings.ReplaceAll(*f.v, "\r\n", "\n"))
		if len(*f.v) > f.max {
			return fault.E(op, fault.Invalid, f.name+": too long.", nil)
		}
		*f.v = eco.Clean(*f.v, f.max)
	}
	if w.Expected = strings.TrimSpace(w.Expected); w.Expected != "" {
		if _, err := eco.ParseDay(w.Expected); err != nil {
			return fault.E(op, fault.Invalid, "expected: a day of the form 2026-12-01.", nil)
		}
	}
	if w.Wanted != "" {
		if _, ok := receipt.ParseWanted(string(w.Wanted)); !ok {
			return fault.E(op, fault.Invalid, "wanted: none, counts or full.", nil)
		}
	}
	return nil
}

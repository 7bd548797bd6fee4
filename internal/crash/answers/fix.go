package answers

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Fix is one line of the public log: a family that its owner says is fixed. Its
// bytes are kept as they were published; their hash is in the audit log.
type Fix struct {
	ID         string    `json:"id"`
	Revision   int64     `json:"revision"` // from 1; later ones tell what changed since
	Subject    eco.Ref   `json:"subject"`  // extension or host
	Title      string    `json:"title"`
	Signatures []string  `json:"signatures"` // "sig/1:…", the most frequent first, at most 20
	Affected   string    `json:"affected"`   // releases in which it was seen
	FixedIn    string    `json:"fixed_in"`
	Notes      string    `json:"notes,omitempty"`      // Markdown
	Workaround string    `json:"workaround,omitempty"` // Markdown
	Before     Rate      `json:"before"`
	After      Rate      `json:"after"`
	Sure       string    `json:"sure"`     // sure, likely, early
	Sentence   string    `json:"sentence"` // the comparison in words
	Published  time.Time `json:"published"`
	Updated    time.Time `json:"updated"`
}

const (
	maxSignatures = 20
	// LogActor writes the public entries of the audit log: who published is in an
	// entry of its own, which is not public.
	LogActor = "system:public-log"
)

// Publish puts a resolved family into the public log, or a new revision of its
// entry. Who may decide on the family may publish it.
func (d *Desk) Publish(ctx context.Context, scope facts.Scope, family, actor string) (Fix, error) {
	const op = "answers.Publish"
	if _, err := d.o.Desk.Owned(ctx, scope, family); err != nil {
		return Fix{}, err
	}
	return d.publish(ctx, op, scope, family, actor)
}

func (d *Desk) publish(ctx context.Context, op string, scope facts.Scope, id, actor string) (Fix, error) {
	f, err := d.o.Desk.Family(ctx, scope, id, crash.Period{From: d.o.Now().AddDate(0, 0, -90)})
	if err != nil {
		return Fix{}, err
	}
	w, err := wordsOf(ctx, d.o.Records.Read(), id)
	if err != nil {
		return Fix{}, fault.Wrap(op, err)
	}
	e, resolved, err := entryOf(&f, w)
	if err != nil {
		return Fix{}, err
	}
	before, after, err := d.rates(ctx, &e, id, resolved)
	if err != nil {
		return Fix{}, fault.Wrap(op, err)
	}
	shift := d.o.Book.Shift(id)
	e.Before, e.After = before.public(shift), after.public(shift)
	e.Sure, _ = verdict(before, after)
	e.Sentence = sentence(e.Before, e.After, e.Sure)
	err = d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		old, err := newest(ctx, tx, w.Public)
		if err != nil {
			return err
		}
		now := d.o.Now().UTC().Truncate(time.Second)
		e.ID, e.Revision, e.Published, e.Updated = w.Public, old.Revision+1, now, now
		if e.ID == "" {
			e.ID = d.o.NewID()[:12]
		}
		if old.Revision > 0 {
			e.Published = old.Published
			if actor == LogActor && same(old, e) {
				e = old
				return errSame
			}
		}
		if err := d.enter(ctx, tx, id, &e); err != nil {
			return err
		}
		if actor == LogActor {
			return nil
		}
		w.Public, w.Published, w.Version, w.Updated = e.ID, true, w.Version+1, d.o.Now().UTC().Truncate(time.Millisecond)
		if err := putWords(ctx, tx, &w); err != nil {
			return err
		}
		return d.o.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: "family.publish", Ref: eco.Ref{Kind: "family", ID: id}, Note: "public entry " + e.ID})
	})
	if errors.Is(err, errSame) {
		return e, nil
	}
	if err != nil {
		return Fix{}, fault.Wrap(op, err)
	}
	return e, d.heard(w)
}

var errSame = errors.New("nothing changed")

// same compares what two revisions say, but for when and which.
func same(a, b Fix) bool {
	b.Revision, b.Updated, b.Published = a.Revision, a.Updated, a.Published
	return reflect.DeepEqual(a, b)
}

// entryOf makes the entry of a family, without numbers.
func entryOf(f *crash.Detail, w Words) (Fix, time.Time, error) {
	const op = "answers.Publish"
	e := Fix{Subject: eco.Ref{Kind: "extension", ID: string(f.Blame)}, Title: w.Title, FixedIn: w.FixedIn, Notes: w.Notes, Workaround: w.Workaround, Affected: span(f.FirstRelease, f.LastRelease), Signatures: []string{}}
	if f.Blame == "" {
		e.Subject = eco.Ref{Kind: "host", ID: f.Host}
	}
	if e.Title == "" {
		e.Title = f.Title
	}
	if f.State != crash.Resolved {
		return e, time.Time{}, fault.E(op, fault.Conflict, "Only what is resolved is published. Resolve the family first.", nil)
	}
	if e.Subject.ID == "" {
		return e, time.Time{}, fault.E(op, fault.Conflict, "A family of nobody is not published.", nil)
	}
	if e.FixedIn == "" && f.ResolvedIn != "" && f.ResolvedIn[0] != '>' {
		e.FixedIn = f.ResolvedIn
	}
	if e.FixedIn == "" {
		return e, time.Time{}, fault.E(op, fault.Conflict, "Name the release with the fix first, in the answer to reporters.", nil)
	}
	for _, s := range f.List[:min(len(f.List), maxSignatures)] {
		version := s.Version
		if version == "" {
			version = "sig/1"
		}
		e.Signatures = append(e.Signatures, version+":"+s.Hash)
	}
	var at time.Time
	for _, c := range f.History { // newest first
		if c.To == crash.Resolved && !c.Undone {
			at = c.At
			break
		}
	}
	return e, at, nil
}

// enter writes a revision and its entry of the audit log.
func (d *Desk) enter(ctx context.Context, tx *sql.Tx, family string, e *Fix) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	n, err := d.o.Audit.Place(ctx, tx, audit.Entry{Actor: LogActor, Action: "public.publish", Ref: eco.Ref{Kind: "fixed", ID: e.ID}, Note: fmt.Sprintf("revision %d sha256:%s", e.Revision, hex.EncodeToString(sum[:]))})
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE answer_entry SET newest = 0 WHERE id = $1`, e.ID); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO answer_entry (id, n, family, subject, since_ms, at_ms, body, audit_n, newest, gone) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, 0)`,
		e.ID, e.Revision, family, e.Subject.ID, e.Published.UnixMilli(), e.Updated.UnixMilli(), string(body), n)
	return err
}

// Unpublish takes a family out of the public log. The audit log keeps that it was there.
func (d *Desk) Unpublish(ctx context.Context, scope facts.Scope, family, actor string) error {
	const op = "answers.Unpublish"
	if _, err := d.o.Desk.Owned(ctx, scope, family); err != nil {
		return err
	}
	var w Words
	err := d.o.Records.Tx(ctx, func(tx *sql.Tx) (err error) {
		if w, err = wordsOf(ctx, tx, family); err != nil {
			return err
		}
		if !w.Published {
			return errSame
		}
		w.Published, w.Version, w.Updated = false, w.Version+1, d.o.Now().UTC().Truncate(time.Millisecond)
		if err := putWords(ctx, tx, &w); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE answer_entry SET gone = 1 WHERE id = $1`, w.Public); err != nil {
			return err
		}
		if err := d.o.Audit.Append(ctx, tx, audit.Entry{Actor: LogActor, Action: "public.unpublish", Ref: eco.Ref{Kind: "fixed", ID: w.Public}}); err != nil {
			return err
		}
		return d.o.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: "family.unpublish", Ref: eco.Ref{Kind: "family", ID: family}, Note: "public entry " + w.Public})
	})
	if errors.Is(err, errSame) {
		return nil
	}
	if err != nil {
		return fault.Wrap(op, err)
	}
	return d.heard(w)
}

// reviseDays is how long after its publication the numbers of an entry are counted anew.
const reviseDays = 35

// Revise is a job: entries of the last five weeks get a new revision when their
// numbers or words changed.
func (d *Desk) Revise(ctx context.Context) (string, error) {
	const op = "answers.Revise"
	rows, err := d.o.Records.Read().QueryContext(ctx, `SELECT family, n FROM answer_entry WHERE newest = 1 AND gone = 0 AND since_ms >= $1 ORDER BY since_ms DESC LIMIT 500`,
		d.o.Now().AddDate(0, 0, -reviseDays).UnixMilli())
	if err != nil {
		return "", fault.Wrap(op, err)
	}
	type one struct {
		family string
		n      int64
	}
	var list []one
	for rows.Next() {
		var x one
		if err := rows.Scan(&x.family, &x.n); err != nil {
			rows.Close()
			return "", fault.Wrap(op, err)
		}
		list = append(list, x)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return "", fault.Wrap(op, err)
	}
	changed := 0
	for _, x := range list {
		e, err := d.publish(ctx, op, facts.Everything(), x.family, LogActor)
		if code := fault.CodeOf(err); code == fault.Conflict || code == fault.NotFound {
			continue // it came back, or is forgotten: what was published stays as it was
		}
		if err != nil {
			return "", err
		}
		if e.Revision != x.n {
			changed++
		}
	}
	if changed == 0 {
		return "nothing to do", nil
	}
	return fmt.Sprintf("%d entries revised", changed), nil
}

package triage

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Bounds of comments.
const (
	MaxComment   = 10_000 // bytes
	maxComments  = 2000   // of one family
	maxEdits     = 50     // that are kept of one comment
	maxMentioned = 50     // people told of one comment
)

// Comment is what somebody wrote about a family, in Markdown.
type Comment struct {
	ID       string    `json:"id"`
	Family   string    `json:"family"`
	Author   Person    `json:"author"`
	Text     string    `json:"text"`           // mentions as @handle; "" when it was deleted
	Body     string    `json:"-"`              // mentions as @{id}, for rendering with Mentions
	Team     bool      `json:"team,omitempty"` // hidden from authors of extensions
	At       time.Time `json:"at"`
	Edited   time.Time `json:"edited,omitzero"`
	Deleted  bool      `json:"deleted,omitempty"`
	Past     []Past    `json:"past,omitempty"` // earlier texts, the newest first
	Mine     bool      `json:"mine,omitempty"`
	Mentions []Mention `json:"mentions,omitempty"`
	// Unknown are names after an @ that fit nobody, or several; set when it was just written.
	Unknown []string `json:"unknown,omitempty"`
}

// Past is an earlier text of a comment.
type Past struct {
	Text string    `json:"text"`
	At   time.Time `json:"at"` // when it was replaced
}

// Comment writes a comment. team hides it from authors of extensions; their own
// cannot be hidden from themselves.
func (d *Desk) Comment(ctx context.Context, p account.Principal, family, words string, team bool) (Comment, error) {
	const op = "triage.Comment"
	s, err := d.sit(ctx, p, account.FamilyComment, family)
	if err != nil {
		return Comment{}, err
	}
	family = s.f.ID // it may be part of another one
	if team && !s.inside {
		return Comment{}, fault.E(op, fault.Invalid, "You would not see it yourself.", nil)
	}
	words, err = checkComment(op, words)
	if err != nil {
		return Comment{}, err
	}
	all, err := d.directory(ctx)
	if err != nil {
		return Comment{}, err
	}
	m := d.mentions(words, &s, all, team)
	c := Comment{ID: d.o.NewID(), Family: family, At: moment(d.nowMs()), Author: all.person(p.ID), Text: words, Body: m.body, Team: team, Mine: true, Mentions: m.list, Unknown: m.unknown}
	return c, fault.Wrap(op, d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM triage_comment WHERE family = $1`, family).Scan(&n); err != nil {
			return err
		}
		if n >= maxComments {
			return fault.E(op, fault.TooLarge, fmt.Sprintf("A family has at most %d comments.", maxComments), nil)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO triage_comment (id, family, author, body, team, at_ms, edit_ms, gone) VALUES ($1, $2, $3, $4, $5, $6, 0, 0)`,
			c.ID, family, p.ID, m.body, bit(team), d.nowMs())
		if err != nil {
			return err
		}
		if err := d.told(ctx, tx, &c, m); err != nil {
			return err
		}
		return d.record(ctx, tx, p.Actor(), "family.comment", family, c.ID)
	}))
}

func checkComment(op, words string) (string, error) {
	if len(words) > MaxComment {
		return "", fault.E(op, fault.Invalid, fmt.Sprintf("A comment has at most %d bytes.", MaxComment), nil)
	}
	words = tidyText(words)
	if words == "" {
		return "", fault.E(op, fault.Invalid, "Write something.", nil)
	}
	return words, nil
}

// told makes the author and those who are mentioned watch, and tells them and the others.
func (d *Desk) told(ctx context.Context, tx *sql.Tx, c *Comment, m mentioned) error {
	if err := autoWatch(ctx, tx, c.Family, c.Author.ID, "comment"); err != nil {
		return err
	}
	for _, id := range m.people {
		if err := autoWatch(ctx, tx, c.Family, id, "mentioned"); err != nil {
			return err
		}
	}
	if err := d.emit(ctx, tx, Event{Kind: Mentioned, Family: c.Family, Actor: c.Author.ID, Item: c.ID, Recipients: m.all()}, c.Team); err != nil {
		return err
	}
	list, err := watching(ctx, tx, c.Family)
	if err != nil {
		return err
	}
	return d.emit(ctx, tx, Event{Kind: Commented, Family: c.Family, Actor: c.Author.ID, Item: c.ID, Recipients: without(list, m.all())}, c.Team)
}

// own reads a comment that p wrote and may still see.
func (d *Desk) own(ctx context.Context, p account.Principal, id string) (Comment, seat, error) {
	const op = "triage.comment"
	none := fault.E(op, fault.NotFound, "There is no such comment.", nil)
	list, err := readComments(ctx, d.o.Records.Read(), `WHERE id = $1 AND gone = 0`, id)
	if err != nil {
		return Comment{}, seat{}, err
	}
	if len(list) == 0 {
		return Comment{}, seat{}, none
	}
	s, err := d.sit(ctx, p, account.FamilyComment, list[0].Family)
	switch {
	case fault.CodeOf(err) == fault.NotFound, err == nil && list[0].Team && !s.inside:
		return Comment{}, seat{}, none
	case err != nil:
		return Comment{}, seat{}, err
	case list[0].Author.ID != p.ID:
		return Comment{}, seat{}, fault.E(op, fault.Forbidden, "Only who wrote a comment changes it.", nil)
	}
	return list[0], s, nil
}

// EditComment replaces the text of one's own comment; the old one is kept beside it.
func (d *Desk) EditComment(ctx context.Context, p account.Principal, id, words string) (Comment, error) {
	const op = "triage.EditComment"
	c, s, err := d.own(ctx, p, id)
	if err != nil {
		return Comment{}, err
	}
	if words, err = checkComment(op, words); err != nil {
		return Comment{}, err
	}
	all, err := d.directory(ctx)
	if err != nil {
		return Comment{}, err
	}
	m := d.mentions(words, &s, all, c.Team)
	if m.body == c.Body {
		return c, nil
	}
	err = d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		if err := d.keepPast(ctx, tx, id, c.Body); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE triage_comment SET body = $1, edit_ms = $2 WHERE id = $3 AND gone = 0`, m.body, d.nowMs(), id); err != nil {
			return err
		}
		return d.record(ctx, tx, p.Actor(), "family.comment.edit", c.Family, id)
	})
	c.Text, c.Body, c.Edited, c.Author, c.Mine, c.Mentions, c.Unknown = words, m.body, moment(d.nowMs()), all.person(p.ID), true, m.list, m.unknown
	return c, fault.Wrap(op, err)
}

func (d *Desk) keepPast(ctx context.Context, tx *sql.Tx, id, body string) error {
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(n), 0) + 1 FROM triage_comment_past WHERE comment = $1`, id).Scan(&n); err != nil {
		return err
	}
	if n > maxEdits {
		return fault.E("triage.EditComment", fault.TooLarge, "This comment was changed too often; write a new one.", nil)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO triage_comment_past (comment, n, body, at_ms) VALUES ($1, $2, $3, $4)`, id, n, body, d.nowMs())
	return err
}

// DeleteComment takes one's own comment away, with its earlier texts; that there
// was one stays.
func (d *Desk) DeleteComment(ctx context.Context, p account.Principal, id string) error {
	c, _, err := d.own(ctx, p, id)
	if err != nil {
		return err
	}
	return fault.Wrap("triage.DeleteComment", d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE triage_comment SET body = '', gone = 1, edit_ms = $1 WHERE id = $2`, d.nowMs(), id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM triage_comment_past WHERE comment = $1`, id); err != nil {
			return err
		}
		return d.record(ctx, tx, p.Actor(), "family.comment.delete", c.Family, id)
	}))
}

func readComments(ctx context.Context, q querier, where string, args ...any) ([]Comment, error) {
	var out []Comment
	err := scan(ctx, q, func(r *sql.Rows) error {
		var c Comment
		var team, at, edit, gone int64
		err := r.Scan(&c.ID, &c.Family, &c.Author.ID, &c.Body, &team, &at, &edit, &gone)
		c.Team, c.At, c.Edited, c.Deleted = team != 0, moment(at), moment(edit), gone != 0
		out = append(out, c)
		return err
	}, `SELECT id, family, author, body, team, at_ms, edit_ms, gone FROM triage_comment `+where, args...)
	return out, fault.Wrap("triage.comments", err)
}

func (p people) person(id string) Person {
	return Person{ID: id, Handle: handle(p.name(id)), Name: p.name(id)}
}

// tidyText brings text that somebody typed to valid lines without control characters.
func tidyText(s string) string {
	return strings.TrimSpace(strings.ReplaceAll(eco.Clean(s, MaxComment), "\r\n", "\n"))
}

package triage

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// feed joins states, changes and comments, the newest first. Its cursor is the
// time and key of the last entry.
func (d *Desk) feed(ctx context.Context, s *seat, all people, history []crash.Change, before string) ([]Entry, string, error) {
	until, after, err := readCursor(before)
	if err != nil {
		return nil, "", err
	}
	var out []Entry
	for i := range history {
		c := &history[i]
		id := strings.TrimPrefix(c.Actor, "account:")
		out = append(out, Entry{At: c.At, Kind: "state", Actor: all.person(id), Text: stateText(c), Note: c.Note, Undone: c.Undone, State: c.To, key: "s" + c.ID})
	}
	of, err := d.partsFor(ctx, s)
	if err != nil {
		return nil, "", err
	}
	in, args := marks(of)
	k := len(of)
	next := func(i int) string { return "$" + strconv.Itoa(k+i) }
	list, err := changes(ctx, d.o.Records.Read(), `WHERE family IN (`+in+`) AND at_ms <= `+next(1)+` AND kind IN ('team', 'person', 'label', 'priority') ORDER BY n DESC LIMIT `+next(2), append(slices.Clone(args), until, feedLimit+perTx)...)
	if err != nil {
		return nil, "", err
	}
	words, err := d.words(ctx)
	if err != nil {
		return nil, "", err
	}
	for i := range list {
		c := &list[i]
		e := Entry{At: c.at, Kind: c.kind, Actor: all.person(c.actor), Text: d.changeText(c, all, words), Batch: c.batch, Undone: c.undone, key: fmt.Sprintf("c%012d", c.n)}
		if c.family != s.f.ID {
			e.Of = c.family
		}
		if c.undone || c.note == "undo" || strings.HasPrefix(c.batch, followBatch) || e.Of != "" {
			e.Batch = ""
		}
		out = append(out, e)
	}
	comments, err := readComments(ctx, d.o.Records.Read(), `WHERE family IN (`+in+`) AND at_ms <= `+next(1)+` AND (team = 0 OR `+next(2)+` = 1) ORDER BY at_ms DESC, id DESC LIMIT `+next(3), append(slices.Clone(args), until, bit(s.inside), feedLimit+1)...)
	if err != nil {
		return nil, "", err
	}
	past, err := d.past(ctx, comments, all)
	if err != nil {
		return nil, "", err
	}
	for i := range comments {
		c := &comments[i]
		c.Author, c.Mine, c.Past = all.person(c.Author.ID), c.Author.ID == s.p.ID && !c.Deleted, past[c.ID]
		c.Text, c.Mentions = d.readable(c.Body, all)
		e := Entry{At: c.At, Kind: "comment", Actor: c.Author, Text: "commented", Comment: c, key: "m" + c.ID}
		if c.Family != s.f.ID {
			e.Of = c.Family
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Entry) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.key, a.key)) })
	out = slices.DeleteFunc(out, func(e Entry) bool {
		ms := e.At.UnixMilli()
		return ms > until || after != "" && ms == until && e.key >= after
	})
	older := ""
	if len(out) > feedLimit {
		last := &out[feedLimit-1]
		out, older = out[:feedLimit], strconv.FormatInt(last.At.UnixMilli(), 10)+":"+last.key
	}
	return out, older, nil
}

func readCursor(s string) (until int64, after string, err error) {
	if s == "" {
		return 1<<62 - 1, "", nil
	}
	ms, after, ok := strings.Cut(s, ":")
	until, perr := strconv.ParseInt(ms, 10, 64)
	if !ok || perr != nil {
		return 0, "", fault.E("triage.feed", fault.Invalid, "This cursor is not one of ours.", nil)
	}
	return until, after, nil
}

// past reads the earlier texts of comments, the newest first.
func (d *Desk) past(ctx context.Context, list []Comment, all people) (map[string][]Past, error) {
	var edited []string
	for i := range list {
		if !list[i].Edited.IsZero() && !list[i].Deleted {
			edited = append(edited, list[i].ID)
		}
	}
	out := map[string][]Past{}
	if len(edited) == 0 {
		return out, nil
	}
	in, args := marks(edited)
	err := scan(ctx, d.o.Records.Read(), func(r *sql.Rows) error {
		var id, body string
		var at int64
		if err := r.Scan(&id, &body, &at); err != nil {
			return err
		}
		words, _ := d.readable(body, all)
		out[id] = append(out[id], Past{words, moment(at)})
		return nil
	}, `SELECT comment, body, at_ms FROM triage_comment_past WHERE comment IN (`+in+`) ORDER BY comment, n DESC`, args...)
	return out, err
}

// words are the labels by id.
func (d *Desk) words(ctx context.Context) (map[string]Label, error) {
	list, err := vocabulary(ctx, d.o.Records.Read())
	out := make(map[string]Label, len(list))
	for _, l := range list {
		out[l.ID] = l
	}
	return out, err
}

func (d *Desk) changeText(c *change, all people, words map[string]Label) string {
	s := ""
	switch c.kind {
	case "team":
		was, now := readTeam(c.was), readTeam(c.now)
		name := func(id string) string { return d.team(id, &crash.Family{}).Name }
		switch {
		case now.Team == "":
			s = "took it from the team " + name(was.Team)
			if was.Team == "" {
				s = "decided that no team has it"
			}
		case now.Team == was.Team && now.Hand:
			s = "confirmed the team " + name(now.Team)
		case now.Rule != "":
			s = "gave it to the team " + name(now.Team) + ", by the rule “" + now.Rule + "”"
		default:
			s = "gave it to the team " + name(now.Team)
		}
	case "person":
		switch {
		case c.now == c.actor:
			s = "took it"
		case c.now == "":
			s = "took it from " + all.name(c.was)
		default:
			s = "gave it to " + all.name(c.now)
		}
	case "priority":
		if s = "set the priority " + c.now + ", by the rule “" + c.item + "”"; c.now == "" {
			s = "gave the priority back to the machine"
		}
	case "label":
		l := words[c.item].Name
		if l == "" {
			l = "a label that is gone"
		}
		s = "put on the label " + l
		if c.now != "on" {
			s = "took off the label " + l
		}
	}
	switch how, part, _ := strings.Cut(c.note, " "); how {
	case "undo":
		s += " (taking a change back)"
	case "merge":
		s += " (it came with " + part + ")"
	case "part":
		s += " (" + part + " was parted again)"
	}
	return s
}

// stateText says what became of a state.
func stateText(c *crash.Change) string {
	system := c.Actor == crash.System || c.Actor == ""
	switch {
	case c.Undoes != "":
		return "took a change back: " + string(c.To)
	case c.To == crash.Resolved && c.ResolvedIn == "":
		return "resolved it from then on"
	case c.To == crash.Resolved && strings.HasPrefix(c.ResolvedIn, ">"):
		return "resolved it in the release after " + c.ResolvedIn[1:]
	case c.To == crash.Resolved:
		return "resolved it in " + c.ResolvedIn
	case c.To == crash.Ignored:
		return "ignored it"
	case c.From == crash.Resolved && system:
		return "opened it: it came back"
	case c.To == crash.Open:
		return "opened it again"
	}
	return "changed it to " + string(c.To)
}

// labelsOf reads the labels that families wear.
func labelsOf(ctx context.Context, q querier, ids []string) (map[string][]Label, error) {
	out := map[string][]Label{}
	for part := range slices.Chunk(ids, 500) {
		in, args := marks(part)
		err := scan(ctx, q, func(r *sql.Rows) error {
			var family string
			var l Label
			if err := r.Scan(&family, &l.ID, &l.Owner, &l.Name, &l.Colour, &l.About); err != nil {
				return err
			}
			out[family] = append(out[family], l)
			return nil
		}, `SELECT w.family, l.id, l.owner, l.name, l.colour, l.about FROM triage_family_label w JOIN triage_label l ON l.id = w.label
			WHERE w.off = 0 AND w.family IN (`+in+`) ORDER BY l.owner, l.name`, args...)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// column reads one column of text.
func column(ctx context.Context, q querier, query string, args ...any) ([]string, error) {
	var out []string
	err := scan(ctx, q, func(r *sql.Rows) error {
		var s string
		err := r.Scan(&s)
		out = append(out, s)
		return err
	}, query, args...)
	return out, err
}

package alert

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/alert/follow"
	"github.com/bellwether-project/bellwether/internal/alert/outbox"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
)

// fewest is how many installs a number must stand for to leave the house.
const fewest = 20

// Other kinds of messages.
const (
	kindTest    = "test"
	kindDigest  = "digest"
	kindChannel = "channel.disabled"
)

// prepare makes the message of a delivery, within its reader's scope as it is now,
// and finds who sends it. It is the outbox's.
func (s *Service) prepare(ctx context.Context, d outbox.Delivery) (notify.Message, notify.Sender, error) {
	const op = "alert.prepare"
	gone := func(text string) (notify.Message, notify.Sender, error) {
		return notify.Message{}, nil, fault.E(op, fault.NotFound, text, nil)
	}
	of, id, _ := strings.Cut(d.Target, ":")
	switch of {
	case "account":
		if s.o.Mail == nil {
			return gone("No mail is configured any more.")
		}
		a, err := s.o.Accounts.Member(ctx, id)
		if err != nil {
			return notify.Message{}, nil, err
		}
		if a.Disabled || a.Forgotten() {
			return gone("The account is disabled.")
		}
		m, err := s.compose(ctx, d, s.o.Accounts.Scope(a.Principal()))
		if err != nil {
			return notify.Message{}, nil, err
		}
		kind := oneKind(d)
		token, err := s.unsubscribe(a.ID, kind)
		if err != nil {
			return notify.Message{}, nil, err
		}
		m.To, m.ListID, m.Unsubscribe = a.Email, s.listID(Kind(d.Kind)), s.link("/unsubscribe?token="+url.QueryEscape(token))
		m.Footer = append(m.Footer, "You can change what you are told, and when: "+s.link("/settings/notifications"))
		return m, s.o.Mail, nil
	case "channel":
		c, err := s.oneChannel(ctx, s.o.Records.Read(), id)
		if err != nil {
			return notify.Message{}, nil, err
		}
		if c.State != Active && d.Kind != kindTest {
			return gone("The channel is switched off.")
		}
		sender, err := s.sender(&c)
		if err != nil {
			return notify.Message{}, nil, err
		}
		m, err := s.compose(ctx, d, s.o.Accounts.Scope(c.reader()))
		m.Footer = append(m.Footer, "Sent to the channel "+c.Name+" of "+c.owner()+".")
		return m, sender, err
	case "link":
		return s.prepareLink(ctx, d)
	case "report":
		if s.reporters != nil {
			return s.reporters.Prepare(ctx, d)
		}
	}
	return gone("There is no such target.")
}

// oneKind is the kind that every item of a delivery has, or "".
func oneKind(d outbox.Delivery) Kind {
	kind := ""
	for i, x := range d.Items {
		if i > 0 && x.Kind != kind {
			return ""
		}
		kind = x.Kind
	}
	if !slices.Contains(Kinds, Kind(kind)) {
		return ""
	}
	return Kind(kind)
}

var headings = map[Kind]string{NewFamily: "New", Regressed: "Back again", Spike: "Spike", Work: "News"}

// compose writes what a reader with the scope may know of a delivery.
func (s *Service) compose(ctx context.Context, d outbox.Delivery, scope facts.Scope) (notify.Message, error) {
	m := notify.Message{ID: d.ID, Type: d.Kind, Time: d.Created, Data: map[string]any{}}
	switch d.Kind {
	case kindTest:
		m.Subject, m.Link = "A test message from Bellwether", s.link("/settings/notifications")
		m.Text = []string{"If you can read this, messages arrive here."}
		m.Data["test"] = true
		return m, nil
	case kindChannel:
		m.Subject, m.Link = "A channel was switched off", s.link("/settings/notifications")
		for _, i := range d.Items {
			m.Text = append(m.Text, i.Note)
		}
		return m, nil
	}
	var first crash.Family
	var list []map[string]any
	for _, i := range d.Items {
		f, ok, err := s.look(ctx, scope, i)
		if err != nil {
			return notify.Message{}, err
		}
		if !ok {
			continue
		}
		if len(m.Items) == 0 {
			first, m.Time = f, i.At
		}
		m.Items = append(m.Items, s.item(f, i))
		list = append(list, s.data(f, i))
	}
	switch len(m.Items) {
	case 0:
		return notify.Message{}, fault.E("alert.compose", fault.NotFound, "What it was about is ignored by now, gone, or no longer its reader's to see.", nil)
	case 1:
		i := d.Items[0]
		m.Type, m.Topic = i.Kind, first.ID
		m.Subject = headings[Kind(i.Kind)] + where(first) + ": " + first.Title
		if first.Blame != "" && strings.HasPrefix(first.Title, string(first.Blame)) { // it says so itself
			m.Subject = headings[Kind(i.Kind)] + ": " + first.Title
		}
		m.Link = m.Items[0].Link
		for k, v := range list[0] {
			m.Data[k] = v
		}
	default:
		m.Subject = fmt.Sprintf("%d pieces of news about crashes", len(m.Items))
		if kind := oneKind(d); kind == NewFamily {
			m.Subject = fmt.Sprintf("%d new crash families", len(m.Items))
		} else if kind == Regressed {
			m.Subject = fmt.Sprintf("%d crash families are back", len(m.Items))
		}
		m.Link = s.link("/crashes?sort=first_seen")
		if d.Items[0].Topic != "" && oneTopic(d.Items) {
			m.Topic, m.Link = first.ID, m.Items[0].Link
		}
	}
	m.Data["items"] = list
	return m, nil
}

func oneTopic(list []outbox.Item) bool {
	return !slices.ContainsFunc(list, func(i outbox.Item) bool { return i.Topic != list[0].Topic })
}

// look reads a family as the reader may see it, over the day before the news and
// since; ok is false when there is nothing to say about it any more.
func (s *Service) look(ctx context.Context, scope facts.Scope, i outbox.Item) (crash.Family, bool, error) {
	now := s.o.Now()
	from := i.At.Add(-24 * time.Hour)
	if day := now.Add(-24 * time.Hour); day.Before(from) {
		from = day
	}
	d, err := s.o.Desk.Family(ctx, scope, i.Topic, crash.Period{From: from, To: now})
	if fault.CodeOf(err) == fault.NotFound {
		return crash.Family{}, false, nil
	}
	if err != nil {
		return crash.Family{}, false, err
	}
	return d.Family, d.State != crash.Ignored || i.Kind == string(Work), nil
}

func where(f crash.Family) string {
	switch {
	case f.Blame != "":
		return " in " + string(f.Blame)
	case f.Host != "":
		return " in " + f.Host
	}
	return ""
}

func (s *Service) item(f crash.Family, i outbox.Item) notify.Item {
	out := notify.Item{Title: f.Title, Link: s.link("/families/" + f.ID), Facts: []string{i.Note}}
	about := strings.TrimPrefix(where(f), " in ")
	if f.Type != "" && !strings.Contains(f.Title, f.Type) {
		about = strings.TrimSpace(f.Type + " " + about)
	}
	if about != "" {
		out.Facts = append(out.Facts, about)
	}
	if Kind(i.Kind) != Work {
		out.Facts = append(out.Facts, amount(f))
	}
	return out
}

// amount says how many, when that many stand behind it that nobody can be meant.
func amount(f crash.Family) string {
	if f.Installs < fewest {
		return fmt.Sprintf("In fewer than %d installs so far.", fewest)
	}
	low, high := poisson(f.Installs)
	return fmt.Sprintf("%d crashes in %d installs (95 %%: %d–%d) since the day before.", f.Crashes, f.Installs, low, high)
}

// poisson is the 95 % interval of a count (Byar's approximation).
func poisson(n int64) (low, high int64) {
	k := float64(n)
	a := 1 - 1/(9*k) - 1.96/(3*math.Sqrt(k))
	b := 1 - 1/(9*(k+1)) + 1.96/(3*math.Sqrt(k+1))
	return int64(math.Floor(k * a * a * a)), int64(math.Ceil((k + 1) * b * b * b))
}

// data is a family in a webhook's body.
func (s *Service) data(f crash.Family, i outbox.Item) map[string]any {
	out := map[string]any{"kind": i.Kind, "family": f.ID, "title": notify.Line(f.Title, 300), "type": f.Type, "state": string(f.State), "note": i.Note,
		"url": s.link("/families/" + f.ID), "at": i.At.UTC().Format(time.RFC3339)}
	for k, v := range map[string]string{"extension": string(f.Blame), "host": f.Host, "first_release": f.FirstRelease, "last_release": f.LastRelease} {
		if v != "" {
			out[k] = v
		}
	}
	if f.Installs < fewest {
		out["installs_below"] = fewest
		return out
	}
	low, high := poisson(f.Installs)
	out["crashes"], out["installs"] = f.Crashes, map[string]int64{"count": f.Installs, "low": low, "high": high}
	return out
}

// after counts refusals for good, and ends what refuses again and again. It is the
// outbox's.
func (s *Service) after(ctx context.Context, tx *sql.Tx, d outbox.Delivery, code fault.Code) error {
	if s.reporters != nil && follow.Of(d.Target) {
		return s.reporters.After(ctx, tx, d)
	}
	if d.State == outbox.Dropped || d.Kind == kindTest {
		return nil
	}
	bad := code == fault.NotFound || code == fault.Invalid || code == fault.Forbidden
	if !bad && code != "" {
		return nil
	}
	of, id, _ := strings.Cut(d.Target, ":")
	switch of {
	case "channel":
		return s.afterChannel(ctx, tx, id, bad, d)
	case "account":
		k, err := s.kept(ctx, tx, id)
		if err != nil || !bad && k.Failures == 0 {
			return err
		}
		if bad = bad && code == fault.NotFound; !bad {
			k.Failures = 0
		} else if k.Failures++; k.Failures >= maxRefusals {
			k.Paused = "The mail server does not know the address: " + d.Answer
		}
		return s.putPreferences(ctx, tx, id, k)
	}
	return nil
}

func (s *Service) afterChannel(ctx context.Context, tx *sql.Tx, id string, bad bool, d outbox.Delivery) error {
	c, err := s.oneChannel(ctx, tx, id)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !bad && c.failures == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	failures, state, reason := 0, c.State, c.Reason
	if bad {
		failures = c.failures + 1
	}
	if failures >= maxRefusals && state == Active {
		state, reason = Disabled, notify.Line(fmt.Sprintf("Refused for good %d times in a row. The last answer: %d %s %s", failures, d.Code, d.Reason, d.Answer), 300)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE alert_channel SET failures = $1, state = $2, reason = $3 WHERE id = $4`, failures, state, reason, id); err != nil {
		return err
	}
	if state == c.State {
		return nil
	}
	if err := s.record(ctx, tx, account.System("alert"), "channel.disable", "channel", id, ""); err != nil {
		return err
	}
	return s.notice(ctx, tx, &c)
}

// maxNoticed bounds who is told that a channel was switched off.
const maxNoticed = 20

// notice tells those who look after a channel.
func (s *Service) notice(ctx context.Context, tx *sql.Tx, c *Channel) error {
	if s.o.Mail == nil {
		return nil
	}
	people, err := s.o.Accounts.Directory(ctx)
	if err != nil {
		return err
	}
	told := 0
	for i := range people {
		a := &people[i]
		if a.Disabled || a.Forgotten() || told == maxNoticed || !s.o.Accounts.Authorize(a.Principal(), account.ChannelEdit, c.Resource()).Allow {
			continue
		}
		told++
		_, err := s.out.Put(ctx, tx, outbox.Letter{Target: "account:" + a.ID, Kind: kindChannel, Items: []outbox.Item{{
			Key: fmt.Sprintf("channel:%s:%d", c.ID, c.Version), Kind: kindChannel, At: s.o.Now(),
			Note: "The channel " + c.Name + " of " + c.owner() + " refused several messages for good and was switched off. Its page says what was answered."}}})
		if err != nil {
			return err
		}
	}
	return nil
}

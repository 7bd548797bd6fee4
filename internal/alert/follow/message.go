package follow

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/alert/outbox"
	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
	"github.com/bellwether-project/bellwether/internal/notify/hook"
)

// Of reports whether a target of the outbox is one of ours.
func Of(t string) bool { return strings.HasPrefix(t, target) }

// Prepare makes the message of a delivery, from what is so when it is sent. It is
// the outbox's, for targets that are ours.
func (s *Service) Prepare(ctx context.Context, d outbox.Delivery) (notify.Message, notify.Sender, error) {
	const op = "follow.Prepare"
	gone := func(text string) (notify.Message, notify.Sender, error) {
		return notify.Message{}, nil, fault.E(op, fault.NotFound, text, nil)
	}
	r, err := s.byID(ctx, s.o.Records.Read(), strings.TrimPrefix(d.Target, target))
	if err == errToken {
		return gone("Whoever wanted it wants it no more, or their address was forgotten.")
	}
	if err != nil {
		return notify.Message{}, nil, err
	}
	v, err := s.o.Answers.Of(ctx, r.crash)
	if err != nil {
		return notify.Message{}, nil, err
	}
	if v.Kept.IsZero() {
		return gone("The report is kept no longer.")
	}
	m := notify.Message{ID: d.ID, Type: d.Kind, Time: s.o.Now()}
	if (d.Kind == KindConfirm) != (r.state == "asked") {
		return gone("It has no use any more.")
	}
	if d.Kind != KindConfirm && !slices.Contains(marks(&v.Answer), strings.TrimPrefix(d.Kind, "report.")) {
		return gone("It is not so any more.")
	}
	if err := s.write(&m, &v, r.id); err != nil {
		return notify.Message{}, nil, err
	}
	plain, err := s.o.Unseal(r.sealed)
	if err != nil {
		return gone("The key of the address is gone.")
	}
	switch {
	case r.way == "mail" && s.o.Mail != nil:
		m.To = string(plain)
		return m, discreet{s.o.Mail}, nil
	case r.way == "push" && s.o.Push != nil:
		var sub hook.Subscription
		if err := json.Unmarshal(plain, &sub); err != nil || sub.Check(s.o.Policy) != nil {
			return gone("The subscription is not valid any more.")
		}
		return m, discreet{&hook.Push{Client: notify.Client(s.o.Policy), To: sub, Key: s.o.Push, Contact: s.o.Contact(), Now: s.o.Now}}, nil
	}
	return gone("There is no such way any more.")
}

// write puts a message into words. Nothing of the report itself is in it, nor what
// its owner wrote: both are on the page.
func (s *Service) write(m *notify.Message, v *answers.View, id string) (err error) {
	about := v.About.ID
	if about == "" {
		about = "an application"
	}
	on := v.Received.Format("2 January 2006")
	stop, err := s.path("/following/stop", id)
	if err != nil {
		return err
	}
	m.ListID, m.Unsubscribe = "reports."+s.o.Host(), stop
	if m.Type == KindConfirm { // no receipt: the address may be a stranger's
		if m.Link, err = s.path("/following", id); err != nil {
			return err
		}
		m.LinkText = "Yes, tell me"
		m.Subject = "Do you want news of a crash report to " + about + "?"
		m.Text = []string{"Somebody, probably you, asked to be told at this address what becomes of a crash report to " + about + ".",
			"The link below says yes. Without it you get no further mail about this, and your address is forgotten in three days."}
		m.Footer = []string{"If it was not you, ignore this mail. By the link below nobody can have you asked again for a year."}
		return nil
	}
	m.Link, m.LinkText = s.o.Link("/receipts/"+v.ID), "Open your report"
	yours := "your report to " + about
	m.Footer = []string{"You asked for this on the page of your report."}
	switch m.Type {
	case KindFixed:
		in := v.Answer.FixedIn
		if low, ok := strings.CutPrefix(in, "after "); ok {
			in = "the release after " + low
		}
		m.Subject = "Fixed: " + yours
		text := "The crash that you reported on " + on + " is fixed."
		if in != "" {
			m.Subject = "Fixed in " + in + ": " + yours
			text = "The crash that you reported on " + on + " is fixed in " + in + "."
		}
		switch h := v.Answer.HaveFix; {
		case h != nil && *h:
			text += " The version that you reported from has it already."
		case h != nil:
			text += " The version that you reported from does not have it: please update."
		}
		m.Text = []string{text}
		m.Footer = append(m.Footer, "This was the last message; we forget your address now.")
	case KindDeclined:
		m.Subject = "Not planned: " + yours
		m.Text = []string{"The people who build it have seen the crash that you reported on " + on + " and decided not to work on it."}
		m.Footer = append(m.Footer, "This was the last message; we forget your address now.")
	case KindWorkaround:
		m.Subject = "A workaround: " + yours
		m.Text = []string{"There is something you can do about the crash that you reported on " + on + ", until it is fixed. The page of your report says what."}
	default:
		m.Subject = "Somebody works on " + yours
		text := "The crash that you reported on " + on + " is being looked at."
		if v.Answer.Expected != "" {
			text += " A fix is expected by " + v.Answer.Expected + "."
		}
		m.Text = []string{text}
	}
	return nil
}

// discreet keeps what the other side said out of the log of deliveries: mail
// servers repeat addresses.
type discreet struct{ notify.Sender }

func (d discreet) Send(ctx context.Context, m notify.Message) (notify.Answer, error) {
	a, err := d.Sender.Send(ctx, m)
	if err != nil {
		err = fault.E("follow.Send", fault.CodeOf(err), "The other side did not take it.", nil)
	}
	return notify.Answer{Code: a.Code, After: a.After}, err
}

// After forgets an address after its last message, or when it takes none. What was
// not said after all (it was taken back meanwhile) may be said another time. It is
// the outbox's.
func (s *Service) After(ctx context.Context, tx *sql.Tx, d outbox.Delivery) error {
	id := strings.TrimPrefix(d.Target, target)
	last := d.Kind == KindFixed || d.Kind == KindDeclined
	var err error
	switch {
	case d.State == outbox.Failed, d.State == outbox.Sent && last:
		_, err = tx.ExecContext(ctx, `DELETE FROM follow WHERE id = $1`, id)
	case d.State == outbox.Dropped && d.Kind != KindConfirm:
		var told string
		if err = tx.QueryRowContext(ctx, `SELECT told FROM follow WHERE id = $1`, id).Scan(&told); err != nil {
			if err == sql.ErrNoRows {
				err = nil
			}
			break
		}
		words := slices.DeleteFunc(strings.Fields(told), func(w string) bool { return "report."+w == d.Kind })
		_, err = tx.ExecContext(ctx, `UPDATE follow SET state = 'active', told = $1 WHERE id = $2 AND state <> 'asked'`, strings.Join(words, " "), id)
	}
	return fault.Wrap("follow.After", err)
}

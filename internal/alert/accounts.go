package alert

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/bellwether-project/bellwether/internal/alert/outbox"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
)

// Kinds of mails of accounts.
const (
	KindInvite = "account.invite"
	KindReset  = "account.reset"
)

// linkMail is what is sealed of a mail with a one-time link.
type linkMail struct {
	To    string    `json:"to"`
	Name  string    `json:"name,omitempty"`
	Link  string    `json:"link"`
	Ends  time.Time `json:"ends"`
	Asked bool      `json:"asked,omitempty"` // the person asked for it
}

// SendLink mails a one-time link. ref names what the link belongs to (an
// invitation, an account), for LinkState. The link is sealed until it was sent,
// and forgotten then. Without mail it is unavailable: the link is handed over by hand.
func (s *Service) SendLink(ctx context.Context, kind, ref, to, name, path, token string, ends time.Time, asked bool) error {
	const op = "alert.SendLink"
	if s.o.Mail == nil {
		return fault.E(op, fault.Unavailable, "No mail is configured.", nil)
	}
	body, err := json.Marshal(linkMail{To: to, Name: name, Link: s.link(path + "?token=" + token), Ends: ends, Asked: asked})
	if err != nil {
		return fault.Wrap(op, err)
	}
	sealed, err := s.o.Seal(body)
	if err != nil {
		return err
	}
	return s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		_, err := s.out.Put(ctx, tx, outbox.Letter{Target: "link:" + ref, Kind: kind, Sealed: sealed, Ends: ends})
		return err
	})
}

// LinkState is the newest mail of a link, for the page of it; ok is false when
// there was none.
func (s *Service) LinkState(ctx context.Context, ref string) (d outbox.Delivery, ok bool, err error) {
	list, _, err := s.out.List(ctx, outbox.Filter{Targets: []string{"link:" + ref}, Limit: 1})
	if err != nil || len(list) == 0 {
		return d, false, err
	}
	return list[0], true, nil
}

// prepareLink writes the mail of a one-time link.
func (s *Service) prepareLink(_ context.Context, d outbox.Delivery) (notify.Message, notify.Sender, error) {
	const op = "alert.prepareLink"
	if s.o.Mail == nil {
		return notify.Message{}, nil, fault.E(op, fault.NotFound, "No mail is configured any more.", nil)
	}
	plain, err := s.o.Unseal(d.Sealed)
	if err != nil {
		return notify.Message{}, nil, fault.E(op, fault.NotFound, "The key of this mail is gone.", err)
	}
	var l linkMail
	if err := json.Unmarshal(plain, &l); err != nil {
		return notify.Message{}, nil, fault.E(op, fault.NotFound, "This mail cannot be read.", err)
	}
	until := l.Ends.UTC().Format("2 January 2006, 15:04 UTC")
	m := notify.Message{ID: d.ID, Type: d.Kind, Time: d.Created, To: l.To, Link: l.Link}
	hello := "Hello,"
	if l.Name != "" {
		hello = "Hello " + l.Name + ","
	}
	switch d.Kind {
	case KindInvite:
		m.Subject = "You are invited to Bellwether"
		m.Text = []string{hello, "you were invited to look after crashes with Bellwether. The link below makes your account; it works once, until " + until + "."}
		m.Footer = []string{"If you do not know what this is about, ignore it: nothing happens without the link."}
	default:
		m.Subject = "Your new password for Bellwether"
		m.Text = []string{hello, "the link below sets a new password for your account; it works once, until " + until + ". Until then the old one holds."}
		m.Footer = []string{"An operator made this link for you. If you did not want one, ignore it."}
		if l.Asked {
			m.Footer = []string{"Somebody, probably you, asked for it at the sign-in. If it was not you, ignore it: nothing changes."}
		}
	}
	return m, s.o.Mail, nil
}

// Forgot mails a link for a new password to an address, when an account has it. It
// answers the same, and takes no longer to tell, when none has; ip is for the rate
// limit only.
func (s *Service) Forgot(ctx context.Context, email, ip string) error {
	const op = "alert.Forgot"
	if s.o.Mail == nil {
		return fault.E(op, fault.Unavailable, "No mail is configured; ask an operator for a link.", nil)
	}
	id, token, name, err := s.o.Accounts.ForgotLink(ctx, email, ip)
	if err != nil || token == "" {
		return err
	}
	a, err := s.o.Accounts.Member(ctx, id)
	if err != nil {
		return err
	}
	return s.SendLink(ctx, KindReset, id, a.Email, name, "/reset", token, s.o.Now().Add(24*time.Hour), true)
}

package alert

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/alert/outbox"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Delivery is a message in the log, as its reader may see it.
type Delivery struct {
	outbox.Delivery
	To     string // "you", the name of a channel, or what the reader may know of somebody else
	Own    bool   // the reader's own, or of a channel they may see: what it is about is shown
	Resend bool   // the reader may send it again
}

// LogFilter narrows the log of deliveries.
type LogFilter struct {
	Channel string // one channel
	All     bool   // everybody's, for those who run the server
	State   outbox.State
	Cursor  string
	Limit   int
}

// Deliveries lists what was sent, to p and to the channels p may see, the newest
// first. Whoever runs the server sees all of it, without what it is about.
func (s *Service) Deliveries(ctx context.Context, p account.Principal, f LogFilter) (list []Delivery, next string, err error) {
	const op = "alert.Deliveries"
	names := map[string]string{}
	edit := map[string]bool{}
	targets := []string{}
	if f.Channel != "" {
		c, err := s.Channel(ctx, p, f.Channel)
		if err != nil {
			return nil, "", err
		}
		names["channel:"+c.ID], targets = c.Name, []string{"channel:" + c.ID}
		edit["channel:"+c.ID] = s.o.Accounts.Authorize(p, account.ChannelEdit, c.Resource()).Allow
	} else {
		if p.ID != "" && p.Kind != account.KindSystem {
			names["account:"+p.ID], targets, edit["account:"+p.ID] = "you", append(targets, "account:"+p.ID), true
		}
		channels, err := s.Channels(ctx, p)
		if err != nil {
			return nil, "", err
		}
		for _, c := range channels {
			t := "channel:" + c.ID
			names[t], targets = c.Name, append(targets, t)
			edit[t] = s.o.Accounts.Authorize(p, account.ChannelEdit, c.Resource()).Allow
		}
	}
	runs := s.o.Accounts.Authorize(p, account.SettingsRead, account.OfServer("settings", "")).Allow
	if f.All && f.Channel == "" {
		if !runs {
			return nil, "", fault.E(op, fault.Forbidden, "Your roles do not allow this.", nil)
		}
		targets = nil
	}
	raw, next, err := s.out.List(ctx, outbox.Filter{Targets: targets, State: f.State, Cursor: f.Cursor, Limit: f.Limit})
	for _, d := range raw {
		x := Delivery{Delivery: d, To: names[d.Target], Own: names[d.Target] != "", Resend: edit[d.Target]}
		if !x.Own {
			of, _, _ := strings.Cut(d.Target, ":")
			x.To = map[string]string{"account": "somebody", "channel": "a channel", "link": "by mail", "report": "a reporter"}[of]
			if of != "link" { // a subject of those is ours alone
				x.Subject, x.Items = "", nil
			}
			x.Resend = runs && (d.State == outbox.Failed || d.State == outbox.Waiting)
		}
		list = append(list, x)
	}
	return list, next, err
}

// Resend sends a message again: with the same id when it was sent before.
func (s *Service) Resend(ctx context.Context, p account.Principal, id string) error {
	const op = "alert.Resend"
	none := fault.E(op, fault.NotFound, "There is no such thing, or it is not yours to see.", nil)
	d, err := s.out.Get(ctx, id)
	if err != nil {
		return err
	}
	of, owner, _ := strings.Cut(d.Target, ":")
	runs := s.o.Accounts.Authorize(p, account.SettingsRead, account.OfServer("settings", "")).Allow
	switch {
	case of == "account" && owner == p.ID && p.ID != "":
	case of == "channel":
		c, err := s.oneChannel(ctx, s.o.Records.Read(), owner)
		if err != nil {
			return err
		}
		if err := s.o.Accounts.Check(op, p, account.ChannelEdit, c.Resource()); err != nil && !runs {
			return err
		}
	case !runs:
		return none
	}
	return s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		if err := s.out.Resend(ctx, tx, id); err != nil {
			return err
		}
		return s.record(ctx, tx, p, "message.resend", "message", id, "")
	})
}

// Test sends a test message to a channel, or (id "") to p by mail, at once, and
// returns what the other side said.
func (s *Service) Test(ctx context.Context, p account.Principal, id string) (outbox.Delivery, error) {
	const op = "alert.Test"
	target := "account:" + p.ID
	if id != "" {
		c, err := s.channel(ctx, p, account.ChannelEdit, id)
		if err != nil {
			return outbox.Delivery{}, err
		}
		target = "channel:" + c.ID
	} else if s.o.Mail == nil || p.ID == "" {
		return outbox.Delivery{}, fault.E(op, fault.Unavailable, "No mail is configured.", nil)
	}
	if !s.mayTest(target) {
		return outbox.Delivery{}, fault.E(op, fault.RateLimited, "A test message was sent within the last seconds. Please wait a little.", nil)
	}
	var letter string
	err := s.o.Records.Tx(ctx, func(tx *sql.Tx) (err error) {
		now := s.o.Now()
		// Due in an hour, when it has no use any more: it is sent now or not at all.
		letter, err = s.out.Put(ctx, tx, outbox.Letter{Target: target, Kind: kindTest, Due: now.Add(usable), Ends: now.Add(usable - time.Minute)})
		if err != nil {
			return err
		}
		return s.record(ctx, tx, p, "message.test", "message", letter, "")
	})
	if err != nil {
		return outbox.Delivery{}, err
	}
	return s.out.Now(ctx, letter)
}

// usable bounds the use of a test message, testEach how often one is sent to a target.
const (
	usable   = time.Hour
	testEach = 5 * time.Second
)

// mayTest keeps a button from being a flood.
func (s *Service) mayTest(target string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Now()
	if last, ok := s.tested[target]; ok && now.Sub(last) < testEach {
		return false
	}
	if len(s.tested) > maxChannels {
		clear(s.tested)
	}
	s.tested[target] = now
	return true
}

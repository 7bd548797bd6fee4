package api

import (
	"net/http"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/alert"
	"github.com/bellwether-project/bellwether/internal/alert/outbox"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Preferences are how one wants to be told.
type Preferences struct {
	Modes     map[alert.Kind]alert.Mode `json:"modes" doc:"By kind (family.new, family.regressed, family.spike, family.work): immediate, daily, weekly or never. A kind that is left out is immediate."`
	Zone      string                    `json:"zone" maxLength:"64" doc:"Time zone, such as Europe/Lisbon."`
	QuietFrom string                    `json:"quiet_from" maxLength:"5" doc:"Local time such as 22:00. The same as quiet_to: no quiet hours."`
	QuietTo   string                    `json:"quiet_to" maxLength:"5"`
	DigestAt  string                    `json:"digest_at" maxLength:"5" doc:"Local time of digests."`
	DigestDay int                       `json:"digest_day" minimum:"0" maximum:"6" doc:"Day of weekly digests; 0 is Sunday."`
	Installs  int                       `json:"installs" minimum:"1" maximum:"1000000" doc:"A new family is told from so many installs on."`
	Unhandled bool                      `json:"unhandled,omitempty" doc:"Only crashes that nobody caught."`
	All       bool                      `json:"all,omitempty" doc:"Also families that others look after."`
}

// notificationsBody is how the caller is told.
type notificationsBody struct {
	Preferences
	Mail   bool   `json:"mail" doc:"Mail is configured on the server."`
	Paused string `json:"paused,omitempty" doc:"Why mail to the caller rests."`
}

type channel struct {
	alert.Channel
	Secret string `json:"secret,omitempty" doc:"Signs a webhook's messages; shown once."`
}

// ChannelBody is what can be changed of a channel.
type ChannelBody struct {
	Name      string       `json:"name" minLength:"1" maxLength:"80"`
	URL       string       `json:"url,omitempty" maxLength:"2000" doc:"Kept sealed. Absent in a change: it stays."`
	Kinds     []alert.Kind `json:"kinds" minItems:"1" maxItems:"3"`
	Installs  int          `json:"installs,omitempty" minimum:"0" maximum:"1000000" doc:"Default 1."`
	Unhandled bool         `json:"unhandled,omitempty"`
	State     string       `json:"state,omitempty" enum:"active,off" doc:"Default active."`
}

func (b ChannelBody) channel() alert.Channel {
	c := alert.Channel{Name: b.Name, Kinds: b.Kinds, Installs: max(b.Installs, 1), Unhandled: b.Unhandled, State: b.State}
	if c.State == "" {
		c.State = alert.Active
	}
	return c
}

type newChannel struct {
	ChannelBody
	Form      string `json:"form" enum:"webhook,slack"`
	Publisher string `json:"publisher,omitempty" maxLength:"64" doc:"One of publisher and team, or neither: everything."`
	Team      string `json:"team,omitempty" maxLength:"64"`
}

type delivery struct {
	ID      string       `json:"id" doc:"Also the webhook-id, and in the Message-ID."`
	Kind    string       `json:"kind"`
	To      string       `json:"to"`
	Subject string       `json:"subject,omitempty" doc:"As it was sent."`
	State   outbox.State `json:"state" doc:"waiting, sending, sent, failed or dropped."`
	Reason  string       `json:"reason,omitempty"`
	Created time.Time    `json:"created"`
	Due     time.Time    `json:"due,omitzero" doc:"Of the next try, while it waits."`
	Done    time.Time    `json:"done,omitzero"`
	Tries   int          `json:"tries"`
	Code    int          `json:"code,omitempty" doc:"Of the last answer, by HTTP or SMTP."`
	Answer  string       `json:"answer,omitempty"`
	Items   int          `json:"items"`
}

func deliveryOf(d outbox.Delivery, to string) delivery {
	out := delivery{ID: d.ID, Kind: d.Kind, To: to, Subject: d.Subject, State: d.State, Reason: d.Reason, Created: d.Created, Done: d.Done,
		Tries: d.Tries, Code: d.Code, Answer: d.Answer, Items: len(d.Items)}
	if d.State == outbox.Waiting {
		out.Due = d.Due
	}
	return out
}

// alerts is the service, or unavailable where the process has none.
func (s *Server) alerts() (*alert.Service, error) {
	if s.o.Alerts == nil {
		return nil, fault.E("api.alerts", fault.Unavailable, "This process sends no messages.", nil)
	}
	return s.o.Alerts, nil
}

func (s *Server) notificationRoutes() {
	add(s, op{Method: "GET", Path: "/me/notifications", ID: "notifications.get", Action: account.MeRead, Doc: "How one wants to be told of news."}, mine[struct{}]("account"),
		func(c *call, _ *struct{}) (notificationsBody, error) { return s.preferences(c) })
	type put struct {
		Body Preferences
	}
	add(s, op{Method: "PUT", Path: "/me/notifications", ID: "notifications.put", Action: account.MeEdit, Doc: "Changes how one wants to be told."}, mine[put]("account"),
		func(c *call, in *put) (notificationsBody, error) {
			a, err := s.alerts()
			if err != nil {
				return notificationsBody{}, err
			}
			p, err := in.Body.read()
			if err == nil {
				_, err = a.SetPreferences(c.ctx, c.p, p)
			}
			if err != nil {
				return notificationsBody{}, err
			}
			return s.preferences(c)
		})
	type page struct {
		Paging
		Channel string `query:"channel" maxLength:"64" doc:"Only those of one channel."`
		State   string `query:"state" enum:"waiting,sending,sent,failed,dropped"`
		All     bool   `query:"all" doc:"Everybody's, without what they are about; for operators."`
	}
	add(s, op{Method: "GET", Path: "/deliveries", ID: "deliveries.list", Action: account.MeRead, Doc: "What was sent to the caller and to the channels they see, and what was answered; newest first."}, mine[page]("account"),
		func(c *call, in *page) (list[delivery], error) {
			a, err := s.alerts()
			if err != nil {
				return list[delivery]{}, err
			}
			items, next, err := a.Deliveries(c.ctx, c.p, alert.LogFilter{Channel: in.Channel, All: in.All, State: outbox.State(in.State), Cursor: in.Cursor, Limit: in.Limit})
			var out []delivery
			for _, d := range items {
				out = append(out, deliveryOf(d.Delivery, d.To))
			}
			return listOf(out, next), err
		})
	addNone(s, op{Method: "POST", Path: "/deliveries/{id}/resend", ID: "deliveries.resend", Action: account.MeEdit, Doc: "Sends a message again."}, mine[BySession]("account"),
		func(c *call, in *BySession) error {
			a, err := s.alerts()
			if err != nil {
				return err
			}
			return a.Resend(c.ctx, c.p, in.ID)
		})
	s.channelRoutes()
}

func (s *Server) preferences(c *call) (notificationsBody, error) {
	a, err := s.alerts()
	if err != nil {
		return notificationsBody{}, err
	}
	p, paused, err := a.Preferences(c.ctx, c.p)
	_, mail := a.HasMail()
	return notificationsBody{Preferences{p.Modes, p.Zone, alert.Clock(p.QuietFrom), alert.Clock(p.QuietTo), alert.Clock(p.DigestAt), int(p.DigestDay), p.Installs, p.Unhandled, p.All}, mail, paused}, err
}

func (b Preferences) read() (p alert.Preferences, err error) {
	p = alert.Preferences{Modes: b.Modes, Zone: b.Zone, DigestDay: time.Weekday(b.DigestDay), Installs: b.Installs, Unhandled: b.Unhandled, All: b.All}
	for _, x := range []struct {
		text string
		to   *int
	}{{b.QuietFrom, &p.QuietFrom}, {b.QuietTo, &p.QuietTo}, {b.DigestAt, &p.DigestAt}} {
		if *x.to, err = alert.ParseClock(x.text); err != nil {
			return p, err
		}
	}
	return p, nil
}

// theChannel is what a request about a channel is about.
func theChannel[I any](id func(*I) string) about[I] {
	return func(c *call, in *I) (account.Resource, error) {
		a, err := c.s.alerts()
		if err != nil {
			return account.Resource{}, err
		}
		ch, err := a.Channel(c.ctx, c.p, id(in))
		return ch.Resource(), err
	}
}

func (s *Server) channelRoutes() {
	add(s, op{Method: "GET", Path: "/channels", ID: "channels.list", Action: account.ChannelRead, Doc: "Where publishers, teams and everybody are told, as far as the caller sees it."}, listed[struct{}]("channel"),
		func(c *call, _ *struct{}) (list[channel], error) {
			a, err := s.alerts()
			if err != nil {
				return list[channel]{}, err
			}
			items, err := a.Channels(c.ctx, c.p)
			var out []channel
			for _, x := range items {
				out = append(out, channel{Channel: x})
			}
			return listOf(out, ""), err
		})
	type create struct {
		Body newChannel
	}
	of := func(_ *call, in *create) (account.Resource, error) {
		return account.Resource{Kind: "channel", Publisher: in.Body.Publisher, Team: in.Body.Team}, nil
	}
	add(s, op{Method: "POST", Path: "/channels", ID: "channels.create", Action: account.ChannelEdit, Status: http.StatusCreated, Secret: true, Doc: "Makes a channel; a webhook's secret is shown once."}, of,
		func(c *call, in *create) (channel, error) {
			a, err := s.alerts()
			if err != nil {
				return channel{}, err
			}
			ch := in.Body.channel()
			ch.Form, ch.Publisher, ch.Team = in.Body.Form, in.Body.Publisher, in.Body.Team
			made, secret, err := a.CreateChannel(c.ctx, c.p, ch, in.Body.URL)
			return channel{made, secret}, err
		})
	id := func(in *BySession) string { return in.ID }
	add(s, op{Method: "GET", Path: "/channels/{id}", ID: "channels.get", Action: account.ChannelRead, Doc: "One channel."}, theChannel(id),
		func(c *call, in *BySession) (channel, error) {
			ch, err := s.o.Alerts.Channel(c.ctx, c.p, in.ID)
			return channel{Channel: ch}, err
		})
	type change struct {
		BySession
		IfMatch
		Body ChannelBody
	}
	add(s, op{Method: "PUT", Path: "/channels/{id}", ID: "channels.put", Action: account.ChannelEdit, Doc: "Changes a channel, or switches it off or on again."}, theChannel(func(in *change) string { return in.ID }),
		func(c *call, in *change) (channel, error) {
			version, err := in.version()
			if err != nil {
				return channel{}, err
			}
			ch := in.Body.channel()
			if ch.ID, ch.Version = in.ID, version; version == 0 {
				return channel{}, fault.E("api.channels", fault.Invalid, "If-Match: The version that is changed is needed.", nil)
			}
			to, err := s.o.Alerts.UpdateChannel(c.ctx, c.p, ch, in.Body.URL)
			return channel{Channel: to}, err
		})
	add(s, op{Method: "POST", Path: "/channels/{id}/test", ID: "channels.test", Action: account.ChannelEdit, Doc: "Sends a test message now, and says what was answered."}, theChannel(id),
		func(c *call, in *BySession) (delivery, error) {
			d, err := s.o.Alerts.Test(c.ctx, c.p, in.ID)
			return deliveryOf(d, in.ID), err
		})
	add(s, op{Method: "POST", Path: "/channels/{id}/secret", ID: "channels.rotate", Action: account.ChannelEdit, Status: http.StatusCreated, Secret: true, Doc: "Gives a webhook a new secret, shown once; the old one signs as well for a day."}, theChannel(id),
		func(c *call, in *BySession) (channel, error) {
			secret, err := s.o.Alerts.RotateSecret(c.ctx, c.p, in.ID)
			if err != nil {
				return channel{}, err
			}
			ch, err := s.o.Alerts.Channel(c.ctx, c.p, in.ID)
			return channel{ch, secret}, err
		})
	addNone(s, op{Method: "DELETE", Path: "/channels/{id}", ID: "channels.delete", Action: account.ChannelEdit, Doc: "Removes a channel with its log."}, theChannel(id),
		func(c *call, in *BySession) error { return s.o.Alerts.DeleteChannel(c.ctx, c.p, in.ID) })
}

package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/alert"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/jobs"
	"github.com/bellwether-project/bellwether/internal/notify"
	"github.com/bellwether-project/bellwether/internal/notify/mail"
)

// sealedFor is the keyring's scope of addresses, secrets and links of messages.
const sealedFor = "notify"

// demoNews is how far back the demo world's story is news.
const demoNews = 6 * 24 * time.Hour

// openAlerts opens what tells people.
func (a *App) openAlerts(ctx context.Context) error {
	r := a.Records
	o := alert.Options{
		Records: r.DB, Audit: r.Audit, Desk: a.desk, Triage: a.triage, Accounts: r.Accounts, Registry: r.Registry,
		Now: now, NewID: randomID, Holder: a.holder(), Log: a.log,
		Seal:   func(b []byte) ([]byte, error) { return a.keys.Seal(sealedFor, b) },
		Unseal: func(b []byte) ([]byte, error) { return a.keys.Unseal(sealedFor, b) },
	}
	var err error
	if o.Policy, err = a.o.outgoing(); err != nil {
		return err
	}
	if server, ok, err := a.o.mailServer(); err != nil {
		return err
	} else if ok {
		o.Mail, o.MailFrom = mail.New(server, nil), server.From.Address
	}
	if o.Reporters, err = a.reporters(); err != nil {
		return err
	}
	if a.o.Demo {
		o.Since = now().Add(-demoNews)
	}
	a.Alerts, err = alert.New(ctx, o)
	return err
}

// alertJobs are the jobs of it.
func (a *App) alertJobs() []jobs.Job {
	s := a.Alerts
	return []jobs.Job{
		{Name: "outbox", What: "Sends the messages that are due.", Every: 2 * time.Second, Limit: 10 * time.Minute, Local: true, Do: s.Deliver},
		{Name: "news", What: "Looks for new families and regressions, and puts messages into the outbox.", Every: 10 * time.Second, Limit: time.Minute, Local: true, Do: s.Look},
		{Name: "spikes", What: "Compares this hour's crashes with the same hours of the weeks before.", Every: 10 * time.Minute, Limit: 5 * time.Minute, Do: s.Watch},
		{Name: "reporters", What: "Looks what changed about reports whose senders want to be told.", Every: 10 * time.Second, Limit: time.Minute, Do: s.Reporters().Look},
		{Name: "messages", What: "Forgets messages that were sent thirty days ago.", Every: 24 * time.Hour, Limit: 10 * time.Minute, Do: func(ctx context.Context) (string, error) {
			n, err := s.Tidy(ctx)
			return counted(int(n), "message", "forgotten"), err
		}},
	}
}

// mailServer reads the options of mail; ok is false when there are none.
func (o *Options) mailServer() (mail.Server, bool, error) {
	if o.MailURL == "" {
		if o.MailFrom != "" || o.MailPassword != "" || o.MailPasswordFile != "" {
			return mail.Server{}, false, fmt.Errorf("mail-url: the other options of mail mean nothing without it")
		}
		return mail.Server{}, false, nil
	}
	password := o.MailPassword
	if o.MailPasswordFile != "" {
		if password != "" {
			return mail.Server{}, false, fmt.Errorf("mail-password, mail-password-file: one of them")
		}
		b, err := os.ReadFile(o.MailPasswordFile)
		if err != nil || len(b) > 4096 {
			return mail.Server{}, false, fmt.Errorf("mail-password-file: the file cannot be read")
		}
		password = strings.TrimRight(string(b), "\r\n")
	}
	s, err := mail.Parse(o.MailURL, password, o.MailFrom)
	return s, err == nil, err
}

// CheckMail connects to the mail server, signs in, and sends nothing; ok is false
// when none is configured.
func (o *Options) CheckMail(ctx context.Context) (ok bool, err error) {
	s, ok, err := o.mailServer()
	if err != nil || !ok {
		return ok, err
	}
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	return true, mail.New(s, nil).Check(ctx)
}

// outgoing is where channels may lead.
func (o *Options) outgoing() (notify.Policy, error) {
	var p notify.Policy
	for _, s := range o.NotifyAllowPrivate {
		n, err := netip.ParsePrefix(s)
		if err != nil {
			return p, fmt.Errorf("%q is no network, such as 10.1.0.0/16", s)
		}
		p.Allow = append(p.Allow, n.Masked())
	}
	return p, nil
}

// mistake is what an option's check says, without where it was found.
func mistake(err error) string {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e.Text
	}
	return err.Error()
}

package alert

import (
	"context"
	"strings"

	"github.com/bellwether-project/bellwether/internal/alert/follow"
	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/notify"
	"github.com/bellwether-project/bellwether/internal/notify/hook"
)

// Reporters are what telling the senders of reports needs beside what telling
// owners does.
type Reporters struct {
	Answers *answers.Desk
	Push    *hook.PushKey // nil: nobody is told by web push
	Policy  notify.Policy // of push services; not that of channels: these addresses are strangers' words
	Hash    func(purpose, raw string) uint64
}

func (s *Service) openReporters(ctx context.Context) (err error) {
	r := s.o.Reporters
	if r == nil {
		return nil
	}
	s.reporters, err = follow.New(ctx, follow.Options{
		Records: s.o.Records, Answers: r.Answers, Out: s.out, Now: s.o.Now, NewID: s.o.NewID, Link: s.link, Host: s.host,
		Mail: s.o.Mail, Push: r.Push, Contact: s.contact, Policy: r.Policy, Seal: s.o.Seal, Unseal: s.o.Unseal, Hash: r.Hash,
	})
	return err
}

// contact is whom a push service may write to about us.
func (s *Service) contact() string {
	if s.o.MailFrom != "" {
		return "mailto:" + s.o.MailFrom
	}
	if at := s.link("/"); strings.HasPrefix(at, "https://") {
		return at
	}
	return ""
}

// host is the server's name, as people reach it.
func (s *Service) host() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.base == nil {
		return "localhost"
	}
	return s.base.Hostname()
}

// Reporters is what tells the senders of reports; nil: nobody does.
func (s *Service) Reporters() *follow.Service { return s.reporters }

// Package mail sends messages by SMTP: STARTTLS or TLS from the first byte, with
// or without sign-in, as text and as plain HTML that loads nothing. A message says
// that a machine wrote it (Auto-Submitted), so that no machine answers, and how to
// get no more of its kind (List-Unsubscribe, RFC 8058).
//
// What it is not: a mail server, a queue, or a judge of addresses beyond their form.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
)

// timeout bounds each step of a conversation with the server.
const timeout = 15 * time.Second

// maxSubject bounds a subject, in bytes.
const maxSubject = 200

// Sender sends by one mail server. Every message has its own connection.
type Sender struct {
	s      Server
	config *tls.Config
}

// New makes a sender. The TLS configuration is for tests and for servers with a
// certificate of their own; nil: the system's roots.
func New(s Server, config *tls.Config) *Sender {
	if config == nil {
		config = &tls.Config{}
	}
	config = config.Clone()
	config.MinVersion = tls.VersionTLS12
	if config.ServerName == "" {
		config.ServerName = s.Host
	}
	return &Sender{s, config}
}

func (s *Sender) client() (*gomail.Client, error) {
	o := []gomail.Option{
		gomail.WithPort(s.s.Port), gomail.WithTimeout(timeout), gomail.WithTLSConfig(s.config), gomail.WithHELO(s.s.Domain()),
	}
	switch s.s.TLS {
	case Implicit:
		o = append(o, gomail.WithSSL())
	case None:
		o = append(o, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		o = append(o, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.s.User != "" {
		kind := gomail.SMTPAuthAutoDiscover
		if s.s.TLS == None {
			kind = gomail.SMTPAuthPlainNoEnc
		}
		o = append(o, gomail.WithSMTPAuth(kind), gomail.WithUsername(s.s.User), gomail.WithPassword(s.s.Password))
	}
	return gomail.NewClient(s.s.Host, o...)
}

// Check connects, protects the connection and signs in, and sends nothing.
func (s *Sender) Check(ctx context.Context) error {
	const op = "mail.Check"
	c, err := s.client()
	if err != nil {
		return fault.E(op, fault.Invalid, "The mail server's address is not valid.", err)
	}
	conn, err := c.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fault.E(op, fault.Unavailable, "The mail server cannot be used: "+notify.Line(err.Error(), notify.MaxAnswer), err)
	}
	_ = c.CloseWithSMTPClient(conn)
	return nil
}

// Send hands one message over. What is said after the server took it (a failing
// goodbye) changes nothing: it has the message.
func (s *Sender) Send(ctx context.Context, m notify.Message) (notify.Answer, error) {
	const op = "mail.Send"
	if err := ctx.Err(); err != nil {
		return notify.Answer{}, fault.E(op, fault.Unavailable, "It was cancelled.", err)
	}
	msg, err := s.compose(m)
	if err != nil {
		return notify.Answer{}, err
	}
	c, err := s.client()
	if err != nil {
		return notify.Answer{}, fault.E(op, fault.Unavailable, "The mail server's address is not valid.", err)
	}
	conn, err := c.DialToSMTPClientWithContext(ctx)
	if err != nil {
		// Whatever it is (a name, a certificate, a password), it is not the recipient's.
		return notify.Answer{Text: notify.Line(err.Error(), notify.MaxAnswer)}, fault.E(op, fault.Unavailable, "The mail server cannot be reached or does not let us in.", err)
	}
	err = c.SendWithSMTPClient(conn, msg)
	_ = c.CloseWithSMTPClient(conn)
	if err != nil {
		return failure(err)
	}
	return notify.Answer{Code: 250, Text: notify.Line(msg.ServerResponse(), notify.MaxAnswer)}, nil
}

// failure tells what a refusal means.
func failure(err error) (notify.Answer, error) {
	const op = "mail.Send"
	var se *gomail.SendError
	if !errors.As(err, &se) {
		return notify.Answer{Text: notify.Line(err.Error(), notify.MaxAnswer)}, fault.E(op, fault.Unavailable, "The mail server broke off.", err)
	}
	text, _, _ := strings.Cut(se.Error(), ", affected ")
	a := notify.Answer{Code: se.ErrorCode(), Text: notify.Line(text, notify.MaxAnswer)}
	switch {
	case a.Code < 500 || a.Code > 599:
		return a, fault.E(op, fault.Unavailable, "The mail server asks to try again later.", err)
	case se.Reason == gomail.ErrSMTPRcptTo:
		return a, fault.E(op, fault.NotFound, "The mail server does not know this address.", err)
	}
	return a, fault.E(op, fault.Invalid, "The mail server refuses this message.", err)
}

// compose writes the headers and both bodies. Every text is brought to one line
// first, so that none can add a header.
func (s *Sender) compose(m notify.Message) (*gomail.Msg, error) {
	const op = "mail.Send"
	bad := func(text string, err error) error { return fault.E(op, fault.Invalid, text, err) }
	subject := notify.Line(m.Subject, maxSubject)
	if m.ID == "" || subject == "" {
		return nil, bad("A message has an id and a subject.", nil)
	}
	if !plain(m.To) {
		return nil, bad("This is no mail address.", nil)
	}
	msg := gomail.NewMsg()
	if err := msg.FromFormat(s.s.From.Name, s.s.From.Address); err != nil {
		return nil, bad("The sender's address is not valid.", err)
	}
	if err := msg.To(m.To); err != nil {
		return nil, bad("This is no mail address.", err)
	}
	msg.Subject(subject)
	msg.SetDateWithValue(m.Time)
	msg.SetMessageIDWithValue(notify.Line(m.ID, 64) + "@" + s.s.Domain())
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
	if m.Topic != "" { // mails about one family stand together
		thread := "<topic." + strings.ToLower(notify.Line(m.Topic, 64)) + "@" + s.s.Domain() + ">"
		msg.SetGenHeaderPreformatted(gomail.HeaderReferences, thread)
	}
	if m.ListID != "" {
		msg.SetGenHeaderPreformatted("List-Id", "<"+notify.Line(m.ListID, 200)+">")
		msg.SetGenHeader(gomail.HeaderPrecedence, "bulk")
	}
	if m.Unsubscribe != "" && !strings.ContainsAny(m.Unsubscribe, "<> \r\n") {
		msg.SetGenHeaderPreformatted(gomail.HeaderListUnsubscribe, "<"+m.Unsubscribe+">")
		if strings.HasPrefix(m.Unsubscribe, "https://") { // RFC 8058 asks for it
			msg.SetGenHeaderPreformatted(gomail.HeaderListUnsubscribePost, "List-Unsubscribe=One-Click")
		}
	}
	text, html, err := bodies(m, subject)
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", fmt.Errorf("template: %w", err))
	}
	msg.SetBodyString(gomail.TypeTextPlain, text)
	msg.AddAlternativeString(gomail.TypeTextHTML, html)
	return msg, nil
}

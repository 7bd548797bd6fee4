package api

import (
	"time"

	"github.com/bellwether-project/bellwether/internal/alert"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// mailed mails a one-time link when mail is configured; the link is in the answer
// all the same.
func (s *Server) mailed(c *call, kind, ref, to, name, path, token string, ends time.Time) (bool, error) {
	if s.o.Alerts == nil {
		return false, nil
	}
	err := s.o.Alerts.SendLink(c.ctx, kind, ref, to, name, path, token, ends, false)
	if fault.CodeOf(err) == fault.Unavailable { // no mail
		return false, nil
	}
	return err == nil, err
}

func (s *Server) invited(c *call, i invitation, token string) (_ invitation, err error) {
	i.Mailed, err = s.mailed(c, alert.KindInvite, i.ID, i.Email, i.Name, "/invitation", token, i.Expires)
	return i, err
}

func (s *Server) resetMade(c *call, id, token string) (link, error) {
	l := link{Link: s.oneTime(c, "/reset", token), Expires: s.o.Now().Add(24 * time.Hour).UTC()}
	m, err := s.o.Accounts.Member(c.ctx, id)
	if err == nil {
		l.Mailed, err = s.mailed(c, alert.KindReset, id, m.Email, m.Name, "/reset", token, l.Expires)
	}
	return l, err
}

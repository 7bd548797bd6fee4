package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/alert"
	"github.com/bellwether-project/bellwether/internal/alert/outbox"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// mailLink mails a one-time link that was just made, and says what became of it:
// "" when there is no mail, and the link is to be handed over.
func (s *Server) mailLink(r *http.Request, kind, ref, to, name, path, token string, ends time.Time) (string, error) {
	if !s.hasMail() {
		return "", nil
	}
	err := s.o.Alerts.SendLink(r.Context(), kind, ref, to, name, path, token, ends, false)
	if err != nil && fault.CodeOf(err) != fault.Unavailable {
		return "", err
	}
	if err != nil {
		return "", nil
	}
	return to, nil
}

// mailState says what became of the newest mail with a link.
func (s *Server) mailState(r *http.Request, ref string) (string, error) {
	if s.o.Alerts == nil {
		return "", nil
	}
	d, ok, err := s.o.Alerts.LinkState(r.Context(), ref)
	if err != nil || !ok {
		return "", err
	}
	switch d.State {
	case outbox.Sent:
		return "The mail was sent.", nil
	case outbox.Failed, outbox.Dropped:
		return "The mail did not go out: " + d.Reason + " " + answerText(d), nil
	}
	if d.Tries > 0 {
		return "The mail is tried again (" + strconv.Itoa(d.Tries) + " so far): " + d.Reason, nil
	}
	return "The mail is on its way.", nil
}

// invited shows an invitation just made, and mails it.
func (s *Server) invited(w http.ResponseWriter, r *http.Request, v viewer, inv account.Invitation, token string) error {
	f := inviteForm{Roles: s.roleForm(nil), Link: s.base(r).JoinPath("invitation").String() + "?token=" + token}
	var err error
	if f.Mailed, err = s.mailLink(r, alert.KindInvite, inv.ID, inv.Email, inv.Name, "/invitation", token, inv.Expires); err != nil {
		return err
	}
	return s.showMembers(w, r, v, f, http.StatusCreated)
}

// resetLife is how long account.ResetLink's links hold.
const resetLife = 24 * time.Hour

// resetMade shows a reset link just made, and mails it.
func (s *Server) resetMade(w http.ResponseWriter, r *http.Request, v viewer, id, token string) error {
	a, err := s.o.Accounts.Member(r.Context(), id)
	if err != nil {
		return err
	}
	p := memberPage{Link: s.base(r).JoinPath("reset").String() + "?token=" + token}
	if p.Mailed, err = s.mailLink(r, alert.KindReset, id, a.Email, a.Name, "/reset", token, v.now.Add(resetLife)); err != nil {
		return err
	}
	return s.showMember(w, r, v, p, http.StatusCreated)
}

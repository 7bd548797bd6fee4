package web

import (
	"net/http"
	"time"

	"github.com/bellwether-project/bellwether/internal/alert"
	"github.com/bellwether-project/bellwether/internal/door"
)

// forgotPage asks for the address that a link for a new password is mailed to.
type forgotPage struct {
	Shell
	HasMail bool
	Done    bool // it was asked for; whether there is such an account is not said
	Email   string
	Errors  []string
}

func (s *Server) hasMail() bool {
	if s.o.Alerts == nil {
		return false
	}
	_, ok := s.o.Alerts.HasMail()
	return ok
}

func (s *Server) showForgot(w http.ResponseWriter, r *http.Request) error {
	return s.render(w, r, http.StatusOK, "forgot", forgotPage{Shell: s.bare("Forgot your password?"), HasMail: s.hasMail()})
}

// forgotTakes is how long an answer takes: writing a mail takes longer than finding
// nobody, and the difference must not tell who has an account.
const forgotTakes = 200 * time.Millisecond

func (s *Server) forgot(w http.ResponseWriter, r *http.Request) error {
	p := forgotPage{Shell: s.bare("Forgot your password?"), HasMail: s.hasMail(), Email: clip(r.PostFormValue("email"), 254)}
	if !p.HasMail {
		return s.render(w, r, http.StatusUnprocessableEntity, "forgot", p)
	}
	ip := hostOnly(r.RemoteAddr)
	if a := door.InfoOf(r.Context()).IP(); a.IsValid() {
		ip = a.String()
	}
	settled := time.NewTimer(forgotTakes)
	defer settled.Stop()
	err := s.o.Alerts.Forgot(r.Context(), p.Email, ip)
	select {
	case <-settled.C:
	case <-r.Context().Done():
	}
	if err != nil {
		return s.formError(w, r, err, "forgot", func(text []string) any { p.Errors = text; return p })
	}
	p.Done, p.Email = true, ""
	return s.render(w, r, http.StatusOK, "forgot", p)
}

// unsubscribePage ends the mails of a kind, without a sign-in.
type unsubscribePage struct {
	Shell
	Token string
	What  string
	Done  bool
}

// showUnsubscribe only shows the button: programs that check mails follow links.
func (s *Server) showUnsubscribe(w http.ResponseWriter, r *http.Request) error {
	if s.o.Alerts == nil {
		return errNoAlerts
	}
	p := unsubscribePage{Shell: s.bare("Get no more of these"), Token: r.URL.Query().Get("token")}
	k, err := s.o.Alerts.Unsubscribing(p.Token)
	if err != nil {
		return err
	}
	p.What = unsubscribeWord(k)
	return s.render(w, r, http.StatusOK, "unsubscribe", p)
}

// unsubscribe takes the button's form, and the one-click request of a mail program
// (RFC 8058), which carries no cookie and follows no redirect.
func (s *Server) unsubscribe(w http.ResponseWriter, r *http.Request) error {
	if s.o.Alerts == nil {
		return errNoAlerts
	}
	token := r.URL.Query().Get("token")
	if token == "" {
		token = r.PostFormValue("token")
	}
	k, err := s.o.Alerts.Unsubscribe(r.Context(), token)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "unsubscribe", unsubscribePage{Shell: s.bare("Done"), What: unsubscribeWord(k), Done: true})
}

func unsubscribeWord(k alert.Kind) string {
	switch k {
	case alert.NewFamily:
		return "new crash families"
	case alert.Regressed:
		return "regressions"
	case alert.Spike:
		return "spikes"
	case alert.Work:
		return "assignments, mentions and comments"
	}
	return "crashes and your work on them"
}

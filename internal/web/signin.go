package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// signInPage, and the three pages of one-time links.
type signInPage struct {
	Shell
	Email  string
	Next   string
	Errors []string
}

type setUpPage struct {
	Shell
	Token, Email, Name string
	Errors             []string
	Gone               bool // there is an account already, or no token was given
}

type invitationPage struct {
	Shell
	Token, Email, Name string
	Roles              string
	Until              stamp
	Errors             []string
}

type resetPage struct {
	Shell
	Token  string
	Errors []string
}

// toSignIn sends people who are not signed in to the sign-in, or to the set-up
// while there is no account; forms they sent are not kept.
func (s *Server) toSignIn(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return fault.E("web.page", fault.Unauthenticated, "Your session has ended. Please sign in and send the form again.", nil)
	}
	to := "/sign-in"
	if next := r.URL.RequestURI(); next != "/" {
		to += "?next=" + url.QueryEscape(next)
	}
	return redirect(w, r, to)
}

func (s *Server) showSignIn(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.principal(r); err == nil {
		return redirect(w, r, "/")
	}
	need, err := s.o.Accounts.NeedsSetup(r.Context())
	if err != nil {
		return err
	}
	if need {
		return redirect(w, r, "/setup")
	}
	p := signInPage{Shell: s.bare("Sign in"), Next: safeNext(r.URL.Query().Get("next"))}
	p.Shell.Flash = flashOf(r)
	return s.render(w, r, http.StatusOK, "sign-in", p)
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) error {
	p := signInPage{Shell: s.bare("Sign in"), Email: clip(r.PostFormValue("email"), 254), Next: safeNext(r.PostFormValue("next"))}
	ip := hostOnly(r.RemoteAddr)
	if a := door.InfoOf(r.Context()).IP(); a.IsValid() {
		ip = a.String()
	}
	in, err := s.o.Accounts.SignIn(r.Context(), account.SignInRequest{Email: p.Email, Password: r.PostFormValue("password"), IP: ip, Agent: agent(r), Previous: s.sessionToken(r)})
	if err != nil {
		return s.formError(w, r, err, "sign-in", func(text []string) any { p.Errors = text; return p })
	}
	s.setSession(w, r, in.Token, in.Expires)
	return redirect(w, r, p.Next)
}

// formError shows a form again with what is wrong (422), or passes the error on.
func (s *Server) formError(w http.ResponseWriter, r *http.Request, err error, name string, page func([]string) any) error {
	status := http.StatusUnprocessableEntity
	switch fault.CodeOf(err) {
	case fault.Invalid, fault.Conflict, fault.TooLarge, fault.Unauthenticated, fault.NotFound, fault.Forbidden:
	case fault.RateLimited:
		status = http.StatusTooManyRequests
		if after, ok := door.RetryAfter(err); ok {
			door.SetRetryAfter(w.Header(), after)
		}
	default:
		return err
	}
	door.InfoOf(r.Context()).SetError(err)
	return s.render(w, r, status, name, page([]string{fault.TextOf(err)}))
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) error {
	if t := s.sessionToken(r); t != "" {
		if err := s.o.Accounts.SignOut(r.Context(), t); err != nil {
			return err
		}
	}
	s.clearSession(w, r)
	return redirect(w, r, "/sign-in?done=out")
}

func (s *Server) showSetUp(w http.ResponseWriter, r *http.Request) error {
	need, err := s.o.Accounts.NeedsSetup(r.Context())
	if err != nil {
		return err
	}
	p := setUpPage{Shell: s.bare("Set up"), Token: r.URL.Query().Get("token")}
	p.Gone = !need || p.Token == ""
	if !need {
		return redirect(w, r, "/sign-in")
	}
	return s.render(w, r, http.StatusOK, "setup", p)
}

func (s *Server) setUp(w http.ResponseWriter, r *http.Request) error {
	p := setUpPage{Shell: s.bare("Set up"), Token: r.PostFormValue("token"), Email: clip(r.PostFormValue("email"), 254), Name: clip(r.PostFormValue("name"), 100)}
	n, bad := newAccount(r, p.Email, p.Name)
	if bad != "" {
		p.Errors = []string{bad}
		return s.render(w, r, http.StatusUnprocessableEntity, "setup", p)
	}
	in, err := s.o.Accounts.SetUp(r.Context(), p.Token, n)
	if err != nil {
		return s.formError(w, r, err, "setup", func(text []string) any { p.Errors = text; return p })
	}
	s.setSession(w, r, in.Token, in.Expires)
	return redirect(w, r, "/")
}

// newAccount reads a form with a password in it twice.
func newAccount(r *http.Request, email, name string) (account.NewAccount, string) {
	pw := r.PostFormValue("password")
	if pw != r.PostFormValue("again") {
		return account.NewAccount{}, "The two passwords differ."
	}
	return account.NewAccount{Email: email, Name: name, Password: pw, Agent: agent(r)}, ""
}

func (s *Server) showInvitation(w http.ResponseWriter, r *http.Request) error {
	p := invitationPage{Shell: s.bare("Invitation"), Token: r.URL.Query().Get("token")}
	inv, err := s.o.Accounts.Invited(r.Context(), p.Token)
	if err != nil {
		return err
	}
	p.Email, p.Name, p.Roles, p.Until = inv.Email, inv.Name, rolesText(inv.Grants), stamp{inv.Expires, s.o.Now()}
	return s.render(w, r, http.StatusOK, "invitation", p)
}

func (s *Server) acceptInvitation(w http.ResponseWriter, r *http.Request) error {
	p := invitationPage{Shell: s.bare("Invitation"), Token: r.PostFormValue("token"), Name: clip(r.PostFormValue("name"), 100)}
	inv, err := s.o.Accounts.Invited(r.Context(), p.Token)
	if err != nil {
		return err
	}
	p.Email, p.Roles, p.Until = inv.Email, rolesText(inv.Grants), stamp{inv.Expires, s.o.Now()}
	n, bad := newAccount(r, inv.Email, p.Name)
	if bad != "" {
		p.Errors = []string{bad}
		return s.render(w, r, http.StatusUnprocessableEntity, "invitation", p)
	}
	in, err := s.o.Accounts.Accept(r.Context(), p.Token, n)
	if err != nil {
		return s.formError(w, r, err, "invitation", func(text []string) any { p.Errors = text; return p })
	}
	s.setSession(w, r, in.Token, in.Expires)
	return redirect(w, r, "/")
}

func (s *Server) showReset(w http.ResponseWriter, r *http.Request) error {
	p := resetPage{Shell: s.bare("New password"), Token: r.URL.Query().Get("token")}
	if _, err := s.o.Accounts.Resettable(r.Context(), p.Token); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "reset", p)
}

func (s *Server) reset(w http.ResponseWriter, r *http.Request) error {
	p := resetPage{Shell: s.bare("New password"), Token: r.PostFormValue("token")}
	n, bad := newAccount(r, "", "")
	if bad != "" {
		p.Errors = []string{bad}
		return s.render(w, r, http.StatusUnprocessableEntity, "reset", p)
	}
	if err := s.o.Accounts.Reset(r.Context(), p.Token, n.Password); err != nil {
		return s.formError(w, r, err, "reset", func(text []string) any { p.Errors = text; return p })
	}
	s.clearSession(w, r)
	return redirect(w, r, "/sign-in?done=reset")
}

// expiryOf reads a number of days from a form; 0 = the default.
func expiryOf(r *http.Request, now time.Time) time.Time {
	switch strings.TrimSpace(r.PostFormValue("days")) {
	case "7":
		return now.AddDate(0, 0, 7)
	case "30":
		return now.AddDate(0, 0, 30)
	case "365":
		return now.AddDate(1, 0, 0)
	}
	return now.AddDate(0, 0, 90)
}

package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/bellwether-project/bellwether/internal/alert/follow"
	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

// followBox is the part of a receipt's page where one asks for news.
type followBox struct {
	Ways   follow.Ways
	Told   follow.Followed
	Show   bool // something may still change, and there is a way to say so
	To     string
	Email  string
	Errors []string
}

func (s *Server) reporters() *follow.Service {
	if s.o.Alerts == nil {
		return nil
	}
	return s.o.Alerts.Reporters()
}

func (s *Server) followBox(ctx context.Context, v *answers.View) (b followBox, err error) {
	f := s.reporters()
	_, project, _ := v.Crash()
	if f == nil || project == 0 || v.Kept.IsZero() {
		return b, nil
	}
	if b.Told, err = f.Followed(ctx, v); err != nil {
		return b, err
	}
	b.Ways, b.To = f.Ways(), "/api/v1/receipts/"+url.PathEscape(v.ID)+"/followers"
	b.Show = (b.Ways.Mail || b.Ways.Push != "") && v.Answer.State != receipt.Fixed
	return b, nil
}

// followReceipt asks the address of the form whether it wants news.
func (s *Server) followReceipt(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(r, "follow", writeRate, writeBurst)
	if err != nil {
		return err
	}
	f := s.reporters()
	if f == nil {
		return notFound("web.follow", "No messages are sent here.")
	}
	email := clip(r.PostFormValue("email"), 254)
	err = f.ByMail(r.Context(), &v, email, from(r))
	switch fault.CodeOf(err) {
	case "":
		return redirect(w, r, withDone(receiptPath(v.ID), "follow-asked"))
	case fault.Invalid, fault.Conflict, fault.RateLimited, fault.Unavailable:
		p, perr := s.laidOut(r, v)
		if perr != nil {
			return perr
		}
		p.Follow.Email, p.Follow.Errors = email, []string{fault.TextOf(err)}
		return s.render(w, r, http.StatusUnprocessableEntity, "receipt", p)
	}
	return err
}

func (s *Server) unfollowReceipt(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(r, "follow", writeRate, writeBurst)
	if err != nil {
		return err
	}
	f := s.reporters()
	if f == nil {
		return notFound("web.follow", "No messages are sent here.")
	}
	if err := f.StopAll(r.Context(), &v); err != nil {
		return err
	}
	return redirect(w, r, withDone(receiptPath(v.ID), "unfollowed"))
}

// worker is the service worker: its address says for which pages it may speak.
func (s *Server) worker(w http.ResponseWriter, _ *http.Request) error {
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	_, err := w.Write(s.assets.byName["worker.js"].raw)
	return err
}

// followingPage is what a link in a mail leads to.
type followingPage struct {
	Shell
	Token     string
	About     string
	Stop      bool // it asks whether to end them
	Confirmed bool
	Done      bool
}

func (s *Server) following(r *http.Request, title string) (followingPage, error) {
	p := followingPage{Shell: s.public(r, "receipts", title), Token: r.URL.Query().Get("token")}
	if p.Token == "" && r.Method == http.MethodPost {
		p.Token = r.PostFormValue("token")
	}
	f := s.reporters()
	if f == nil {
		return p, notFound("web.following", "No messages are sent here.")
	}
	if err := s.spend(r, "following", readRate, readBurst); err != nil {
		return p, err
	}
	about, confirmed, err := f.Asking(r.Context(), p.Token)
	p.About, p.Confirmed = about.ID, confirmed
	return p, err
}

// showFollowing only shows the button: programs that check mails follow links.
func (s *Server) showFollowing(w http.ResponseWriter, r *http.Request) error {
	p, err := s.following(r, "News of your report")
	if err != nil {
		return err
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	return s.render(w, r, http.StatusOK, "following", p)
}

func (s *Server) confirmFollowing(w http.ResponseWriter, r *http.Request) error {
	p, err := s.following(r, "")
	if err != nil {
		return err
	}
	v, err := s.reporters().Confirm(r.Context(), p.Token)
	if err != nil {
		return err
	}
	return redirect(w, r, withDone(receiptPath(v.ID), "followed"))
}

func (s *Server) showStop(w http.ResponseWriter, r *http.Request) error {
	p, err := s.following(r, "Get no more of these?")
	if err != nil {
		return err
	}
	p.Stop = true
	w.Header().Set("Referrer-Policy", "no-referrer")
	return s.render(w, r, http.StatusOK, "following", p)
}

// stopFollowing takes the button's form, and the one-click request of a mail program
// (RFC 8058), which carries no cookie and follows no redirect. What has ended
// already is as well.
func (s *Server) stopFollowing(w http.ResponseWriter, r *http.Request) error {
	p, err := s.following(r, "Done")
	p.Stop, p.Done = true, true
	if err == nil {
		err = s.reporters().Stop(r.Context(), p.Token)
	}
	if err != nil && fault.CodeOf(err) != fault.NotFound {
		return err
	}
	return s.render(w, r, http.StatusOK, "following", p)
}

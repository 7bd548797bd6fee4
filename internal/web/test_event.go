package web

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// sendTest puts one event in at the door, as if a client had sent it. When the
// door refuses it, the page says what the door said.
func (s *Server) sendTest(w http.ResponseWriter, r *http.Request, v viewer) error {
	pr, err := s.projectOf(r, v, account.KeyEdit)
	if err != nil {
		return err
	}
	if s.o.Intake == nil {
		return notFound("web.sendTest", "This process takes nothing in.")
	}
	keys, err := s.o.Registry.Keys(r.Context(), pr.ID)
	if err != nil {
		return err
	}
	refused := "Every key of this project has ended; make a new one."
	for i := len(keys) - 1; i >= 0; i-- {
		if ok, _ := (registry.KeyView{Key: keys[i]}).Usable(v.now); !ok {
			continue
		}
		if refused, err = s.knock(r, v, pr.ID, keys[i]); err != nil {
			return err
		}
		break
	}
	if refused == "" {
		return redirect(w, r, withDone(setupPath(pr.Subject)+"?project="+strconv.FormatInt(pr.ID, 10), "tested")+"#live")
	}
	q := r.URL.Query()
	q.Set("project", strconv.FormatInt(pr.ID, 10))
	r.URL.RawQuery = q.Encode()
	return s.showSetup(w, r, v, pr.Subject, projectForm{Refused: refused}, http.StatusUnprocessableEntity)
}

// knock sends the event with a key; it returns why the door refused it, "" when it did not.
func (s *Server) knock(r *http.Request, v viewer, project int64, k registry.Key) (refused string, err error) {
	body := fmt.Sprintf(`{"level":"error","platform":"other","environment":"test","release":"0.0.0-test","timestamp":%d,"exception":{"values":[{"type":"SetupCheck","value":"Test event from the set-up page"}]}}`, v.now.Unix())
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "/api/"+strconv.FormatInt(project, 10)+"/store/", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Sentry-Auth", "Sentry sentry_version=7, sentry_client=bellwether.setup/1, sentry_key="+k.Public)
	req.RemoteAddr = r.RemoteAddr
	rec := &answer{head: http.Header{}, status: http.StatusOK}
	s.o.Intake.ServeHTTP(rec, req)
	if rec.status < 300 {
		return "", nil
	}
	refused = fmt.Sprintf("It answered %d %s", rec.status, http.StatusText(rec.status))
	if said := eco.Clean(rec.head.Get("X-Sentry-Error"), 300); said != "" {
		refused += ": " + strings.TrimSuffix(said, ".")
	}
	refused += "."
	switch rec.status {
	case http.StatusTooManyRequests:
		refused += " The limits of the key are reached: " + num(k.RatePerMinute) + " requests a minute"
		if k.DailyQuota > 0 {
			refused += ", " + num(k.DailyQuota) + " items a day"
		}
		refused += "."
	case http.StatusServiceUnavailable:
		refused += " The server takes nothing in at the moment; the page Intake says why."
	}
	if after := rec.head.Get("Retry-After"); after != "" {
		refused += " It asks to come back in " + eco.Clean(after, 20) + " seconds."
	}
	return refused, nil
}

// answer keeps the status and the headers of an answer and nothing else.
type answer struct {
	head   http.Header
	status int
}

func (a *answer) Header() http.Header         { return a.head }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return len(b), nil }

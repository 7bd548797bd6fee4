package web

import (
	"net/http"
	"strconv"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/door"
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
	refused, err := door.Knock(r.Context(), s.o.Intake, pr.ID, keys, v.now)
	if err != nil {
		return err
	}
	if refused == "" {
		return redirect(w, r, withDone(setupPath(pr.Subject)+"?project="+strconv.FormatInt(pr.ID, 10), "tested")+"#live")
	}
	q := r.URL.Query()
	q.Set("project", strconv.FormatInt(pr.ID, 10))
	r.URL.RawQuery = q.Encode()
	return s.showSetup(w, r, v, pr.Subject, projectForm{Refused: refused}, http.StatusUnprocessableEntity)
}

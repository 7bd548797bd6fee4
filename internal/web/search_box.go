package web

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/bellwether-project/bellwether/internal/crash/query"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// searchBox is the field for searches of crashes, with what one can search by.
type searchBox struct {
	Q    string
	Keys []query.Key
}

func newSearchBox(q string) searchBox { return searchBox{q, query.Keys} }

// misread reports whether an error is about the search, and what to say.
func misread(err error, q string) (text string, is bool) {
	if err == nil || q == "" || fault.CodeOf(err) != fault.Invalid && fault.CodeOf(err) != fault.TooLarge {
		return "", false
	}
	return fault.TextOf(err), true
}

// complete answers the script of the search box: how what is typed may go on.
func (s *Server) complete(w http.ResponseWriter, r *http.Request, v viewer) error {
	q := r.URL.Query()
	text := q.Get("q")
	at, err := strconv.Atoi(q.Get("at"))
	if err != nil {
		at = len(text)
	}
	from, to, list, err := s.o.Desk.Complete(r.Context(), s.scope(v), text, at)
	if err != nil {
		return err
	}
	if list == nil {
		list = []query.Suggestion{}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "private, max-age=30")
	return json.NewEncoder(w).Encode(map[string]any{"from": from, "to": to, "items": list})
}

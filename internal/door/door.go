// Package door is what the HTTP doors share: handlers that return errors and the
// problem documents these become, one log line per request, request ids, panic
// recovery, bounded and decompressed bodies, client addresses behind trusted
// proxies, CORS, rate limits, headers for pages. It knows no route and no
// domain. Peer addresses live in memory only; nothing here writes one anywhere.
package door

import (
	"net/http"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Handler is an HTTP handler that may fail. An error it returns becomes a problem
// document with the status of its code; it must not have written an answer then.
type Handler func(http.ResponseWriter, *http.Request) error

// ServeHTTP calls the handler and answers its error.
func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h(w, r); err != nil {
		Fail(w, r, err)
	}
}

// Route is one line of a door's table of routes. The tables are data: a test
// walks them and asks each one without rights.
type Route struct {
	Method  string // "POST"; "" means every method
	Pattern string // of net/http's ServeMux, without the method
	Action  string // what account.Authorize is asked; "" only when Public
	Public  bool   // needs no account: a key in the request, or nothing at all, decides
	Doc     string // one line for the documentation
	Handler http.Handler
}

// Mount registers the routes on the mux.
func Mount(mux *http.ServeMux, routes []Route) {
	for _, r := range routes {
		p := r.Pattern
		if r.Method != "" {
			p = r.Method + " " + p
		}
		mux.Handle(p, r.Handler)
	}
}

// Status returns the HTTP status of a code.
func Status(c fault.Code) int {
	switch c {
	case "":
		return http.StatusOK
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.RateLimited:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

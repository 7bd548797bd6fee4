package ingest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// body is a request body in a buffer that is used again.
type body struct {
	s     *Server
	home  *[]byte
	bytes []byte
	had   int
}

// read reads the request body within the limits and the budget of the door.
func (s *Server) read(w http.ResponseWriter, r *http.Request, lim door.Limit) (body, error) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTime)) // not every writer can
	lim.Budget = s.budget
	b := body{s: s, home: s.bodies.Get().(*[]byte)}
	b.had = cap(*b.home)
	got, err := door.Body(r, lim, (*b.home)[:0])
	if err != nil {
		s.bodies.Put(b.home)
		return body{}, err
	}
	b.bytes = got
	return b, nil
}

// release gives the buffer back; the bytes are gone then.
func (b *body) release() {
	if b.home == nil {
		return
	}
	b.s.budget.Give(int64(cap(b.bytes) - b.had))
	if cap(b.bytes) <= 256<<10 {
		*b.home = b.bytes[:0]
	}
	b.s.bodies.Put(b.home)
	b.home, b.bytes = nil, nil
}

// later makes any failure to append one that the client may repeat.
func later(err error) error {
	if errors.Is(err, context.Canceled) {
		return fault.E("ingest", fault.Unavailable, "The request was given up.", err)
	}
	return door.Later(fault.E("ingest", fault.Unavailable, "The report could not be stored; try again later.", fmt.Errorf("append: %w", err)), laterSeconds*time.Second)
}

package ingest

import (
	"bytes"
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
	held  int64 // of the budget, for what the bytes unfold to
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
	b.s.budget.Give(int64(cap(b.bytes)-b.had) + b.held)
	if cap(b.bytes) <= 256<<10 {
		*b.home = b.bytes[:0]
	}
	b.s.bodies.Put(b.home)
	b.home, b.bytes, b.held = nil, nil, 0
}

// What the parts of a JSON text take in memory at most, beside its bytes: an object
// (a frame, with the room its list grows by), a member or element, a line of a
// text trace (it may become a frame).
const (
	objectBytes = 256
	memberBytes = 64
	lineBytes   = 192
)

// unfold takes from the budget what the body's items may be in memory while all
// of them are held; two bytes of JSON may be a hundred there.
func (b *body) unfold() error {
	n := int64(len(b.bytes)) + objectBytes*count(b.bytes, `{`) + memberBytes*count(b.bytes, `,`) + lineBytes*(count(b.bytes, `\n`)+count(b.bytes, `\u00`))
	if n > MaxUnfolded {
		return fault.E("ingest.unfold", fault.TooLarge, "The body has too many parts.", nil)
	}
	return b.hold(n)
}

// hold takes bytes from the budget for as long as the body is held.
func (b *body) hold(n int64) error {
	if !b.s.budget.Take(n) {
		return door.Later(fault.E("ingest.hold", fault.Unavailable, "Too many requests at once; try again shortly.", nil), 2*time.Second)
	}
	b.held += n
	return nil
}

func count(b []byte, s string) int64 { return int64(bytes.Count(b, []byte(s))) }

// later makes any failure to append one that the client may repeat.
func later(err error) error {
	if errors.Is(err, context.Canceled) {
		return fault.E("ingest", fault.Unavailable, "The request was given up.", err)
	}
	return door.Later(fault.E("ingest", fault.Unavailable, "The report could not be stored; try again later.", fmt.Errorf("append: %w", err)), laterSeconds*time.Second)
}

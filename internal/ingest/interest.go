package ingest

import (
	"encoding/json"
	"net/http"

	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
	"github.com/bellwether-project/bellwether/internal/ingest/native"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

// interest is what a client asks before it sends: is anybody interested in this
// signature, and what is wanted?
type interest struct {
	Key       string `json:"key"`
	Signature string `json:"signature"` // "sig/1:" and 16 hex digits
	Release   string `json:"release"`   // the version the client runs
	Extension string `json:"extension"` // host clients: the extension it is about
}

var interestCORS = door.CORS{Methods: "GET, POST", Headers: "content-type, authorization, x-bellwether-key", Expose: "retry-after, x-request-id"}

const (
	maxInterest   = 4 << 10 // bytes of a question
	interestRate  = 20.0    // questions a second of one key, and at once
	interestBurst = 400.0
	interestAge   = "60" // seconds an answer may be kept
)

// interest answers from the board alone: nothing is read, nothing is counted.
func (s *Server) interest(w http.ResponseWriter, r *http.Request) error {
	const op = "ingest.interest"
	if interestCORS.Preflight(w, r) {
		return nil
	}
	interestCORS.Set(w, r)
	q, err := asked(w, r)
	if err != nil {
		return err
	}
	key, err := headerKey(r.Header)
	if err != nil {
		return err
	}
	if key != "" && q.Key != "" && key != q.Key {
		return fault.E(op, fault.Unauthenticated, "The request names two project keys.", nil)
	}
	if key == "" {
		key = q.Key
	}
	g, err := s.open(r, native.Protocol, key, 0)
	if err != nil {
		return err
	}
	if ok, wait := s.keys.Allow("interest "+g.key.Key.Public, 1, interestRate, interestBurst, g.now); !ok {
		return door.Later(fault.E(op, fault.RateLimited, "This key asks too often.", nil), wait)
	}
	hash, ok := receipt.ParseSignature(q.Signature)
	if !ok {
		return fault.E(op, fault.Invalid, "signature: sig/1: and 16 hexadecimal digits.", nil)
	}
	ext, _ := eco.ParseExtensionID(q.Extension)
	a := receipt.Answer{State: receipt.Received, Wanted: receipt.Full}
	if rs := s.o.Receipts; rs != nil {
		p := g.key.Project.Subject
		if st, ok := rs.Board.Look(receipt.Asker{Extension: p.Extension, Host: p.Host}, ext, hash); ok {
			a = rs.tell(st, item.Version(q.Release))
		}
	}
	a.Signature = receipt.SignaturePrefix + hash
	told := Told{Answer: a}
	if rs := s.o.Receipts; rs != nil {
		told.Send = rs.send(g.key.Project.Subject, ext, &a)
	}
	body, err := json.Marshal(told)
	if err != nil {
		return fault.E(op, fault.Internal, "", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "private, max-age="+interestAge)
	_, _ = w.Write(body)
	return nil
}

// asked reads the question from the address or the body.
func asked(w http.ResponseWriter, r *http.Request) (q interest, err error) {
	const op = "ingest.interest"
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		v := r.URL.Query()
		return interest{v.Get("key"), v.Get("signature"), v.Get("release"), v.Get("extension")}, nil
	case http.MethodPost:
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxInterest)).Decode(&q); err != nil {
			return q, fault.E(op, fault.Invalid, "The body is not an object with key and signature.", nil)
		}
		return q, nil
	}
	w.Header().Set("Allow", "GET, POST, OPTIONS")
	return q, door.WithStatus(fault.E(op, fault.Invalid, "This address takes GET and POST requests.", nil), http.StatusMethodNotAllowed)
}

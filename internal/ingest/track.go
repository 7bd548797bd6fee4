package ingest

import (
	"errors"
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/insights"
)

var trackCORS = door.CORS{Methods: "POST", Headers: "content-type, content-encoding, sdk-context", Expose: "retry-after, x-bellwether-receipt"}

// trackAnswer is the body of every answer: a client waits for ever for a body
// that does not come.
type trackAnswer struct {
	Received int          `json:"itemsReceived"`
	Accepted int          `json:"itemsAccepted"`
	Errors   []trackError `json:"errors"`
}

type trackError struct {
	Index   int    `json:"index"`
	Status  int    `json:"statusCode"`
	Message string `json:"message"`
}

// The item code that tells a client to stop: the item is not wanted.
const trackNotWanted = 439

// track takes Application Insights telemetry. The key is in each envelope.
func (s *Server) track(w http.ResponseWriter, r *http.Request) {
	if trackCORS.Preflight(w, r) {
		return
	}
	trackCORS.Set(w, r)
	answer, err := s.trackItems(w, r)
	status := http.StatusOK
	switch {
	case err != nil:
		door.InfoOf(r.Context()).SetError(err)
		status = door.StatusOf(err)
		if after, ok := door.RetryAfter(err); ok {
			door.SetRetryAfter(w.Header(), after)
		}
		answer = trackAnswer{Errors: []trackError{{Status: status, Message: fault.TextOf(err)}}}
	case len(answer.Errors) > 0:
		status = http.StatusPartialContent
	}
	if answer.Errors == nil {
		answer.Errors = []trackError{}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	body, _ := json.Marshal(answer)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func (s *Server) trackItems(w http.ResponseWriter, r *http.Request) (trackAnswer, error) {
	var a trackAnswer
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST, OPTIONS")
		return a, door.WithStatus(fault.E("ingest.track", fault.Invalid, "This address takes POST requests.", nil), http.StatusMethodNotAllowed)
	}
	if err := s.full(); err != nil {
		return a, err
	}
	b, err := s.read(w, r, door.Limit{Compressed: MaxTrack, Decompressed: MaxTrack})
	if err != nil {
		return a, err
	}
	defer b.release()
	if err := b.unfold(); err != nil {
		return a, err
	}
	var all []insights.Envelope
	if err := insights.Read(b.bytes, MaxBatch, func(e *insights.Envelope) { all = append(all, *e) }); err != nil {
		return a, err
	}
	if len(all) == 0 {
		return a, nil
	}
	key := all[0].Key
	g, err := s.open(r, insights.Protocol, key, 0)
	if fault.CodeOf(err) == fault.Unauthenticated { // this client repeats after a 401, for ever
		err = door.WithStatus(err, http.StatusForbidden)
	}
	if err != nil {
		return a, err
	}
	if err := s.take(&g); errors.Is(err, errQuota) {
		return a, door.WithStatus(err, http.StatusPaymentRequired)
	} else if err != nil {
		return a, err
	}
	batch := s.newBatch(g)
	appended := false
	defer func() { batch.done(appended) }()
	a.Received = len(all)
	for i := range all {
		e := &all[i]
		if e.Key != key {
			a.Errors = append(a.Errors, trackError{i, http.StatusBadRequest, "The instrumentation key is another than that of the first item."})
			continue
		}
		switch out := batch.add(&e.Item); {
		case out.Kept:
			a.Accepted++
		case e.Item.Drop != "" && out.Reason == e.Item.Drop && e.Item.Drop != "not_served":
			a.Errors = append(a.Errors, trackError{i, http.StatusBadRequest, "The item was not kept: " + out.Reason + "."})
		default:
			a.Errors = append(a.Errors, trackError{i, trackNotWanted, "The item was not kept: " + out.Reason + "."})
		}
	}
	door.InfoOf(r.Context()).SetItems(len(all))
	hash := batchHash(key, b.bytes)
	if s.recent.has(hash, g.now) {
		batch.repeated()
	} else {
		if err := batch.flush(r.Context()); err != nil {
			return trackAnswer{}, err
		}
		if batch.receiptHeader(w.Header()); batch.kept > 0 {
			s.recent.add(hash, g.now)
		}
	}
	appended = true
	return a, nil
}

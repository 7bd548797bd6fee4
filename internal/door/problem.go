package door

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Problem is an error answer: RFC 9457 with our code. It never repeats input.
type Problem struct {
	Type    string     `json:"type"` // always "about:blank": the code says what it is
	Title   string     `json:"title"`
	Status  int        `json:"status"`
	Detail  string     `json:"detail,omitempty"`
	Code    fault.Code `json:"code"`
	Request string     `json:"request_id,omitempty"` // what the log line of the request carries
}

// ProblemType is the media type of a problem document.
const ProblemType = "application/problem+json"

// Fail answers err as a problem document and leaves it for the log line.
func Fail(w http.ResponseWriter, r *http.Request, err error) {
	code := fault.CodeOf(err)
	status := StatusOf(err)
	info := InfoOf(r.Context())
	info.SetError(err)
	if after, ok := RetryAfter(err); ok {
		SetRetryAfter(w.Header(), after)
	}
	h := w.Header()
	h.Set("Content-Type", ProblemType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Del("Content-Length")
	h.Del("ETag")
	body, _ := json.Marshal(Problem{Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: fault.TextOf(err), Code: code, Request: info.ID()})
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// StatusOf returns the HTTP status an error answers with: that of its code, or
// the one WithStatus gave it.
func StatusOf(err error) int {
	if s, ok := errors.AsType[*statusError](err); ok {
		return s.status
	}
	return Status(fault.CodeOf(err))
}

// WithStatus gives an error a status that its code alone does not tell, such as
// 415 or 405.
func WithStatus(err error, status int) error { return &statusError{err, status} }

type statusError struct {
	error
	status int
}

func (e *statusError) Unwrap() error { return e.error }

// Later marks an error as one that repeating may cure, after some time.
func Later(err error, after time.Duration) error { return &laterError{err, after} }

type laterError struct {
	error
	after time.Duration
}

func (e *laterError) Unwrap() error { return e.error }

// RetryAfter returns the time that Later gave an error.
func RetryAfter(err error) (time.Duration, bool) {
	if l, ok := errors.AsType[*laterError](err); ok {
		return l.after, true
	}
	return 0, false
}

// SetRetryAfter writes the header in whole seconds, at least one.
func SetRetryAfter(h http.Header, after time.Duration) {
	h.Set("Retry-After", strconv.FormatInt(max(1, int64((after+time.Second-1)/time.Second)), 10))
}

// NotFound answers every request with a not_found problem.
var NotFound Handler = func(http.ResponseWriter, *http.Request) error {
	return fault.E("door", fault.NotFound, "There is nothing at this address.", nil)
}

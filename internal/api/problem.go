package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// problem is an error answer as huma wants it: the house's problem document, with
// the fields that are wrong.
type problem struct {
	door.Problem
	Errors []fieldError `json:"errors,omitempty" doc:"What is wrong with the request, field by field."`

	header http.Header
}

type fieldError struct {
	Field string `json:"field"`
	Text  string `json:"text"`
}

func (p *problem) Error() string             { return string(p.Code) + ": " + p.Detail }
func (p *problem) GetStatus() int            { return p.Status }
func (p *problem) GetHeaders() http.Header   { return p.header }
func (p *problem) ContentType(string) string { return door.ProblemType }

// useProblems makes huma answer with our problems. It is a variable of that
// package: set once, to what never changes.
var useProblems = sync.OnceFunc(func() {
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return refused(status, errs)
	}
})

// refused is the problem of a request that huma turned away before its handler
// ran. Neither its texts nor the values in them are passed on unseen: places and
// rules are, rejected values and unknown names are not.
func refused(status int, errs []error) *problem {
	code, text := fault.Internal, ""
	switch {
	case status == http.StatusRequestEntityTooLarge:
		code, text = fault.TooLarge, "The body is larger than this address takes."
	case status == http.StatusUnsupportedMediaType:
		code, text = fault.Invalid, "The body must be JSON."
	case status == http.StatusNotAcceptable:
		code, text = fault.Invalid, "Answers are JSON."
	case status >= 400 && status < 500:
		status, code, text = http.StatusBadRequest, fault.Invalid, "The request is not valid."
	default:
		text = fault.TextOf(nil)
	}
	p := &problem{Problem: door.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: text, Code: code}}
	for _, err := range errs {
		if d, ok := err.(huma.ErrorDetailer); ok && code == fault.Invalid {
			p.Errors = append(p.Errors, fieldOf(d.ErrorDetail()))
		}
	}
	if len(p.Errors) > 0 {
		p.Detail = p.Errors[0].Field + ": " + p.Errors[0].Text
	}
	return p
}

func fieldOf(d *huma.ErrorDetail) fieldError {
	f := fieldError{Field: strings.TrimPrefix(d.Location, "body."), Text: d.Message}
	if strings.HasPrefix(d.Message, "unexpected property") { // its name is the sender's
		f.Field = strings.TrimPrefix(d.Location[:max(strings.LastIndexByte(d.Location, '.'), 0)], "body.")
		f.Text = "It has a property that is not known here."
	}
	if !strings.HasPrefix(d.Message, "expected") && !strings.HasPrefix(d.Message, "required") && f.Text == d.Message {
		f.Text = "It is not valid." // texts of parsers quote their input
	}
	if f.Field == "" {
		f.Field = "body"
	}
	return f
}

// fail turns an error of a handler into its problem and leaves it for the log.
func fail(ctx context.Context, err error) error {
	info := door.InfoOf(ctx)
	info.SetError(err)
	status := door.StatusOf(err)
	p := &problem{Problem: door.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: fault.TextOf(err), Code: fault.CodeOf(err), Request: info.ID()}, header: http.Header{}}
	if after, ok := door.RetryAfter(err); ok {
		door.SetRetryAfter(p.header, after)
	}
	return p
}

// knownQuery refuses query parameters that the route does not have: a filter that
// is misspelt must not answer about everything. Their names are the sender's and
// are not repeated.
func (s *Server) knownQuery(ctx huma.Context, next func(huma.Context)) {
	u := ctx.URL()
	for name := range u.Query() {
		if !slices.ContainsFunc(ctx.Operation().Parameters, func(p *huma.Param) bool { return p.In == "query" && p.Name == name }) {
			_ = huma.WriteErr(s.huma, ctx, http.StatusBadRequest, "", &huma.ErrorDetail{Location: "query.x", Message: "unexpected property"})
			return
		}
	}
	next(ctx)
}

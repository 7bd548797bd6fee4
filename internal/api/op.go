package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// op is one line of the table of routes.
type op struct {
	Method string
	Path   string // below /api/v1
	ID     string // of the operation: "families.list"
	Action account.Action
	Doc    string
	Status int   // of success; 0 = 200, or 204 without a body
	Max    int64 // bytes of the body; 0 = 64 KiB
	Raw    bool  // the body is bytes that the handler reads itself
	Secret bool  // the answer holds a secret that is shown once: it is never kept for an idempotency key
}

const maxBody = 64 << 10

func (o op) max() int64 {
	if o.Max > 0 {
		return o.Max
	}
	return maxBody
}

// call is who asks, handed to every handler.
type call struct {
	s   *Server
	p   account.Principal
	ctx context.Context
}

func (c *call) scope() facts.Scope { return c.s.o.Accounts.Scope(c.p) }
func (c *call) actor() string      { return c.p.Actor() }

// may asks beside the action of the route.
func (c *call) may(a account.Action, r account.Resource) bool {
	return c.s.o.Accounts.Authorize(c.p, a, r).Allow
}

// about says what a request is about; an error ends it before the handler.
type about[I any] func(c *call, in *I) (account.Resource, error)

// server, list and so on are the usual answers to what a request is about.
func server[I any](kind string) about[I] {
	return func(*call, *I) (account.Resource, error) { return account.OfServer(kind, ""), nil }
}

func listed[I any](kind string) about[I] {
	return func(*call, *I) (account.Resource, error) { return account.List(kind), nil }
}

// add registers a route: huma reads the input, the policies decide about what it
// is about, and only then do runs.
func add[I, O any](s *Server, o op, of about[I], do func(c *call, in *I) (O, error)) {
	type reply struct {
		Status int
		ETag   string `header:"ETag"`
		Body   O
	}
	s.ops = append(s.ops, o)
	huma.Register(s.huma, s.operation(o, http.StatusOK), func(ctx context.Context, in *I) (*reply, error) {
		c, err := ask(s, ctx, o, of, in)
		if err != nil {
			return nil, fail(ctx, err)
		}
		body, err := do(c, in)
		if err != nil {
			return nil, fail(ctx, err)
		}
		r := &reply{Status: o.Status, Body: body}
		if r.Status == 0 {
			r.Status = http.StatusOK
		}
		if v := versionOf(body); v > 0 {
			r.ETag = etag(v)
		}
		return r, nil
	})
	if o.Raw { // afterwards, so that huma leaves the body alone
		s.huma.OpenAPI().Paths[prefix+o.Path].Post.RequestBody = rawBody()
	}
}

// addNone is add for routes that answer without a body.
func addNone[I any](s *Server, o op, of about[I], do func(c *call, in *I) error) {
	s.ops = append(s.ops, o)
	huma.Register(s.huma, s.operation(o, http.StatusNoContent), func(ctx context.Context, in *I) (*struct{}, error) {
		c, err := ask(s, ctx, o, of, in)
		if err == nil {
			err = do(c, in)
		}
		if err != nil {
			return nil, fail(ctx, err)
		}
		return nil, nil
	})
}

// ask finds who asks and lets the policies decide.
func ask[I any](s *Server, ctx context.Context, o op, of about[I], in *I) (*call, error) {
	c := &call{s: s, p: principalOf(ctx), ctx: ctx}
	r, err := of(c, in)
	if err != nil {
		return nil, err
	}
	return c, s.o.Accounts.Check("api."+o.ID, c.p, o.Action, r)
}

func (s *Server) operation(o op, status int) huma.Operation {
	if o.Status != 0 {
		status = o.Status
	}
	noun, _, _ := strings.Cut(o.ID, ".")
	h := huma.Operation{
		OperationID: o.ID, Method: o.Method, Path: prefix + o.Path, Summary: o.Doc, Tags: []string{noun},
		DefaultStatus: status, MaxBodyBytes: o.max(), Errors: []int{400, 401, 403, 404, 409, 413, 429, 500, 503},
	}
	info, _ := o.Action.Info()
	h.Description = "Action `" + string(o.Action) + "`: " + info.About
	if info.Scope != "" {
		h.Description += " A token needs the scope `" + string(info.Scope) + "`."
	}
	if o.Action == account.PublicRead || o.Action == account.PublicSubmit {
		h.Security = []map[string][]string{}
	}
	return h
}

// Paging asks for a part of a list.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"512" doc:"What the page before gave as next."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Most entries of a page."`
}

// Search narrows a list by words.
type Search struct {
	Q string `query:"q" maxLength:"200" doc:"Keeps entries whose id or name contains this."`
}

// list is a part of a list.
type list[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"Send it as cursor to get the following page; absent on the last."`
}

func listOf[T any](items []T, next string) list[T] {
	if items == nil {
		items = []T{}
	}
	return list[T]{items, next}
}

// IfMatch is what a PUT must carry to change a thing that is there.
type IfMatch struct {
	IfMatch string `header:"If-Match" maxLength:"40" doc:"The ETag of the entry to change; absent to create it."`
}

// version reads the header: 0 when there is none.
func (m IfMatch) version() (int64, error) {
	if m.IfMatch == "" {
		return 0, nil
	}
	s := strings.TrimPrefix(strings.Trim(strings.TrimPrefix(m.IfMatch, "W/"), `"`), "v")
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || v <= 0 {
		return 0, fault.E("api.IfMatch", fault.Invalid, "If-Match: It is not one of our ETags.", nil)
	}
	return v, nil
}

func etag(v int64) string { return `"v` + strconv.FormatInt(v, 10) + `"` }

// versionOf is the version of a thing that can be edited, or 0.
func versionOf(body any) int64 {
	switch b := body.(type) {
	case registry.Extension:
		return b.Version
	case registry.Publisher:
		return b.Version
	case registry.Host:
		return b.Version
	case registry.Team:
		return b.Version
	case channel:
		return b.Version
	case registry.Project:
		return b.Version
	case key:
		return b.Version
	}
	return 0
}

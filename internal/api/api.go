// Package api is the JSON door: what a page shows, it gives, and what a form
// changes, it changes. Every route is one line of a table with the action it
// takes; whose thing a request is about is asked before its handler runs, by the
// same policies as the pages. Errors are problem documents with the house's codes;
// they never repeat what was sent. The description is OpenAPI 3.1, made from the
// Go types.
//
// It holds no rule of the domain and no SQL, and the library that reads and
// describes requests (huma) is known here only.
//
// Conventions: lists have "items" and, when there is more, "next", to be sent back
// as ?cursor=. A thing that can be edited has an ETag; a PUT with If-Match changes
// it, a PUT without creates it. A POST may carry an Idempotency-Key, remembered
// for a day. Every answer says how many requests are left (RateLimit-*).
package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"time"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/alert"
	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/crash/dumps"
	"github.com/bellwether-project/bellwether/internal/crash/suspect"
	"github.com/bellwether-project/bellwether/internal/crash/symbols"
	"github.com/bellwether-project/bellwether/internal/crash/triage"
	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/door/claim"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/jobs"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/receipt/diagnose"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// Options are what the API stands on. Worker, Counts and Jobs may be nil where the
// process has no such role: their routes then answer unavailable.
type Options struct {
	Log      *slog.Logger
	Now      func() time.Time
	Accounts *account.Service
	Registry *registry.Registry
	Desk     *crash.Desk
	Dumps    *dumps.Store  // nil: no dumps are kept
	Suspects *suspect.Desk // nil: its route answers unavailable
	Triage   *triage.Desk
	Facts    facts.Store
	Audit    *audit.Log
	Answers  *answers.Desk // receipts and the public log; nil: there are none
	// Doctor reads traces that people paste; nil: none are read.
	Doctor *diagnose.Doctor
	// AddNote sends what a reporter adds to a report down the ordinary way; nil: nothing can be added.
	AddNote func(ctx context.Context, project int64, crash, text string, from netip.Addr) (eco.ID, error)
	Worker  *pipeline.Worker
	Counts  *pipeline.Counts
	Jobs    *jobs.Table
	Alerts  *alert.Service // nil: no messages are sent
	Claims  *claim.Claims  // nil: nobody can claim an extension
	Base    *url.URL       // address clients reach us at; nil: taken from each request
	Symbols *symbols.Store // nil: symbol files are not kept here
	// Intake takes the test events of set-up as if a client had sent them; nil: unavailable.
	Intake http.Handler
	// Cookie is the name of the cookie with the session token; "" = only API tokens.
	Cookie  string
	Version string // of the server, for the description
	// As makes every request that principal's: for a handler that is called in the
	// process and never listened on (the command line on a data folder).
	As *account.Principal
}

// prefix stands before every path.
const prefix = "/api/v1"

// Server answers API requests.
type Server struct {
	o       Options
	huma    huma.API
	mux     *http.ServeMux // of huma: behind front
	ops     []op
	cross   *http.CrossOriginProtection
	windows *windows
	spec    []byte
	handler http.Handler
}

// New makes the API and its description.
func New(o Options) (*Server, error) {
	const opName = "api.New"
	if o.Now == nil || o.Accounts == nil || o.Registry == nil || o.Desk == nil || o.Triage == nil || o.Facts == nil || o.Audit == nil {
		return nil, fault.E(opName, fault.Internal, "The API needs a clock, accounts, a register, the crash desk, facts and the audit log.", nil)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	useProblems()
	s := &Server{o: o, mux: http.NewServeMux(), cross: http.NewCrossOriginProtection(), windows: newWindows()}
	cfg := huma.DefaultConfig("Bellwether", o.Version)
	cfg.Info.Description = "Telemetry, crashes and support of an ecosystem of extensions."
	cfg.DocsPath, cfg.OpenAPIPath, cfg.SchemasPath, cfg.CreateHooks = "", "", "", nil
	cfg.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", nameOf)
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "An API token (bw_…), made under Settings."},
	}
	cfg.Security = []map[string][]string{{"token": {}}}
	s.huma = humago.New(s.mux, cfg)
	s.huma.UseMiddleware(s.knownQuery)
	s.routes()
	if err := s.describe(); err != nil {
		return nil, err
	}
	s.handler = s.mount()
	return s, nil
}

// ServeHTTP serves every route below /api/v1/; what is no route is a problem
// document too. The front door (request id, log line, panics) is the caller's.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Handler is the server as a handler.
func (s *Server) Handler() http.Handler { return s }

// nameOf names the schema of a type: those of other packages with the package
// before it, so that a release of the register and one of the desk stay apart.
func nameOf(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name := huma.DefaultSchemaNamer(t, hint)
	pkg := t.PkgPath()
	pkg = pkg[strings.LastIndexByte(pkg, '/')+1:]
	if t.Name() == "" || pkg == "" || pkg == "api" {
		return name
	}
	r := []rune(pkg)
	r[0] = unicode.ToUpper(r[0])
	return string(r) + name
}

// Routes lists every route with the action it takes, for the mux and for the test
// that walks them.
func (s *Server) Routes() []door.Route {
	out := make([]door.Route, 0, len(s.ops))
	for _, o := range s.ops {
		out = append(out, door.Route{Method: o.Method, Pattern: prefix + o.Path, Action: string(o.Action), Public: o.Action == account.PublicRead || o.Action == account.PublicSubmit, Doc: o.Doc, Handler: s.front(o)})
	}
	return out
}

// mount puts every route on one mux, and an answer for what is none.
func (s *Server) mount() http.Handler {
	mux := http.NewServeMux()
	door.Mount(mux, s.Routes())
	mux.Handle(prefix+"/", door.Handler(func(w http.ResponseWriter, r *http.Request) error {
		var allow []string
		for _, m := range []string{"GET", "POST", "PUT", "DELETE"} {
			probe := r.Clone(r.Context())
			probe.Method = m
			if _, pattern := mux.Handler(probe); pattern != "" && pattern != prefix+"/" {
				allow = append(allow, m)
			}
		}
		if len(allow) == 0 {
			return fault.E("api", fault.NotFound, "There is nothing at this address.", nil)
		}
		w.Header().Set("Allow", strings.Join(allow, ", "))
		return door.WithStatus(fault.E("api", fault.Invalid, "This address does not take the method.", nil), http.StatusMethodNotAllowed)
	}))
	return door.Secure(mux)
}

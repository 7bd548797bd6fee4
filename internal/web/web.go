// Package web is the page door: the pages people see, rendered on the server,
// that work without a script, on a phone, from the keyboard and in print.
//
// What it is not: a place for rules or for SQL. A page asks the desks and
// registers, within the viewer's scope, and lays out what they say. Each page
// has its own struct and its template in tmpl/; static/ holds the style sheet
// and one small script, both ours: no request leaves the server's own origin.
package web

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

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

// Options are what the pages stand on. Worker and Jobs may be nil where the
// process has no such role: their pages then say so.
type Options struct {
	Log      *slog.Logger
	Now      func() time.Time
	Accounts *account.Service
	Registry *registry.Registry
	Desk     *crash.Desk
	Dumps    *dumps.Store  // nil: no dumps are kept
	Suspects *suspect.Desk // nil: families show no associated extensions
	Triage   *triage.Desk
	Worker   *pipeline.Worker
	Counts   *pipeline.Counts
	Facts    facts.Store // splits by host and system
	Jobs     *jobs.Table
	Alerts   *alert.Service // nil: no messages are sent
	Audit    *audit.Log
	Symbols  *symbols.Store // nil: symbol files are not kept here
	// Base is the address people and clients reach us at; nil: taken from each request.
	Base *url.URL
	// Secure says that people reach us by TLS: cookies are then __Host- and Secure.
	// Nil: Base tells, else the TLS of each request.
	Secure *bool
	// Intake takes the test events of the set-up page as if a client had sent them; nil: the button is not there.
	Intake http.Handler
	// Answers tells outsiders; nil: there are no receipts and no public log.
	Answers *answers.Desk
	// Doctor reads traces that people paste; nil: the page is not there.
	Doctor *diagnose.Doctor
	// AddNote sends what a reporter adds on a receipt's page down the ordinary way; nil: nothing can be added.
	AddNote func(ctx context.Context, project int64, crash, text string, from netip.Addr) (eco.ID, error)
	// Claims looks for proofs of claims to extensions; nil: nobody can claim one.
	Claims *claim.Claims
	// Build is the version shown in the settings; "" = unknown.
	Build string
}

// Server answers with pages.
type Server struct {
	o      Options
	assets *assets
	pages  *pages
	cross  *http.CrossOriginProtection

	strangers *door.Limiter[stranger]
}

// New reads templates and static files once.
func New(o Options) (*Server, error) {
	if o.Now == nil || o.Accounts == nil || o.Registry == nil || o.Desk == nil || o.Triage == nil {
		return nil, fault.E("web.New", fault.Internal, "The pages need a clock, accounts, a register, the crash desk and triage.", nil)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	a, err := loadAssets()
	if err != nil {
		return nil, fault.E("web.New", fault.Internal, "The static files cannot be read.", err)
	}
	p, err := loadPages(a)
	if err != nil {
		return nil, fault.E("web.New", fault.Internal, "The templates cannot be read.", err)
	}
	return &Server{o: o, assets: a, pages: p, cross: http.NewCrossOriginProtection(), strangers: door.NewLimiter[stranger](maxStrangers)}, nil
}

// Handler serves every route of the table, with the headers of pages; it is for
// tests and for a process that serves nothing else.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	door.Mount(mux, s.Routes())
	return door.Secure(mux)
}

// viewer is who looks at a page, and when.
type viewer struct {
	p   account.Principal
	now time.Time
}

func (v viewer) at(t time.Time) stamp { return stamp{t, v.now} }

// pageFunc answers one request of somebody who is signed in and may do the
// route's action somewhere; what it is about, it asks itself.
type pageFunc func(w http.ResponseWriter, r *http.Request, v viewer) error

// maxForm bounds what a form may send.
const maxForm = 1 << 20

// formOf bounds the form of a request: that of symbol files carries them, and is read
// as it comes, after its sender is known.
func formOf(r *http.Request) int64 {
	if r.Method == http.MethodPost && r.URL.Path == "/symbols" {
		return symbols.MaxUpload + maxForm
	}
	return maxForm
}

// page wraps what signed-in people see: session, right, and an error page.
func (s *Server) page(action account.Action, h pageFunc) http.Handler {
	return s.open(func(w http.ResponseWriter, r *http.Request) error {
		v := viewer{now: s.o.Now()}
		p, err := s.principal(r)
		if err != nil {
			if fault.CodeOf(err) != fault.Unauthenticated {
				return err
			}
			return s.toSignIn(w, r)
		}
		v.p = p
		*r = *r.WithContext(context.WithValue(r.Context(), viewerKey{}, v))
		info, _ := action.Info()
		if err := s.o.Accounts.Check("web."+string(action), p, action, account.List(info.Noun)); err != nil {
			return err
		}
		return h(w, r, v)
	})
}

// open wraps what anybody may see: forms of other sites are refused, bodies are
// bounded, errors become pages.
func (s *Server) open(h door.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		err := s.cross.Check(r)
		if err != nil {
			err = fault.E("web.open", fault.Forbidden, "This form came from another site.", err)
		} else {
			if r.Body != nil {
				r.Body = http.MaxBytesReader(w, r.Body, formOf(r))
			}
			err = h(w, r)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	})
}

type viewerKey struct{}

func viewerOf(r *http.Request) (viewer, bool) {
	v, ok := r.Context().Value(viewerKey{}).(viewer)
	return v, ok
}

// principal is who the session cookie belongs to.
func (s *Server) principal(r *http.Request) (account.Principal, error) {
	token := s.sessionToken(r)
	if token == "" {
		return account.Principal{}, fault.E("web.principal", fault.Unauthenticated, "Please sign in.", nil)
	}
	return s.o.Accounts.Session(r.Context(), token)
}

// may asks about one thing.
func (s *Server) may(v viewer, a account.Action, r account.Resource) bool {
	return s.o.Accounts.Authorize(v.p, a, r).Allow
}

func (s *Server) check(v viewer, a account.Action, r account.Resource) error {
	return s.o.Accounts.Check("web."+string(a), v.p, a, r)
}

func notFound(op, text string) error { return fault.E(op, fault.NotFound, text, nil) }

// discard is for answers that nobody reads any more.
var discard io.Writer = io.Discard

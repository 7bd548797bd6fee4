// Package ingest is the door through which clients report: Sentry's SDKs, OTLP
// over HTTP and gRPC, Application Insights, minidumps, and our own JSON. A request goes one
// way: key, size, decode into allow-listed items, consent, place, pseudonym,
// scrub, one Append, answer. Nothing unconsented or unscrubbed leaves this
// package in any direction: not to the stream, not to the log, not in an error.
// What is not kept is counted by reason, and the client is told in its own
// protocol's words where these have any.
//
// It does no symbolication and asks no store: what it needs to know is in memory.
package ingest

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/registry"
	"github.com/bellwether-project/bellwether/internal/scrub"
)

// Options is what the door stands on.
type Options struct {
	Registry Registry
	Keyring  Keyring
	Scrub    *scrub.Rules
	// Append makes records durable and returns then, and only then.
	Append func(ctx context.Context, records ...[]byte) (uint64, error)
	// Count adds to the intake counts; it does no I/O.
	Count func(pipeline.Count)
	// Full reports that the stream or the disk is full: the answer is "later". nil = never.
	Full func() bool
	// Country names the client's country (ISO 3166-1), or "". nil = never known.
	Country func(*http.Request) string
	Now     func() time.Time
	// ReceivedAt sets the time of receipt of a request; only the demo world may. nil = Now.
	ReceivedAt func(*http.Request) time.Time
	Random     func([]byte) // fills a slice with random bytes
	// Spent is what was accepted for a project in the present UTC day before this
	// process began, so that a restart lifts no quota. nil = nothing.
	Spent func(project int64) int64
	// Receipts answers what is known of a crash; nil: answers say nothing of that.
	Receipts *Receipts
	Dumps    Dumps
}

// Registry is what the door asks of the register, from memory.
type Registry interface {
	KeyByPublic(public string) (registry.KeyView, bool)
}

// Keyring makes pseudonyms.
type Keyring interface {
	Pseudonym(scope, raw string) eco.Install
	Hash64(scope, purpose, raw string) uint64
}

// Server is the door.
type Server struct {
	o       Options
	keys    *door.Limiter[string]
	failed  *door.Limiter[string]
	budget  *door.Budget
	quota   quota
	bursts  bursts
	recent  recent
	batches sync.Pool
	bodies  sync.Pool
	random  random
}

// New prepares a door.
func New(o Options) *Server {
	s := &Server{
		o:      o,
		keys:   door.NewLimiter[string](maxKeys),
		failed: door.NewLimiter[string](maxAddresses),
		budget: &door.Budget{Max: MaxInFlight},
		recent: recent{max: maxRecent, life: recentLife},
		random: random{fill: o.Random},
	}
	s.quota = quota{day: dayOf(o.Now()), used: map[string]int64{}, seed: o.Spent}
	s.bursts.projects = map[int64]*burst{}
	s.batches.New = func() any { return new(batch) }
	s.bodies.New = func() any { b := make([]byte, 0, 16<<10); return &b }
	return s
}

// Routes lists the door's routes, for the mux and for the test that walks them.
// All are public: the key in the request decides.
func (s *Server) Routes() []door.Route {
	grpc := http.HandlerFunc(s.grpc)
	return []door.Route{
		// One dispatcher for what a number follows: more exact patterns (/api/v1/…) win.
		{Pattern: "/api/", Public: true, Doc: "Sentry: /api/{project}/envelope/, /api/{project}/store/, /api/store/, /api/{project}/minidump/, /api/{project}/otlp/v1/{logs,traces}", Handler: http.HandlerFunc(s.sentry)},
		{Pattern: "/minidump", Public: true, Doc: "Sentry minidumps", Handler: http.HandlerFunc(s.sentry)},
		{Pattern: "/minidump/{$}", Public: true, Doc: "Sentry minidumps", Handler: http.HandlerFunc(s.sentry)},
		{Pattern: "/v1/logs", Public: true, Doc: "OTLP/HTTP logs, protobuf or JSON", Handler: s.otlp(signalLogs, 0)},
		{Pattern: "/v1/traces", Public: true, Doc: "OTLP/HTTP traces, protobuf or JSON", Handler: s.otlp(signalTraces, 0)},
		{Pattern: "/v1/metrics", Public: true, Doc: "OTLP/HTTP metrics, protobuf or JSON", Handler: s.otlp(signalMetrics, 0)},
		{Method: "POST", Pattern: grpcLogs, Public: true, Doc: "OTLP/gRPC logs", Handler: grpc},
		{Method: "POST", Pattern: grpcTraces, Public: true, Doc: "OTLP/gRPC traces", Handler: grpc},
		{Method: "POST", Pattern: grpcMetrics, Public: true, Doc: "OTLP/gRPC metrics", Handler: grpc},
		{Pattern: "/v2/track", Public: true, Doc: "Application Insights telemetry", Handler: http.HandlerFunc(s.track)},
		{Pattern: "/v2.1/track", Public: true, Doc: "Application Insights telemetry", Handler: http.HandlerFunc(s.track)},
		{Pattern: "/r/{key}", Public: true, Doc: "Reporting API: crashes and policy violations, as browsers report them", Handler: door.Handler(s.browserReports)},
		{Pattern: "/r/{key}/{$}", Public: true, Doc: "Reporting API: crashes and policy violations, as browsers report them", Handler: door.Handler(s.browserReports)},
		{Pattern: "/api/v1/intake/crashes", Public: true, Doc: "Our own JSON: crashes", Handler: s.native("crashes")},
		{Pattern: reportPath, Public: true, Doc: "A whole crash report as its runtime wrote it: Node.js, JVM, macOS, profiles, text traces", Handler: door.Handler(s.report)},
		{Pattern: "/api/v1/intake/interest", Public: true, Doc: "Is anybody interested in a signature, and what is wanted?", Handler: door.Handler(s.interest)},
		{Pattern: "/api/v1/intake/sessions", Public: true, Doc: "Our own JSON: sessions", Handler: s.native("sessions")},
		{Pattern: "/api/v1/intake/events", Public: true, Doc: "Our own JSON: events, spans and metrics", Handler: s.native("events")},
		{Pattern: "/api/v1/intake/minidump/{key}", Public: true, Doc: "Minidumps of Crashpad, Breakpad, Electron and Mozilla; the public key is in the address", Handler: door.Handler(s.dumps)},
		{Pattern: "/api/v1/intake/minidump/{key}/{$}", Public: true, Doc: "Minidumps of Crashpad, Breakpad, Electron and Mozilla; the public key is in the address", Handler: door.Handler(s.dumps)},
	}
}

// GRPC serves OTLP over gRPC alone, for a listener of its own.
func (s *Server) GRPC() http.Handler {
	mux := http.NewServeMux()
	for _, p := range []string{grpcLogs, grpcTraces, grpcMetrics} {
		mux.HandleFunc("POST "+p, s.grpc)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		grpcAnswer(w, grpcUnimplemented, "There is no such method.", 0, nil)
	})
	return mux
}

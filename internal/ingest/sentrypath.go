package ingest

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/otlp"
	"github.com/bellwether-project/bellwether/internal/ingest/sentry"
	"github.com/bellwether-project/bellwether/internal/pipeline"
)

// sentryAddress is an address of the Sentry protocol.
type sentryAddress struct {
	project int64  // 0: the key alone tells; -1: not well formed
	name    string // envelope, store, otlp/v1/logs, minidump …
	key     string // some addresses carry it
}

// sentryPath reads /api/{project}/{name}[/], /api/store[/] and /minidump[/].
func sentryPath(path string) (a sentryAddress, ok bool) {
	rest, below := strings.CutPrefix(path, "/api/")
	rest = strings.TrimSuffix(rest, "/")
	if !below {
		return sentryAddress{name: "minidump"}, rest == "/minidump"
	}
	if rest == "store" {
		return sentryAddress{name: "store"}, true
	}
	id, rest, _ := strings.Cut(rest, "/")
	var err error
	if a.project, err = strconv.ParseInt(id, 10, 64); err != nil || a.project <= 0 {
		a.project = -1
	}
	a.name, rest, _ = strings.Cut(rest, "/")
	switch a.name {
	case "envelope", "store", "minidump", "security", "csp-report", "nel":
		return a, rest == ""
	case "integration", "otlp":
		if a.name == "integration" {
			rest, _ = strings.CutPrefix(rest, "otlp/")
		}
		a.name = "otlp/" + rest
		return a, rest == "v1/logs" || rest == "v1/traces"
	case "unreal":
		a.key = rest
		return a, rest != "" && !strings.Contains(rest, "/")
	case "cron":
		_, a.key, _ = strings.Cut(rest, "/")
		return a, rest != "" && !strings.Contains(a.key, "/")
	case "events":
		id, what, _ := strings.Cut(rest, "/")
		a.name = "attachments"
		return a, id != "" && what == "attachments"
	}
	return a, false
}

// sentryOTLP is the OTLP door of an address, or nil.
func (s *Server) sentryOTLP(a sentryAddress) http.Handler {
	switch a.name {
	case "otlp/v1/logs":
		return s.otlp(otlp.Logs, a.project)
	case "otlp/v1/traces":
		return s.otlp(otlp.Traces, a.project)
	}
	return nil
}

// notServed answers the addresses of the protocol whose reports are not taken yet,
// and counts them. What a client would send again, or keep, were it refused is
// answered with success and dropped, as such items of an envelope are; a dump that
// nobody takes is refused, for a success would tell its sender that it is safe.
// That is never 429: such clients do not come again.
func (s *Server) notServed(w http.ResponseWriter, r *http.Request, a sentryAddress) error {
	dump := a.name == "unreal"
	key, err := sentryAuth(r)
	if a.key != "" {
		key = a.key
	}
	var g gate
	if err == nil {
		g, err = s.open(r, sentry.Protocol, key, a.project)
	}
	if err == nil {
		s.o.Count(pipeline.Count{Hour: g.now.UnixMilli(), Project: g.key.Project.ID, Protocol: g.protocol, Kind: a.name, Outcome: pipeline.Dropped, Reason: "not_served", N: 1})
	}
	if dump && (err == nil || fault.CodeOf(err) == fault.RateLimited) {
		return fault.E("ingest.sentry", fault.NotFound, "This server takes no dumps; the report was not kept.", nil)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte("{}"))
	return nil
}

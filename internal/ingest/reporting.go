package ingest

import (
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
	"github.com/bellwether-project/bellwether/internal/ingest/reporting"
	"github.com/bellwether-project/bellwether/internal/ingest/sentry"
)

var reportingCORS = door.CORS{Methods: "POST", Headers: "content-type", Expose: "retry-after"}

// browserReports takes what browsers report to /r/{key}. 204 is "delivered"; 410
// makes the browser forget the address, and is the answer for a key that has ended
// and for a project whose users agreed to no crash reports.
func (s *Server) browserReports(w http.ResponseWriter, r *http.Request) error {
	door.InfoOf(r.Context()).SetRoute("/r/{key}")
	if reportingCORS.Preflight(w, r) {
		return nil
	}
	reportingCORS.Set(w, r)
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST, OPTIONS")
		return door.WithStatus(fault.E("ingest.reporting", fault.Invalid, "This address takes POST requests.", nil), http.StatusMethodNotAllowed)
	}
	if err := s.full(); err != nil {
		return err
	}
	g, err := s.open(r, reporting.Protocol, r.PathValue("key"), 0)
	switch code := fault.CodeOf(err); {
	case errors.Is(err, errEnded):
		return door.WithStatus(err, http.StatusGone)
	case code == fault.Unauthenticated, code == fault.Invalid:
		return door.WithStatus(err, http.StatusNotFound)
	case err != nil:
		return err
	}
	wanted := g.key.Project.Policy.Covers(eco.TierCrash)
	if _, err := s.takeReports(w, r, &g, nil); err != nil {
		return err
	}
	if !wanted {
		return door.WithStatus(fault.E("ingest.reporting", fault.Forbidden, "Reports are not wanted here: the users of this project agreed to none.", nil), http.StatusGone)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// sentryReports serves the addresses at which Sentry takes the same bodies.
func (s *Server) sentryReports(w http.ResponseWriter, r *http.Request, a sentryAddress) error {
	key, err := sentryAuth(r)
	if err != nil {
		return err
	}
	if err := s.full(); err != nil {
		return err
	}
	g, err := s.open(r, sentry.Protocol, key, a.project)
	if err != nil {
		return err
	}
	stop, err := s.takeReports(w, r, &g, func(it *item.Item) {
		it.Name, it.Category = "security", "security"
		if a.name == "nel" {
			it.Name = "nel"
			if it.Crash != nil { // nothing that belongs here is kept
				it.Kind, it.Crash, it.Drop = "", nil, reporting.NotKept
			}
		}
	})
	if err != nil {
		return err
	}
	if stop != "" {
		w.Header().Set("X-Sentry-Rate-Limits", stop)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte("{}"))
	return nil
}

// takeReports reads a body of reports and stores what is kept of them. It returns
// what Sentry's clients are told to stop sending.
func (s *Server) takeReports(w http.ResponseWriter, r *http.Request, g *gate, as func(*item.Item)) (stop string, err error) {
	if err := s.take(g); err != nil {
		return "", err
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/reports+json" && t != "application/csp-report" && t != "application/json" {
		return "", door.WithStatus(fault.E("ingest.reporting", fault.Invalid, "The body is application/reports+json or application/csp-report.", nil), http.StatusUnsupportedMediaType)
	}
	b, err := s.read(w, r, door.Limit{Compressed: MaxReports, Decompressed: MaxReports})
	if err != nil {
		return "", err
	}
	defer b.release()
	if err := b.unfold(); err != nil {
		return "", err
	}
	items, err := reporting.Read(b.bytes, r.UserAgent(), g.now.UnixMilli())
	if err != nil {
		return "", err
	}
	q := r.URL.Query()
	release := eco.Clean(q.Get("release")+q.Get("sentry_release"), item.MaxKey)
	environment := eco.Clean(q.Get("environment")+q.Get("sentry_environment"), item.MaxWord)
	batch := s.newBatch(*g)
	appended := false
	defer func() { batch.done(appended) }()
	for i := range items {
		it := &items[i]
		it.Hints.Release, it.Origin.Environment = release, environment
		if g.key.Project.Subject.Extension != "" { // the browser is the extension's host
			it.Hints.Host, it.Hints.HostVersion, _ = strings.Cut(it.Origin.Runtime, " ")
		}
		if as != nil {
			as(it)
		}
		batch.add(it)
	}
	door.InfoOf(r.Context()).SetItems(len(items))
	if err := batch.flush(r.Context()); err != nil {
		return "", err
	}
	appended = true
	return rateLimits(batch.stops), nil
}

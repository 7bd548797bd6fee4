package ingest

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
	"github.com/bellwether-project/bellwether/internal/ingest/sentry"
)

var sentryCORS = door.CORS{
	Methods: "POST",
	Headers: "x-sentry-auth, x-requested-with, x-forwarded-for, origin, referer, accept, content-type, authentication, authorization, content-encoding, transfer-encoding",
	Expose:  "x-sentry-error, x-sentry-rate-limits, retry-after, x-bellwether-receipt",
}

// sentry dispatches below /api/: a number is a project of the Sentry protocol.
// Both forms of each address answer, with and without the last slash: a redirect
// would lose the body.
func (s *Server) sentry(w http.ResponseWriter, r *http.Request) {
	a, ok := sentryPath(r.URL.Path)
	if !ok {
		door.NotFound.ServeHTTP(w, r)
		return
	}
	door.InfoOf(r.Context()).SetRoute("/api/{project}/" + a.name + "/")
	if h := s.sentryOTLP(a); h != nil {
		h.ServeHTTP(w, r)
		return
	}
	if sentryCORS.Preflight(w, r) {
		return
	}
	sentryCORS.Set(w, r)
	if err := s.sentryPost(w, r, a); err != nil {
		s.sentryFail(w, r, err)
	}
}

func (s *Server) sentryPost(w http.ResponseWriter, r *http.Request, a sentryAddress) error {
	switch {
	case r.Method != http.MethodPost && !(a.name == "cron" && r.Method == http.MethodGet):
		w.Header().Set("Allow", "POST, OPTIONS")
		return door.WithStatus(fault.E("ingest.sentry", fault.Invalid, "This address takes POST requests.", nil), http.StatusMethodNotAllowed)
	case a.project < 0:
		return fault.E("ingest.sentry", fault.Invalid, "The project in the address is not a number.", nil)
	case a.name == "envelope":
		return s.envelope(w, r, a.project)
	case a.name == "store":
		return s.store(w, r, a.project)
	case a.name == "minidump":
		return s.sentryMinidump(w, r, a.project)
	}
	if a.name == "security" || a.name == "csp-report" || a.name == "nel" {
		return s.sentryReports(w, r, a)
	}
	return s.notServed(w, r, a)
}

// sentryAuth finds the key in the headers and the query. Those that are there must agree.
func sentryAuth(r *http.Request) (string, error) {
	var found sentry.Auth
	add := func(a sentry.Auth) error {
		if a.Version != "" && a.Version != "7" && a.Version != "6" && a.Version != "5" {
			return fault.E("ingest.sentry", fault.Invalid, "The protocol version is not supported; it is 7.", nil)
		}
		if a.Key != "" && found.Key != "" && a.Key != found.Key {
			return fault.E("ingest.sentry", fault.Unauthenticated, "The request names two project keys.", nil)
		}
		if a.Key != "" {
			found = a
		}
		return nil
	}
	for _, h := range []string{r.Header.Get("X-Sentry-Auth"), r.Header.Get("Authorization")} {
		if a, ok := sentry.ParseAuth(h); ok {
			if err := add(a); err != nil {
				return "", err
			}
		}
	}
	if r.URL.RawQuery != "" {
		q := r.URL.Query()
		for _, k := range q["sentry_key"] {
			if err := add(sentry.Auth{Key: k, Version: q.Get("sentry_version")}); err != nil {
				return "", err
			}
		}
	}
	return found.Key, nil
}

func (s *Server) envelope(w http.ResponseWriter, r *http.Request, project int64) error {
	key, err := sentryAuth(r)
	if err != nil {
		return err
	}
	if err := s.full(); err != nil {
		return err
	}
	var g gate
	if key != "" { // before the body is read
		if g, err = s.open(r, sentry.Protocol, key, project); err != nil {
			return err
		}
	}
	b, err := s.read(w, r, door.Limit{Compressed: MaxSentryRaw, Decompressed: MaxSentry})
	if err != nil {
		return err
	}
	defer b.release()
	h, err := sentry.ReadHeader(b.bytes)
	if err != nil {
		return err
	}
	if h.DSN != "" {
		dsn, err := sentry.ParseDSN(h.DSN)
		switch {
		case err != nil:
			return err
		case key != "" && dsn.Key != key, dsn.Project != project:
			return fault.E("ingest.sentry", fault.Unauthenticated, "The DSN in the envelope is another than that of the request.", nil)
		}
		if key == "" {
			if g, err = s.open(r, sentry.Protocol, dsn.Key, project); err != nil {
				return err
			}
		}
	} else if key == "" {
		_, err := s.open(r, sentry.Protocol, "", project)
		return err
	}
	if !onlyClientReports(b.bytes) { // these are never rate limited
		if err := s.take(&g); err != nil {
			return err
		}
	}
	batch := s.newBatch(g)
	appended := false
	defer func() { batch.done(appended) }()
	id, n := h.EventID, 0
	var raw []byte // of a dump among the attachments
	var crash eco.ID
	var install eco.Install
	h, err = sentry.EnvelopeWith(b.bytes, batch.now, MaxEvent, s.attachedDump(r.Context(), &g, &b, &raw), func(it *item.Item) {
		n++
		out := batch.add(it)
		if out.Kept && it.Walk.Stage != "" && !batch.env.Quarantined {
			crash, install = out.ID, batch.env.Origin.Install
		}
		if id == "" && it.Category != "session" && it.Category != "internal" {
			if id = it.ClientID; id == "" && out.Kept {
				id = out.ID.String()
			}
		}
	})
	if err != nil {
		return err
	}
	door.InfoOf(r.Context()).SetItems(n)
	if err := batch.flush(r.Context()); err != nil {
		return err
	}
	appended = true
	if !crash.IsZero() {
		s.keep(r.Context(), batch, crash, install, raw)
	}
	sentryAnswer(w, batch, id)
	return nil
}

func (s *Server) store(w http.ResponseWriter, r *http.Request, project int64) error {
	key, err := sentryAuth(r)
	if err != nil {
		return err
	}
	if err := s.full(); err != nil {
		return err
	}
	g, err := s.open(r, sentry.Protocol, key, project)
	if err != nil {
		return err
	}
	if err := s.take(&g); err != nil {
		return err
	}
	b, err := s.read(w, r, door.Limit{Compressed: 2 * MaxEvent, Decompressed: 2 * MaxEvent})
	if err != nil {
		return err
	}
	defer b.release()
	event, err := sentry.StoreBody(b.bytes, MaxEvent)
	if err != nil {
		return err
	}
	if len(event) > MaxEvent {
		return fault.E("ingest.store", fault.TooLarge, "The event is larger than this address takes.", nil)
	}
	batch := s.newBatch(g)
	appended := false
	defer func() { batch.done(appended) }()
	var ours string
	id, err := sentry.Event(event, batch.now, func(it *item.Item) {
		if out := batch.add(it); out.Kept {
			ours = out.ID.String()
		}
	})
	if err != nil {
		return err
	}
	door.InfoOf(r.Context()).SetItems(1)
	if err := batch.flush(r.Context()); err != nil {
		return err
	}
	appended = true
	if id == "" {
		id = ours
	}
	sentryAnswer(w, batch, id)
	return nil
}

// onlyClientReports says that the items of a small envelope are client reports
// and nothing else. It is a guess from the type words alone that can only err
// towards the rate limit: with an escape a type could be spelled unseen.
func onlyClientReports(b []byte) bool {
	if len(b) > 8<<10 {
		return false
	}
	_, rest, _ := bytes.Cut(b, []byte{'\n'})
	if bytes.IndexByte(rest, '\\') >= 0 {
		return false
	}
	if !bytes.Contains(rest, []byte("client_report")) { // nearly always
		return false
	}
	types := bytes.Count(rest, []byte(`"type"`))
	reports := bytes.Count(rest, []byte(`"type":"client_report"`)) + bytes.Count(rest, []byte(`"type": "client_report"`))
	return types > 0 && types == reports
}

// sentryAnswer answers 200 and tells the client what to stop sending.
func sentryAnswer(w http.ResponseWriter, b *batch, id string) {
	h := w.Header()
	if v := rateLimits(b.stops); v != "" {
		h.Set("X-Sentry-Rate-Limits", v)
	}
	h.Set("Content-Type", "application/json")
	b.receiptHeader(h)
	if id == "" {
		_, _ = w.Write([]byte("{}"))
		return
	}
	body := make([]byte, 0, 48)
	body = append(append(append(body, `{"id":"`...), id...), `"}`...) // hex digits only
	_, _ = w.Write(body)
}

// rateLimits writes categories with their reasons in the header's form.
func rateLimits(stops map[string]string) string {
	if len(stops) == 0 {
		return ""
	}
	var parts []string
	for _, code := range []string{"not_consented", "not_served"} {
		var cats []string
		for c, why := range stops {
			if why == code {
				cats = append(cats, c)
			}
		}
		if len(cats) > 0 {
			slices.Sort(cats)
			parts = append(parts, strconv.Itoa(stopSeconds)+":"+strings.Join(cats, ";")+":project:"+code)
		}
	}
	return strings.Join(parts, ", ")
}

// sentryFail answers an error in the form of the protocol.
func (s *Server) sentryFail(w http.ResponseWriter, r *http.Request, err error) {
	door.InfoOf(r.Context()).SetError(err)
	text := fault.TextOf(err)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Sentry-Error", text)
	status := door.StatusOf(err)
	if after, ok := door.RetryAfter(err); ok {
		door.SetRetryAfter(h, after)
		if status == http.StatusTooManyRequests {
			h.Set("X-Sentry-Rate-Limits", h.Get("Retry-After")+"::key:"+string(fault.RateLimited))
		}
	}
	body, _ := json.Marshal(struct {
		Detail string   `json:"detail"`
		Causes []string `json:"causes"`
	}{text, []string{string(fault.CodeOf(err))}})
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

package ingest

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/dump"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
	"github.com/bellwether-project/bellwether/internal/ingest/sentry"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/stack/minidump"
)

// Dumps is what the door does with minidumps beside reading them.
type Dumps struct {
	// Walk has another program unwind a dump; an empty By says that it did not. nil = never.
	Walk func(ctx context.Context, raw []byte, d *minidump.Dump) dump.Stack
	// Days is for how long a project keeps dumps; 0 = not at all. nil = never.
	Days func(project int64) int
	// Keep stores a dump, encrypted from its first byte.
	Keep func(ctx context.Context, k KeptDump) error
}

// KeptDump is a dump on its way to where it is kept.
type KeptDump struct {
	Crash   eco.ID
	Project int64
	Scope   string // of its keys
	Install eco.Install
	Days    int
	Raw     []byte
}

// protocolMinidump is the protocol of uploads that are no Sentry client's.
const protocolMinidump = "minidump"

// dumps serves uploads of Crashpad, Breakpad, Electron and Mozilla, with the key in
// the address. These clients come once and never again, or for ever: what is not taken
// for want of quota, consent or room, or because it is too large, is answered as taken,
// and counted. The answer is exactly 200 and a bare id. Only who can do something about
// it hears of a fault: a wrong key, a form without a dump.
func (s *Server) dumps(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		return door.WithStatus(fault.E("ingest.minidump", fault.Invalid, "This address takes POST requests.", nil), http.StatusMethodNotAllowed)
	}
	door.InfoOf(r.Context()).SetRoute("/api/v1/intake/minidump/{key}")
	up, err := s.upload(w, r, protocolMinidump, r.PathValue("key"), 0)
	if err != nil {
		return err
	}
	id := up.ours.String()
	if up.mozilla {
		id = "CrashID=bp-" + dashed(id) + "\n"
	}
	plain(w, id)
	return nil
}

// sentryMinidump serves the minidump addresses of the Sentry protocol.
func (s *Server) sentryMinidump(w http.ResponseWriter, r *http.Request, project int64) error {
	key, err := sentryAuth(r)
	if err != nil {
		return err
	}
	up, err := s.upload(w, r, sentry.Protocol, key, project)
	if err != nil {
		return err
	}
	id := up.client
	if id == "" {
		id = up.ours.String()
	}
	plain(w, dashed(id))
	return nil
}

func plain(w http.ResponseWriter, s string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(s))
}

// dashed writes 32 hexadecimal digits as a UUID.
func dashed(id string) string {
	if len(id) != 32 {
		return id
	}
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}

// uploaded is what the answer to an upload needs.
type uploaded struct {
	ours    eco.ID
	client  string // the client's own id, 32 hex digits
	mozilla bool
}

// upload takes one dump, start to end, in memory.
func (s *Server) upload(w http.ResponseWriter, r *http.Request, protocol, key string, project int64) (up uploaded, err error) {
	g, err := s.open(r, protocol, key, project)
	if err != nil {
		if fault.CodeOf(err) == fault.RateLimited { // never 429: such a client does not come again
			err = fault.E("ingest.minidump", fault.Unauthenticated, "The project key is not known.", nil)
		}
		return up, err
	}
	up.ours = s.random.id(g.now)
	drop := func(reason string) {
		s.o.Count(pipeline.Count{Hour: g.now.UnixMilli(), Project: g.key.Project.ID, Protocol: protocol, Kind: "minidump", Outcome: pipeline.Dropped, Reason: reason, N: 1})
	}
	if s.full() != nil {
		drop("later")
		s.discard(w, r)
		return up, nil
	}
	spent := s.take(&g) != nil // counted there
	allowed, reason := consent.Decide(g.key.Project.Policy, consent.TierOf(protocol, "minidump"), g.optOut)
	b, err := s.read(w, r, door.Limit{Compressed: MaxDumpRaw, Decompressed: MaxDumpBody})
	if err != nil {
		if reason := quiet(err); reason != "" {
			drop(reason)
			s.discard(w, r)
			return up, nil
		}
		return up, err
	}
	defer b.release()
	switch {
	case spent:
		return up, nil
	case !allowed:
		drop(reason)
		return up, nil
	}
	form, raw, d, err := s.take1(&b, r.Header.Get("Content-Type"))
	if err != nil {
		if reason := quiet(err); reason != "" {
			drop(reason)
			return up, nil
		}
		drop("schema:minidump")
		return up, err
	}
	up.mozilla = form.Mozilla()
	batch := s.newBatch(g)
	appended := false
	defer func() { batch.done(appended) }()
	kept := false
	var install eco.Install
	emit := func(it *item.Item) {
		if out := batch.add(it); out.Kept {
			up.ours, kept, install = out.ID, !batch.env.Quarantined, batch.env.Origin.Install
		}
	}
	it := dump.Item(d, raw, s.walk(r.Context(), raw, d), form, r.URL.Query())
	if event := form.SentryEvent(); event != nil {
		up.client = sentry.EventWith(event, batch.now, it, emit)
	} else {
		emit(it)
	}
	door.InfoOf(r.Context()).SetItems(1)
	if err := batch.flush(r.Context()); err != nil {
		if quiet(err) == "" {
			return up, err
		}
		door.InfoOf(r.Context()).SetError(err) // counted as "later"
		return up, nil
	}
	appended = true
	if kept {
		s.keep(r.Context(), batch, up.ours, install, raw)
	}
	return up, nil
}

// quiet says as what a failure is counted that a client must not see: what is too
// large once is so every time, and to come later is not in these protocols. A client
// that keeps its dumps would send the same one for ever; one that does not has lost it
// anyway. "": it is told, for a person can do something about it.
func quiet(err error) string {
	switch fault.CodeOf(err) {
	case fault.TooLarge:
		return "limit:too_large"
	case fault.Unavailable:
		return "later"
	}
	return ""
}

// discard reads what is left of a body, in bounds of bytes and time, so that the
// client is there to hear the answer.
func (s *Server) discard(w http.ResponseWriter, r *http.Request) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTime)) // not every writer can
	_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, maxDiscard))
}

// take1 finds the dump in a body. What it unfolds to is taken from the budget.
func (s *Server) take1(b *body, contentType string) (*dump.Form, []byte, *minidump.Dump, error) {
	form, err := dump.Read(contentType, b.bytes)
	if err != nil {
		return nil, nil, nil, err
	}
	raw, d, err := s.unpack(b, form.Dump)
	return &form, raw, d, err
}

// unpack reads a dump that may be packed.
func (s *Server) unpack(b *body, sent []byte) ([]byte, *minidump.Dump, error) {
	n := int64(len(sent)) // what the reader may make of it
	if dump.Packed(sent) != "" {
		n = 2 * dump.MaxDump
	}
	if !s.budget.Take(n) {
		return nil, nil, later(nil)
	}
	b.held += n
	raw, err := dump.Unpack(sent)
	if err != nil {
		return nil, nil, err
	}
	d, err := minidump.Parse(raw)
	return raw, d, err
}

func (s *Server) walk(ctx context.Context, raw []byte, d *minidump.Dump) dump.Stack {
	if s.o.Dumps.Walk == nil {
		return dump.Stack{}
	}
	return s.o.Dumps.Walk(ctx, raw, d)
}

// keep stores a dump where the project's policy says so; its tier was covered, or
// there would be no record. Dumps of a burst that looks forged are not kept. A failure is counted and never the client's concern.
func (s *Server) keep(ctx context.Context, b *batch, id eco.ID, install eco.Install, raw []byte) {
	o, p := s.o.Dumps, b.g.key.Project
	if o.Days == nil || o.Keep == nil || raw == nil {
		return
	}
	days := o.Days(p.ID)
	if days <= 0 {
		return
	}
	end, reason := pipeline.Accepted, ""
	if err := o.Keep(ctx, KeptDump{Crash: id, Project: p.ID, Scope: b.scope, Install: install, Days: days, Raw: raw}); err != nil {
		door.InfoOf(ctx).SetError(err)
		end, reason = pipeline.Dropped, "dump:not_stored"
	}
	s.o.Count(pipeline.Count{Hour: b.now, Project: p.ID, Protocol: b.g.protocol, Kind: "dump", Outcome: end, Reason: reason, N: 1})
}

// attachedDump reads the minidump of an envelope, or is nil where it is not consented to.
func (s *Server) attachedDump(ctx context.Context, g *gate, b *body, raw *[]byte) sentry.Native {
	if ok, _ := consent.Decide(g.key.Project.Policy, consent.TierOf(sentry.Protocol, "attachment.minidump"), g.optOut); !ok {
		return nil
	}
	return func(sent []byte) *item.Item {
		got, d, err := s.unpack(b, sent)
		if err != nil {
			reason := "schema:minidump"
			if code := fault.CodeOf(err); code != fault.Invalid {
				reason = "limit:" + strings.ToLower(string(code))
			}
			return &item.Item{Drop: reason}
		}
		*raw = got
		return dump.Item(d, got, s.walk(ctx, got, d), nil, nil)
	}
}

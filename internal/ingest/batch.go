package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/scrub"
)

// batch collects what one request keeps. It is used again for other requests.
type batch struct {
	s       *Server
	g       gate
	now     int64
	scope   string // whose pseudonyms
	raw     item.Raw
	install eco.Install // the pseudonym of raw
	buf     []byte
	ends    []int
	counts  []pipeline.Count
	env     eco.Envelope
	clean   eco.Origin // of the record before, when nothing was removed from it
	steps   [4]eco.Step
	kept    int
	dropped int
	first   eco.ID            // the first crash that was kept
	answers bool              // tell what is known of each crash
	stops   map[string]string // Sentry category -> reason code: what the client should stop sending
}

// outcome is what became of an item.
type outcome struct {
	Kept   bool
	Reason string // of a drop
	ID     eco.ID
	Answer *Told // of a crash, when the batch answers
}

func (s *Server) newBatch(g gate) *batch {
	b := s.batches.Get().(*batch)
	p := g.key.Project
	b.s, b.g, b.now, b.kept, b.dropped = s, g, g.now.UnixMilli(), 0, 0
	b.scope = "host:" + p.Subject.Host
	if p.Subject.Extension != "" {
		b.scope = "ext:" + string(p.Subject.Extension)
	}
	b.raw, b.install, b.first, b.answers = "", 0, eco.ID{}, false
	b.buf, b.ends, b.counts = b.buf[:0], b.ends[:0], b.counts[:0]
	clear(b.stops)
	return b
}

// done gives the batch back. After a failed Append somebody may still read the
// records: then they are left to the garbage collector.
func (b *batch) done(appended bool) {
	if !appended || cap(b.buf) > 1<<20 {
		b.buf = nil
	}
	b.env, b.clean, b.raw = eco.Envelope{}, eco.Origin{}, ""
	b.s.batches.Put(b)
}

// add decides about one item and, if it may be kept, encodes its record.
func (b *batch) add(it *item.Item) outcome {
	p := b.g.key.Project
	if strings.HasPrefix(it.Drop, "client:") { // counts of what the client dropped: nothing to consent to
		b.count(it.Category, pipeline.Dropped, it.Drop, it.N)
		return outcome{Reason: it.Drop}
	}
	tier := consent.TierOf(b.g.protocol, it.Name)
	ok, reason := consent.Decide(p.Policy, tier, b.g.optOut)
	if b.g.asked {
		ok, reason = true, ""
	}
	if it.Kind == "" {
		if ok || it.Name == "unknown" {
			reason = it.Drop
		}
		b.drop(it, reason)
		if !ok && it.Name != "unknown" {
			b.stop(it.Category, "not_consented")
		} else if it.Drop == "not_served" {
			b.stop(it.Category, "not_served")
		}
		return outcome{Reason: reason}
	}
	if !ok {
		b.drop(it, reason)
		b.stop(it.Category, "not_consented")
		return outcome{Reason: reason}
	}
	if len(b.buf) > MaxAppend {
		b.drop(it, "limit:append")
		return outcome{Reason: "limit:append"}
	}
	item.Place(it, p.Subject.Extension, p.Subject.Host)
	if r := b.s.o.Receipts; r != nil && it.Crash != nil && it.Crash.Counted != "" {
		if a, unknown := r.unknown(p.Subject, it.Crash); unknown {
			b.drop(it, pipeline.Unknown)
			return outcome{Reason: pipeline.Unknown, Answer: &Told{a, r.send(p.Subject, it.Crash.Owner, &a)}}
		}
	}
	e := &b.env
	*e = eco.Envelope{
		ID: b.s.random.id(b.g.now), Received: b.now, Time: b.time(it.Time), Protocol: b.g.protocol, Kind: it.Kind, Tier: tier, Class: classOf(it.Kind),
		ClientID: it.ClientID, Weight: weight(it.Weight), Origin: it.Origin,
		Crash: it.Crash, Session: it.Update, Event: it.Event, Feedback: it.Feedback,
	}
	o := &e.Origin
	o.Project, o.Country = p.ID, b.g.country
	o.ExtVersion, o.HostVersion = item.Version(o.ExtVersion), item.Version(o.HostVersion)
	if it.Install != "" {
		if it.Install != b.raw { // the records of a batch are mostly of one install
			b.raw, b.install = it.Install, b.s.o.Keyring.Pseudonym(b.scope, string(it.Install))
		}
		o.Install = b.install
	}
	if it.Session != "" {
		key := b.s.o.Keyring.Hash64(b.scope, "session", string(it.Session))
		switch {
		case e.Session != nil:
			e.Session.Key = key
		case e.Crash != nil:
			e.Crash.SessionID = fmt.Sprintf("%016x", key)
		}
	}
	if it.ClientID != "" || it.Repeat != "" {
		e.Dedup = dedup(p.ID, string(it.Kind), it.ClientID+it.Repeat)
	}
	b.steps[0] = eco.Step{Stage: "received", Version: b.g.protocol, At: b.now}
	b.steps[1] = eco.Step{Stage: "consent", Version: consent.Version, Note: string(tier), At: b.now}
	if e.Kind == eco.KindCrash {
		if held, why := b.s.bursts.look(e, p.Quarantine, b.g.from, b.g.now); held {
			e.Quarantined = true
			b.steps[0].Note = "quarantined: " + why
		}
	} else {
		b.s.bursts.meet(p.ID, e.Origin.Install, b.g.now)
	}
	if e.Removed = b.s.o.Scrub.Envelope(e, &b.clean); len(e.Removed) == 0 {
		b.clean = e.Origin
	}
	b.steps[2] = eco.Step{Stage: "scrub", Version: scrub.Version, At: b.now}
	e.Steps = b.steps[:3]
	if it.Walk.Stage != "" {
		b.steps[3] = it.Walk
		b.steps[3].At = b.now
		e.Steps = b.steps[:4]
	}
	b.buf = eco.EncodeEnvelope(b.buf, e)
	b.ends = append(b.ends, len(b.buf))
	b.kept++
	held := ""
	if e.Quarantined {
		held = pipeline.Quarantined
	}
	b.count(string(it.Kind), pipeline.Accepted, held, 1)
	out := outcome{Kept: true, ID: e.ID}
	if e.Kind == eco.KindCrash {
		if b.first.IsZero() {
			b.first = e.ID
		}
		if r := b.s.o.Receipts; r != nil && b.answers {
			a := r.answer(p.Subject, e)
			out.Answer = &a
		}
	}
	return out
}

func (b *batch) drop(it *item.Item, reason string) {
	kind := string(it.Kind)
	if kind == "" {
		kind = it.Name
	}
	b.dropped += int(max(1, it.N))
	b.count(kind, pipeline.Dropped, reason, it.N)
}

func (b *batch) stop(category, code string) {
	if category == "" || category == "attachment" || category == "internal" {
		return
	}
	if b.stops == nil {
		b.stops = map[string]string{}
	}
	b.stops[category] = code
}

// count adds up; the counts are handed on once, when the answer is known.
func (b *batch) count(kind, end, reason string, n int64) {
	n = max(n, 1)
	for i := range b.counts {
		if c := &b.counts[i]; c.Kind == kind && c.Outcome == end && c.Reason == reason {
			c.N += n
			return
		}
	}
	b.counts = append(b.counts, pipeline.Count{Hour: b.now, Project: b.g.key.Project.ID, Protocol: b.g.protocol, Kind: kind, Outcome: end, Reason: reason, N: n})
}

// flush appends what is kept, in one call, and hands on the counts. On an error
// nothing was kept, and what was accepted counts as dropped for now: the client
// will send it again, or lose it.
func (b *batch) flush(ctx context.Context) error {
	var err error
	if len(b.ends) > 0 {
		records, from := make([][]byte, len(b.ends)), 0
		for i, end := range b.ends {
			records[i] = b.buf[from:end:end]
			from = end
		}
		if _, err = b.s.o.Append(ctx, records...); err == nil {
			b.s.quota.add(b.g.key.Key.Public, b.g.key.Project.ID, int64(len(records)), b.g.now)
		}
	}
	for _, c := range b.counts {
		if err != nil && c.Outcome == pipeline.Accepted {
			c.Outcome, c.Reason = pipeline.Dropped, "later"
		}
		b.s.o.Count(c)
	}
	b.counts = b.counts[:0]
	if err != nil && fault.CodeOf(err) != fault.TooLarge {
		return later(err)
	}
	return err
}

// repeated hands on the counts of a batch that came before: nothing is appended.
func (b *batch) repeated() {
	for _, c := range b.counts {
		if c.Outcome == pipeline.Accepted {
			c.Outcome, c.Reason = pipeline.Dropped, "repeat"
		}
		b.s.o.Count(c)
	}
	b.counts, b.ends = b.counts[:0], b.ends[:0]
}

func (b *batch) time(ms int64) int64 {
	if ms <= 0 || ms > b.now+maxAhead {
		return b.now
	}
	return ms
}

func weight(w float64) float64 {
	switch {
	case !(w >= 1): // also NaN
		return 0
	case w > maxWeight:
		return maxWeight
	}
	return w
}

func classOf(k eco.Kind) eco.Class {
	switch k {
	case eco.KindCrash:
		return eco.ClassCrash
	case eco.KindFeedback:
		return eco.ClassSupport
	}
	return eco.Standard
}

// dedup hashes what makes a repeat recognisable; never 0.
func dedup(project int64, kind, id string) uint64 {
	buf := make([]byte, 0, 96)
	buf = binary.LittleEndian.AppendUint64(buf, uint64(project))
	buf = append(append(append(buf, kind...), 0), id...)
	sum := sha256.Sum256(buf)
	return max(1, binary.LittleEndian.Uint64(sum[:]))
}

// random gives ids; it asks the source for many bytes at once.
type random struct {
	fill func([]byte)
	pool randomPool
}

func (r *random) id(at time.Time) eco.ID {
	var b [16]byte
	r.pool.read(r.fill, b[6:])
	return eco.NewID(at, b)
}

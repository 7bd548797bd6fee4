package pipeline

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// store decides a batch and commits it, step by step; each step is tried until it
// succeeds or ctx is done.
func (w *Worker) store(ctx context.Context, b *batch) error {
	began := w.o.Now()
	var letters map[string]string
	err := w.persist(ctx, "letters", func() (err error) {
		letters, err = w.replaying(ctx)
		return err
	})
	if err != nil {
		return err
	}
	before := replayedOf(letters)
	w.decide(b.items, letters, began)
	families := seen(b.items)
	blocks, err := w.snapshots()
	if err != nil {
		return err
	}
	documents := w.documents(b.items)
	decisions := encodeDecisions(b.items)
	err = w.persist(ctx, "families", func() error {
		return w.o.Flow.Tx(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO flow_batch (one, after_seq, upto_seq, decisions) VALUES (1, $1, $2, $3)
				ON CONFLICT (one) DO UPDATE SET after_seq = excluded.after_seq, upto_seq = excluded.upto_seq, decisions = excluded.decisions`,
				int64(b.after), int64(b.upto), decisions)
			if err != nil {
				return err
			}
			if err := w.o.Desk.Record(ctx, tx, families, blocks); err != nil {
				return err
			}
			if err := settleLetters(ctx, tx, letters, before); err != nil {
				return err
			}
			return w.bury(ctx, tx, b.items)
		})
	})
	if err != nil {
		return err
	}
	w.o.Desk.Recorded(families)
	return w.apply(ctx, b, documents, families, began)
}

// apply is what follows the decision of a batch, the first time or again.
func (w *Worker) apply(ctx context.Context, b *batch, documents []facts.Doc, families []crash.Seen, began time.Time) error {
	rows := make([]eco.Fact, 0, len(b.items))
	var feedback []eco.Envelope
	for i := range b.items {
		it := &b.items[i]
		if it.outcome != stored {
			continue
		}
		rows = append(rows, it.fact())
		if it.env.Kind == eco.KindFeedback {
			feedback = append(feedback, *it.env)
		}
	}
	if len(feedback) > 0 && w.o.Feedback != nil {
		if err := w.persist(ctx, "feedback", func() error { return w.o.Feedback(ctx, feedback) }); err != nil {
			return err
		}
	}
	err := w.persist(ctx, "facts", func() error {
		return w.o.Facts.Insert(ctx, facts.Batch{Position: b.upto, Facts: rows, Docs: documents})
	})
	if err != nil {
		return err
	}
	w.announce(ctx, b.items)
	var reopened []crash.Change
	err = w.persist(ctx, "states", func() error {
		changes, err := w.o.Desk.Reopen(ctx, sightings(families))
		reopened = append(reopened, changes...)
		return err
	})
	if err != nil {
		return err
	}
	if err := w.persist(ctx, "cursor", func() error { return w.o.Stream.Commit(ctx, b.upto) }); err != nil {
		return err
	}
	w.count(b.items)
	if len(reopened) > 0 && w.o.Reopened != nil {
		w.o.Reopened(ctx, reopened)
	}
	stats := w.index.Stats()
	w.show(func(v *view) {
		v.position, v.newest, v.lastError = b.upto, w.newest, ""
		v.families, v.sessions, v.known = stats.Families, w.sessions.len(), w.known.len()
		v.lastBatch, v.rows = w.o.Now().Sub(began), int64(len(rows))
	})
	return nil
}

// replayLast stores the last decided batch again, unless the cursor says that it
// is done, and returns the position to go on from.
func (w *Worker) replayLast(ctx context.Context) (uint64, error) {
	var after, upto int64
	var decisions []byte
	err := w.o.Flow.Read().QueryRowContext(ctx, `SELECT after_seq, upto_seq, decisions FROM flow_batch WHERE one = 1`).Scan(&after, &upto, &decisions)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	s, err := w.o.Stream.Stats(ctx)
	if err != nil {
		return 0, err
	}
	if s.Last < uint64(upto) {
		return 0, errReplay
	}
	if s.Committed >= uint64(upto) {
		return uint64(upto), nil
	}
	decided, err := decodeDecisions(decisions)
	if err != nil {
		return 0, err
	}
	began := w.o.Now()
	b := &batch{after: uint64(after), upto: uint64(after)}
	for b.upto < uint64(upto) {
		messages, err := w.o.Stream.Read(ctx, b.upto, readAhead)
		if err != nil {
			return 0, err
		}
		for len(messages) > 0 && messages[len(messages)-1].Seq > uint64(upto) {
			messages = messages[:len(messages)-1]
		}
		if len(messages) == 0 { // the stream dropped the end of the batch by age
			break
		}
		w.addAll(b, messages)
	}
	b.upto = uint64(upto)
	for i := range b.items {
		it := &b.items[i]
		if d, ok := decided[i]; ok {
			it.recall(d)
		}
		if it.outcome == stored && w.o.Erased != nil && w.o.Erased(it.env) {
			it.outcome, it.reason = dropped, "erased"
		}
		if it.env != nil {
			w.newest = later(w.newest, it.env.Received)
		}
	}
	return b.upto, w.apply(ctx, b, w.documents(b.items), seen(b.items), began)
}

func later(t time.Time, ms int64) time.Time {
	if u := time.UnixMilli(ms); u.After(t) {
		return u
	}
	return t
}

// persist tries a step until it succeeds or ctx is done. Steps are idempotent.
func (w *Worker) persist(ctx context.Context, step string, do func() error) error {
	for attempt := 0; ; attempt++ {
		err := w.try(step, do)
		if err == nil {
			return nil
		}
		w.failing(step, err)
		if err := w.pause(ctx, attempt); err != nil {
			return err
		}
	}
}

func (w *Worker) try(step string, do func() error) error {
	if w.trip == nil {
		return do()
	}
	if err := w.trip(step, false); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return w.trip(step, true)
}

func (w *Worker) failing(step string, err error) {
	w.o.Log.Error("the flow waits", "step", step, "err", err)
	w.show(func(v *view) { v.lastError = step + ": " + reasonOf(err) })
}

// allEvery is how often, in batches, every dirty block is written. In between
// only those that learned something are: the others are dirty in what was used
// last, which a restart may forget, or were dropped for want of memory.
const allEvery = 64

// snapshots takes blocks of the family index. They are marked clean by that: the
// bytes are kept until they are committed.
func (w *Worker) snapshots() ([]crash.Block, error) {
	var out []crash.Block
	w.batches++
	for _, key := range w.index.Dirty() {
		if !w.changed[key] && w.batches%allEvery != 0 {
			continue
		}
		body, err := w.index.Snapshot(key)
		if err != nil {
			return nil, err
		}
		out = append(out, crash.Block{Key: key, Body: body})
	}
	clear(w.changed)
	return out, nil
}

func sightings(families []crash.Seen) []crash.Sighting {
	out := make([]crash.Sighting, len(families))
	for i, s := range families {
		out[i] = crash.Sighting{Family: s.Family, Releases: s.Releases, Happened: s.Happened}
	}
	return out
}

// count adds the outcomes of a batch up.
func (w *Worker) count(items []item) {
	if w.o.Counts == nil {
		return
	}
	sums := map[Count]int64{}
	for i := range items {
		it := &items[i]
		c := Count{Outcome: outcomes[it.outcome], Reason: it.reason}
		if it.env != nil {
			c.Project, c.Protocol, c.Kind = it.env.Origin.Project, it.env.Protocol, string(it.env.Kind)
		}
		if it.outcome == dead {
			c.Reason = it.stage
		}
		sums[c]++
	}
	for c, n := range sums {
		c.N = n
		w.o.Counts.Add(c)
	}
}

// maxAnnounced bounds the memory of releases that were told; when it is full
// everything is told again.
const maxAnnounced = 50_000

// announce tells the register of versions that were not seen since the start. A
// failure is told to the log; the next sight of the version tries again.
func (w *Worker) announce(ctx context.Context, items []item) {
	if w.o.Releases == nil {
		return
	}
	var fresh []Release
	look := func(r Release, ms int64) {
		if r.Version == "" || r.Extension == "" && r.Host == "" {
			return
		}
		if _, known := w.releases[r]; known {
			return
		}
		if len(w.releases) >= maxAnnounced {
			clear(w.releases)
		}
		w.releases[r] = struct{}{}
		r.Seen = time.UnixMilli(ms).UTC()
		fresh = append(fresh, r)
	}
	for i := range items {
		it := &items[i]
		if it.outcome != stored || it.env.Quarantined {
			continue
		}
		o := &it.env.Origin
		if o.Extension != "" {
			look(Release{Extension: o.Extension, Version: o.ExtVersion, Channel: o.Channel}, it.env.Received)
			look(Release{Host: o.Host, Version: o.HostVersion}, it.env.Received)
		} else {
			look(Release{Host: o.Host, Version: o.HostVersion, Channel: o.Channel}, it.env.Received)
		}
		if it.crashPart != nil && it.blame.Extension != "" && it.blame.Extension != o.Extension {
			look(Release{Extension: it.blame.Extension, Version: it.release}, it.env.Received)
		}
	}
	if len(fresh) == 0 {
		return
	}
	if err := w.o.Releases(ctx, fresh); err != nil {
		w.o.Log.Error("releases are not registered", "n", len(fresh), "err", err)
		for _, r := range fresh {
			r.Seen = time.Time{}
			delete(w.releases, r)
		}
	}
}

// documents writes the documents of a batch, in parallel, in its order.
func (w *Worker) documents(items []item) []facts.Doc {
	now := w.o.Now().UnixMilli()
	var at []int
	for i := range items {
		if it := &items[i]; it.outcome == stored {
			switch it.env.Kind {
			case eco.KindCrash:
				it.step("store", "doc/1", "", now)
				at = append(at, i)
			case eco.KindSession, eco.KindFeedback:
				at = append(at, i)
			}
		}
	}
	docs := make([]facts.Doc, len(at))
	kept := make([]bool, len(at))
	inParallel(len(at), func(i int) {
		it := &items[at[i]]
		d, ok, err := document(it)
		if err != nil { // only a value that JSON cannot say; sound and finite leave none
			w.o.Log.Error("a document is not written", "crash", it.env.ID.String(), "err", err)
		}
		docs[i], kept[i] = d, ok && err == nil
	})
	out := docs[:0]
	for i, d := range docs {
		if kept[i] {
			out = append(out, d)
		}
	}
	return out
}

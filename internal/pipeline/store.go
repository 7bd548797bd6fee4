package pipeline

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/bellwether-project/bellwether/internal/crash"
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
	if err := w.persist(ctx, "links", func() error { return w.learnLinks(ctx) }); err != nil {
		return err
	}
	if err := w.persist(ctx, "signatures", func() error { return w.learnSigned(ctx, b.items) }); err != nil {
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

// learnLinks gives the index what people merged and split since the last batch. It
// decides where crashes are kept from now on; what was kept before, and what is
// decided before the worker learns of it, is put right whenever it is read (see
// crash.Links), so that nothing hangs on the moment.
func (w *Worker) learnLinks(ctx context.Context) error {
	l, err := w.o.Desk.Links(ctx)
	if err == nil && l != w.links {
		w.index.Link(l)
		w.links = l
	}
	return err
}

// apply is what follows the decision of a batch, the first time or again.
func (w *Worker) apply(ctx context.Context, b *batch, documents []facts.Doc, families []crash.Seen, began time.Time) error {
	rows := slices.Grow(w.rows[:0], len(b.items))
	defer func() {
		clear(rows)
		w.rows = rows
	}()
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

// persist tries a step until it succeeds or ctx is done. Steps are idempotent.
func (w *Worker) persist(ctx context.Context, step string, do func() error) error {
	for attempt := 0; ; attempt++ {
		err := w.try(step, do)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil { // the end, not a failure: the next start goes on here
			return ctx.Err()
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
			c.Hour = it.env.Received - it.env.Received%time.Hour.Milliseconds()
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

package pipeline

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// What the door held as a burst that looks forged lies in facts, marked, in no
// count, family or blame, until a person decides. Releasing sends the kept
// documents down the same line again, by the rules of today; the results are
// stored, on their day of receipt, under ids made from the old ones, and then the
// held rows are erased. Interrupted anywhere, the next release adds only what is
// not there yet: nothing counts twice, and what is not stored stays held.

// Held is a decision about crashes that are held.
type Held struct {
	Project   int64
	Signature string    // only those of this one; "" = all
	Before    time.Time // received before; later ones stay held. Zero: now
	Actor     string
}

// HeldResult is what a decision did.
type HeldResult struct {
	Crashes int64 `json:"crashes"`
	More    bool  `json:"more,omitempty"` // MaxRelease were let go; the rest waits for another call
}

// MaxRelease bounds the crashes of one Release: some five seconds of work (2,000 took 0.44 s on two cores).
const MaxRelease = 20_000

// releaseStep names the step of a crash's lineage in which a person let it go.
const releaseStep = "release"

func (h *Held) upto(now time.Time) eco.ID {
	if h.Before.IsZero() || h.Before.After(now) {
		h.Before = now
	}
	return eco.NewID(h.Before.Add(-time.Millisecond), [16]byte{6: 0xff, 7: 0xff, 8: 0xff, 9: 0xff, 10: 0xff, 11: 0xff, 12: 0xff, 13: 0xff, 14: 0xff, 15: 0xff})
}

// DiscardHeld erases held crashes. That cannot be undone.
func (w *Worker) DiscardHeld(ctx context.Context, h Held) (HeldResult, error) {
	const op = "pipeline.DiscardHeld"
	upto := h.upto(w.o.Now())
	if err := w.tellHeld(ctx, &h, "quarantine.discard"); err != nil {
		return HeldResult{}, err
	}
	r, err := w.o.Facts.Erase(ctx, facts.Subject{Project: h.Project, Held: &facts.Held{Upto: upto, Signature: h.Signature}})
	return HeldResult{Crashes: r.Rows}, fault.Wrap(op, err)
}

// ReleaseHeld lets held crashes go: they get families and blame and count from
// then on. It needs a worker that runs in this process.
func (w *Worker) ReleaseHeld(ctx context.Context, h Held) (HeldResult, error) {
	const op = "pipeline.ReleaseHeld"
	var out HeldResult
	upto := h.upto(w.o.Now())
	if err := w.tellHeld(ctx, &h, "quarantine.release"); err != nil {
		return out, err
	}
	last, from := eco.ID{}, eco.ID{}
	for {
		list, next, err := w.o.Desk.HeldCrashes(ctx, h.Project, h.Signature, from, upto, crash.MaxHeldPage)
		if err != nil {
			return out, err
		}
		if len(list) > 0 {
			if err := w.inTurn(ctx, func(turn context.Context) error { return w.release(turn, list) }); err != nil {
				return out, fault.Wrap(op, err)
			}
			last = list[len(list)-1].Fact.ID
			out.Crashes += int64(len(list))
		}
		if next.IsZero() || len(list) == 0 {
			break
		}
		if from = next; out.Crashes >= MaxRelease {
			out.More = true
			break
		}
	}
	if last.IsZero() {
		return out, nil
	}
	_, err := w.o.Facts.Erase(ctx, facts.Subject{Project: h.Project, Held: &facts.Held{Upto: last, Signature: h.Signature}})
	return out, fault.Wrap(op, err)
}

// tellHeld writes the audit entry before the deed: the two live in two databases.
func (w *Worker) tellHeld(ctx context.Context, h *Held, action string) error {
	if w.o.Audit == nil {
		return nil
	}
	note := "received before " + h.Before.UTC().Format(time.RFC3339)
	if h.Signature != "" {
		note += ", signature " + eco.Clean(h.Signature, 64)
	}
	return w.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		return w.o.Audit.Append(ctx, tx, audit.Entry{Actor: h.Actor, Action: action, Ref: eco.Ref{Kind: "project", ID: strconv.FormatInt(h.Project, 10)}, Note: note})
	})
}

// turn is work that needs what the goroutine of Run owns.
type turn struct {
	do   func(context.Context) error
	done chan error
}

// turnWait bounds how long somebody waits for the worker to take a turn in.
const turnWait = 30 * time.Second

// inTurn runs f between two batches of the running worker.
func (w *Worker) inTurn(ctx context.Context, f func(context.Context) error) error {
	t := turn{f, make(chan error, 1)}
	wait := time.NewTimer(turnWait)
	defer wait.Stop()
	select {
	case w.turns <- t:
		return <-t.done // it has begun, and ends with the worker at the latest
	case <-wait.C:
	case <-ctx.Done():
	}
	return fault.E("pipeline.inTurn", fault.Unavailable, "The flow does not run here, or is too busy; try again.", ctx.Err())
}

// release places and stores held crashes as new ones. In the goroutine of Run.
func (w *Worker) release(ctx context.Context, list []crash.HeldCrash) error {
	items, err := w.letGo(ctx, list)
	if err != nil || len(items) == 0 {
		return err
	}
	if err := w.learnLinks(ctx); err != nil {
		return err
	}
	began := w.o.Now()
	w.prepare(items)
	if err := w.learnSigned(ctx, items); err != nil {
		return err
	}
	for i := range items {
		it := &items[i]
		if it.outcome != stored {
			continue
		}
		if w.o.Erased != nil && w.o.Erased(it.env) {
			it.outcome, it.reason = dropped, "erased"
			continue
		}
		if err := w.settle(it, began); err != nil {
			it.outcome, it.stage, it.reason = dead, "place", reasonOf(err)
		}
	}
	families := seen(items)
	blocks, err := w.snapshots()
	if err != nil {
		return err
	}
	docs := w.documents(items)
	var rows []eco.Fact
	for i := range items {
		if items[i].outcome == stored {
			rows = append(rows, items[i].fact())
		}
	}
	err = w.persist(ctx, "families", func() error {
		return w.o.Flow.Tx(ctx, func(tx *sql.Tx) error {
			if err := w.o.Desk.Record(ctx, tx, families, blocks); err != nil {
				return err
			}
			return w.bury(ctx, tx, items)
		})
	})
	if err != nil {
		return err
	}
	w.o.Desk.Recorded(families)
	if err := w.o.Facts.Insert(ctx, facts.Batch{Facts: rows, Docs: docs}); err != nil {
		return err
	}
	w.announce(ctx, items)
	reopened, err := w.o.Desk.Reopen(ctx, sightings(families))
	if len(reopened) > 0 && w.o.Reopened != nil {
		w.o.Reopened(ctx, reopened)
	}
	return err
}

// letGo makes the records of held crashes that were not let go before.
func (w *Worker) letGo(ctx context.Context, list []crash.HeldCrash) ([]item, error) {
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = crash.Freed(list[i].Fact.ID).String()
	}
	r, err := w.o.Facts.Query(ctx, facts.Query{Scope: facts.Everything(), Where: []facts.Cond{{Col: facts.ID, Op: facts.In, Values: ids}, anyQuarantine},
		Group: []facts.Column{facts.ID}, Measures: []facts.Measure{{Fn: facts.Rows}}, Limit: len(ids)})
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for _, row := range r.Rows {
		id, _ := row[0].(string)
		there[id] = true
	}
	now := w.o.Now().UnixMilli()
	var items []item
	for i := range list {
		h := &list[i]
		if there[ids[i]] {
			continue
		}
		e := eco.Envelope{ID: crash.Freed(h.Fact.ID), Received: h.Fact.Received, Time: h.Fact.Time, Kind: eco.KindCrash, Tier: eco.TierCrash, Class: h.Fact.Class,
			ClientID: h.Fact.ClientID, Dedup: h.Fact.Dedup, Origin: h.Fact.Origin,
			Crash: &eco.Crash{Level: h.Fact.Level, Exceptions: []eco.Exception{{Type: h.Fact.Name, Parent: -1}}}} // what is left of one without its document
		if h.Whole {
			e.Crash, e.Protocol, e.Weight, e.Origin, e.Removed = &h.Doc.Crash, h.Doc.Protocol, h.Doc.Weight, h.Doc.Origin, h.Doc.Removed
			for _, s := range h.Doc.Steps {
				if s.Stage == "received" || s.Stage == "consent" || s.Stage == "scrub" {
					e.Steps = append(e.Steps, s)
				}
			}
		}
		e.Steps = append(e.Steps, eco.Step{Stage: releaseStep, Version: "1", Note: "a person let it go; held as " + h.Fact.ID.String(), At: now})
		items = append(items, item{raw: eco.EncodeEnvelope(nil, &e)})
	}
	return items, nil
}

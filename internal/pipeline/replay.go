package pipeline

import (
	"context"
	"errors"
	"time"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/fault"
)

var errReplay = fault.E("pipeline.Run", fault.Conflict, "The stream is older than what was stored from it; it must not be restored alone.", nil)

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
	if err := w.learnSigned(ctx, b.items); err != nil {
		return 0, err
	}
	for i := range b.items {
		it := &b.items[i]
		if d, ok := decided[i]; ok {
			w.recallCounted(it, d, began)
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

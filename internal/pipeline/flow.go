package pipeline

import (
	"context"
	"errors"
	"time"

	"github.com/bellwether-project/bellwether/internal/stream"
)

// A batch waits at most linger for company, so that the store has fewer and
// larger inserts, and is closed early by its size: above 20,000 rows or 8 MB an
// insert gets no cheaper per record, only memory dearer. Two batches are in memory
// at a time: one being stored, one being formed.
const (
	linger    = 250 * time.Millisecond
	maxRows   = 20_000
	maxBytes  = 8 << 20
	readAhead = 16 // messages of one read, each of a commit group (256 KB) or one large record (at most 8 MB)
)

// batch is a run of whole messages. Its last sequence number is its position.
type batch struct {
	after, upto uint64
	bytes       int
	items       []item
	closed      bool // the next message would make it too large
}

func (w *Worker) full(b *batch) bool {
	return b.closed || len(b.items) >= w.maxRows || b.bytes >= maxBytes
}

// add takes messages in and prepares their records. What does not fit is left for
// the next read; the first message always fits.
func (w *Worker) add(b *batch, messages []stream.Message) {
	n, rows, bytes := 0, len(b.items), b.bytes
	for _, m := range messages {
		if rows >= w.maxRows || bytes >= maxBytes || rows > 0 && rows+len(m.Records) > 2*w.maxRows {
			break
		}
		rows += len(m.Records)
		for _, r := range m.Records {
			bytes += len(r)
		}
		n++
	}
	w.addAll(b, messages[:n])
}

func (w *Worker) addAll(b *batch, messages []stream.Message) {
	from := len(b.items)
	for _, m := range messages {
		for _, r := range m.Records {
			b.items = append(b.items, item{seq: m.Seq, raw: r})
			b.bytes += len(r)
		}
		b.upto = m.Seq
	}
	w.prepare(b.items[from:])
}

// flow forms batches in one goroutine and stores them in another.
func (w *Worker) flow(ctx context.Context, position uint64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ready := make(chan *batch)
	rooms := make(chan []item, 1) // of batches that are stored, to be used again
	failed := make(chan error, 1)
	go func() {
		defer close(ready)
		failed <- w.read(ctx, position, ready, rooms)
	}()
	var err error
	for open := true; open && err == nil; {
		select {
		case b, ok := <-ready:
			if open = ok; ok {
				err = w.store(ctx, b)
				clear(b.items)
				select {
				case rooms <- b.items[:0]:
				default:
				}
			}
		case t := <-w.turns:
			t.done <- t.do(ctx)
		}
	}
	if err != nil {
		cancel()
	}
	for range ready { // the reader sees the end of ctx
	}
	return ended(ctx, errors.Join(err, <-failed))
}

// read forms batches and hands them over. While one is being stored the next one
// grows, up to its bounds: the busier the store, the larger its inserts.
func (w *Worker) read(ctx context.Context, position uint64, ready chan<- *batch, rooms <-chan []item) error {
	for attempt := 0; ; {
		messages, err := w.o.Stream.Read(ctx, position, readAhead)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			w.failing("read", err)
			if w.pause(ctx, attempt) != nil {
				return nil
			}
			attempt++
			continue
		}
		attempt = 0
		b := &batch{after: position}
		select {
		case b.items = <-rooms:
		default:
		}
		w.add(b, messages)
		if !w.handOver(ctx, b, ready) {
			return nil
		}
		position = b.upto
	}
}

// fill lets a batch wait for company.
func (w *Worker) fill(ctx context.Context, b *batch) {
	ctx, cancel := context.WithTimeout(ctx, linger)
	defer cancel()
	for !w.full(b) && ctx.Err() == nil {
		messages, err := w.o.Stream.Read(ctx, b.upto, readAhead)
		if err != nil {
			return // the end of the wait, or a fault that the next read meets again
		}
		upto := b.upto
		if w.add(b, messages); b.upto == upto { // the next message does not fit
			b.closed = true
			return
		}
	}
}

// handOver fills a batch until the store is free to take it.
func (w *Worker) handOver(ctx context.Context, b *batch, ready chan<- *batch) bool {
	for !w.full(b) {
		w.fill(ctx, b)
		select {
		case ready <- b:
			return true
		case <-ctx.Done():
			return false
		default: // the one before is still being stored
		}
	}
	select {
	case ready <- b:
		return true
	case <-ctx.Done():
		return false
	}
}

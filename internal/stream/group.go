package stream

import (
	"context"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// GroupOptions bound a Group; zero fields mean the default.
type GroupOptions struct {
	MaxBytes   int           // of one shared message: 256 KiB. One caller's records may be more, up to MaxMessage
	MaxWait    time.Duration // that one append to the log may take: 30 s
	MaxPending int64         // bytes that wait or are being appended: 64 MiB
	InFlight   int           // appends at a time: 1. More give no order between messages but the log's own
}

// Group lets callers that arrive together share one message of the log, and so
// one fsync. It adds no delay: when nothing is being appended the first caller's
// records go at once, and whatever arrives until that append ends goes next.
type Group struct {
	log  Log
	opts GroupOptions

	mu      sync.Mutex
	queue   []*batch // waiting; callers join the last one
	flying  int      // appends at work
	pending int64
	closed  bool
	work    sync.WaitGroup
}

// batch becomes one message. What it holds but records is written before done
// is closed and read after.
type batch struct {
	records [][]byte
	bytes   int
	done    chan struct{}
	seq     uint64
	err     error
}

// NewGroup puts a group before a log. The caller keeps the log and closes it after the group.
func NewGroup(log Log, o GroupOptions) *Group {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 256 << 10
	}
	if o.MaxWait <= 0 {
		o.MaxWait = 30 * time.Second
	}
	if o.MaxPending <= 0 {
		o.MaxPending = 64 << 20
	}
	if o.InFlight <= 0 {
		o.InFlight = 1
	}
	return &Group{log: log, opts: o}
}

// Append stores the records, all in one message, and returns its sequence number
// after they are durable. The records must not be changed afterwards, even when
// ctx ended first: then they may be stored or not. fault.Unavailable: too much
// is waiting, the log cannot take it, or the group is closed; try later.
func (g *Group) Append(ctx context.Context, records ...[]byte) (uint64, error) {
	const op = "stream.Group.Append"
	size := 0
	for _, r := range records {
		size += len(r)
	}
	if len(records) == 0 {
		return 0, fault.E(op, fault.Invalid, "There is nothing to append.", nil)
	}
	if size > MaxMessage {
		return 0, fault.E(op, fault.TooLarge, "The records are more than one message can hold.", nil)
	}
	if err := ctx.Err(); err != nil {
		return 0, fault.E(op, fault.Unavailable, "The request ended before it was stored.", err)
	}
	b, err := g.join(records, size)
	if err != nil {
		return 0, err
	}
	select {
	case <-b.done:
		return b.seq, b.err
	case <-ctx.Done():
		return 0, fault.E(op, fault.Unavailable, "The request ended before it was stored.", ctx.Err())
	}
}

func (g *Group) join(records [][]byte, size int) (*batch, error) {
	const op = "stream.Group.Append"
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, fault.E(op, fault.Unavailable, "The server is shutting down.", nil)
	}
	if g.pending > 0 && g.pending+int64(size) > g.opts.MaxPending {
		return nil, fault.E(op, fault.Unavailable, "Too much is waiting to be stored; try again in a moment.", nil)
	}
	g.pending += int64(size)
	var b *batch
	if n := len(g.queue); n > 0 && g.queue[n-1].bytes+size <= g.opts.MaxBytes {
		b = g.queue[n-1]
	} else {
		b = &batch{done: make(chan struct{})}
		g.queue = append(g.queue, b)
	}
	b.records = append(b.records, records...)
	b.bytes += size
	if g.flying < g.opts.InFlight {
		g.flying++
		g.work.Go(g.run)
	}
	return b, nil
}

// run appends batches until none waits.
func (g *Group) run() {
	for {
		g.mu.Lock()
		if len(g.queue) == 0 {
			g.flying--
			g.mu.Unlock()
			return
		}
		b := g.queue[0]
		g.queue[0] = nil
		g.queue = g.queue[1:]
		g.mu.Unlock()

		ctx, cancel := context.WithTimeout(context.Background(), g.opts.MaxWait)
		b.seq, b.err = g.log.Append(ctx, b.records)
		cancel()

		g.mu.Lock()
		g.pending -= int64(b.bytes)
		g.mu.Unlock()
		b.records = nil
		close(b.done)
	}
}

// Pending returns the bytes that wait or are being appended, and the bound.
func (g *Group) Pending() (bytes, max int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.pending, g.opts.MaxPending
}

// Close refuses new records and waits until those it took are answered.
func (g *Group) Close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.work.Wait()
}

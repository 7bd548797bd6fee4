package stream

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Mem is a log in memory, for tests and for a server that need not remember.
type Mem struct {
	max int64

	mu        sync.Mutex
	held      []Message
	bytes     int64
	last      uint64
	committed uint64
	closed    bool
	grown     chan struct{} // closed, and replaced, when something is appended or the log closes
}

// NewMem makes a log that holds at most max bytes of records.
func NewMem(max int64) *Mem { return &Mem{max: max, grown: make(chan struct{})} }

// Append copies the records.
func (m *Mem) Append(ctx context.Context, records [][]byte) (uint64, error) {
	const op = "stream.Mem.Append"
	size := int64(0)
	kept := make([][]byte, len(records))
	for i, r := range records {
		size += int64(len(r))
		kept[i] = bytes.Clone(r)
		if kept[i] == nil {
			kept[i] = []byte{}
		}
	}
	switch {
	case len(records) == 0:
		return 0, fault.E(op, fault.Invalid, "There is nothing to append.", nil)
	case size > MaxMessage:
		return 0, fault.E(op, fault.TooLarge, "The records are more than one message can hold.", nil)
	case ctx.Err() != nil:
		return 0, fault.E(op, fault.Unavailable, "The request ended before it was stored.", ctx.Err())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || m.bytes+size > m.max {
		return 0, fault.E(op, fault.Unavailable, "The log is full or closed.", nil)
	}
	m.last++
	m.bytes += size
	m.held = append(m.held, Message{Seq: m.last, Appended: time.Now().UTC(), Records: kept})
	m.wake()
	return m.last, nil
}

func (m *Mem) wake() {
	close(m.grown)
	m.grown = make(chan struct{})
}

// Read returns what is held after seq.
func (m *Mem) Read(ctx context.Context, after uint64, max int) ([]Message, error) {
	const op = "stream.Mem.Read"
	if max <= 0 {
		return nil, fault.E(op, fault.Invalid, "A read asks for at least one message.", nil)
	}
	for {
		m.mu.Lock()
		var out []Message
		for _, msg := range m.held {
			if msg.Seq > after && len(out) < max {
				out = append(out, msg)
			}
		}
		closed, grown := m.closed, m.grown
		m.mu.Unlock()
		if len(out) > 0 {
			return out, nil
		}
		if closed {
			return nil, fault.E(op, fault.Unavailable, "The log is closed.", nil)
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Commit drops messages up to seq.
func (m *Mem) Commit(_ context.Context, seq uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if seq > m.last {
		return fault.E("stream.Mem.Commit", fault.Invalid, "The log has no such message.", nil)
	}
	m.committed = max(m.committed, seq)
	for len(m.held) > 0 && m.held[0].Seq <= m.committed {
		for _, r := range m.held[0].Records {
			m.bytes -= int64(len(r))
		}
		m.held[0] = Message{}
		m.held = m.held[1:]
	}
	return nil
}

// Stats counts what is held.
func (m *Mem) Stats(context.Context) (Stats, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := Stats{First: m.last + 1, Last: m.last, Committed: m.committed, Messages: uint64(len(m.held)), Bytes: uint64(m.bytes)}
	if len(m.held) > 0 {
		s.First, s.Oldest = m.held[0].Seq, m.held[0].Appended
	}
	return s, nil
}

// Close refuses what comes later.
func (m *Mem) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.closed = true
		m.wake()
	}
	return nil
}

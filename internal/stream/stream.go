// Package stream is the durable, ordered log between the doors and the pipeline.
// Append returns only after the bytes are on disk. What it is not: a queue with
// many readers, or a place to look things up.
package stream

import (
	"context"
	"time"
)

// Message is one entry of the log: the records of one commit group.
type Message struct {
	Seq      uint64
	Appended time.Time
	Records  [][]byte
}

// Stats is what the Intake page shows of the log.
type Stats struct {
	First, Last uint64    // sequence numbers held
	Committed   uint64    // the reader's cursor
	Messages    uint64    // held
	Bytes       uint64    // held
	Oldest      time.Time // when the oldest message that is not committed was appended; zero when there is none
}

// Log is the contract; streamtest.Run is its suite. One reader at a time.
type Log interface {
	// Append stores the records as one message and returns its sequence number
	// after it is durable. fault.Unavailable: full or closing, try later;
	// fault.TooLarge: more than MaxMessage bytes.
	Append(ctx context.Context, records [][]byte) (uint64, error)
	// Read returns up to max messages after seq in order, waiting until there is
	// at least one or ctx is done.
	Read(ctx context.Context, after uint64, max int) ([]Message, error)
	// Commit moves the durable cursor: messages up to seq may be dropped.
	Commit(ctx context.Context, seq uint64) error
	// Stats reports positions and sizes.
	Stats(ctx context.Context) (Stats, error)
	// Close waits for appends under way.
	Close() error
}

// MaxMessage bounds one message, in bytes of its records together.
const MaxMessage = 8 << 20

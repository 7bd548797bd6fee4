package jet

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/stream"
)

// Read fetches messages by position. It stops early, but never before the first,
// when it has read 4 MiB.
func (l *Log) Read(ctx context.Context, after uint64, max int) ([]stream.Message, error) {
	const op = "jet.Read"
	if max <= 0 {
		return nil, fault.E(op, fault.Invalid, "A read asks for at least one message.", nil)
	}
	for look := l.srv == nil; ; {
		l.mu.Lock()
		closed, grown := l.closed, l.grown
		l.mu.Unlock()
		if closed {
			return nil, fault.E(op, fault.Unavailable, "The log is closed.", nil)
		}
		if out := l.recent.read(after, max); len(out) > 0 {
			return out, nil
		}
		out, err := l.fetch(ctx, after, max, look)
		if len(out) > 0 {
			return out, nil // an error behind the last one will come again
		}
		if err != nil {
			return nil, err
		}
		var again <-chan time.Time
		if l.srv == nil { // a notice may get lost while a cluster changes leaders
			again = time.After(time.Second)
		}
		select {
		case <-grown:
		case <-again:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// fetch returns what is stored now; nothing is no error. Unless told to look, it
// trusts that what it has not heard of is not there.
func (l *Log) fetch(ctx context.Context, after uint64, max int, look bool) (out []stream.Message, err error) {
	const op = "jet.Read"
	for size := 0; len(out) < max && size < maxRead && (look || after < l.last.Load()); {
		// "The next one of this subject at or after": positions may be missing.
		raw, err := l.str.GetMsg(ctx, after+1, jetstream.WithGetMsgSubject(subject))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return out, nil
		}
		if err != nil {
			if ctx.Err() != nil {
				return out, ctx.Err()
			}
			return out, fault.E(op, fault.Unavailable, "The stream server does not answer.", err)
		}
		m := stream.Message{Seq: raw.Sequence, Appended: raw.Time.UTC()}
		if m.Records, err = stream.Unframe(raw.Data); err != nil {
			return out, err
		}
		out = append(out, m)
		if look {
			l.grew(raw.Sequence)
		}
		after, size = raw.Sequence, size+len(raw.Data)
	}
	return out, nil
}

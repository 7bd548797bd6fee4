package jet

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// reserve is the room on the disk, beside that for the message, below which an
// append is refused before it is tried.
const reserve = 8 << 20

// alarm is the embedded server's log. It hears of a failed write: after one the
// server's stream takes and drops nothing more, not even when there is room again,
// and answers nobody.
type alarm struct {
	broken atomic.Bool
	mu     sync.Mutex
	rings  chan struct{} // closed when it rings
}

func newAlarm() *alarm { return &alarm{rings: make(chan struct{})} }

// Errorf hears of errors; nothing is written anywhere.
func (a *alarm) Errorf(format string, _ ...any) {
	if strings.Contains(format, "write error") || strings.Contains(format, "will be DISABLED") {
		a.ring()
	}
}

// Warnf hears that the server gave its streams up for want of a permission.
func (a *alarm) Warnf(format string, _ ...any) {
	if strings.Contains(format, "disabling JetStream") {
		a.ring()
	}
}

// Fatalf, Noticef, Debugf and Tracef are what a logger of the server needs besides.
func (a *alarm) Fatalf(string, ...any)  { a.ring() }
func (a *alarm) Noticef(string, ...any) {}
func (a *alarm) Debugf(string, ...any)  {}
func (a *alarm) Tracef(string, ...any)  {}

func (a *alarm) ring() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.broken.Swap(true) {
		close(a.rings)
	}
}

func (a *alarm) heard() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rings
}

func (a *alarm) reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.broken.Swap(false) {
		a.rings = make(chan struct{})
	}
}

// room refuses what the disk has no room for, and restarts the streams of the
// embedded server when a write failed before.
func (l *Log) room(ctx context.Context, size int) error {
	if l.srv == nil {
		return nil
	}
	if l.reserve > 0 {
		if free, err := freeBytes(l.opts.Dir); err == nil && free < l.reserve+int64(size) {
			return fault.E("jet.Append", fault.Unavailable, "There is no room on the disk of the stream; try again later.", nil)
		}
	}
	if !l.alarm.broken.Load() {
		return nil
	}
	return l.mend(ctx)
}

// hasMessages reports whether there are files of messages in the folder.
func hasMessages(dir string) bool {
	blocks, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", name, "msgs", "*.blk"))
	for _, b := range blocks {
		if st, e := os.Stat(b); e != nil || st.Size() > 0 {
			return true
		}
	}
	return err != nil
}

// mend restarts the streams in place: what was acknowledged is on the disk and is
// found there again.
func (l *Log) mend(ctx context.Context) error {
	const op = "jet.mend"
	l.mending.Lock()
	defer l.mending.Unlock()
	if !l.alarm.broken.Load() {
		return nil
	}
	if free, err := freeBytes(l.opts.Dir); err == nil && free < reserve {
		return fault.E(op, fault.Unavailable, "There is no room on the disk of the stream; try again later.", nil)
	}
	if err := l.srv.ShutdownJetStream(); err != nil {
		return fault.E(op, fault.Unavailable, "The stream cannot be restarted.", err)
	}
	l.alarm.reset()
	err := l.srv.EnableJetStream(&server.JetStreamConfig{
		StoreDir: l.opts.Dir, SyncAlways: true, MaxMemory: maxMemory, MaxStore: l.opts.MaxBytes + 1<<20, Strict: true,
	})
	if err == nil {
		_, err = l.prepare(ctx, l.opts)
	}
	if err != nil {
		l.alarm.ring()
		return fault.E(op, fault.Unavailable, "The stream cannot be restarted.", err)
	}
	return nil
}

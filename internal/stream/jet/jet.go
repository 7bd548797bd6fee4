// Package jet keeps the stream in NATS JetStream: in this process with files
// under a folder, or in a cluster by URL. One commit group is one message, and
// an append is answered after its fsync (the embedded server syncs each message;
// a cluster's servers must be configured with sync_interval: always).
//
// Positions never go back: the cursor is kept beside the stream (a file in the
// folder, a key-value bucket in a cluster), and a stream that was emptied and
// lost count of itself is made anew to go on after it. At most one process may
// open a folder.
package jet

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/stream"
)

// Options say where the stream lives.
type Options struct {
	Dir      string        // embedded: the folder, made when it is missing
	MaxBytes int64         // a log that holds this much refuses: 2 GiB when 0
	MaxAge   time.Duration // messages older than this are gone, read or not: 24 h when 0
	URL      string        // a cluster's address instead of Dir
	Replicas int           // in a cluster: 3 when 0
}

const (
	name       = "BELLWETHER"
	subject    = "bellwether.intake"
	bucket     = "bellwether-cursor"
	maxPayload = stream.MaxMessage + 1<<20 // the frame of many small records takes room too
	maxRead    = 4 << 20                   // a read stops after the message that passes this many bytes
)

// Log is the open stream.
type Log struct {
	srv    *server.Server // nil in a cluster
	unlock func() error
	nc     *nats.Conn
	js     jetstream.JetStream
	str    jetstream.Stream
	cursor cursor
	wakers jetstream.ConsumeContext // nil when embedded

	opts    Options
	alarm   *alarm // of the embedded server
	mending sync.Mutex
	reserve int64

	recent    recent        // embedded only: in a cluster others append, too
	last      atomic.Uint64 // highest position known to be stored
	commit    sync.Mutex
	committed atomic.Uint64

	mu      sync.Mutex
	closed  bool
	grown   chan struct{} // closed, and replaced, when something was appended or the log closes
	appends sync.WaitGroup
}

// cursor keeps one position.
type cursor interface {
	load(ctx context.Context) (uint64, error)
	store(ctx context.Context, seq uint64) error
}

// Open starts the embedded server, or connects, and makes the stream.
func Open(ctx context.Context, o Options) (_ *Log, err error) {
	const op = "jet.Open"
	o.MaxBytes = cmp.Or(o.MaxBytes, 2<<30)
	o.MaxAge = cmp.Or(o.MaxAge, 24*time.Hour)
	l := &Log{grown: make(chan struct{}), alarm: newAlarm(), reserve: reserve}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.shut())
		}
	}()
	var connect nats.Option
	if o.URL == "" {
		o.Replicas = 1
		if l.srv, l.unlock, err = start(o, l.alarm); err != nil {
			return nil, err
		}
		connect = nats.InProcessServer(l.srv)
		l.cursor = file(o.Dir)
	} else {
		o.Replicas = cmp.Or(o.Replicas, 3)
		connect = func(*nats.Options) error { return nil }
	}
	if l.nc, err = nats.Connect(o.URL, connect, nats.Name("bellwether"), nats.MaxReconnects(-1), nats.Timeout(10*time.Second)); err != nil {
		return nil, fault.E(op, fault.Unavailable, "The stream server does not answer.", err)
	}
	if l.js, err = jetstream.New(l.nc, jetstream.WithDefaultTimeout(10*time.Second)); err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	if l.cursor == nil {
		if l.cursor, err = keyValue(ctx, l.js, o.Replicas); err != nil {
			return nil, err
		}
	}
	l.opts = o
	if l.str, err = l.prepare(ctx, o); err != nil {
		return nil, err
	}
	if o.URL != "" {
		if err := l.watch(ctx); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// prepare makes or updates the stream and takes up its positions.
func (l *Log) prepare(ctx context.Context, o Options) (jetstream.Stream, error) {
	const op = "jet.Open"
	conf := jetstream.StreamConfig{
		Name: name, Subjects: []string{subject}, Storage: jetstream.FileStorage, Replicas: o.Replicas,
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew,
		MaxBytes: o.MaxBytes, MaxAge: o.MaxAge, MaxMsgSize: maxPayload, AllowDirect: true,
	}
	at, err := l.cursor.load(ctx)
	if err != nil {
		return nil, err
	}
	var str jetstream.Stream
	open := func() (*jetstream.StreamInfo, error) {
		var err error
		if str, err = l.js.CreateOrUpdateStream(ctx, conf); err != nil {
			return nil, fault.E(op, fault.Unavailable, "The stream cannot be opened.", err)
		}
		return str.CachedInfo(), nil
	}
	switch s, err := l.js.Stream(ctx, name); {
	case err == nil:
		conf.FirstSeq = s.CachedInfo().Config.FirstSeq // may not be changed
	case o.URL == "" && hasMessages(o.Dir):
		// The server leaves out a stream that it could not read, on a full disk for
		// one; to make it anew would drop what was acknowledged.
		return nil, fault.E(op, fault.Unavailable, "The stream's files are there, but cannot be read; is the disk full?", err)
	}
	info, err := open()
	if err != nil {
		return nil, err
	}
	if info.State.LastSeq < at { // empty by then, for all up to the cursor was dropped
		if err := l.js.DeleteStream(ctx, name); err != nil {
			return nil, fault.E(op, fault.Unavailable, "The stream cannot be opened.", err)
		}
		conf.FirstSeq = at + 1
		if info, err = open(); err != nil {
			return nil, err
		}
	}
	if info.State.FirstSeq > 0 {
		at = max(at, info.State.FirstSeq-1)
	}
	l.committed.Store(at)
	l.last.Store(max(at, info.State.LastSeq))
	return str, nil
}

// Append publishes the records as one message.
func (l *Log) Append(ctx context.Context, records [][]byte) (uint64, error) {
	const op = "jet.Append"
	size := 0
	for _, r := range records {
		size += len(r)
	}
	if len(records) == 0 {
		return 0, fault.E(op, fault.Invalid, "There is nothing to append.", nil)
	}
	tooLarge := fault.E(op, fault.TooLarge, "The records are more than one message can hold.", nil)
	if size > stream.MaxMessage || len(records) > maxPayload {
		return 0, tooLarge
	}
	if err := ctx.Err(); err != nil {
		return 0, fault.E(op, fault.Unavailable, "The request ended before it was stored.", err)
	}
	payload := stream.Frame(records)
	if len(payload) > maxPayload {
		return 0, tooLarge
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return 0, fault.E(op, fault.Unavailable, "The log is closed.", nil)
	}
	l.appends.Add(1)
	l.mu.Unlock()
	defer l.appends.Done()
	if err := l.room(ctx, len(payload)); err != nil {
		return 0, err
	}
	ack, err := l.publish(ctx, payload)
	if err != nil {
		return 0, fault.E(op, fault.Unavailable, "The log cannot take more now; try again later.", err)
	}
	if l.srv != nil {
		if framed, err := stream.Unframe(payload); err == nil { // the caller's own records may be changed from now on
			l.recent.add(stream.Message{Seq: ack.Sequence, Appended: time.Now().UTC(), Records: framed}, len(payload))
		}
	}
	l.grew(ack.Sequence)
	return ack.Sequence, nil
}

// publish sends the payload. In a cluster a lost answer is asked for again under
// the same message id, which the servers store once.
func (l *Log) publish(ctx context.Context, payload []byte) (*jetstream.PubAck, error) {
	if l.srv != nil {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		heard, done := l.alarm.heard(), make(chan struct{})
		defer close(done)
		go func() { // the server does not answer what it could not write
			select {
			case <-heard:
				cancel(errWrite)
			case <-done:
			}
		}()
		return l.js.Publish(ctx, subject, payload)
	}
	return l.js.Publish(ctx, subject, payload, jetstream.WithMsgID(nats.NewInbox()),
		jetstream.WithRetryAttempts(5), jetstream.WithRetryWait(200*time.Millisecond))
}

var errWrite = errors.New("the stream could not be written")

// grew notes that seq is stored and wakes readers.
func (l *Log) grew(seq uint64) {
	for {
		old := l.last.Load()
		if old >= seq || l.last.CompareAndSwap(old, seq) {
			break
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		close(l.grown)
		l.grown = make(chan struct{})
	}
}

// watch has a cluster tell of messages that others append: their headers only.
func (l *Log) watch(ctx context.Context) error {
	const op = "jet.Open"
	c, err := l.js.OrderedConsumer(ctx, name, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverNewPolicy, HeadersOnly: true,
	})
	if err != nil {
		return fault.E(op, fault.Unavailable, "The stream cannot be watched.", err)
	}
	l.wakers, err = c.Consume(func(m jetstream.Msg) {
		if md, err := m.Metadata(); err == nil {
			l.grew(md.Sequence.Stream)
		}
	})
	if err != nil {
		return fault.E(op, fault.Unavailable, "The stream cannot be watched.", err)
	}
	return nil
}

// Commit stores the cursor, then drops what is before it.
func (l *Log) Commit(ctx context.Context, seq uint64) error {
	const op = "jet.Commit"
	l.commit.Lock()
	defer l.commit.Unlock()
	if seq <= l.committed.Load() {
		return nil
	}
	if seq > l.last.Load() {
		return fault.E(op, fault.Invalid, "The log has no such message.", nil)
	}
	if l.srv != nil && l.alarm.broken.Load() {
		if err := l.mend(ctx); err != nil {
			return err
		}
	}
	if err := l.cursor.store(ctx, seq); err != nil {
		return err
	}
	l.committed.Store(seq)
	l.recent.commit(seq)
	if err := l.str.Purge(ctx, jetstream.WithPurgeSequence(seq+1)); err != nil {
		return fault.E(op, fault.Unavailable, "The log could not be shortened.", err)
	}
	return nil
}

// Stats asks the server for the stream's state.
func (l *Log) Stats(ctx context.Context) (stream.Stats, error) {
	const op = "jet.Stats"
	info, err := l.str.Info(ctx)
	if err != nil {
		return stream.Stats{}, fault.E(op, fault.Unavailable, "The stream server does not answer.", err)
	}
	st := info.State
	s := stream.Stats{First: st.FirstSeq, Last: max(st.LastSeq, l.committed.Load()), Committed: l.committed.Load(), Messages: st.Msgs, Bytes: st.Bytes}
	if st.Msgs == 0 {
		s.First = s.Last + 1
	} else {
		s.Oldest = st.FirstTime.UTC()
	}
	return s, nil
}

// Close waits for appends under way and stops the embedded server.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	close(l.grown)
	l.mu.Unlock()
	l.appends.Wait()
	return l.shut()
}

func (l *Log) shut() error {
	if l.wakers != nil {
		l.wakers.Stop()
	}
	if l.nc != nil {
		l.nc.Close()
	}
	if l.srv != nil {
		l.srv.Shutdown()
		l.srv.WaitForShutdown()
	}
	if l.unlock != nil {
		return l.unlock()
	}
	return nil
}

// Package outbox is the durable queue of messages: put in the transaction of what
// they tell of, sent by whoever holds the lease, tried again with growing pauses,
// and shown for thirty days. A message is put together when it is sent, so that it
// says what its reader may see then.
//
// It knows nothing of families or people: a message has a target and items, and
// the caller's functions make of them what is sent, and by whom. Sending is at
// least once: a process that dies between the other side's answer and our note of
// it sends again, with the same id.
package outbox

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"log/slog"
	"time"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
)

//go:embed migrations/*.sql
var migrations embed.FS

// State is where a message stands.
type State string

const (
	Waiting State = "waiting" // for its time, or for another try
	Sending State = "sending" // a process holds its lease
	Sent    State = "sent"    // the other side has it
	Failed  State = "failed"  // given up; it can be sent again by hand
	Dropped State = "dropped" // there was nothing to say any more
)

// Retries are the pauses after the first tries; then a message has failed.
var Retries = []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour}

// KeepDays is how long messages are shown after they are done.
const KeepDays = 30

// MaxItems bounds what one message tells of; what comes after opens another one.
const MaxItems = 500

// leaseTime is how long a process may take to send one message.
const leaseTime = 3 * time.Minute

// Item is one piece of news for a target.
type Item struct {
	Key   string // it goes to a target once
	Kind  string
	Topic string // a family's id
	Note  string // one sentence: what happened
	At    time.Time
}

// Letter is what is put into the outbox.
type Letter struct {
	Target string
	Kind   string
	Batch  string    // "" = a message of its own
	Due    time.Time // zero: now
	Ends   time.Time // zero: never
	Reason string    // why it waits
	Sealed []byte
	Items  []Item
}

// Delivery is a message with what became of it.
type Delivery struct {
	ID      string
	Target  string
	Kind    string
	Subject string // as it was sent; "" before
	State   State
	Reason  string
	Created time.Time
	Due     time.Time // of the next try
	Done    time.Time
	Tries   int
	Code    int
	Answer  string
	Items   []Item

	Sealed []byte
	ends   int64
}

// Options are what an outbox stands on.
type Options struct {
	DB     *db.DB
	Now    func() time.Time
	NewID  func() string // distinct, [0-9a-z-], at most 64 bytes
	Holder string
	Log    *slog.Logger
	// Prepare makes the message and finds its sender. not_found: there is nothing to
	// say or nobody to say it to any more, the message is dropped with the error's
	// text; another error is a failed try. The id is set by the outbox.
	Prepare func(ctx context.Context, d Delivery) (notify.Message, notify.Sender, error)
	// After is told of every try in the transaction that notes it; code is "" when it
	// was taken.
	After func(ctx context.Context, tx *sql.Tx, d Delivery, code fault.Code) error
}

// Outbox is the queue. It is safe for concurrent use.
type Outbox struct{ o Options }

// New makes the tables when they are missing.
func New(ctx context.Context, o Options) (*Outbox, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err == nil {
		err = o.DB.Migrate(ctx, "outbox", files)
	}
	if err != nil {
		return nil, fault.Wrap("outbox.New", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Outbox{o}, nil
}

// Put puts a letter into the outbox, in the caller's transaction, less the items
// its target got before; id is "" when nothing is left.
func (o *Outbox) Put(ctx context.Context, tx *sql.Tx, l Letter) (id string, err error) {
	const op = "outbox.Put"
	now := o.o.Now().UnixMilli()
	due := now
	if !l.Due.IsZero() {
		due = l.Due.UnixMilli()
	}
	ends := int64(0)
	if !l.Ends.IsZero() {
		ends = l.Ends.UnixMilli()
	}
	if l.Batch != "" {
		err := tx.QueryRowContext(ctx, `SELECT id FROM outbox_message WHERE target = $1 AND batch = $2 AND state = 'waiting' AND tries = 0
			AND (SELECT count(*) FROM outbox_item i WHERE i.message = outbox_message.id) < $3 ORDER BY created_ms DESC LIMIT 1`, l.Target, l.Batch, MaxItems).Scan(&id)
		if err != nil && err != db.ErrNoRows {
			return "", fault.Wrap(op, err)
		}
	}
	fresh := id == ""
	if fresh {
		id = o.o.NewID()
	}
	added := 0
	for _, i := range l.Items {
		n, err := putItem(ctx, tx, l.Target, id, i, now)
		if err != nil {
			return "", fault.Wrap(op, err)
		}
		added += n
	}
	if len(l.Items) > 0 && added == 0 {
		return "", nil
	}
	if !fresh {
		return id, nil
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO outbox_message (id, target, kind, batch, subject, sealed, state, reason, created_ms, due_ms, ends_ms, done_ms, tries, lease_ms, holder, code, answer)
		VALUES ($1, $2, $3, $4, '', $5, 'waiting', $6, $7, $8, $9, 0, 0, 0, '', 0, '')`, id, l.Target, l.Kind, l.Batch, l.Sealed, l.Reason, now, due, ends)
	return id, fault.Wrap(op, err)
}

// Skip notes that an item is not told to a target, and why: it does not come up again.
func (o *Outbox) Skip(ctx context.Context, tx *sql.Tx, target string, i Item) error {
	_, err := putItem(ctx, tx, target, "", i, o.o.Now().UnixMilli())
	return fault.Wrap("outbox.Skip", err)
}

func putItem(ctx context.Context, tx *sql.Tx, target, message string, i Item, now int64) (int, error) {
	r, err := tx.ExecContext(ctx, `INSERT INTO outbox_item (target, item, message, kind, topic, note, at_ms, put_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (target, item) DO NOTHING`, target, i.Key, message, i.Kind, i.Topic, notify.Line(i.Note, 500), i.At.UnixMilli(), now)
	if err != nil {
		return 0, err
	}
	n, err := r.RowsAffected()
	return int(n), err
}

// Querier is a transaction or the pool of readers.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Had says what a target got: whether it got this very item, whether it was told
// of the topic since a moment, and how many items of the kind since another.
func (o *Outbox) Had(ctx context.Context, q Querier, target string, i Item, told, counted time.Time) (item, topic bool, n int, err error) {
	const op = "outbox.Had"
	var a, b int
	if err = q.QueryRowContext(ctx, `SELECT count(*) FROM outbox_item WHERE target = $1 AND item = $2`, target, i.Key).Scan(&a); err != nil {
		return false, false, 0, fault.Wrap(op, err)
	}
	if a > 0 {
		return true, false, 0, nil
	}
	if err = q.QueryRowContext(ctx, `SELECT count(*) FROM outbox_item WHERE target = $1 AND topic = $2 AND put_ms > $3 AND message <> ''`, target, i.Topic, told.UnixMilli()).Scan(&b); err != nil {
		return false, false, 0, fault.Wrap(op, err)
	}
	err = q.QueryRowContext(ctx, `SELECT count(*) FROM outbox_item WHERE target = $1 AND kind = $2 AND put_ms > $3 AND message <> ''`, target, i.Kind, counted.UnixMilli()).Scan(&n)
	return false, b > 0, n, fault.Wrap(op, err)
}

// Forget drops every message of some targets, sent or not.
func (o *Outbox) Forget(ctx context.Context, tx *sql.Tx, targets ...string) error {
	for _, t := range targets {
		for _, q := range []string{`DELETE FROM outbox_item WHERE target = $1`, `DELETE FROM outbox_message WHERE target = $1`} {
			if _, err := tx.ExecContext(ctx, q, t); err != nil {
				return fault.Wrap("outbox.Forget", err)
			}
		}
	}
	return nil
}

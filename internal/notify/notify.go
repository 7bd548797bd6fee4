// Package notify carries messages out of the house: mail, signed webhooks and
// Slack-compatible ones. A Sender delivers one message once; Client makes the
// connections that addresses given by people are reached by, and refuses those
// into private networks.
//
// What it is not: a queue, or a judge of what is news and who may read it; package
// alert is. A message holds what its reader may see already.
package notify

import (
	"context"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Message is what is sent. Every text is one line, plain, and not escaped yet.
type Message struct {
	ID      string    // the same at every try: receivers drop repeats by it; [0-9a-z-]
	Type    string    // "family.new", "family.regressed", "digest" …
	Topic   string    // what it is about: a family's id; "" for several
	Time    time.Time // when it happened
	To      string    // mail: an address, without a name
	Subject string
	Text    []string // paragraphs before the items
	Items   []Item
	Footer  []string // why the reader gets this
	Link    string   // to the page of it
	// LinkText is what a mail's button says; "" = that it opens here.
	LinkText string
	// Data goes into a webhook's body; its values are what encoding/json can write.
	Data map[string]any
	// ListID ("families.example.org") and Unsubscribe (an https address that takes a
	// one-click POST) make a mail one of a list; both or neither.
	ListID, Unsubscribe string
}

// Item is one thing that a message tells of.
type Item struct {
	Title string
	Link  string
	Facts []string // "12 crashes", "new in 2.4.0": one line each
}

// Answer is what the other side said, for the log of deliveries.
type Answer struct {
	Code  int           // of HTTP or SMTP; 0 = there was none
	Text  string        // one printable line of at most MaxAnswer bytes; never a secret of ours
	After time.Duration // the other side asked to wait that long; 0 = it did not
}

// MaxAnswer bounds what is kept of an answer, in bytes.
const MaxAnswer = 300

// Sender delivers messages to one place. It is safe for concurrent use, holds to
// ctx, and tells what became of a message by the code of its error:
//
//	nil          the other side has it
//	unavailable  not now; try the same message again later (not before Answer.After)
//	invalid      this message will never be taken
//	not_found    there is nobody at that address any more (410, 550)
//	forbidden    the address may not be reached from here
type Sender interface {
	Send(ctx context.Context, m Message) (Answer, error)
}

// Mem keeps what is sent in memory: the reference of the contract, and the sink
// of tests and of the demo. A message with an id it has is taken and dropped.
type Mem struct {
	mu   sync.Mutex
	list []Message
	// Fail, when set, is asked first; what it returns is the answer unless nil.
	Fail func(Message) error
}

// Send keeps the message.
func (m *Mem) Send(ctx context.Context, msg Message) (Answer, error) {
	const op = "notify.Send"
	if err := ctx.Err(); err != nil {
		return Answer{}, fault.E(op, fault.Unavailable, "It was cancelled.", err)
	}
	if msg.ID == "" || msg.Subject == "" {
		return Answer{}, fault.E(op, fault.Invalid, "A message has an id and a subject.", nil)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Fail != nil {
		if err := m.Fail(msg); err != nil {
			return Answer{Text: fault.TextOf(err)}, err
		}
	}
	for i := range m.list {
		if m.list[i].ID == msg.ID {
			return Answer{Code: 200, Text: "taken before"}, nil
		}
	}
	m.list = append(m.list, msg)
	return Answer{Code: 200, Text: "taken"}, nil
}

// Sent lists what was sent, oldest first.
func (m *Mem) Sent() []Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Message(nil), m.list...)
}

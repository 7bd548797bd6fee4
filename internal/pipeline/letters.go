package pipeline

import (
	"context"
	"time"

	"github.com/bellwether-project/bellwether/internal/facts"
)

// Letter is an envelope that failed three times. Its record (scrubbed before it
// was ever written) is kept for at most LetterDays.
type Letter struct {
	ID        string    `json:"id"` // envelope id, or a hash of the record when it cannot be read
	At        time.Time `json:"at"`
	Received  time.Time `json:"received"`
	Project   int64     `json:"project"`
	Protocol  string    `json:"protocol,omitempty"`
	Kind      string    `json:"kind,omitempty"`
	Stage     string    `json:"stage"`
	Reason    string    `json:"reason"` // without payload
	Seq       uint64    `json:"seq"`    // position in the stream
	Bytes     int       `json:"bytes"`
	State     string    `json:"state"` // dead, replayed, discarded
	Extension string    `json:"extension,omitempty"`
	Host      string    `json:"host,omitempty"`
}

// LetterDays bounds the life of a dead letter.
const LetterDays = 7

// Letters lists dead letters of the scope, newest first.
func (w *Worker) Letters(ctx context.Context, scope facts.Scope, limit int) ([]Letter, error) {
	panic("later")
}

// Letter returns one dead letter with its record. Only people who may see data
// rows may see the record.
func (w *Worker) Letter(ctx context.Context, scope facts.Scope, id string) (Letter, []byte, error) {
	panic("later")
}

// Replay sends a dead letter down the same line again; it counts once.
func (w *Worker) Replay(ctx context.Context, scope facts.Scope, id, actor string) error {
	panic("later")
}

// Discard deletes the record of a dead letter.
func (w *Worker) Discard(ctx context.Context, scope facts.Scope, id, actor string) error {
	panic("later")
}

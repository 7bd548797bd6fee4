package pipeline

import (
	"context"
	"time"

	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/stream"
)

// Intake is what the Intake page shows of the flow.
type Intake struct {
	Stream    stream.Stats  `json:"stream"`
	Facts     facts.Stats   `json:"facts"`
	Position  uint64        `json:"position"`   // last stream position whose facts are queryable
	Newest    time.Time     `json:"newest"`     // time of receipt of the newest stored record
	Waiting   uint64        `json:"waiting"`    // messages not yet stored
	Lag       time.Duration `json:"lag"`        // age of the oldest message not yet stored
	Letters   int           `json:"letters"`    // dead letters waiting for a person
	Families  int           `json:"families"`   // in memory
	Sessions  int           `json:"sessions"`   // that may still change
	Known     int           `json:"known"`      // ids in the set of known ids
	LastError string        `json:"last_error"` // why the worker waits, "" when it does not
	LastBatch time.Duration `json:"last_batch"` // how long the last batch took
	LastRows  int64         `json:"last_rows"`  // facts of the last batch
}

// Intake reports. In a process that does not run the worker, what only the
// worker knows is zero.
func (w *Worker) Intake(ctx context.Context) (Intake, error) {
	const op = "pipeline.Intake"
	var in Intake
	var err error
	if in.Stream, err = w.o.Stream.Stats(ctx); err != nil {
		return in, fault.Wrap(op, err)
	}
	if in.Facts, err = w.o.Facts.Stats(ctx); err != nil {
		return in, fault.Wrap(op, err)
	}
	err = w.o.Flow.Read().QueryRowContext(ctx, `SELECT count(*) FROM flow_letter WHERE state = $1`, letterDead).Scan(&in.Letters)
	if err != nil {
		return in, fault.Wrap(op, err)
	}
	w.mu.Lock()
	v := w.view
	w.mu.Unlock()
	in.Position, in.Newest = max(v.position, in.Stream.Committed), v.newest
	if in.Facts.Newest.After(in.Newest) {
		in.Newest = in.Facts.Newest
	}
	if in.Stream.Last > in.Position {
		in.Waiting = in.Stream.Last - in.Position
		if !in.Stream.Oldest.IsZero() {
			in.Lag = max(w.o.Now().Sub(in.Stream.Oldest), 0)
		}
	}
	in.Families, in.Sessions, in.Known = v.families, v.sessions, v.known
	in.LastError, in.LastBatch, in.LastRows = v.lastError, v.lastBatch, v.rows
	return in, nil
}

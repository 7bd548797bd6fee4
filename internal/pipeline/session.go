package pipeline

import (
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// Sessions arrive as updates that repeat what went before, with running counts;
// facts are added up. This file turns the one into the other.
//
// What the numbers of a fact mean (Sentry's words, protocols 1.6):
//
//	Count     sessions that became known with this row
//	Errored   sessions that came to have at least one error, INCLUDING those that
//	          crashed or ended abnormally; a page shows Errored - Crashed - Abnormal
//	Crashed   sessions that crashed (a crash implies an error)
//	Abnormal  sessions that ended without saying why (killed, power lost)
//
// "unhandled" (newer clients: an unhandled error that ended nothing) is an
// error, not a crash. A session that never ends counts as healthy. So every
// number only grows and a sum over any rows is a sum over sessions.
//
// A client's own aggregates are sessions that are over; their Errored includes
// neither crashed nor abnormal ones, Exited no errored ones.

// sessionLife is how long after its start a session accepts updates.
const sessionLife = 5 * 24 * time.Hour

// maxSessions bounds the sessions that are remembered; beyond it those that
// began longest ago are forgotten first (a later update would count them anew).
const maxSessions = 4 << 20

// sessionState is what is remembered of a session: bits.
type sessionState uint8

const (
	sessionErrored sessionState = 1 << iota
	sessionCrashed
	sessionAbnormal
	sessionOver // a terminal status came; nothing changes it
)

// Names of session facts. Every row carries the status that it brought.
const (
	statusOK       = "ok"
	statusExited   = "exited"
	statusErrored  = "errored"
	statusCrashed  = "crashed"
	statusAbnormal = "abnormal"
)

// delta is what an update adds.
type delta struct {
	count, errored, crashed, abnormal int64
	name                              string
}

// step applies an update to the state of its session. ok is false when the
// update says nothing new: a repeat, an update after the end, or a running count
// that went from one error to more.
func (s sessionState) step(u *eco.Session, known bool) (next sessionState, d delta, ok bool) {
	if known && s&sessionOver != 0 {
		return s, delta{}, false
	}
	next, d.name = s, statusOK
	switch u.Status {
	case statusCrashed:
		next |= sessionErrored | sessionCrashed | sessionOver
		d.name = statusCrashed
	case statusAbnormal:
		next |= sessionErrored | sessionAbnormal | sessionOver
		d.name = statusAbnormal
	case statusExited:
		next |= sessionOver
		d.name = statusExited
	case statusErrored, "unhandled":
		next |= sessionErrored
		d.name = statusErrored
	}
	if u.Errors > 0 {
		next |= sessionErrored
		if d.name == statusOK {
			d.name = statusErrored
		}
	}
	if !known {
		d.count = 1
	}
	came := next &^ s
	d.errored, d.crashed, d.abnormal = bit(came, sessionErrored), bit(came, sessionCrashed), bit(came, sessionAbnormal)
	return next, d, !known || came != 0
}

func bit(s, b sessionState) int64 {
	if s&b != 0 {
		return 1
	}
	return 0
}

// maxAggregate bounds the sessions one bucket of a client's aggregates may claim.
const maxAggregate = 1 << 20

// aggregate reads a bucket. ok is false when it claims nothing, or the impossible.
func aggregate(u *eco.Session) (d delta, ok bool) {
	for _, n := range []int64{u.Exited, u.Errored, u.Crashed, u.Abnormal} {
		if n < 0 || n > maxAggregate {
			return delta{}, false
		}
	}
	d = delta{count: u.Exited + u.Errored + u.Crashed + u.Abnormal, errored: u.Errored + u.Crashed + u.Abnormal,
		crashed: u.Crashed, abnormal: u.Abnormal, name: "aggregate"}
	return d, d.count > 0
}

// late reports whether an update came after its session's time.
func late(e *eco.Envelope) bool {
	return e.Received-e.Session.Started > sessionLife.Milliseconds()
}

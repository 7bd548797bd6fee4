package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"math"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/family"
)

// outcome is what became of a record.
type outcome uint8

const (
	stored outcome = iota
	duplicate
	dropped
	dead
)

var outcomes = [...]string{stored: Stored, duplicate: Duplicate, dropped: Dropped, dead: Dead}

// item is one record on its way through the line.
type item struct {
	seq uint64
	raw []byte
	env *eco.Envelope // nil when the record cannot be read

	*crashPart // of crashes that could be read, else nil: most records are events

	// From the decision.
	outcome  outcome
	reason   string // of a drop; of a dead letter, without payload
	stage    string // where a dead letter died
	session  delta
	replayed bool // it came from the dead letters
}

// crashPart is what the stages find out about a crash.
type crashPart struct {
	sig     eco.Signature
	blame   eco.Blame
	input   family.Input
	release string // of whatever the crash is attributed to
	// associated says that only the evidence blames (step 6).
	associated bool
	place      crash.Placement // from the decision
}

// id is the envelope's id, or a hash of the record when it cannot be read.
func (it *item) id() string {
	if it.env != nil {
		return it.env.ID.String()
	}
	return recordID(it.raw)
}

func recordID(raw []byte) string {
	sum := sha256.Sum256(raw)
	return "x" + hex.EncodeToString(sum[:12])
}

func (it *item) step(stage, version, note string, at int64) {
	it.env.Steps = append(it.env.Steps, eco.Step{Stage: stage, Version: version, Note: note, At: at})
}

// fact is the row of a stored item.
func (it *item) fact() eco.Fact {
	e := it.env
	f := eco.Fact{
		ID: e.ID, Class: e.Class, Kind: e.Kind, Received: e.Received, Time: e.Time, Origin: e.Origin,
		Weight: e.Weight, Count: 1, Quarantined: e.Quarantined, Dedup: e.Dedup,
	}
	if !(f.Weight >= 1) || math.IsInf(f.Weight, 0) { // 0, NaN and less than 1: nobody stated a rate
		f.Weight, f.Assumed = 1, true
	}
	switch e.Kind {
	case eco.KindCrash:
		c := e.Crash
		f.Name, f.Level, f.ClientID = exceptionType(it), c.Level, e.ClientID
		f.Handled = c.Handled != nil && *c.Handled
		f.Signature, f.Family = it.sig.Hash, it.place.Family
		if it.counted() {
			f.Value = 1
		}
		if !e.Quarantined {
			f.Blame = it.blame.Extension
			if f.Blame != "" {
				f.BlameVer = it.blamedVersion()
			}
		}
	case eco.KindSession:
		s := e.Session
		f.Session = s.Key
		f.Name, f.Value = it.session.name, finite(s.Duration)
		f.Count, f.Errored, f.Crashed, f.Abnormal = it.session.count, it.session.errored, it.session.crashed, it.session.abnormal
	case eco.KindFeedback:
		f.Name = "feedback"
	default:
		f.Name, f.Value, f.Attrs = e.Event.Name, finite(e.Event.Value), attrs(e.Event.Attrs)
	}
	return f
}

func exceptionType(it *item) string {
	if it.sig.Type != "" || len(it.env.Crash.Exceptions) == 0 {
		return it.sig.Type
	}
	return it.env.Crash.Exceptions[0].Type
}

func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}

// release returns the version of what a crash is attributed to: of the blamed
// extension, else of the project's, else of the host.
func release(o *eco.Origin, b *eco.Blame) string {
	switch {
	case b.Extension != "" && b.Version == "" && b.Extension == o.Extension:
		return o.ExtVersion
	case b.Extension != "":
		return b.Version
	case o.Extension != "":
		return o.ExtVersion
	}
	return o.HostVersion
}

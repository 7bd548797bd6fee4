package pipeline

import (
	"context"
	"slices"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/scrub"
	"github.com/bellwether-project/bellwether/internal/stack/minidump"
)

// walkStep names the step of lineage that says who unwound a dump, and how.
const walkStep = "walk"

// walker names the unwinder of this house in lineage.
const walker = "bellwether"

// again walks the kept dump of a crash once more, now that there are symbols: their
// rules find callers that were guessed before, and their functions tell guesses
// that were none. Without a kept dump, or when the first walk was surer, the frames
// stay. What is found is scrubbed and classified like what came in.
func (w *Worker) again(ctx context.Context, world *blame.World, doc *crash.Document) bool {
	i := slices.IndexFunc(doc.Steps, func(s eco.Step) bool { return s.Stage == walkStep })
	if w.o.Dumps == nil || i < 0 || len(doc.Crash.Exceptions) == 0 {
		return false
	}
	frames, err := w.o.Dumps.Again(ctx, doc.ID, w.o.Symbols.Unwinder(ctx, &doc.Crash, &doc.Origin))
	if err != nil {
		if code := fault.CodeOf(err); code != fault.NotFound {
			w.o.Log.Warn("a kept dump cannot be unwound again", "err", err)
		}
		return false
	}
	x := &doc.Crash.Exceptions[0]
	if !surer(frames, x.Frames, doc.Steps[i].Version == walker) {
		return false
	}
	fresh := eco.Crash{Platform: doc.Crash.Platform, Exceptions: []eco.Exception{{Frames: frames}}}
	scrub.New(scrub.Options{}).Crash(&fresh)
	x.Frames = fresh.Exceptions[0].Frames
	world.Classify(&doc.Crash, doc.Origin)
	doc.Steps = append(doc.Steps, eco.Step{Stage: walkStep, Version: walker, Note: "again, with symbols that came later (" + minidump.Tally(x.Frames) + ")", At: w.o.Now().UnixMilli()})
	return true
}

// surer reports whether the second walk of a dump is to be believed: it finds more
// frames before its first guess, or as many and other ones where the first walk had
// no symbols either.
func surer(again, first []eco.Frame, own bool) bool {
	came := make([]eco.Frame, 0, len(first))
	for _, f := range first {
		if !f.Inlined { // put in by a symbol file, or told by another program beside its frame
			came = append(came, f)
		}
	}
	a, b := sure(again), sure(came)
	same := slices.EqualFunc(again, came, func(x, y eco.Frame) bool { return x.Addr == y.Addr && x.Module == y.Module && x.Trust == y.Trust })
	return !same && (a > b || a == b && own)
}

// sure counts the frames before the first guess.
func sure(frames []eco.Frame) int {
	if i := slices.IndexFunc(frames, func(f eco.Frame) bool { return f.Trust == eco.TrustScan }); i >= 0 {
		return i
	}
	return len(frames)
}

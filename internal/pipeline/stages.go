package pipeline

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/family"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/signature"
	"github.com/bellwether-project/bellwether/internal/stack"
)

// stage turns one crash into a better one. It keeps no state between calls and
// returns a note for the lineage.
type stage struct {
	name    string
	version string
	do      func(*item, *blame.World) (note string, err error)
}

// The order of the line. Before it stands "decode", behind it "dedup", "place"
// and "store", which depend on what came before and so run in order (decide.go).
var crashLine = []stage{
	{"stack", stack.Version, func(it *item, _ *blame.World) (string, error) {
		note := stack.Fill(it.env.Crash)
		stack.Normalise(it.env.Crash)
		return note, nil
	}},
	{"classify", "blame/1", func(it *item, w *blame.World) (string, error) {
		w.Classify(it.env.Crash, it.env.Origin)
		return "", nil
	}},
	{"sign", signature.Version, func(it *item, _ *blame.World) (string, error) {
		it.sig = signature.Explain(it.env.Crash)
		return it.sig.Hash, nil
	}},
	{"blame", "blame/1", func(it *item, w *blame.World) (string, error) {
		it.blame = blame.Decide(w, it.env.Crash, it.env.Origin)
		it.release = release(&it.env.Origin, &it.blame)
		return it.blame.Target, nil
	}},
	{"describe", family.Version, func(it *item, _ *blame.World) (string, error) {
		it.input = family.Describe(it.env.Crash, it.sig, it.blame)
		return "", nil
	}},
}

// tries is how often an envelope may fail before it is a dead letter.
const tries = 3

// prepare runs the pure stages over records, in parallel; the order of items is
// that of the records. A record that fails three times is dead.
func (w *Worker) prepare(items []item) {
	world := w.o.World()
	now := w.o.Now()
	inParallel(len(items), func(i int) { w.prepareOne(&items[i], world, now) })
}

// inParallel calls f for 0 … n-1, in runs of 32 on every processor; one run is
// not worth a goroutine.
func inParallel(n int, f func(int)) {
	const run = 32
	workers := min(runtime.GOMAXPROCS(0), (n+run-1)/run)
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				from := int(next.Add(run)) - run
				if from >= n {
					return
				}
				for i := from; i < min(from+run, n); i++ {
					f(i)
				}
			}
		})
	}
	wg.Wait()
}

func (w *Worker) prepareOne(it *item, world *blame.World, now time.Time) {
	for n := range tries {
		stage, err := w.line(it, world, now)
		if err == nil {
			return
		}
		if n == tries-1 {
			it.outcome, it.stage, it.reason = dead, stage, reasonOf(err)
		}
	}
}

// line runs the pure stages once. A panic in a stage is an error of that stage.
func (w *Worker) line(it *item, world *blame.World, now time.Time) (at string, err error) {
	at = "decode"
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	it.env = nil
	env, err := eco.DecodeEnvelope(it.raw)
	if err != nil {
		return at, err
	}
	it.env = env
	if err := sound(env); err != nil {
		return at, err
	}
	if env.Kind != eco.KindCrash {
		return "", nil
	}
	it.crashPart = new(crashPart)
	env.Steps = append(make([]eco.Step, 0, len(env.Steps)+len(w.stages)+1), env.Steps...)
	if it.counted() { // there is no stack to read
		it.sig = eco.Signature{Version: signature.Version, Hash: env.Crash.Counted, Title: countedTitle}
		return "", nil
	}
	for _, s := range w.stages {
		at = s.name
		note, err := s.do(it, world)
		if err != nil {
			return at, err
		}
		it.step(s.name, s.version, note, now.UnixMilli())
	}
	return "", nil
}

// sound refuses what no store could keep: doors never send it, a damaged or
// foreign record might.
func sound(e *eco.Envelope) error {
	const y2000, y2100 = 946_684_800_000, 4_102_444_800_000
	ok := e.Received >= y2000 && e.Received < y2100 && !e.ID.IsZero()
	switch e.Kind {
	case eco.KindCrash:
		ok = ok && e.Crash != nil
	case eco.KindSession:
		ok = ok && e.Session != nil
	case eco.KindFeedback:
		ok = ok && e.Feedback != nil
	case eco.KindEvent, eco.KindSpan, eco.KindMetric:
		ok = ok && e.Event != nil
	default:
		ok = false
	}
	switch e.Class {
	case eco.Ephemeral, eco.Short, eco.Standard, eco.ClassCrash, eco.ClassSupport, eco.Hold:
	default:
		ok = false
	}
	if !ok {
		return fault.E("pipeline.decode", fault.Invalid, "The record has no kind, class, id or time that is known.", nil)
	}
	return nil
}

// panicked turns a recovered value into an error that does not repeat input:
// the type of a foreign value, the text of a runtime error (an index, a nil).
func panicked(p any) error {
	if e, ok := p.(runtime.Error); ok {
		return fault.E("pipeline.stage", fault.Internal, "The stage broke: "+e.Error(), nil)
	}
	return fault.E("pipeline.stage", fault.Internal, fmt.Sprintf("The stage broke (%T).", p), nil)
}

// reasonOf is the text for people of an error; causes may repeat input and stay out.
func reasonOf(err error) string { return eco.Clean(fault.TextOf(err), 300) }

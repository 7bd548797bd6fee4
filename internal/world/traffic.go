package world

import (
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
)

const slot = time.Hour

// Traffic gives the requests of [from, to) in order of time. The month of the
// story has about 7,000 crash reports, half a million sessions (most of them in
// aggregates) and 25,000 events, spans and metrics, in 20,000 requests; scale
// multiplies that, so that a live trickle can be livelier than its share.
func (w *World) Traffic(from, to time.Time, scale float64) iter.Seq[Request] {
	return func(yield func(Request) bool) {
		for at := from.Truncate(slot); at.Before(to); at = at.Add(slot) {
			h := &hour{w: w, from: at.UTC(), day: at.Sub(w.o.Start).Hours() / 24, scale: scale}
			for _, s := range w.subjects {
				h.subject(s)
			}
			slices.SortStableFunc(h.out, func(a, b Request) int { return a.At.Compare(b.At) })
			for _, r := range h.out {
				if r.At.Before(from) || !r.At.Before(to) {
					continue
				}
				if !yield(r) {
					return
				}
			}
		}
	}
}

// hour collects the requests of one hour.
type hour struct {
	w     *World
	from  time.Time
	day   float64 // after Start
	scale float64
	out   []Request
}

// tally counts the sessions of one version.
type tally struct{ exited, errored, crashed int }

// sess is a session that is reported by itself, with its install.
type sess struct {
	who      person
	id       string
	at       time.Time
	status   string
	errors   int
	duration float64
	active   []eco.Active
}

// report is one crash on its way to a client's protocol.
type report struct {
	at     time.Time
	f      *family
	who    person
	sess   string
	active []eco.Active
	dice   *rand.Rand
}

func (h *hour) subject(s *subject) {
	dice := h.w.dice("hour", h.from.Unix(), s.index, h.scale)
	busy := h.scale / 24 * rhythm(h.from)
	tallies := map[string]*tally{}
	var single []sess
	for range poisson(s.sessions*busy, dice) {
		at := h.from.Add(time.Duration(dice.Int64N(int64(slot))))
		who := h.w.someone(s, h.day, dice)
		o := s.outcomes[who.version]
		fatal := pick(dice.Float64(), o.fatal, o.pFatal)
		caught := pick(dice.Float64(), o.handled, o.pHandled)
		var active []eco.Active
		if s.ext == "" {
			active = h.w.active(&who, h.day, dice)
			if f := s.paired(active); f != nil && dice.Float64() < f.rate/100_000 {
				fatal = f
			}
		}
		id := ""
		if u := dice.Float64(); u < 0.05 || s.ext == "" && u < 0.15 {
			h.w.identify(&who)
			id = uuid(dice)
			single = append(single, session(who, id, at, fatal != nil, caught != nil, active, dice))
		} else {
			t := tallies[who.version]
			if t == nil {
				t = &tally{}
				tallies[who.version] = t
			}
			switch {
			case fatal != nil:
				t.crashed++
			case caught != nil:
				t.errored++
			default:
				t.exited++
			}
		}
		for _, f := range []*family{fatal, caught} {
			if f == nil || f == fatal && dice.Float64() < 0.08 { // not every client that dies can say so
				continue
			}
			h.w.identify(&who)
			r := report{at: at, f: f, who: who, sess: id, active: active, dice: h.w.dice("crash", h.from.Unix(), s.index, len(h.out), h.scale)}
			h.crash(s, r)
		}
	}
	h.sessions(s, tallies, single, dice)
	h.usage(s, busy, dice)
}

// paired is the family that needs extensions which are active here, if any.
func (s *subject) paired(active []eco.Active) *family {
	for _, f := range s.families {
		met := 0
		for _, need := range f.pair {
			for _, a := range active {
				if a.ID == need.ID && eco.CompareVersions(a.Version, need.Version) >= 0 {
					met++
				}
			}
		}
		if met > 0 && met == len(f.pair) {
			return f
		}
	}
	return nil
}

func session(who person, id string, at time.Time, crashed, errored bool, active []eco.Active, dice *rand.Rand) sess {
	s := sess{who: who, id: id, at: at, status: "exited", duration: min(heavy(1500, 1.1, dice), 100_000), active: active}
	if errored {
		s.errors = 1
	}
	if crashed {
		s.status, s.errors, s.duration = "crashed", s.errors+1, s.duration/3
	} else if dice.Float64() < 0.002 {
		s.status = "abnormal"
	}
	return s
}

func (h *hour) crash(s *subject, r report) {
	switch s.speaks {
	case otlp:
		h.add(s, r.at, otlpCrash(s, r))
	case insights:
		h.add(s, r.at, insightsCrash(s, r))
	case native:
		h.add(s, r.at, nativeCrash(s, r))
	default:
		h.add(s, r.at, h.w.sentryCrash(s, r))
		if r.dice.IntN(120) == 0 && (s.ext == "acme.linter" || s.ext == "acme.git") {
			h.add(s, r.at.Add(time.Minute), h.w.sentryFeedback(s, r))
		}
	}
}

// sessions sends what was counted, near the end of the hour.
func (h *hour) sessions(s *subject, tallies map[string]*tally, single []sess, dice *rand.Rand) {
	at := h.from.Add(slot - time.Duration(1+dice.Int64N(int64(10*time.Minute))))
	versions := slices.SortedFunc(maps.Keys(tallies), eco.CompareVersions)
	if s.ext == "" || s.speaks == native {
		for _, v := range versions {
			h.add(s, at, nativeTally(s, h.from, at, v, tallies[v]))
		}
		for _, x := range single {
			ended := x.at.Add(min(time.Duration(x.duration*float64(time.Second)), h.from.Add(slot-time.Millisecond).Sub(x.at)))
			h.add(s, ended, nativeSession(s, ended, x))
		}
		return
	}
	if len(versions)+len(single) > 0 {
		h.add(s, at, h.w.sentrySessions(s, h.from, at, versions, tallies, single))
	}
}

// usage sends events every third hour, spans and metrics likewise where the
// extension measures something.
func (h *hour) usage(s *subject, busy float64, dice *rand.Rand) {
	if (h.from.Hour()+s.index)%3 != 0 {
		return
	}
	n := poisson(3*s.events*busy, dice)
	if n == 0 {
		return
	}
	at := h.from.Add(time.Duration(dice.Int64N(int64(slot))))
	events := make([]event, n)
	for i := range events {
		who := h.w.someone(s, h.day, dice)
		h.w.identify(&who)
		events[i] = event{at: at.Add(-time.Duration(dice.Int64N(int64(slot)))), who: who, name: s.usage[min(dice.IntN(len(s.usage)), dice.IntN(len(s.usage)))],
			duration: min(heavy(120, 0.9, dice), 60_000), count: 1 + dice.IntN(12), id: uuid(dice)}
	}
	for part := range slices.Chunk(events, 100) {
		switch s.speaks {
		case insights:
			h.add(s, at, insightsEvents(s, part))
		case native:
			for few := range slices.Chunk(part, 4) { // what one install sends
				for i := range few {
					few[i].who = few[0].who
				}
				h.add(s, at, nativeEvents(s, at, few))
			}
		default:
			h.add(s, at, otlpEvents(s, part))
		}
	}
	switch s.ext {
	case "acme.linter", "northwind.java", "northwind.gobridge":
		h.add(s, at, otlpSpans(s, events[:min(n, 20)]))
	case "northwind.notebook", "pixelforge.rusty":
		h.add(s, at, otlpMetrics(s, events[:min(n, 10)]))
	}
}

// event is one use of a feature.
type event struct {
	at       time.Time
	who      person
	name     string
	id       string
	duration float64 // ms
	count    int
}

// add completes a request: when it is received, and by what name.
func (h *hour) add(s *subject, at time.Time, r Request) {
	at = at.Truncate(time.Millisecond)
	r.At, r.Project, r.Method = at, s.name(), http.MethodPost
	r.Header.Set(TimeHeader, strconv.FormatInt(at.UnixMilli(), 10))
	h.out = append(h.out, r)
}

func uuid(dice *rand.Rand) string {
	a, b := dice.Uint64(), dice.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>52, b&0xffffffffffff)
}

func hexID(dice *rand.Rand) string { return fmt.Sprintf("%016x%016x", dice.Uint64(), dice.Uint64()) }

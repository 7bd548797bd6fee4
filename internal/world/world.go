// Package world is one small believable ecosystem: a code editor called Studio,
// twelve extensions by three publishers, their releases over a month, their
// users, and what goes wrong. Demos, browser tests and screenshots use it. It
// speaks to the server only as real clients would: Traffic gives HTTP requests
// in the clients' own protocols, Ecosystem what is to be registered beforehand.
//
// Everything follows from a seed and the instants it is asked for: it has no
// clock and no dice of its own. The traffic of two adjoining spans is that of
// the span as a whole, so history and a live trickle fit together.
//
// What goes wrong, by day after Start (see families.txt for each crash):
//   - acme.linter 2.4.0 (day 19) is a bad release; 2.4.1 (day 21) mends it.
//   - pixelforge.blender 3.1.0 (day 24) is a bad release; 3.1.1 comes on day 27.
//   - northwind.python: a crash mended in 1.9.1 (day 9) is back in 2.0.0 (day 23).
//   - Studio crashes where acme.git and northwind.notebook are active together,
//     since notebook 1.3.0 (day 14); neither is in the stack.
//   - pixelforge.palette sends more than its users were asked for.
package world

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// History is how long the story is. Traffic goes on after it, quietly.
const History = 30 * 24 * time.Hour

// TimeHeader carries the day of receipt, in Unix milliseconds. A server heeds it
// only when it runs the demo.
const TimeHeader = "X-Bellwether-Demo-Time"

// Options fix a world.
type Options struct {
	Seed  uint64
	Start time.Time             // the first day of the story; cut to a UTC day
	Base  string                // address of the server, for protocols that repeat it in the body
	Keys  map[string]ProjectKey // by name of the project, as in Ecosystem
}

// ProjectKey is what the register gave a project.
type ProjectKey struct {
	ID     int64
	Public string // 32 hex digits
}

// Request is one request of a client. Path includes the query.
type Request struct {
	At      time.Time
	Project string // name of the project, for reports; not part of the request
	Method  string
	Path    string
	Header  http.Header
	Body    []byte
}

// World is a fixed world; its methods are safe for concurrent use.
type World struct {
	o        Options
	subjects []*subject
}

// New checks the options and reads the crash families. Every project of the
// ecosystem needs a key, except for a world that is only asked for its Ecosystem.
func New(o Options) (*World, error) {
	y, m, d := o.Start.UTC().Date()
	o.Start = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	o.Base = strings.TrimSuffix(o.Base, "/")
	w := &World{o: o, subjects: cast()}
	families, err := readFamilies(familiesText)
	if err != nil {
		return nil, err
	}
	for _, f := range families {
		found := false
		for _, s := range w.subjects {
			if s.name() == f.project {
				s.families, found = append(s.families, f), true
			}
		}
		if !found {
			return nil, fault.E("world.New", fault.Internal, "A crash family names no project: "+f.name, nil)
		}
	}
	for i, s := range w.subjects {
		s.index = i
		s.outcomes = map[string]*outcomes{}
		for _, r := range s.releases {
			s.outcomes[r.version] = s.outcomesOf(r.version)
		}
		if o.Keys != nil {
			k, ok := o.Keys[s.name()]
			if !ok || len(k.Public) != 32 || k.ID <= 0 {
				return nil, fault.E("world.New", fault.Invalid, "The project "+s.name()+" has no key.", nil)
			}
			s.key = k
		}
	}
	return w, nil
}

// dice are the random choices of one thing in this world.
func (w *World) dice(what ...any) *rand.Rand {
	a, b := fnv.New64a(), fnv.New64()
	fmt.Fprint(a, w.o.Seed, what)
	fmt.Fprint(b, what, w.o.Seed)
	return rand.New(rand.NewPCG(a.Sum64(), b.Sum64()))
}

// subject is an extension or the host, with its users and what befalls it.
type subject struct {
	index    int
	ext      eco.ExtensionID // "" for the host
	speaks   protocol
	releases []release
	users    int     // installs there are
	sessions float64 // a day
	events   float64 // a day
	usage    []string
	os       [3]float64 // shares of windows, macos, linux
	families []*family
	outcomes map[string]*outcomes
	key      ProjectKey
}

const hostName = "studio"

func (s *subject) name() string {
	if s.ext == "" {
		return hostName
	}
	return string(s.ext)
}

type protocol int

const (
	sentryJS protocol = iota // envelopes, key in the query
	sentryGo                 // envelopes, key in a header and in the DSN
	otlp                     // logs as JSON, the rest as protobuf
	insights                 // Application Insights
	native                   // our own JSON
)

// release is a version and when it came out, in days after Start.
type release struct {
	version string
	channel eco.Channel
	day     float64
}

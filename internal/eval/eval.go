// Package eval scores our rules on labelled data, offline, with exactly the code
// that serves: blame.Classify, signature.Sign, blame.Decide, family.Place.
//
// Input: one JSON object a line, plain or gzip: id, timestamp (Unix seconds),
// platform, exception, message, frames (innermost first: function, module, file,
// line, col), optionally causes and suppressed (exception, message, frames, more),
// release ("extension@version"), host, active, versions; labels group, blame and
// kind, which only the scorer reads. Crashes are fed in (timestamp, id) order, and
// each answer is written before the next crash is read.
//
// Answers: {"id","signature","family","blame","new","ranked":[{"family","score"}]}.
package eval

import (
	"bufio"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/family"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/signature"
)

// maxRanked bounds the ranking of one answer.
const maxRanked = 10

// Answer is one line of the answers.
type Answer struct {
	ID        string        `json:"id"`
	Signature string        `json:"signature"`
	Family    string        `json:"family"`
	Blame     string        `json:"blame"`
	New       bool          `json:"new"`
	Ranked    []family.Near `json:"ranked"`
}

// CrashOptions says what to read and what to measure.
type CrashOptions struct {
	Classmap io.Reader // of JVM classes; may be nil
	Answers  io.Writer // may be nil
	Cost     bool      // also measure the cost at 1k, 10k and 100k stored crashes (about ten seconds)
}

// Crash answers for every crash of a data set and, where it has labels, scores the
// answers.
func Crash(in io.Reader, o CrashOptions) (*Scores, error) {
	set, err := ReadSet(in, o.Classmap)
	if err != nil {
		return nil, err
	}
	answers, stats := set.answer()
	if o.Answers != nil {
		if err := writeAnswers(o.Answers, answers); err != nil {
			return nil, err
		}
	}
	s := set.score(answers)
	s.Index = stats
	if o.Cost {
		s.Cost = set.cost()
	}
	return s, nil
}

func writeAnswers(out io.Writer, answers []Answer) error {
	w := bufio.NewWriter(out)
	enc := jsontext.NewEncoder(w)
	for i := range answers {
		if err := json.MarshalEncode(enc, &answers[i]); err != nil {
			return fault.E("eval.Crash", fault.Internal, "The answers could not be written.", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fault.E("eval.Crash", fault.Internal, "The answers could not be written.", err)
	}
	return nil
}

// read is a crash after the rules that look at it alone.
type read struct {
	sig eco.Signature
	b   eco.Blame
	in  family.Input
}

// judge is the line of rules before the families.
func judge(w *blame.World, c *eco.Crash, o eco.Origin) read {
	w.Classify(c, o)
	r := read{sig: signature.Sign(c)}
	r.b = blame.Decide(w, c, o)
	r.in = family.Describe(c, r.sig, r.b)
	return r
}

// answer runs the set through an empty index.
func (s *Set) answer() ([]Answer, family.Stats) {
	x := family.NewIndex(family.Options{})
	out := make([]Answer, len(s.records))
	evidence := newBeside()
	for i := range s.records {
		c, o := s.records[i].crash()
		r := judge(s.World, c, o)
		ranked := x.Rank(r.in, maxRanked)
		p := x.Place(r.in)
		lead := evidence.judge(c, &r, p.Family)
		out[i] = Answer{ID: s.records[i].ID, Signature: r.sig.Hash, Family: p.Family, Blame: string(lead), New: p.New, Ranked: ranked}
		if out[i].Ranked == nil {
			out[i].Ranked = []family.Near{}
		}
	}
	return out, x.Stats()
}

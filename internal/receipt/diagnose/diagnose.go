// Package diagnose reads a pasted trace for somebody without an account: what it
// is, whose code failed and why we say so, whether that is known and fixed. All of
// it happens in memory, read-only: nothing is learned, nothing is kept, and only
// what is public is told (receipt.Board.Published).
package diagnose

import (
	"slices"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/family"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/receipt"
	"github.com/bellwether-project/bellwether/internal/scrub"
	"github.com/bellwether-project/bellwether/internal/signature"
	"github.com/bellwether-project/bellwether/internal/stack"
)

// Bounds. A longer text is refused; of more frames the first are shown.
const (
	MaxText   = 256 << 10 // bytes
	MaxFrames = 60        // frames of an answer
	maxHosts  = 20        // hosts whose rules are tried
	maxNear   = 5         // families alike that are looked at
)

// alike is the similarity from which another family is said to be the same.
const alike = .2

// Doctor diagnoses.
type Doctor struct {
	World func() *blame.World
	Scrub *scrub.Rules
	Board *receipt.Board
	// Near finds the families nearest to a crash, learning nothing; nil: none.
	Near func(in family.Input, limit int) []family.Near
}

// Finding is what a trace says.
type Finding struct {
	Platform  string          `json:"platform"`          // javascript, python …
	Type      string          `json:"type,omitempty"`    // of the root cause
	Message   string          `json:"message,omitempty"` // with numbers, names and quotes taken out
	Title     string          `json:"title"`             // the signature in words
	Signature string          `json:"signature"`         // sig/1:hash
	Blame     eco.Blame       `json:"blame"`             // whose code, how sure, and why
	Version   string          `json:"version,omitempty"` // of the culprit, as far as the trace tells
	Frames    []Frame         `json:"frames"`            // of the root cause, innermost first
	More      int             `json:"more,omitempty"`    // frames that are not listed
	Causes    []string        `json:"causes,omitempty"`  // types of the wrappers, outermost first
	Public    *receipt.Answer `json:"public,omitempty"`  // what is known to everybody; absent: nothing is published of it
	Exact     bool            `json:"exact,omitempty"`   // Public is of this very signature, else of one alike
	Score     float64         `json:"score,omitempty"`   // how alike, in [-1, 1]
	Removed   int             `json:"removed,omitempty"` // names, addresses, secrets that were taken out before looking
	Why       []eco.WhyStep   `json:"why"`               // how the signature was read off
}

// Frame is one call, and whose code it is.
type Frame struct {
	Function string          `json:"function,omitempty"`
	Place    string          `json:"place,omitempty"` // file and line, or module
	Class    eco.FrameClass  `json:"class,omitempty"`
	Owner    eco.ExtensionID `json:"owner,omitempty"`
}

// Trace diagnoses a text. fault.Invalid: there is no trace in it that we can read.
func (d *Doctor) Trace(text string) (f Finding, err error) {
	const op = "diagnose.Trace"
	if len(text) > MaxText {
		return f, fault.E(op, fault.TooLarge, "That is longer than the 256 KB that are read here.", nil)
	}
	if strings.IndexByte(text, 0) >= 0 {
		return f, fault.E(op, fault.Invalid, "That is not text. Paste the trace itself, or a text file with it.", nil)
	}
	defer func() {
		if recover() != nil { // a text that breaks a stage gets an answer, too
			f, err = Finding{}, fault.E(op, fault.Invalid, "This trace could not be read.", nil)
		}
	}()
	text = strings.TrimSpace(eco.Clean(text, MaxText))
	if text == "" {
		return f, fault.E(op, fault.Invalid, "Please paste a trace first.", nil)
	}
	c := &eco.Crash{Text: text}
	for _, r := range d.Scrub.Crash(c) {
		f.Removed += r.Count
	}
	stack.Fill(c)
	if len(c.Exceptions) == 0 || signature.Root(c) < 0 {
		return f, fault.E(op, fault.Invalid, "No stack trace was found in this text. Paste the lines from the error on, with the lines below that name functions and files.", nil)
	}
	w := d.World()
	o := d.origin(w, c)
	w.Classify(c, o)
	sig := signature.Explain(c)
	f.Blame = blame.Decide(w, c, o)
	f.fill(c, sig)
	d.known(&f, c, sig, o)
	return f, nil
}

// origin tries the rules of every host; the one that finds the surest culprit wins.
func (d *Doctor) origin(w *blame.World, c *eco.Crash) (best eco.Origin) {
	hosts := make([]string, 0, len(w.Hosts))
	for h := range w.Hosts {
		hosts = append(hosts, h)
	}
	slices.Sort(hosts)
	sure := -1.0
	for _, h := range append([]string{""}, hosts[:min(len(hosts), maxHosts)]...) {
		o := eco.Origin{Host: h}
		w.Classify(c, o)
		b := blame.Decide(w, c, o)
		if b.Extension != "" && b.Confidence > sure {
			best, sure = o, b.Confidence
		}
	}
	return best
}

func (f *Finding) fill(c *eco.Crash, sig eco.Signature) {
	root := signature.Root(c)
	x := &c.Exceptions[root]
	f.Platform, f.Type, f.Message, f.Title, f.Signature, f.Why = c.Platform, x.Type, signature.Template(x.Value), sig.Title, sig.Version+":"+sig.Hash, sig.Why
	f.Version = f.Blame.Version
	for i := range c.Exceptions[:root] {
		if len(f.Causes) < 8 && !c.Exceptions[i].Suppressed {
			f.Causes = append(f.Causes, c.Exceptions[i].Type)
		}
	}
	for i := range x.Frames {
		if i == MaxFrames {
			f.More = len(x.Frames) - MaxFrames
			break
		}
		f.Frames = append(f.Frames, frameOf(&x.Frames[i]))
	}
}

func frameOf(fr *eco.Frame) Frame {
	out := Frame{Function: fr.Function, Place: fr.File, Class: fr.Class, Owner: fr.Owner}
	if out.Place == "" {
		out.Place = fr.Module
	} else if fr.Line > 0 {
		out.Place += ":" + strconv.Itoa(fr.Line)
	}
	return out
}

// known looks for what is public: the very signature first, then families alike.
func (d *Doctor) known(f *Finding, c *eco.Crash, sig eco.Signature, o eco.Origin) {
	if s := d.Board.Published(f.Blame.Extension, o.Host, sig.Hash, ""); s != nil {
		a := receipt.Tell(s, f.Version)
		f.Public, f.Exact, f.Score = &a, true, 1
		return
	}
	if d.Near == nil {
		return
	}
	for _, n := range d.Near(family.Describe(c, sig, f.Blame), maxNear) {
		if n.Score < alike {
			break
		}
		if s := d.Board.Published("", "", "", n.Family); s != nil {
			a := receipt.Tell(s, f.Version)
			f.Public, f.Score = &a, n.Score
			return
		}
	}
}

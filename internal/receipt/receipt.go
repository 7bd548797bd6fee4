// Package receipt is what the sender of a crash report is told: the id by which
// they ask again, what is known of their crash already, and the signed slip that
// proves what we said. It holds the one rule about counts outside the team
// (Outside) and a board in memory, so that the door can answer without a disk.
//
// What it is not: a store. Package crash/answers keeps what owners say and fills
// the board; nothing here knows a database, a clock or a person.
package receipt

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/signature"
)

// SignaturePrefix stands before the hash of a signature in what is told.
const SignaturePrefix = signature.Version + ":"

// State is where a report or its family stands, in the words for outsiders.
type State string

const (
	Received  State = "received"  // accepted, on its way; or its place is not known here
	New       State = "new"       // nobody had seen it before
	Known     State = "known"     // seen before, not fixed yet
	Fixed     State = "fixed"     // resolved in a release
	Ignored   State = "ignored"   // the owner does not work on it
	Held      State = "held"      // kept apart, because a burst looked forged
	Withdrawn State = "withdrawn" // its sender took it back
	Expired   State = "expired"   // kept no longer
)

// Wanted says what the owner wants of a crash from clients that ask first.
type Wanted string

const (
	Nothing Wanted = "none"
	Counts  Wanted = "counts"
	Full    Wanted = "full"
)

// ParseWanted reads one of the three words.
func ParseWanted(s string) (Wanted, bool) {
	switch w := Wanted(s); w {
	case Nothing, Counts, Full:
		return w, true
	}
	return "", false
}

// Standing is what an outsider may know of a family, as the board keeps it.
type Standing struct {
	Family     string
	Owner      eco.ExtensionID // the extension that it is attributed to; "" = a host's own
	Host       string
	State      State  // Known, Fixed or Ignored
	ResolvedIn string // as crash.Family has it: a release, ">1.2.0" (the one after), "" (from some day on)
	FixedIn    string // the release as the owner names it to the public; wins over ResolvedIn
	Impact     string
	Expected   string // a day, 2026-12-01
	Workaround string // Markdown, as written
	Wanted     Wanted // "" = by the state
	Public     string // id of the entry of the public log; "" = none
	Installs   int64  // distinct ones of the last 90 days, as far as they were counted; told by Outside only
	Taken      bool   // somebody works on it
	Shift      uint64 // of Book.Shift
}

// Answer is what is told: to a client at once, on the receipt's page, to one who
// asks before sending. It names nobody, and counts only as Outside allows.
type Answer struct {
	State      State  `json:"state"`
	Known      bool   `json:"known"`
	Others     bool   `json:"others,omitempty"`      // other installs had it too
	Installs   int64  `json:"installs,omitempty"`    // at least so many: 20, 50, 100, 200, 500 …
	FixedIn    string `json:"fixed_in,omitempty"`    // a release; "after 1.2.0" when it is not named yet
	HaveFix    *bool  `json:"have_fix,omitempty"`    // whether the reporter's version has it
	Taken      bool   `json:"taken,omitempty"`       // somebody works on it
	Impact     string `json:"impact,omitempty"`      // in the owner's words
	Expected   string `json:"expected,omitempty"`    // the day the owner expects a fix
	Workaround string `json:"workaround,omitempty"`  // Markdown
	Signature  string `json:"signature,omitempty"`   // "sig/1:…": by it a client asks before it sends the next one
	Wanted     Wanted `json:"wanted"`                // what to send of further ones: none, counts, full
	Public     string `json:"public_url,omitempty"`  // the entry of the public log
	Receipt    string `json:"receipt,omitempty"`     // id of the receipt
	URL        string `json:"receipt_url,omitempty"` // its page: what became of it, how to add to it, how to withdraw it
}

// Tell is what an outsider with a version is told. A nil standing is a crash that
// nobody has seen.
func Tell(s *Standing, version string) Answer {
	if s == nil {
		return Answer{State: New, Wanted: Full}
	}
	a := Answer{State: s.State, Known: true, Impact: s.Impact, Workaround: s.Workaround, Expected: s.Expected, Wanted: s.wanted(), Public: s.Public}
	a.Installs, a.Others = Outside(s.Installs, s.Shift)
	a.Taken = s.Taken && s.State == Known
	if s.State == Fixed {
		a.Expected = ""
		a.FixedIn, a.HaveFix = s.fixedIn(version)
	}
	return a
}

// wanted is what the owner set, else what the state suggests.
func (s *Standing) wanted() Wanted {
	w, _ := Want(s.State, s.Wanted)
	return w
}

// Want is what clients are asked to send of a family, and why: what its owner said,
// else what its state suggests. A fixed crash is only counted, an ignored one is not wanted.
func Want(state State, said Wanted) (w Wanted, why string) {
	switch {
	case said != "":
		return said, "the owner said so under “What reporters are told”"
	case state == Fixed:
		return Counts, "the family is resolved, and counts tell whether it comes back"
	case state == Ignored:
		return Nothing, "the family is ignored"
	}
	return Full, "the family is open"
}

// fixedIn names the release with the fix, and tells whether a version has it.
func (s *Standing) fixedIn(version string) (in string, have *bool) {
	yes := func(b bool) *bool { return &b }
	if s.FixedIn != "" {
		in = s.FixedIn
	} else if low, after := strings.CutPrefix(s.ResolvedIn, ">"); after {
		if version != "" {
			have = yes(eco.CompareVersions(version, low) > 0)
		}
		return "after " + low, have
	} else if in = s.ResolvedIn; in == "" {
		return "", nil
	}
	if version != "" {
		have = yes(eco.CompareVersions(version, in) >= 0)
	}
	return in, have
}

package scrub

import "github.com/bellwether-project/bellwether/internal/eco"

// New compiles the rules.
func New(o Options) *Rules { panic("later") }

// Text returns s without what the rules take out, and which rules fired. A text
// that nothing fires on comes back as it is, without an allocation.
func (r *Rules) Text(s string) (string, []Hit) { panic("later") }

// Crash scrubs every string of a crash in place.
func (r *Rules) Crash(c *eco.Crash) []eco.Removal { panic("later") }

// Event scrubs a telemetry event in place.
func (r *Rules) Event(e *eco.Event) []eco.Removal { panic("later") }

// Session scrubs a session in place.
func (r *Rules) Session(s *eco.Session) []eco.Removal { panic("later") }

// Feedback scrubs feedback in place; the contact address stays, it is what the
// user gave for the answer.
func (r *Rules) Feedback(f *eco.Feedback) []eco.Removal { panic("later") }

// Origin scrubs the dimensions in place.
func (r *Rules) Origin(o *eco.Origin) []eco.Removal { panic("later") }

// Envelope scrubs whatever an envelope holds, and its origin and ids.
func (r *Rules) Envelope(e *eco.Envelope) []eco.Removal { panic("later") }

// Rule is a line of the public description.
type Rule struct {
	ID      string
	Token   string // what stands in the place of what was taken out
	What    string
	Example string // before, made up
	After   string
}

// Describe returns the rules, for the public page.
func Describe() []Rule { panic("later") }

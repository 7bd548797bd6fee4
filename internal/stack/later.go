package stack

import "github.com/bellwether-project/bellwether/internal/eco"

// Parse reads a text trace. It reports false when the text holds no trace of a
// dialect it knows; Why then says what was looked for.
func Parse(text string) (Trace, bool) { panic("later") }

// Fill parses c.Text into c.Exceptions when there are none, sets the platform
// when the client gave none, and returns a note for the lineage ("" when there
// was nothing to do).
func Fill(c *eco.Crash) (note string) { panic("later") }

// Normalise brings frames of structured reports to one form.
func Normalise(c *eco.Crash) { panic("later") }

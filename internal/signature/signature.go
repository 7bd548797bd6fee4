// Package signature turns the frames of a crash into an exact, cheap, stable and
// readable key, with its reasons. It is version sig/1: exception type, the run of
// vendored-library frames above, and the first in-app frame; special heads (out of
// memory, stack overflow, hang …) come before. Frames must have been classified
// (blame.World.Classify) for the best key; without it the client's in_app flags
// and the embedded lists of runtime names decide.
//
// It is not a family: many signatures may share one cause. It never looks at line
// or column numbers, user names, install paths or version folders.
package signature

import "github.com/bellwether-project/bellwether/internal/eco"

// Version names these rules; a signature carries it for ever.
const Version = "sig/1"

// Bounds. What lies beyond them is not read.
const (
	MaxTokens = 300 // tokens of one sequence, over all exceptions
	MaxTitle  = 255 // characters of a title
	MaxKey    = 1024
)

// Sign computes the signature of a classified crash, without its reasons.
func Sign(c *eco.Crash) eco.Signature { panic("later") }

// Explain is Sign with every step: which frame was skipped by which rule, and
// where the walk stopped.
func Explain(c *eco.Crash) eco.Signature { panic("later") }

// Template replaces what varies in a message (addresses, ids, numbers, quoted
// strings …) by placeholders, so that two messages of one cause read the same.
func Template(msg string) string { panic("later") }

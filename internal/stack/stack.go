// Package stack turns text traces of a dozen languages into the house's one
// frame model: frames innermost first, exceptions outermost first with links to
// the exception that wraps them. It is not a symbolicator and gives no blame: it
// keeps what the text says and drops only what is decoration. Everything is
// bounded (see the Max constants) and nothing here panics on any input.
package stack

import "github.com/bellwether-project/bellwether/internal/eco"

// Version names the rules of this package in lineage.
const Version = "stack/1"

// The bounds of what is read and what is kept.
const (
	MaxText       = 256 << 10 // bytes of a text that are read; the rest is ignored, with a reason
	MaxExceptions = 50        // exceptions kept
	MaxFrames     = 300       // frames kept of one exception: when there are more, the first and last 150
	MaxDepth      = 50        // nesting of causes and groups
	MaxLine       = 4096      // bytes of a line that are looked at
	MaxValue      = 8192      // bytes of an exception's message
	MaxName       = 512       // bytes of a function, module, file or type
)

// Dialect names the way a trace is written.
type Dialect string

// The dialects that Parse knows.
const (
	V8      Dialect = "v8"
	Firefox Dialect = "firefox"
	Safari  Dialect = "safari"
	Python  Dialect = "python"
	JVM     Dialect = "jvm"
	Go      Dialect = "go"
	DotNet  Dialect = "dotnet"
	Ruby    Dialect = "ruby"
	PHP     Dialect = "php"
	Rust    Dialect = "rust"
)

// Trace is a parsed text.
type Trace struct {
	Platform   string          // eco.Crash.Platform of the dialect
	Dialect    Dialect         // "" when the text is no trace
	Exceptions []eco.Exception // outermost first
	Thread     string          // the thread or goroutine, when the text says so
	Why        []eco.WhyStep   // how the dialect was chosen, and what was cut

	// Of whole reports only (see NodeReport and the others):
	Level   string            // fatal, error
	Tags    map[string]string // facts beside the frames: threads, heap.used …
	Images  []eco.DebugImage  // binaries of the frames that are kept
	Origin  eco.Origin        // OS, OSVersion, Arch, Runtime and nothing else
	Private bool              // the text holds what nobody asked for: it must not be kept, whether it was read or not
}

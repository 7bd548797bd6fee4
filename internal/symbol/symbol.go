// Package symbol turns addresses and minified frames back into names: it reads
// source maps, ProGuard and R8 mappings and Breakpad symbol files, and rewrites
// the frames of a crash with them. It is pure: bytes in, values out. It never
// fetches anything, keeps no files and knows no tenants; that is crash/symbols.
//
// Every reader is bounded before it allocates: what a file may make of memory is a
// small multiple of its size (stated at each Max constant), whatever it says of
// itself. Errors are fault.Invalid (not such a file) or fault.TooLarge.
package symbol

import "github.com/bellwether-project/bellwether/internal/fault"

// Version names the rules of this package in lineage.
const Version = "symbol/1"

// Kind is a kind of symbol file.
type Kind string

// The kinds.
const (
	SourceMap Kind = "sourcemap" // a source map, version 3, flat or with sections
	Script    Kind = "script"    // the minified file beside a map: it carries the debug id
	ProGuard  Kind = "proguard"  // a ProGuard or R8 mapping.txt
	Sym       Kind = "breakpad"  // a Breakpad .sym
)

// Kinds lists every kind.
var Kinds = []Kind{SourceMap, Script, ProGuard, Sym}

// MaxFile bounds one file of any kind.
const MaxFile = 64 << 20

// maxName bounds a name that a file gives to a frame; longer ones are cut.
const maxName = 512

func invalid(text string, err error) error { return fault.E("symbol.Parse", fault.Invalid, text, err) }

func tooLarge(text string) error { return fault.E("symbol.Parse", fault.TooLarge, text, nil) }

// Package minidump reads the crash dumps of Windows, Breakpad and Crashpad (and so
// of Chromium, Electron and Sentry's native SDKs): exception, threads, modules with
// their debug ids, annotations, and a conservative stack of the thread that
// crashed. It is a view of bytes that lie in memory already: no I/O, no copy of the
// memory in the dump, and nothing of that memory leaves it but addresses inside
// modules. It is no debugger: full stacks need unwind rules, which a dump lacks.
//
// Limits. A list is read up to its bound and never beyond the file; what a dump
// says of itself (counts, sizes, addresses) takes no memory before it is checked.
// A dump takes at most about its own size beside itself: 64 bytes for each module
// or region entry that really stands in the file. Errors are fault.Invalid.
package minidump

import (
	"encoding/binary"
	"slices"
	"unicode/utf16"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// The bounds of one dump. What is past one is not read.
const (
	MaxStreams = 256
	MaxThreads = 4096
	MaxModules = 4096
	MaxRegions = 65536 // memory regions, and mappings
	MaxFrames  = 256   // frames of a walk
	MaxNotes   = 512   // annotations
	maxString  = 512   // bytes of a name
	maxValue   = 1024  // bytes of an annotation
)

// Dump is a minidump that was read. Strings are cleaned text; nothing refers to
// the bytes but the walk.
type Dump struct {
	OS        string // windows, linux, macos, android, ios, fuchsia, other
	OSVersion string
	Arch      string // x86, x64, arm, arm64, other
	Time      int64  // of the dump, Unix milliseconds; 0 = not said

	Reason    string // "SIGSEGV /SEGV_MAPERR", "EXCEPTION_ACCESS_VIOLATION_READ"; "" when there was no exception
	Address   uint64 // where it happened or what could not be reached
	Addressed bool   // Address means something
	Assertion string // of the assertion that failed, as the program wrote it

	Threads []Thread
	Crashed int // index of the thread that crashed, or asked for the dump; -1 when none is named
	Modules []Module
	Notes   map[string]string // annotations of the program and its modules
	Client  string            // Crashpad's id of the install: raw

	b        []byte
	o        binary.ByteOrder
	regions  []region
	exec     []span // executable mappings, when the dump tells
	requests uint32 // Breakpad: the thread that asked
	writer   uint32 // Breakpad: the thread that wrote the dump
	ex       exception
	looked   int     // annotations
	byBase   []int32 // modules in the order of their addresses
}

// Thread is one thread.
type Thread struct {
	ID   uint32
	Name string

	stack   region
	context []byte
}

// Module is one binary that was loaded.
type Module struct {
	Base, Size uint64
	CodeFile   string // its path
	DebugFile  string // what its symbols are called: the pdb, else the name of CodeFile
	DebugID    string // in Sentry's form: a GUID in lower case, and "-age" where that is not 0
	CodeID     string // ELF: the build id; PE: time stamp and size
	Version    string
}

type region struct {
	at   uint64
	data []byte
}

type span struct{ from, to uint64 }

// bad is a dump that cannot be read.
func bad(text string) error { return fault.E("minidump.Parse", fault.Invalid, text, nil) }

// Is reports whether bytes begin as a minidump does.
func Is(b []byte) bool {
	return len(b) >= 32 && (string(b[:4]) == "MDMP" || string(b[:4]) == "PMDM")
}

type stream struct {
	kind uint32
	data []byte
}

// Parse reads a dump. It keeps b.
func Parse(b []byte) (*Dump, error) {
	if !Is(b) {
		return nil, bad("This is no minidump: it does not begin with MDMP.")
	}
	d := &Dump{b: b, o: binary.LittleEndian, Crashed: -1, OS: "other", Arch: "other", Notes: map[string]string{}}
	if b[0] == 'P' {
		d.o = binary.BigEndian
	}
	n := min(d.o.Uint32(b[8:]), MaxStreams)
	dir, ok := d.at(d.o.Uint32(b[12:]), n*12)
	if !ok {
		return nil, bad("The directory of the minidump lies outside the file.")
	}
	if t := d.o.Uint32(b[20:]); t != 0 {
		d.Time = int64(t) * 1000
	}
	var streams []stream
	for ; len(dir) >= 12; dir = dir[12:] {
		kind := d.o.Uint32(dir)
		data, ok := d.at(d.o.Uint32(dir[8:]), d.o.Uint32(dir[4:]))
		if kind == 0 || !ok {
			continue // an unused entry, or one that is cut off
		}
		streams = append(streams, stream{kind, data})
	}
	// The system first: the rest is read by its rules. Names after threads.
	for _, order := range [][]uint32{{sSystemInfo}, {sThreads, sModules, sMemory, sMemory64, sMemoryInfo, sBreakpad, sAssertion, sMaps, sCrashpad}, {sException, sThreadNames}} {
		for _, want := range order {
			i := slices.IndexFunc(streams, func(s stream) bool { return s.kind == want })
			if i >= 0 {
				d.read(want, streams[i].data)
			}
		}
	}
	if len(d.Threads) == 0 && len(d.Modules) == 0 && !d.ex.set {
		return nil, bad("The minidump holds neither an exception nor threads nor modules.")
	}
	slices.SortStableFunc(d.regions, func(a, b region) int { return cmpU(a.at, b.at) })
	slices.SortStableFunc(d.exec, func(a, b span) int { return cmpU(a.from, b.from) })
	d.byBase = make([]int32, len(d.Modules))
	for i := range d.byBase {
		d.byBase[i] = int32(i)
	}
	slices.SortStableFunc(d.byBase, func(a, b int32) int { return cmpU(d.Modules[a].Base, d.Modules[b].Base) })
	d.finish()
	return d, nil
}

// The streams that are read. Command line, environment, handles and the like never are.
const (
	sThreads     = 3
	sModules     = 4
	sMemory      = 5
	sException   = 6
	sSystemInfo  = 7
	sMemory64    = 9
	sMemoryInfo  = 16
	sThreadNames = 24
	sBreakpad    = 0x47670001
	sAssertion   = 0x47670002
	sMaps        = 0x47670009 // /proc/self/maps: which mappings are code; never kept
	sCrashpad    = 0x43500001
)

func (d *Dump) read(kind uint32, b []byte) {
	switch kind {
	case sSystemInfo:
		d.system(b)
	case sThreads:
		d.threads(b)
	case sModules:
		d.modules(b)
	case sMemory:
		d.memory(b)
	case sMemory64:
		d.memory64(b)
	case sMemoryInfo:
		d.memoryInfo(b)
	case sMaps:
		d.maps(b)
	case sException:
		d.exception(b)
	case sThreadNames:
		d.threadNames(b)
	case sCrashpad:
		d.crashpad(b)
	case sBreakpad:
		if len(b) >= 12 {
			if valid := d.o.Uint32(b); valid&2 != 0 {
				d.requests = d.o.Uint32(b[8:])
			} else if valid&1 != 0 {
				d.writer = d.o.Uint32(b[4:])
			}
		}
	case sAssertion:
		d.assertion(b)
	}
}

// at is a view of size bytes of the file.
func (d *Dump) at(rva, size uint32) ([]byte, bool) {
	return cut(d.b, uint64(rva), uint64(size))
}

func cut(b []byte, at, size uint64) ([]byte, bool) {
	if at > uint64(len(b)) || size > uint64(len(b))-at {
		return nil, false
	}
	return b[at : at+size : at+size], true
}

// list cuts a list into its entries: a count, then the entries, which some writers
// align to 8 bytes. It says how many bytes each has when the list states it itself.
func (d *Dump) list(b []byte, size int, most uint32) (entries []byte, n int) {
	if len(b) < 4 {
		return nil, 0
	}
	count := d.o.Uint32(b)
	b = b[4:]
	if uint64(len(b)) == uint64(count)*uint64(size)+4 {
		b = b[4:]
	}
	return b, int(min(count, most, uint32(len(b)/size)))
}

// utf16 reads a string: its length in bytes, then UTF-16.
func (d *Dump) utf16(rva uint32) string {
	head, ok := d.at(rva, 4)
	if !ok || rva == 0 {
		return ""
	}
	n := min(d.o.Uint32(head), 2*maxString)
	b, ok := cut(d.b, uint64(rva)+4, uint64(n))
	if !ok {
		return ""
	}
	return d.wide(b)
}

func (d *Dump) wide(b []byte) string {
	u := make([]uint16, 0, len(b)/2)
	for ; len(b) >= 2; b = b[2:] {
		c := d.o.Uint16(b)
		if c == 0 {
			break
		}
		u = append(u, c)
	}
	return eco.Clean(string(utf16.Decode(u)), maxString)
}

// utf8 reads Crashpad's string: its length in bytes, then UTF-8.
func (d *Dump) utf8(rva uint32, most uint32) string {
	head, ok := d.at(rva, 4)
	if !ok || rva == 0 {
		return ""
	}
	n := d.o.Uint32(head)
	b, ok := cut(d.b, uint64(rva)+4, uint64(min(n, most)))
	if !ok {
		return ""
	}
	return eco.Clean(string(b), int(most))
}

func cmpU(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

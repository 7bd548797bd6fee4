// Package elfsym writes the Breakpad symbol file of an ELF binary: functions and
// their lines, public symbols, and the unwind rules of its call frame information.
// It is what dump_syms does, for binaries that people have at hand: a build with
// debug information (gcc -g), its separated .debug file, or a stripped library,
// whose exported functions are better than offsets.
//
// It reads sections by itself, bounded: debug/elf and debug/dwarf are not made for
// hostile files (one long name for a million symbols, a count without entries).
// Functions that were inlined are not told apart: a place in one is named by the
// function around it, with the file and line of the inlined code.
//
// Unwind rules for which there is no more room are left out, whole functions at a time.
//
// Bounds: 4,096 sections, 256 MB of sections read, 2 million symbols with names of
// 4 KB, 4 million lines, 100,000 files, 2 million rows of unwind rules; the result
// has at most symbol.MaxFile bytes. Errors are fault.Invalid or fault.TooLarge.
package elfsym

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/symbol"
)

// Is reports whether bytes begin as an ELF file does.
func Is(head []byte) bool { return bytes.HasPrefix(head, []byte("\x7fELF")) }

// Convert writes the symbol file of a binary of size bytes; name is what crashes
// call it, without its path. What ends with .debug is for the binary without that.
func Convert(r io.ReaderAt, size int64, name string) ([]byte, error) {
	f, err := open(r, size)
	if err != nil {
		return nil, err
	}
	w := &writer{}
	id, code, err := f.ident()
	if err != nil {
		return nil, err
	}
	name = strings.TrimSuffix(eco.Clean(name, 200), ".debug")
	if name == "" {
		name = "binary"
	}
	w.line("MODULE Linux ", f.arch(), " ", id, " ", name)
	if code != "" {
		w.line("INFO CODE_ID ", code, " ", name)
	}
	syms, err := f.symbols()
	if err != nil {
		return nil, err
	}
	table, err := f.lineTable()
	if err != nil {
		return nil, err
	}
	if len(syms) == 0 && len(table.rows) == 0 {
		return nil, invalid("The binary has no symbols: it was stripped. Upload the one before `strip`, or its .debug file.")
	}
	w.functions(syms, table)
	if w.full {
		return nil, tooLarge("The symbols of this binary take more than 64 MB.")
	}
	return w.b, f.callFrames(w)
}

func invalid(text string) error { return fault.E("elfsym.Convert", fault.Invalid, text, nil) }

func tooLarge(text string) error { return fault.E("elfsym.Convert", fault.TooLarge, text, nil) }

// ident is the debug id and the code id of a binary, as Breakpad makes them: from
// its build id, else from the first page of its code.
func (f *file) ident() (debug, code string, err error) {
	var id [16]byte
	build, err := f.buildID()
	if err != nil {
		return "", "", err
	}
	if len(build) > 0 {
		copy(id[:], build)
		code = strings.ToUpper(hex.EncodeToString(build))
	} else {
		text, err := f.section(".text")
		if err != nil {
			return "", "", err
		}
		for i, b := range text[:min(len(text), 4096)] {
			id[i%16] ^= b
		}
		if len(text) == 0 {
			return "", "", invalid("The binary has neither a build id nor code.")
		}
	}
	guid := f.guid(id)
	return strings.ToUpper(hex.EncodeToString(guid[:])) + "0", code, nil
}

// guid turns the bytes of an id into the order in which a GUID is written.
func (f *file) guid(id [16]byte) (out [16]byte) {
	out = id
	binary.BigEndian.PutUint32(out[0:], f.o.Uint32(id[0:]))
	binary.BigEndian.PutUint16(out[4:], f.o.Uint16(id[4:]))
	binary.BigEndian.PutUint16(out[6:], f.o.Uint16(id[6:]))
	return out
}

// buildID reads the note that linkers leave.
func (f *file) buildID() ([]byte, error) {
	b, err := f.section(".note.gnu.build-id")
	for err == nil && len(b) >= 12 {
		name, desc, kind := int64(f.o.Uint32(b)), int64(f.o.Uint32(b[4:])), f.o.Uint32(b[8:])
		b = b[12:]
		at := (name + 3) &^ 3
		if name > 64 || desc > 64 || at+desc > int64(len(b)) {
			break
		}
		if kind == 3 && string(b[:name]) == "GNU\x00" && desc >= 8 {
			return b[at : at+desc], nil
		}
		b = b[min(int64(len(b)), at+(desc+3)&^3):]
	}
	return nil, err
}

// writer collects the lines of the result.
type writer struct {
	b    []byte
	full bool
}

func (w *writer) line(parts ...string) {
	n := 1
	for _, p := range parts {
		n += len(p)
	}
	if len(w.b)+n > symbol.MaxFile {
		w.full = true
		return
	}
	for _, p := range parts {
		w.b = append(w.b, p...)
	}
	w.b = append(w.b, '\n')
}

func hexa(n uint64) string { return strconv.FormatUint(n, 16) }

// functions writes FILE, FUNC and PUBLIC records.
func (w *writer) functions(syms []sym, t *lineTable) {
	used := make([]bool, len(t.files))
	runs := make([]run, len(syms))
	end, at := uint64(1<<32), len(t.rows)
	for i := len(syms) - 1; i >= 0; i-- { // both are sorted by address; a function's lines end where the next begins
		s := &syms[i]
		if s.size == 0 {
			continue
		}
		to := min(uint64(s.addr)+uint64(s.size), end)
		for at > 0 && uint64(t.rows[at-1].addr) >= to {
			at--
		}
		x := run{to: at, end: to}
		for at > 0 && uint64(t.rows[at-1].addr)+uint64(t.rows[at-1].size) > uint64(s.addr) {
			at--
			used[t.rows[at].file] = true
		}
		x.from, end = at, uint64(s.addr)
		runs[i] = x
		if at < len(t.rows) && at < x.to { // a row may reach into the function before
			at++
		}
	}
	for i, u := range used {
		if u {
			w.line("FILE ", strconv.Itoa(i), " ", t.files[i])
		}
	}
	for i := range syms {
		if w.full {
			return
		}
		s := &syms[i]
		if s.size == 0 {
			w.line("PUBLIC ", hexa(uint64(s.addr)), " 0 ", s.name)
			continue
		}
		w.line("FUNC ", hexa(uint64(s.addr)), " ", hexa(uint64(s.size)), " 0 ", s.name)
		for _, r := range t.rows[runs[i].from:runs[i].to] {
			from, to := max(r.addr, s.addr), min(uint64(r.addr)+uint64(r.size), runs[i].end)
			if to > uint64(from) {
				w.line(hexa(uint64(from)), " ", hexa(to-uint64(from)), " ", strconv.FormatUint(uint64(r.line), 10), " ", strconv.FormatUint(uint64(r.file), 10))
			}
		}
	}
}

// run is the lines of a function.
type run struct {
	from, to int    // of the rows
	end      uint64 // of the function's code that is its own
}

package symbol

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Breakpad is a parsed Breakpad symbol file: the functions, lines and unwind rules
// of one binary. Offsets are from where the binary was loaded. It keeps the text
// of the file and at most 24 bytes for each of its lines, so that it takes at most
// four times the file (its shortest lines have eight bytes). Offsets of 4 GB and
// more are left out.
type Breakpad struct {
	OS     string // "Linux", "mac", "windows"
	Arch   string // "x86", "x86_64", "arm64"
	ID     string // debug id as the file writes it: GUID and age, upper case, no dashes
	Name   string // of the binary or its pdb
	CodeID string // INFO CODE_ID, "" when not given

	files   []string
	origins []string
	funcs   []function
	lines   []lineOf
	inlines []inline
	publics []public
	cfi     []unwind
	deltas  []delta
	win     []WinFrame
	text    int // bytes of the file
}

type function struct {
	addr, size   uint32
	name         string
	lines        int32 // first of lines; they end where those of the next function begin
	inlines      int32
	nLines, nInl int32
}

type lineOf struct{ addr, size, line, file uint32 }

type inline struct{ addr, size, depth, line, file, origin uint32 }

type public struct {
	addr uint32
	name string
}

type unwind struct {
	addr, size   uint32
	rule         string
	first, count int32 // of deltas
}

type delta struct {
	addr uint32
	rule string
}

// WinFrame is a STACK WIN record: how to leave a frame of 32-bit Windows code.
type WinFrame struct {
	Type       int // 4: Program is set; 0: frame pointer omission data
	Addr, Size uint32
	Params     uint32 // bytes of parameters that the callee pops
	Saved      uint32 // bytes of saved registers
	Locals     uint32
	Program    string // "$T0 .raSearch = …"
	UsesBP     bool   // when Program is empty: the function uses %ebp as it likes
}

// Place is one function at one place of the source.
type Place struct {
	Function string
	File     string
	Line     int
	Inlined  bool // its code stands in the next frame's function
}

// ParseBreakpad reads a .sym file. Lines it does not know are skipped, a file
// whose first line is no MODULE record is none.
func ParseBreakpad(data []byte) (*Breakpad, error) {
	if len(data) > MaxFile {
		return nil, tooLarge("A symbol file has at most 64 MB.")
	}
	p := &breakpadReader{}
	if !p.module(data) {
		return nil, invalid("This is no Breakpad symbol file: it does not begin with MODULE.", nil)
	}
	text := string(data)
	for rest := text; rest != ""; {
		var line string
		if i := strings.IndexByte(rest, '\n'); i >= 0 {
			line, rest = rest[:i], rest[i+1:]
		} else {
			line, rest = rest, ""
		}
		p.line(strings.TrimSuffix(line, "\r"))
	}
	p.m.text = len(text)
	p.finish()
	return &p.m, nil
}

// Lookup names what lies at an offset, innermost first: functions that were
// inlined there, then the one whose code it is. ok is false when the file knows
// nothing of the place. For a return address look up the byte before it.
func (m *Breakpad) Lookup(offset uint64) (frames []Place, ok bool) {
	if offset > maxOffset {
		return nil, false
	}
	at := uint32(offset)
	i, found := slices.BinarySearchFunc(m.funcs, at, func(f function, a uint32) int { return cmp.Compare(f.addr, a) })
	if !found {
		i--
	}
	if i >= 0 && at-m.funcs[i].addr < m.funcs[i].size {
		return m.within(&m.funcs[i], at), true
	}
	// A public symbol reaches up to the next symbol of any kind.
	j, exact := slices.BinarySearchFunc(m.publics, at, func(p public, a uint32) int { return cmp.Compare(p.addr, a) })
	if !exact {
		j--
	}
	if j >= 0 && (i < 0 || m.publics[j].addr > m.funcs[i].addr) {
		return []Place{{Function: clip(Demangle(m.publics[j].name))}}, true
	}
	return nil, false
}

// Bounds of inlining: functions within each other at one place, and records of one
// function (further ones are left out: each lookup reads them all).
const (
	maxInlined = 64
	maxInlines = 20_000
)

func (m *Breakpad) within(f *function, at uint32) []Place {
	outer := Place{Function: clip(Demangle(f.name))}
	if l, ok := m.lineAt(f, at); ok {
		outer.File, outer.Line = m.file(l.file), int(l.line)
	}
	frames := []Place{outer}
	var chain [maxInlined]*inline
	inl := m.inlines[f.inlines : f.inlines+f.nInl]
	for k := range inl {
		if x := &inl[k]; at >= x.addr && at-x.addr < x.size && chain[x.depth] == nil {
			chain[x.depth] = x
		}
	}
	for _, x := range chain {
		if x == nil {
			break
		}
		in := &frames[len(frames)-1]
		next := Place{Function: clip(Demangle(m.origin(x.origin))), File: in.File, Line: in.Line, Inlined: true}
		in.File, in.Line = m.file(x.file), int(x.line)
		frames = append(frames, next)
	}
	slices.Reverse(frames)
	return frames
}

func (m *Breakpad) lineAt(f *function, at uint32) (lineOf, bool) {
	ls := m.lines[f.lines : f.lines+f.nLines]
	k, found := slices.BinarySearchFunc(ls, at, func(l lineOf, a uint32) int { return cmp.Compare(l.addr, a) })
	if !found {
		k--
	}
	if k >= 0 && at-ls[k].addr < ls[k].size && ls[k].line > 0 {
		return ls[k], true
	}
	return lineOf{}, false
}

// CFI returns the unwind rules that hold at an offset, as the file writes them
// (".cfa: $rsp 8 + .ra: .cfa -8 + ^"): the first set, then changes in their order.
func (m *Breakpad) CFI(offset uint64) (rules []string, ok bool) {
	if offset > maxOffset {
		return nil, false
	}
	at := uint32(offset)
	i, found := slices.BinarySearchFunc(m.cfi, at, func(u unwind, a uint32) int { return cmp.Compare(u.addr, a) })
	if !found {
		i--
	}
	if i < 0 || at-m.cfi[i].addr >= m.cfi[i].size {
		return nil, false
	}
	u := &m.cfi[i]
	rules = append(rules, u.rule)
	for _, d := range m.deltas[u.first : u.first+u.count] {
		if d.addr > at {
			break
		}
		rules = append(rules, d.rule)
	}
	return rules, true
}

// Win returns the STACK WIN record at an offset, one with a program before others.
func (m *Breakpad) Win(offset uint64) (WinFrame, bool) {
	if offset > maxOffset {
		return WinFrame{}, false
	}
	at := uint32(offset)
	i, found := slices.BinarySearchFunc(m.win, at, func(w WinFrame, a uint32) int { return cmp.Compare(w.Addr, a) })
	for ; found && i+1 < len(m.win) && m.win[i+1].Addr == at; i++ { // the last of one address: it has the program
	}
	if !found {
		i--
	}
	// Records may lie within others: look back a little for the nearest that reaches here.
	for k := i; k >= 0 && k > i-16; k-- {
		if at-m.win[k].Addr < m.win[k].Size {
			return m.win[k], true
		}
	}
	return WinFrame{}, false
}

// Size is about how many bytes of memory the file takes.
func (m *Breakpad) Size() int64 {
	return int64(m.text) + int64(len(m.files)+len(m.origins))*16 + int64(len(m.funcs))*48 + int64(len(m.lines))*16 +
		int64(len(m.inlines))*24 + int64(len(m.publics))*24 + int64(len(m.cfi))*32 + int64(len(m.deltas))*24 + int64(len(m.win))*56
}

func (m *Breakpad) file(n uint32) string {
	if int(n) < len(m.files) {
		return clip(m.files[n])
	}
	return ""
}

func (m *Breakpad) origin(n uint32) string {
	if int(n) < len(m.origins) {
		return m.origins[n]
	}
	return ""
}

const maxOffset = 1<<32 - 1

// maxGap is how far the numbers of FILE and INLINE_ORIGIN records may run ahead of
// the lines read: a list is as long as its highest number.
const maxGap = 1 << 16

func hex32(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 16, 32)
	return uint32(n), err == nil
}

func dec32(s string) (uint32, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > maxOffset {
		return 0, false
	}
	return uint32(n), true
}

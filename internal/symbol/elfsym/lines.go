package elfsym

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

const (
	maxRows  = 4_000_000
	maxFiles = 100_000
	maxPaths = 20_000 // directories, and files, of one unit
)

// row is where some bytes of code come from.
type row struct{ addr, size, line, file uint32 }

// lineTable is what .debug_line says, by address.
type lineTable struct {
	rows  []row
	files []string
	known map[string]uint32
}

// lineTable reads .debug_line, versions 2 to 5. A unit that makes no sense is left out.
func (f *file) lineTable() (*lineTable, error) {
	t := &lineTable{known: map[string]uint32{}}
	b, err := f.section(".debug_line")
	if err != nil || len(b) == 0 {
		return t, err
	}
	texts := map[uint64][]byte{}
	for form, name := range map[uint64]string{formLineStrp: ".debug_line_str", formStrp: ".debug_str"} {
		if texts[form], err = f.section(name); err != nil {
			return nil, err
		}
	}
	for r := (reader{b: b, o: f.o}); len(r.b) > 0; {
		unit, word := r.part()
		if r.bad {
			break
		}
		u := program{f: f, t: t, r: unit, word: word, texts: texts}
		if u.header() {
			u.run()
		}
		if len(t.rows) > maxRows || len(t.files) > maxFiles {
			return nil, tooLarge("The binary has more than 4,000,000 lines or 100,000 files.")
		}
	}
	slices.SortStableFunc(t.rows, func(a, b row) int { return cmp.Compare(a.addr, b.addr) })
	for i := range t.rows[:max(0, len(t.rows)-1)] { // each byte has one line
		if a, b := &t.rows[i], &t.rows[i+1]; uint64(a.addr)+uint64(a.size) > uint64(b.addr) {
			a.size = b.addr - a.addr
		}
	}
	return t, nil
}

// file is the number of a path in the result.
func (t *lineTable) file(p string) uint32 {
	n, ok := t.known[p]
	if !ok {
		n = uint32(len(t.files))
		t.known[p], t.files = n, append(t.files, p)
	}
	return n
}

// program is one unit of .debug_line.
type program struct {
	f     *file
	t     *lineTable
	r     reader
	word  int
	texts map[uint64][]byte

	version         uint64
	unit            uint64 // bytes of the shortest instruction
	lineBase        int64
	lineRange, base uint64
	lengths         []byte
	dirs            []string
	paths           []string // of files
	numbers         []uint32 // of them in the result, plus 1; 0: not asked for yet
}

func (p *program) header() bool {
	r := &p.r
	if p.version = r.uint(2); p.version < 2 || p.version > 5 {
		return false
	}
	if p.version == 5 {
		r.take(2) // sizes of addresses and segments
	}
	n := r.uint(p.word)
	h := reader{b: r.take(n), o: r.o, bad: r.bad}
	p.unit = uint64(h.u8())
	if p.version >= 4 {
		h.u8() // operations of an instruction: only of processors that nobody has
	}
	h.u8() // is_stmt
	p.lineBase, p.lineRange, p.base = int64(int8(h.u8())), uint64(h.u8()), uint64(h.u8())
	if h.bad || p.lineRange == 0 || p.base == 0 {
		return false
	}
	p.lengths = h.take(p.base - 1)
	if p.version == 5 {
		return p.tables5(&h)
	}
	p.dirs = []string{""} // that of the compilation: only .debug_info knows it
	for s := h.str(); len(s) > 0 && len(p.dirs) < maxPaths; s = h.str() {
		p.dirs = append(p.dirs, clean(s))
	}
	p.paths = []string{""}
	for s := h.str(); len(s) > 0 && len(p.paths) < maxPaths; s = h.str() {
		dir := h.uleb()
		h.uleb()
		h.uleb()
		p.paths = append(p.paths, p.join(clean(s), dir))
	}
	p.numbers = make([]uint32, len(p.paths))
	return !h.bad
}

func clean(b []byte) string {
	s := eco.Clean(string(b[:min(len(b), maxNameLen)]), maxNameLen)
	if strings.ContainsAny(s, "\r\n") {
		return ""
	}
	return s
}

// join makes the path of a file from those of its directories.
func (p *program) join(name string, dir uint64) string {
	if name == "" || path.IsAbs(name) || dir >= uint64(len(p.dirs)) {
		return name
	}
	d := p.dirs[dir]
	if !path.IsAbs(d) && dir > 0 && len(p.dirs) > 0 {
		d = path.Join(p.dirs[0], d)
	}
	if name = path.Join(d, name); len(name) > maxNameLen {
		return ""
	}
	return name
}

// The forms of version 5 that compilers use here.
const (
	formString   = 0x08
	formStrp     = 0x0e
	formLineStrp = 0x1f
)

func (p *program) tables5(h *reader) bool {
	list := func(use func(name string, dir uint64)) bool {
		type field struct{ what, form uint64 }
		fields := make([]field, h.u8())
		for i := range fields {
			fields[i] = field{h.uleb(), h.uleb()}
		}
		n := h.uleb()
		if n > maxPaths || n > 0 && len(fields) == 0 {
			return false
		}
		for range n {
			name, dir := "", uint64(0)
			for _, x := range fields {
				s, v, ok := p.field(h, x.form)
				if !ok {
					return false
				}
				switch x.what {
				case 1:
					name = s
				case 2:
					dir = v
				}
			}
			use(name, dir)
		}
		return !h.bad
	}
	if !list(func(name string, _ uint64) { p.dirs = append(p.dirs, name) }) || !list(func(name string, dir uint64) { p.paths = append(p.paths, p.join(name, dir)) }) {
		return false
	}
	p.numbers = make([]uint32, len(p.paths))
	return true
}

// field reads a value of a form.
func (p *program) field(h *reader, form uint64) (s string, v uint64, ok bool) {
	switch form {
	case formString:
		s = clean(h.str())
	case formStrp, formLineStrp:
		s = text1(p.texts[form], h.uint(p.word), maxNameLen)
		s = clean([]byte(s))
	case 0x0b: // data1
		v = h.uint(1)
	case 0x05: // data2
		v = h.uint(2)
	case 0x06: // data4
		v = h.uint(4)
	case 0x07: // data8
		v = h.uint(8)
	case 0x1e: // data16
		h.take(16)
	case 0x0f: // udata
		v = h.uleb()
	case 0x09: // block
		h.take(h.uleb())
	default:
		return "", 0, false
	}
	return s, v, !h.bad
}

// run reads the instructions of the program.
func (p *program) run() {
	var addr, file, line uint64
	var last struct {
		addr, file, line uint64
		set              bool
	}
	reset := func() { addr, file, line, last.set = 0, 1, 1, false }
	emit := func() {
		if last.set && addr > last.addr {
			p.add(last.addr, addr-last.addr, last.file, last.line)
		}
		last.addr, last.file, last.line, last.set = addr, file, line, true
	}
	reset()
	for r := &p.r; len(r.b) > 0 && !r.bad && len(p.t.rows) <= maxRows; {
		op := uint64(r.u8())
		switch {
		case op >= p.base:
			op -= p.base
			addr += op / p.lineRange * p.unit
			line += uint64(p.lineBase + int64(op%p.lineRange))
			emit()
		case op == 0:
			n := r.uleb()
			x := reader{b: r.take(n), o: r.o, bad: r.bad}
			switch x.u8() {
			case 1: // the end of a sequence
				emit()
				reset()
			case 2:
				last.set = false
				addr = x.uint(len(x.b))
			}
		case op == 1:
			emit()
		case op == 2:
			addr += r.uleb() * p.unit
		case op == 3:
			line += uint64(r.sleb())
		case op == 4:
			file = r.uleb()
		case op == 8:
			addr += (255 - p.base) / p.lineRange * p.unit
		case op == 9:
			addr += r.uint(2)
		default: // skipped by its length
			if int(op) <= len(p.lengths) {
				for range p.lengths[op-1] {
					r.uleb()
				}
			}
		}
	}
}

// add notes a row; code at the very beginning is none: it was left out by the linker.
func (p *program) add(addr, size, file, line uint64) {
	at, ok := p.f.offset(addr)
	if !ok || addr == 0 || size > 1<<31 || uint64(at)+size > 1<<32-1 || line == 0 || line > 1<<24 || file >= uint64(len(p.paths)) || p.paths[file] == "" {
		return
	}
	if p.numbers[file] == 0 {
		p.numbers[file] = p.t.file(p.paths[file]) + 1
	}
	n := p.numbers[file] - 1
	if k := len(p.t.rows) - 1; k >= 0 {
		if l := &p.t.rows[k]; l.addr+l.size == at && l.line == uint32(line) && l.file == n {
			l.size += uint32(size)
			return
		}
	}
	p.t.rows = append(p.t.rows, row{at, uint32(size), uint32(line), n})
}

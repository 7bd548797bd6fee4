package elfsym

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Bounds of unwind rules: their rows, and the instructions that many functions share.
const (
	maxRules = 2_000_000
	maxInit  = 1024
)

// callFrames writes STACK CFI records of .eh_frame, else of .debug_frame.
func (f *file) callFrames(w *writer) error {
	for _, name := range []string{".eh_frame", ".debug_frame"} {
		s := f.find(name)
		if s == nil || f.registers() == nil {
			continue
		}
		b, err := f.data(s)
		if err != nil {
			return err
		}
		c := cfi{f: f, w: w, b: b, at: s.addr, eh: name == ".eh_frame", cies: map[uint64]*cie{}}
		c.read()
		break
	}
	return nil
}

// registers are the names of a processor's registers by their DWARF numbers.
func (f *file) registers() []string {
	switch f.machine {
	case 3:
		return []string{"$eax", "$ecx", "$edx", "$ebx", "$esp", "$ebp", "$esi", "$edi", "$eip"}
	case 62:
		return []string{"$rax", "$rdx", "$rcx", "$rbx", "$rsi", "$rdi", "$rbp", "$rsp", "$r8", "$r9", "$r10", "$r11", "$r12", "$r13", "$r14", "$r15", "$rip"}
	case 40:
		return []string{"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "sp", "lr", "pc"}
	case 183:
		out := make([]string, 0, 32)
		for i := range 31 {
			out = append(out, "x"+strconv.Itoa(i))
		}
		return append(out, "sp")
	}
	return nil
}

// cfi reads call frame information.
type cfi struct {
	f    *file
	w    *writer
	b    []byte
	at   uint64 // address of the section
	eh   bool
	cies map[uint64]*cie
	rows int
}

// cie is what the functions of a unit share.
type cie struct {
	code, ra uint64
	data     int64
	pointer  byte // how addresses are written
	augment  bool
	init     []byte
}

// pos is how far a reader is in the section.
func (c *cfi) pos(r *reader) uint64 { return uint64(len(c.b) - len(r.b)) }

func (c *cfi) read() {
	r := reader{b: c.b, o: c.f.o}
	for len(r.b) >= 4 && !r.bad && !c.w.full && c.rows < maxRules {
		start := c.pos(&r)
		e, word := r.part()
		if len(e.b) == 0 {
			if c.eh {
				continue
			}
			break
		}
		at := start + uint64(word)
		if word == 8 {
			at += 4
		}
		n := word
		if c.eh {
			n = 4
		}
		id := e.uint(n)
		if c.eh && id == 0 || !c.eh && (id == 0xffffffff || id == 1<<64-1) {
			continue // read when a function asks for it
		}
		from := id
		if c.eh {
			from = at - id
		}
		if u := c.cie(from); u != nil {
			c.function(u, &e, at+uint64(n))
		}
	}
}

// cie reads what stands at an offset of the section.
func (c *cfi) cie(at uint64) *cie {
	if u, ok := c.cies[at]; ok {
		return u
	}
	u := c.readCIE(at)
	c.cies[at] = u
	return u
}

func (c *cfi) readCIE(at uint64) *cie {
	if at >= uint64(len(c.b)) {
		return nil
	}
	all := reader{b: c.b[at:], o: c.f.o}
	r, word := all.part()
	if c.eh {
		word = 4
	}
	id := r.uint(word)
	if c.eh && id != 0 || !c.eh && id != 0xffffffff && id != 1<<64-1 {
		return nil
	}
	version := r.u8()
	augment := string(r.str())
	if version == 4 {
		r.take(2)
	}
	u := &cie{code: r.uleb(), data: r.sleb()}
	if version == 1 {
		u.ra = uint64(r.u8())
	} else {
		u.ra = r.uleb()
	}
	if rest, ok := strings.CutPrefix(augment, "z"); ok {
		u.augment = true
		x := reader{o: r.o}
		x.b = r.take(r.uleb())
		for _, a := range rest {
			switch a {
			case 'R':
				u.pointer = x.u8()
			case 'L':
				x.u8()
			case 'P':
				if c.pointer(&x, x.u8()&0x0f, 0); x.bad {
					return nil
				}
			case 'S', 'B':
			default:
				return nil
			}
		}
	} else if augment != "" {
		return nil
	}
	u.init = r.b
	if r.bad || version != 1 && version != 3 && version != 4 || len(u.init) > maxInit {
		return nil
	}
	return u
}

// pointer reads an address as it is written; at is where it stands.
func (c *cfi) pointer(r *reader, how byte, at uint64) (v uint64, ok bool) {
	switch how & 0x0f {
	case 0:
		if v = 4; c.f.wide {
			v = 8
		}
		v = r.uint(int(v))
	case 1:
		v = r.uleb()
	case 2:
		v = r.uint(2)
	case 3:
		v = r.uint(4)
	case 4, 12:
		v = r.uint(8)
	case 9:
		v = uint64(r.sleb())
	case 10:
		v = uint64(int64(int16(r.uint(2))))
	case 11:
		v = uint64(int64(int32(r.uint(4))))
	default:
		return 0, false
	}
	switch how & 0xf0 {
	case 0:
	case 0x10:
		v += at
	default:
		return 0, false
	}
	if !c.f.wide {
		v &= 1<<32 - 1
	}
	return v, !r.bad
}

// rules are how a frame is left at one place: the frame's address, then registers.
type rules struct {
	reg    uint64
	offset int64
	known  bool // reg and offset hold
	regs   map[uint64]string
}

func (x rules) clone() rules { x.regs = maps.Clone(x.regs); return x }

// function writes the records of one function.
func (c *cfi) function(u *cie, r *reader, at uint64) {
	begin, ok := c.pointer(r, u.pointer, c.at+at)
	size, ok2 := c.pointer(r, u.pointer&0x0f, 0)
	from, ok3 := c.f.offset(begin)
	if u.augment {
		r.take(r.uleb())
	}
	if !ok || !ok2 || !ok3 || r.bad || size == 0 || size > 1<<31 || uint64(from)+size > 1<<32-1 {
		return
	}
	m := machine{c: c, u: u, names: c.f.registers()}
	m.now.regs = map[uint64]string{}
	if u.ra >= uint64(len(m.names)) {
		return
	}
	m.now.regs[u.ra] = m.names[u.ra]
	if !m.run(u.init, nil) || !m.now.known {
		return
	}
	m.first = m.now.clone()
	start := len(c.w.b)
	defer func() {
		if c.w.full { // no half of a function: its later rules would be wrong
			c.w.b = c.w.b[:start]
		}
	}()
	c.emit("STACK CFI INIT "+hexa(uint64(from))+" "+hexa(size), rules{regs: map[uint64]string{}}, m.now, &m)
	was := m.now.clone()
	pc := uint64(from)
	m.run(r.b, func(step uint64) bool {
		if !m.now.known {
			return false
		}
		c.emit("STACK CFI "+hexa(pc), was, m.now, &m)
		was = m.now.clone()
		pc += step
		return pc < uint64(from)+size && c.rows < maxRules
	})
	if m.now.known && pc < uint64(from)+size {
		c.emit("STACK CFI "+hexa(pc), was, m.now, &m)
	}
}

// emit writes what changed.
func (c *cfi) emit(head string, was, now rules, m *machine) {
	var b strings.Builder
	if !was.known || was.reg != now.reg || was.offset != now.offset {
		b.WriteString(" .cfa: " + m.names[now.reg] + " " + strconv.FormatInt(now.offset, 10) + " +")
	}
	for _, n := range slices.Sorted(maps.Keys(now.regs)) {
		if was.regs[n] != now.regs[n] {
			b.WriteString(" " + m.name(n) + ": " + now.regs[n])
		}
	}
	for _, n := range slices.Sorted(maps.Keys(was.regs)) {
		if _, ok := now.regs[n]; !ok { // it holds its caller's value again
			b.WriteString(" " + m.name(n) + ": " + m.names[n])
		}
	}
	if b.Len() > 0 {
		c.rows++
		c.w.line(head, b.String())
	}
}

// machine runs call frame instructions.
type machine struct {
	c     *cfi
	u     *cie
	names []string
	now   rules
	first rules
	stack []rules
}

func (m *machine) name(n uint64) string {
	if n == m.u.ra {
		return ".ra"
	}
	return m.names[n]
}

// run executes instructions; step is called when code passes by. False: there was
// one that is not known.
func (m *machine) run(b []byte, step func(uint64) bool) bool {
	r := reader{b: b, o: m.c.f.o}
	advance := func(n uint64) bool { return step == nil || step(n*m.u.code) }
	saved := func(reg uint64, n int64) {
		if reg < uint64(len(m.names)) {
			m.now.regs[reg] = ".cfa " + strconv.FormatInt(n*m.u.data, 10) + " + ^"
		}
	}
	restore := func(reg uint64) {
		if rule, ok := m.first.regs[reg]; ok {
			m.now.regs[reg] = rule
		} else {
			delete(m.now.regs, reg)
		}
	}
	cfa := func(reg uint64, n int64) {
		m.now.reg, m.now.offset, m.now.known = reg, n, reg < uint64(len(m.names))
	}
	for len(r.b) > 0 && !r.bad {
		op := r.u8()
		low := uint64(op & 0x3f)
		ok := true
		switch {
		case op>>6 == 1:
			ok = advance(low)
		case op>>6 == 2:
			saved(low, int64(r.uleb()))
		case op>>6 == 3:
			restore(low)
		case op == 0:
		case op == 2:
			ok = advance(r.uint(1))
		case op == 3:
			ok = advance(r.uint(2))
		case op == 4:
			ok = advance(r.uint(4))
		case op == 5:
			reg := r.uleb()
			saved(reg, int64(r.uleb()))
		case op == 6:
			restore(r.uleb())
		case op == 7: // undefined; without a return address there is no caller
			if reg := r.uleb(); reg == m.u.ra {
				m.now.regs[reg] = "0"
			} else {
				delete(m.now.regs, reg)
			}
		case op == 8: // the same value
			delete(m.now.regs, r.uleb())
		case op == 9:
			reg, in := r.uleb(), r.uleb()
			if reg < uint64(len(m.names)) && in < uint64(len(m.names)) {
				m.now.regs[reg] = m.names[in]
			}
		case op == 10:
			if ok = len(m.stack) < 64; ok {
				m.stack = append(m.stack, m.now.clone())
			}
		case op == 11:
			if ok = len(m.stack) > 0; ok {
				m.now, m.stack = m.stack[len(m.stack)-1], m.stack[:len(m.stack)-1]
			}
		case op == 12:
			reg := r.uleb()
			cfa(reg, int64(r.uleb()))
		case op == 13:
			cfa(r.uleb(), m.now.offset)
		case op == 14:
			cfa(m.now.reg, int64(r.uleb()))
		case op == 15: // an expression: of trampolines, which nobody dies in
			r.take(r.uleb())
			m.now.known = false
		case op == 16, op == 22: // a register by an expression
			reg := r.uleb()
			r.take(r.uleb())
			delete(m.now.regs, reg)
		case op == 17:
			reg := r.uleb()
			saved(reg, r.sleb())
		case op == 18:
			reg := r.uleb()
			cfa(reg, r.sleb()*m.u.data)
		case op == 19:
			cfa(m.now.reg, r.sleb()*m.u.data)
		case op == 0x2d: // the sign of a return address on ARM, or SPARC's windows
		case op == 0x2e:
			r.uleb()
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return !r.bad
}

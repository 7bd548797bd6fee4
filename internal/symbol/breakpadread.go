package symbol

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// breakpadReader fills a Breakpad line by line.
type breakpadReader struct {
	m     Breakpad
	count int  // lines so far
	open  bool // within a function: line and inline records belong to it
	init  bool // within a STACK CFI INIT that was kept
}

// module reads the first line.
func (p *breakpadReader) module(data []byte) bool {
	line, _, _ := bytes.Cut(data[:min(len(data), 4096)], []byte("\n"))
	f := strings.SplitN(strings.TrimSpace(string(line)), " ", 5)
	if len(f) < 5 || f[0] != "MODULE" {
		return false
	}
	p.m.OS, p.m.Arch, p.m.ID, p.m.Name = f[1], f[2], strings.ToUpper(f[3]), f[4]
	return len(p.m.ID) <= 64 && strings.Trim(p.m.ID, "0123456789ABCDEF") == ""
}

func (p *breakpadReader) line(s string) {
	p.count++
	kind, rest, _ := strings.Cut(s, " ")
	switch kind {
	case "FUNC":
		p.function(rest)
	case "PUBLIC":
		p.public(rest)
	case "FILE":
		p.m.files = p.numbered(p.m.files, rest)
	case "INLINE_ORIGIN":
		p.m.origins = p.numbered(p.m.origins, rest)
	case "INLINE":
		p.inline(rest)
	case "STACK":
		p.open = false
		p.stack(rest)
	case "INFO":
		if id, ok := strings.CutPrefix(rest, "CODE_ID "); ok {
			p.m.CodeID, _, _ = strings.Cut(id, " ")
		}
	case "MODULE", "":
	default:
		p.source(kind, rest)
	}
}

// numbered reads "NUMBER NAME" into its place of the list.
func (p *breakpadReader) numbered(list []string, s string) []string {
	num, name, ok := strings.Cut(s, " ")
	n, good := dec32(num)
	if !ok || !good || int(n) > p.count+maxGap {
		return list
	}
	for int(n) >= len(list) {
		list = append(list, "")
	}
	list[n] = name
	return list
}

// fields cuts n words off s.
func fields(s string, into ...*string) (rest string, ok bool) {
	for _, f := range into {
		if s == "" {
			return "", false
		}
		*f, s, _ = strings.Cut(s, " ")
	}
	return s, true
}

func (p *breakpadReader) function(s string) {
	p.open = false
	s = strings.TrimPrefix(s, "m ")
	var addr, size, params string
	name, ok := fields(s, &addr, &size, &params)
	a, ok1 := hex32(addr)
	n, ok2 := hex32(size)
	if !ok || !ok1 || !ok2 {
		return
	}
	p.open = true
	p.m.funcs = append(p.m.funcs, function{addr: a, size: n, name: name, lines: int32(len(p.m.lines)), inlines: int32(len(p.m.inlines))})
}

func (p *breakpadReader) public(s string) {
	p.open = false
	s = strings.TrimPrefix(s, "m ")
	var addr, params string
	name, ok := fields(s, &addr, &params)
	if a, good := hex32(addr); ok && good {
		p.m.publics = append(p.m.publics, public{a, name})
	}
}

// source reads a line record: "addr size line file".
func (p *breakpadReader) source(addr, rest string) {
	if !p.open {
		return
	}
	var size, line, file string
	_, ok := fields(rest, &size, &line, &file)
	a, ok1 := hex32(addr)
	n, ok2 := hex32(size)
	l, ok3 := dec32(line)
	f, ok4 := dec32(file)
	if !ok || !ok1 || !ok2 || !ok3 || !ok4 {
		return
	}
	p.m.lines = append(p.m.lines, lineOf{a, n, l, f})
	p.m.funcs[len(p.m.funcs)-1].nLines++
}

// inline reads "depth call_line call_file origin [addr size]+".
func (p *breakpadReader) inline(s string) {
	if !p.open {
		return
	}
	var depth, line, file, origin string
	rest, ok := fields(s, &depth, &line, &file, &origin)
	d, ok1 := dec32(depth)
	l, ok2 := dec32(line)
	f, ok3 := dec32(file)
	o, ok4 := dec32(origin)
	if !ok || !ok1 || !ok2 || !ok3 || !ok4 || d >= maxInlined {
		return
	}
	for rest != "" {
		var addr, size string
		if rest, ok = fields(rest, &addr, &size); !ok {
			return
		}
		a, ok1 := hex32(addr)
		n, ok2 := hex32(size)
		if !ok1 || !ok2 {
			return
		}
		fn := &p.m.funcs[len(p.m.funcs)-1]
		if fn.nInl == maxInlines {
			return
		}
		p.m.inlines = append(p.m.inlines, inline{a, n, d, l, f, o})
		fn.nInl++
	}
}

func (p *breakpadReader) stack(s string) {
	switch kind, rest, _ := strings.Cut(s, " "); kind {
	case "CFI":
		p.callFrame(rest)
	case "WIN":
		p.winFrame(rest)
	}
}

func (p *breakpadReader) callFrame(s string) {
	if rest, ok := strings.CutPrefix(s, "INIT "); ok {
		var addr, size string
		rule, ok := fields(rest, &addr, &size)
		a, ok1 := hex32(addr)
		n, ok2 := hex32(size)
		if p.init = ok && ok1 && ok2; p.init {
			p.m.cfi = append(p.m.cfi, unwind{addr: a, size: n, rule: rule, first: int32(len(p.m.deltas))})
		}
		return
	}
	addr, rule, _ := strings.Cut(s, " ")
	if a, ok := hex32(addr); ok && p.init {
		p.m.deltas = append(p.m.deltas, delta{a, rule})
		p.m.cfi[len(p.m.cfi)-1].count++
	}
}

// winFrame reads "type rva size prologue epilogue params saved locals max has_program program_or_bp".
func (p *breakpadReader) winFrame(s string) {
	var typ, addr, size, prologue, epilogue, params, saved, locals, most, has string
	rest, ok := fields(s, &typ, &addr, &size, &prologue, &epilogue, &params, &saved, &locals, &most, &has)
	t, ok1 := hex32(typ)
	a, ok2 := hex32(addr)
	n, ok3 := hex32(size)
	pa, ok4 := hex32(params)
	sa, ok5 := hex32(saved)
	lo, ok6 := hex32(locals)
	if !ok || !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || !ok6 || t > 4 {
		return
	}
	w := WinFrame{Type: int(t), Addr: a, Size: n, Params: pa, Saved: sa, Locals: lo}
	if has == "1" {
		w.Program = rest
	} else {
		w.UsesBP = rest == "1"
	}
	p.m.win = append(p.m.win, w)
}

// finish sorts what lookups search in. Functions keep their runs of lines.
func (p *breakpadReader) finish() {
	m := &p.m
	for i := range m.funcs {
		f := &m.funcs[i]
		ls := m.lines[f.lines : f.lines+f.nLines]
		slices.SortStableFunc(ls, func(a, b lineOf) int { return cmp.Compare(a.addr, b.addr) })
	}
	slices.SortStableFunc(m.funcs, func(a, b function) int { return cmp.Compare(a.addr, b.addr) })
	slices.SortStableFunc(m.publics, func(a, b public) int { return cmp.Compare(a.addr, b.addr) })
	for i := range m.cfi {
		u := &m.cfi[i]
		slices.SortStableFunc(m.deltas[u.first:u.first+u.count], func(a, b delta) int { return cmp.Compare(a.addr, b.addr) })
	}
	slices.SortStableFunc(m.cfi, func(a, b unwind) int { return cmp.Compare(a.addr, b.addr) })
	slices.SortStableFunc(m.win, func(a, b WinFrame) int {
		return cmp.Or(cmp.Compare(a.Addr, b.Addr), cmp.Compare(min(len(a.Program), 1), min(len(b.Program), 1)))
	})
}

// clip bounds a name, at a rune's edge, as every string from outside is.
func clip(s string) string { return eco.Clean(s, maxName) }

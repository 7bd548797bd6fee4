package elfsym

import (
	"cmp"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

const maxSymbols = 2_000_000

// sym is a function: its place, and what it is called. A size of 0 means that
// nobody says where it ends.
type sym struct {
	addr, size uint32
	name       string
	global     bool
}

// symbols lists the functions of both symbol tables by their addresses, each
// address once.
func (f *file) symbols() ([]sym, error) {
	var all []sym
	for i := range f.sections {
		s := &f.sections[i]
		if s.kind != 2 && s.kind != 11 || int(s.link) >= len(f.sections) { // SHT_SYMTAB, SHT_DYNSYM
			continue
		}
		table, err := f.data(s)
		if err != nil {
			return nil, err
		}
		text, err := f.data(&f.sections[s.link])
		if err != nil {
			return nil, err
		}
		size := 16
		if f.wide {
			size = 24
		}
		if len(table)/size > maxSymbols {
			return nil, tooLarge("The binary has more than 2,000,000 symbols.")
		}
		for ; len(table) >= size; table = table[size:] {
			if x, ok := f.symbol(table, text); ok {
				all = append(all, x)
			}
		}
	}
	// Of several names for one address the plainest: exported, without the
	// underscores of an alias, short.
	slices.SortFunc(all, func(a, b sym) int {
		return cmp.Or(cmp.Compare(a.addr, b.addr), -cmp.Compare(min(a.size, 1), min(b.size, 1)), -cmp.Compare(bit(a.global), bit(b.global)),
			cmp.Compare(bit(alias(a.name)), bit(alias(b.name))), cmp.Compare(len(a.name), len(b.name)), strings.Compare(a.name, b.name))
	})
	return slices.CompactFunc(all, func(a, b sym) bool { return a.addr == b.addr }), nil
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func alias(name string) bool {
	return strings.HasPrefix(name, "_") && !strings.HasPrefix(name, "_Z") && !strings.HasPrefix(name, "_R")
}

// symbol reads one entry of a table.
func (f *file) symbol(b, text []byte) (sym, bool) {
	name := f.o.Uint32(b)
	var addr, size uint64
	var info byte
	var where uint16
	if f.wide {
		info, where, addr, size = b[4], f.o.Uint16(b[6:]), f.o.Uint64(b[8:]), f.o.Uint64(b[16:])
	} else {
		addr, size, info, where = uint64(f.o.Uint32(b[4:])), uint64(f.o.Uint32(b[8:])), b[12], f.o.Uint16(b[14:])
	}
	if kind := info & 15; kind != 2 && kind != 10 || where == 0 { // a function, or one that finds it; defined here
		return sym{}, false
	}
	if f.machine == 40 { // the lowest bit says that it is Thumb code
		addr &^= 1
	}
	at, ok := f.offset(addr)
	if !ok || size > 1<<31 || uint64(at)+size > 1<<32-1 {
		return sym{}, false
	}
	s := eco.Clean(text1(text, uint64(name), maxNameLen), maxNameLen)
	if s == "" || strings.ContainsAny(s, "\r\n") || strings.HasPrefix(s, "$") {
		return sym{}, false
	}
	if f.left -= int64(len(s)); f.left < 0 { // one long name for a million symbols
		return sym{}, false
	}
	return sym{addr: at, size: uint32(size), name: s, global: info>>4 == 1}, true
}

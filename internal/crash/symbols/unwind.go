package symbols

import (
	"context"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/symbol"
)

// Unwinder is what the walk of a kept dump may know: the functions and the unwind
// rules of the symbol files that name this crash's frames, and of no others. It
// names nothing itself; Name does, with inlined functions and the old form kept.
type Unwinder struct {
	s      *Store
	ctx    context.Context //nolint:containedctx // it lives for one walk
	c      *eco.Crash
	o      *eco.Origin
	owners map[string]eco.ExtensionID // of binaries, by their names, as blame found them
	files  map[string]*symbol.Breakpad
}

// Unwinder is for the walk of one crash's dump.
func (s *Store) Unwinder(ctx context.Context, c *eco.Crash, o *eco.Origin) *Unwinder {
	u := &Unwinder{s: s, ctx: ctx, c: c, o: o, owners: map[string]eco.ExtensionID{}, files: map[string]*symbol.Breakpad{}}
	for i := range c.Exceptions {
		for j := range c.Exceptions[i].Frames {
			if f := &c.Exceptions[i].Frames[j]; f.Package != "" && f.Owner != "" {
				u.owners[base(f.Package)] = f.Owner
			}
		}
	}
	return u
}

func base(p string) string { return p[strings.LastIndexAny(p, `/\`)+1:] }

// module is the symbol file of a binary; nil when its owners have none.
func (u *Unwinder) module(debugID, codeFile string) *symbol.Breakpad {
	name := base(codeFile)
	n := symbol.Need{Kind: symbol.Sym, Owner: u.owners[name], DebugID: symbol.DebugID(debugID), File: name}
	if n.DebugID == "" {
		return nil
	}
	if m, asked := u.files[n.DebugID]; asked {
		return m
	}
	var m *symbol.Breakpad
	for _, w := range owners(u.c, u.o, n) {
		w.need = n
		if f, ok := u.s.find(u.ctx, w); ok {
			if a, err := u.s.open(u.ctx, f); err == nil && a.Module != nil {
				m = a.Module
				break
			}
		}
	}
	if len(u.files) < maxUnwound {
		u.files[n.DebugID] = m
	}
	return m
}

// maxUnwound bounds the files that one walk may hold.
const maxUnwound = 64

// Has reports whether there is a file for a binary.
func (u *Unwinder) Has(debugID, codeFile string) bool { return u.module(debugID, codeFile) != nil }

// Lookup reports whether there is code at an offset.
func (u *Unwinder) Lookup(debugID, codeFile string, offset uint64) (fn, file string, line int, ok bool) {
	if m := u.module(debugID, codeFile); m != nil {
		_, ok = m.Lookup(offset)
	}
	return "", "", 0, ok
}

// CFI gives the unwind rules at an offset.
func (u *Unwinder) CFI(debugID, codeFile string, offset uint64) ([]string, bool) {
	if m := u.module(debugID, codeFile); m != nil {
		return m.CFI(offset)
	}
	return nil, false
}

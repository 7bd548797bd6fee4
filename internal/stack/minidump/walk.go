package minidump

import (
	"sort"
	"strconv"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// Symbols names an offset of a module; crash/symbols and tests have one. A walk
// works without it, with addresses only. The debug id is in Sentry's form.
type Symbols interface {
	Lookup(debugID, codeFile string, offset uint64) (fn, file string, line int, ok bool)
}

// Frame is one frame of a walk.
type Frame struct {
	Trust    eco.FrameTrust
	Module   *Module // nil: the address is in none
	Offset   uint64  // in Module, of the call itself; the address itself without a module
	Function string
	File     string
	Line     int
}

const (
	firstScan = 160  // words scanned for the caller of the frame that crashed
	nextScan  = 40   // and for that of any other
	maxScan   = 4096 // words in all
	maxGuess  = 40   // frames found by scanning: what comes after so many guesses tells nothing
)

// Walk unwinds a thread: the registers at the crash, then the rules of symbols
// where there are some (Rules), else the chain of frame pointers while it holds,
// else the next word on the stack that points into code. The last is a guess, and says so. No frame outside all modules is ever taken
// from the stack.
func (d *Dump) Walk(thread int, s Symbols) []Frame {
	if thread < 0 || thread >= len(d.Threads) || d.word() == 0 {
		return nil
	}
	t := &d.Threads[thread]
	r := d.registers(t.context)
	if thread == d.Crashed && d.ex.set {
		if at := d.registers(d.ex.context); at.ok {
			r = at
		}
	}
	if !r.ok {
		return nil
	}
	w := walker{d: d, s: s, stack: d.stackOf(t, r.sp), left: maxScan}
	frames := append(make([]Frame, 0, 32), w.frame(r.pc, 0, eco.TrustContext))
	guesses := 0
	for first := true; len(frames) < MaxFrames; first = false {
		next, trust, ok := w.caller(r, first)
		if !ok {
			break
		}
		if trust == eco.TrustScan {
			if guesses++; guesses > maxGuess {
				break
			}
		}
		r = next
		frames = append(frames, w.frame(r.pc, d.back(), trust))
	}
	return frames
}

type walker struct {
	d     *Dump
	s     Symbols
	stack region
	left  int
}

// back is how far before a return address its call stands.
func (d *Dump) back() uint64 {
	switch d.Arch {
	case "arm64":
		return 4
	case "arm":
		return 2
	}
	return 1
}

// stackOf is the memory around a thread's stack pointer.
func (d *Dump) stackOf(t *Thread, sp uint64) region {
	if t.stack.holds(sp) {
		return t.stack
	}
	i := sort.Search(len(d.regions), func(i int) bool { return d.regions[i].at > sp }) - 1
	if i >= 0 && d.regions[i].holds(sp) {
		return d.regions[i]
	}
	return t.stack
}

func (r region) holds(at uint64) bool { return at >= r.at && at-r.at < uint64(len(r.data)) }

func (w *walker) read(at uint64) (uint64, bool) {
	n := w.d.word()
	if at < w.stack.at {
		return 0, false
	}
	b, ok := cut(w.stack.data, at-w.stack.at, n)
	if !ok {
		return 0, false
	}
	if n == 4 {
		return uint64(w.d.o.Uint32(b)), true
	}
	return w.d.o.Uint64(b), true
}

// caller finds the frame that called the one of r.
func (w *walker) caller(r regs, first bool) (regs, eco.FrameTrust, bool) {
	back := w.d.back()
	if first {
		back = 0
	}
	if next, ok := w.unwind(r, back); ok {
		return next, eco.TrustCFI, next.ok
	}
	if next, ok := w.chain(r, first); ok {
		return next, eco.TrustFP, true
	}
	return w.scan(r, first)
}

// chain follows the frame pointer. What it points at must be above the stack
// pointer, and hold a frame pointer above itself and an address in code.
func (w *walker) chain(r regs, first bool) (regs, bool) {
	for _, fp := range []uint64{r.fp, r.fp2} {
		n := w.d.word()
		if fp < r.sp || fp == 0 || fp%n != 0 {
			continue
		}
		up, ok1 := w.read(fp)
		pc, ok2 := w.read(fp + n)
		pc = w.d.plain(pc)
		if !ok1 || !ok2 || up != 0 && (up <= fp || !w.stack.holds(up)) || !w.d.inCode(pc) {
			continue
		}
		next := regs{pc: pc, sp: fp + 2*n, fp: up, ok: true}
		if r.fp2 != 0 {
			next.fp2 = up
		}
		// A leaf that keeps no frame on ARM: its caller is in the link register.
		if first && r.lr != 0 && r.lr != pc && w.d.inCode(r.lr) && !w.same(r.lr, r.pc) {
			return regs{pc: r.lr, sp: r.sp, fp: r.fp, fp2: r.fp2, ok: true}, true
		}
		return next, true
	}
	return regs{}, false
}

// same says that two addresses are so close that they are one function.
func (w *walker) same(a, b uint64) bool {
	if a > b {
		a, b = b, a
	}
	return b-a < 512
}

// scan looks for the next word on the stack that points into code.
func (w *walker) scan(r regs, first bool) (regs, eco.FrameTrust, bool) {
	n, most := w.d.word(), nextScan
	if first {
		most = firstScan
		if r.lr != 0 && w.d.inCode(r.lr) && r.lr != r.pc {
			return regs{pc: r.lr, sp: r.sp, fp: r.fp, fp2: r.fp2, ok: true}, eco.TrustScan, true
		}
	}
	sp := (r.sp + n - 1) &^ (n - 1)
	for i := 0; i < most && w.left > 0; i, w.left = i+1, w.left-1 {
		at := sp + uint64(i)*n
		v, ok := w.read(at)
		if !ok {
			break
		}
		if v = w.d.plain(v); !w.d.inCode(v) || !w.known(v) {
			continue
		}
		next := regs{pc: v, sp: at + n, fp: r.fp, fp2: r.fp2, ok: true}
		if r.fp < next.sp { // it was saved just below the return address, if at all
			if up, ok := w.read(at - n); ok && up > at && w.stack.holds(up) {
				next.fp = up
			}
		}
		return next, eco.TrustScan, true
	}
	return regs{}, "", false
}

// known asks the symbols of a module whether there is a function; without any it
// cannot be told.
func (w *walker) known(pc uint64) bool {
	if w.s == nil {
		return true
	}
	m := w.d.moduleAt(pc - w.d.back())
	if m == nil {
		return false
	}
	if _, _, _, ok := w.s.Lookup(m.DebugID, m.CodeFile, pc-w.d.back()-m.Base); ok {
		return true
	}
	k, ok := w.s.(interface {
		Has(debugID, codeFile string) bool
	})
	return !ok || !k.Has(m.DebugID, m.CodeFile)
}

// inCode reports whether the call before a return address lies in a module, and,
// when the dump tells what is executable, in code.
func (d *Dump) inCode(a uint64) bool {
	if a < 4096 {
		return false
	}
	a -= d.back()
	if d.moduleAt(a) == nil {
		return false
	}
	if len(d.exec) == 0 {
		return true
	}
	i := sort.Search(len(d.exec), func(i int) bool { return d.exec[i].from > a }) - 1
	return i >= 0 && a < d.exec[i].to
}

// moduleAt finds the module of an address.
func (d *Dump) moduleAt(a uint64) *Module {
	if len(d.byBase) == 0 {
		return nil
	}
	i := sort.Search(len(d.byBase), func(i int) bool { return d.Modules[d.byBase[i]].Base > a }) - 1
	if i < 0 {
		return nil
	}
	if m := &d.Modules[d.byBase[i]]; a-m.Base < m.Size {
		return m
	}
	return nil
}

func (w *walker) frame(pc, back uint64, trust eco.FrameTrust) Frame {
	f := Frame{Trust: trust, Module: w.d.moduleAt(pc - back), Offset: pc - back}
	if f.Module == nil {
		return f
	}
	f.Offset -= f.Module.Base
	if w.s != nil {
		if fn, file, line, ok := w.s.Lookup(f.Module.DebugID, f.Module.CodeFile, f.Offset); ok {
			f.Function, f.File, f.Line = eco.Clean(fn, maxString), eco.Clean(file, maxString), line
		}
	}
	return f
}

// hex writes an offset as a frame has it.
func hexOffset(n uint64) string { return "+0x" + strconv.FormatUint(n, 16) }

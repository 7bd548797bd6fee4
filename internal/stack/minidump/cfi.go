package minidump

import (
	"strconv"
	"strings"
)

// Rules are symbols that also know how to leave a function: the lines of a symbol
// file's call frame information that hold at an offset, the first set first
// (".cfa: $rsp 8 + .ra: .cfa -8 + ^"). A Symbols that has them makes walks exact.
type Rules interface {
	CFI(debugID, codeFile string, offset uint64) (rules []string, ok bool)
}

// Bounds of one set of rules.
const (
	maxRuleText = 4096 // bytes
	maxOperands = 16   // of an expression at one time
)

// unwind leaves the frame of r by the rules of its module. Rules that give the
// return address 0, or none (".undef"), are of the thread's first frame: next is
// then not ok.
func (w *walker) unwind(r regs, back uint64) (next regs, ok bool) {
	known, can := w.s.(Rules)
	m := w.d.moduleAt(r.pc - back)
	if !can || m == nil {
		return regs{}, false
	}
	lines, ok := known.CFI(m.DebugID, m.CodeFile, r.pc-back-m.Base)
	if !ok {
		return regs{}, false
	}
	set := map[string]string{}
	size := 0
	for _, l := range lines {
		if size += len(l); size > maxRuleText {
			return regs{}, false
		}
		split(l, set)
	}
	values := w.d.named(r)
	cfa, ok := w.eval(set[".cfa"], values)
	if !ok {
		return regs{}, false
	}
	values[".cfa"] = cfa
	if set[".ra"] == ".undef" {
		return regs{}, true
	}
	pc, ok := w.eval(set[".ra"], values)
	if ok && pc == 0 {
		return regs{}, true
	}
	pc = w.d.plain(pc)
	// The stack shrinks, but for a leaf on ARM that has none of its own.
	if !ok || cfa < r.sp || cfa == r.sp && r.lr == 0 || !w.stack.holds(cfa-1) || !w.d.inCode(pc) {
		return regs{}, false
	}
	next = regs{pc: pc, sp: cfa, fp: r.fp, fp2: r.fp2, ok: true}
	fp, fp2 := w.d.framePointers()
	for name, to := range map[string]*uint64{fp: &next.fp, fp2: &next.fp2} {
		if rule, has := set[name]; has && name != "" {
			if *to, ok = w.eval(rule, values); !ok {
				*to = 0
			}
		}
	}
	return next, true
}

// split reads "name: expression name: expression"; an expression that comes later wins.
func split(line string, into map[string]string) {
	name, from := "", 0
	words := strings.Fields(line)
	for i, w := range words {
		if n, ok := strings.CutSuffix(w, ":"); ok {
			if name != "" {
				into[name] = strings.Join(words[from:i], " ")
			}
			name, from = n, i+1
		}
	}
	if name != "" {
		into[name] = strings.Join(words[from:], " ")
	}
}

// framePointers are the names of the registers of regs.fp and fp2.
func (d *Dump) framePointers() (fp, fp2 string) {
	switch d.Arch {
	case "x86":
		return "$ebp", ""
	case "x64":
		return "$rbp", ""
	case "arm":
		return "r11", "r7"
	case "arm64":
		return "x29", ""
	}
	return "", ""
}

// named are the registers that a walk knows, by their names in rules.
func (d *Dump) named(r regs) map[string]uint64 {
	switch d.Arch {
	case "x86":
		return map[string]uint64{"$eip": r.pc, "$esp": r.sp, "$ebp": r.fp}
	case "x64":
		return map[string]uint64{"$rip": r.pc, "$rsp": r.sp, "$rbp": r.fp}
	case "arm":
		v := map[string]uint64{"pc": r.pc, "sp": r.sp, "r13": r.sp, "r11": r.fp, "fp": r.fp, "r7": r.fp2}
		if r.lr != 0 {
			v["lr"], v["r14"] = r.lr, r.lr
		}
		return v
	case "arm64":
		v := map[string]uint64{"pc": r.pc, "sp": r.sp, "x29": r.fp, "fp": r.fp}
		if r.lr != 0 {
			v["lr"], v["x30"] = r.lr, r.lr
		}
		return v
	}
	return map[string]uint64{}
}

// eval computes an expression in reverse Polish notation: numbers, registers,
// + - * / % @ (align) and ^ (the word at an address of the stack).
func (w *walker) eval(rule string, values map[string]uint64) (uint64, bool) {
	var stack []uint64
	mask := uint64(1<<(8*w.d.word()) - 1) // all ones for 64 bit: the shift gives 0
	for _, word := range strings.Fields(rule) {
		n := len(stack)
		switch word {
		case "+", "-", "*", "/", "%", "@":
			if n < 2 {
				return 0, false
			}
			a, b := stack[n-2], stack[n-1]
			stack = stack[:n-1]
			switch {
			case word == "+":
				a += b
			case word == "-":
				a -= b
			case word == "*":
				a *= b
			case b == 0:
				return 0, false
			case word == "/":
				a /= b
			case word == "%":
				a %= b
			default:
				a -= a % b
			}
			stack[n-2] = a & mask
		case "^":
			if n < 1 {
				return 0, false
			}
			v, ok := w.read(stack[n-1])
			if !ok {
				return 0, false
			}
			stack[n-1] = v
		default:
			v, ok := values[word]
			if !ok {
				i, err := strconv.ParseInt(word, 10, 64)
				if err != nil {
					return 0, false
				}
				v = uint64(i) & mask
			}
			if n == maxOperands {
				return 0, false
			}
			stack = append(stack, v)
		}
	}
	if len(stack) != 1 {
		return 0, false
	}
	return stack[0], true
}

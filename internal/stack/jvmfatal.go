package stack

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

const (
	jvmFatalHead  = "# A fatal error has been detected by the Java Runtime Environment"
	jvmNoMemory   = "# There is insufficient memory for the Java Runtime Environment to continue"
	jvmFrameHead  = "# Problematic frame:"
	jvmStackSpent = "An irrecoverable stack overflow has occurred"
)

func jvmFatalEvidence(l string) int {
	if strings.HasPrefix(l, jvmFatalHead) || strings.HasPrefix(l, jvmNoMemory) {
		return 2 * private
	}
	return 0
}

// parseJVMFatal reads hs_err_pid*.log and the short form on the console: what
// happened, the problematic frame, the frames of the thread that died (native,
// compiled and interpreted ones as they follow each other), the address of the
// fault, and versions. Not the command line, environment, registers, memory,
// other threads, libraries or the machine.
func parseJVMFatal(t *tree, lines []string) (*node, string) {
	p := jvmFatal{t: t}
	for _, l := range lines {
		p.line(strings.TrimRight(l, " \t"))
		if p.done {
			break
		}
	}
	return p.finish()
}

type jvmFatal struct {
	t                *tree
	typ, value       string
	frame            string // the problematic one
	fault            string // "SEGV_MAPERR at 0x8"
	thread           string
	native, java     frameList
	scripts          int // Java frames among the native ones
	list             *frameList
	head             int // lines since the first one
	wantFrame, spent bool
	done             bool
}

func (p *jvmFatal) line(s string) {
	if body, is := strings.CutPrefix(s, "#"); is {
		p.banner(strings.TrimSpace(body), s)
		return
	}
	switch {
	case strings.HasPrefix(s, "---------------  P R O C E S S"), strings.HasPrefix(s, "Registers:"):
		p.list = nil
		p.done = p.typ != "" && (p.native.len() > 0 || p.java.len() > 0)
	case strings.HasPrefix(s, jvmStackSpent):
		p.spent = true
	case strings.HasPrefix(s, "Current thread"):
		p.thread = jvmThread(s)
	case strings.HasPrefix(s, "Native frames:"):
		p.list = &p.native
	case strings.HasPrefix(s, "Java frames:"):
		p.list = &p.java
	case strings.HasPrefix(s, "siginfo:"):
		p.list = nil
		p.siginfo(s)
	case s == "":
		p.list = nil
	case p.list != nil:
		if f, java, ok := jvmMixedFrame(s); ok {
			if p.list == &p.native && java {
				p.scripts++
			}
			p.list.add(f)
		}
	}
}

// banner reads the lines that begin with "#".
func (p *jvmFatal) banner(body, whole string) {
	p.head++
	o := &p.t.tr.Origin
	switch {
	case strings.HasPrefix(whole, jvmNoMemory):
		p.typ, p.value = "OutOfMemoryError", ""
	case strings.HasPrefix(whole, jvmFrameHead):
		p.wantFrame = true
	case p.wantFrame:
		p.frame, p.wantFrame = body, false
	case strings.HasPrefix(body, "JRE version:"):
		if i := strings.IndexByte(body, '('); i >= 0 {
			v, _, _ := strings.Cut(body[i+1:], ")")
			o.Runtime = "java " + eco.Clean(v, 48)
		}
	case strings.HasPrefix(body, "Java VM:"):
		for _, w := range strings.FieldsFunc(body, func(r rune) bool { return r == ' ' || r == ',' || r == '(' || r == ')' }) {
			if sys, arch, ok := strings.Cut(w, "-"); ok && archName(arch) != "" && osName(sys) != "other" {
				o.OS, o.Arch = osName(sys), archName(arch)
			}
		}
	case p.typ == "" && strings.Contains(body, ", pid="):
		what, _, _ := strings.Cut(body, ", pid=")
		name, rest, _ := strings.Cut(what, " (")
		switch {
		case strings.HasPrefix(what, "SIG"), strings.HasPrefix(what, "EXCEPTION_"):
			p.typ = name
		case strings.HasPrefix(name, "Out of Memory Error"):
			p.typ = "OutOfMemoryError"
		default: // "Internal Error (debug.cpp:362)"
			p.typ, p.value = name, strings.TrimSuffix(rest, ")")
		}
	case p.head < 12 && p.typ == "Internal Error" && !strings.Contains(p.value, ": ") && strings.Contains(body, ": "):
		p.value = body
	case p.typ == "OutOfMemoryError" && p.value == "" && strings.HasPrefix(body, "Native memory allocation"):
		p.value = body
	}
}

// siginfo reads "si_signo: 11 (SIGSEGV), si_code: 1 (SEGV_MAPERR), si_addr: 0x8"
// and "EXCEPTION_ACCESS_VIOLATION (0xc0000005), reading address 0x8".
func (p *jvmFatal) siginfo(s string) {
	code, addr := "", ""
	if _, r, ok := strings.Cut(s, "si_code: "); ok {
		if _, r, ok = strings.Cut(r, "("); ok {
			code, _, _ = strings.Cut(r, ")")
		}
	} else if _, r, ok := strings.Cut(s, "), "); ok {
		code, _, _ = strings.Cut(r, " address")
	}
	for _, k := range [...]string{"si_addr: ", "address "} {
		if _, r, ok := strings.Cut(s, k); ok {
			addr, _, _ = strings.Cut(r, ",")
			break
		}
	}
	if n := strings.TrimLeft(strings.TrimPrefix(strings.TrimSpace(addr), "0x"), "0"); addr != "" {
		if n == "" {
			n = "0"
		}
		addr = " at 0x" + n
	}
	p.fault = strings.TrimSpace(code + addr)
}

func (p *jvmFatal) finish() (*node, string) {
	if p.typ == "" {
		return nil, ""
	}
	value := p.value
	if p.fault != "" {
		value = p.fault
	}
	n := p.t.add(p.typ, value)
	if p.spent {
		n.ex.Mechanism = "stack_overflow"
	}
	n.frames = p.native
	if p.scripts == 0 { // what the native walk missed
		for _, f := range p.java.list {
			n.frames.add(f)
		}
	}
	if n.frames.len() == 0 {
		if f, _, ok := jvmMixedFrame(p.frame); ok {
			n.frames.add(f)
		}
	}
	p.t.tr.Level = "fatal"
	if f, _, ok := jvmMixedFrame(p.frame); ok {
		p.t.tag("problematic_frame", strings.TrimSpace(f.Package+" "+strings.TrimPrefix(f.Module+"."+f.Function, ".")))
	}
	return n, p.thread
}

// jvmThread reads `JavaThread "main" [_thread_in_vm, …`: the kind and the name.
func jvmThread(s string) string {
	_, r, ok := strings.Cut(s, "): ")
	if !ok {
		return ""
	}
	r, _, _ = strings.Cut(r, " [")
	return strings.TrimSpace(r)
}

// jvmMixedFrame reads a line of the mixed stack. The first letter says whose code
// it is: V and v the machine's own, C other libraries', J (A) compiled and j
// interpreted Java. The mark of Java frames stands in Package.
func jvmMixedFrame(s string) (f eco.Frame, java, ok bool) {
	if len(s) < 4 || s[1] != ' ' {
		return f, false, false
	}
	rest := strings.TrimSpace(s[2:])
	switch s[0] {
	case 'V', 'C':
		return jvmNative(rest)
	case 'v':
		name, _, _ := strings.Cut(rest, " ")
		return eco.Frame{Function: strings.TrimPrefix(name, "~"), Package: "libjvm"}, false, name != ""
	case 'j', 'J', 'A':
		mark := "interpreted"
		if s[0] != 'j' {
			mark = "compiled"
			rest = jvmCompiled(rest)
		}
		end := strings.IndexByte(rest, '(')
		if end <= 0 {
			return f, false, false
		}
		name := rest[:end]
		if i := strings.Index(name, "+0x"); i > 0 { // a hidden class
			if j := strings.LastIndexByte(name, '.'); j > i {
				name = name[:i] + name[j:]
			}
		}
		dot := strings.LastIndexByte(name, '.')
		if dot <= 0 {
			return f, false, false
		}
		return eco.Frame{Module: name[:dot], Function: name[dot+1:], Package: mark}, true, true
	}
	return f, false, false
}

// jvmCompiled cuts the compilation's number and tier: "123% c2 pkg.C.m(I)V".
func jvmCompiled(s string) string {
	for {
		w, r, ok := strings.Cut(s, " ")
		if !ok || strings.IndexByte(w, '(') >= 0 || strings.IndexByte(w, '.') > 0 {
			return s
		}
		s = strings.TrimLeft(r, " ")
	}
}

// jvmNative reads "[libjvm.so+0xed2f94]  Unsafe_PutLong+0x124  (unsafe.cpp:1)".
func jvmNative(s string) (f eco.Frame, java, ok bool) {
	if strings.HasPrefix(s, "0x") {
		f.Addr, _, _ = strings.Cut(s, " ")
		return f, false, true
	}
	lib, rest, ok := strings.Cut(strings.TrimPrefix(s, "["), "]")
	if !ok || s[0] != '[' {
		return f, false, false
	}
	f.Package, f.Addr, _ = strings.Cut(lib, "+")
	rest = strings.TrimSpace(rest)
	if strings.HasPrefix(rest, "(no source info") {
		rest = ""
	}
	if i := strings.LastIndex(rest, "  ("); i > 0 && strings.HasSuffix(rest, ")") {
		f.File, f.Line, _ = place(rest[i+3 : len(rest)-1])
		rest = strings.TrimSpace(rest[:i])
	}
	if i := strings.LastIndex(rest, "+0x"); i > 0 {
		rest = rest[:i]
	}
	if i := strings.Index(rest, " [clone "); i > 0 {
		rest = rest[:i]
	}
	f.Function = cutArgs(strings.TrimSuffix(rest, " const"))
	return f, false, true
}

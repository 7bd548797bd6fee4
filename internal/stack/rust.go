package stack

import (
	"strings"

	"github.com/ianlancetaylor/demangle"

	"github.com/bellwether-project/bellwether/internal/eco"
)

func rustEvidence(l string) int {
	s := strings.TrimSpace(l)
	switch {
	case strings.HasPrefix(s, "thread '") && strings.Contains(s, " panicked at "):
		return 4
	case s == "stack backtrace:" || s == "Stack backtrace:":
		return 3
	case strings.HasPrefix(s, "at ") && (strings.Contains(s, ".rs:")):
		return 2
	}
	return 0
}

// rustFrame reads, demangling unless plain, "3: core::panicking::panic" or "3: 0x55d - name::h0123".
func rustFrame(s string, plain bool) (f eco.Frame, ok bool) {
	_, r, ok := leadNumber(s)
	if !ok || !strings.HasPrefix(r, ": ") {
		return f, false
	}
	r = strings.TrimSpace(r[2:])
	if strings.HasPrefix(r, "0x") {
		addr, rest, found := strings.Cut(r, " - ")
		f.Addr = addr
		if !found {
			return f, true
		}
		r = rest
	}
	f.Module, f.Function = rustName(r, plain)
	return f, r != ""
}

// rustName demangles unless plain, cuts the hash, and splits the path.
func rustName(s string, plain bool) (module, fn string) {
	if !plain && (strings.HasPrefix(s, "_R") || strings.HasPrefix(s, "_ZN")) {
		if len(s) <= MaxName {
			if d, err := demangle.ToString(s, demangle.MaxLength(11)); err == nil && len(d) <= 4*MaxName {
				s = d
			}
		}
	}
	if i := strings.LastIndex(s, "::h"); i > 0 && len(s)-i == 19 && isHex(s[i+3:]) {
		s = s[:i]
	}
	if s == "<unknown>" {
		return "", ""
	}
	s = cutCrateHashes(s)
	if i := pathSplit(s); i > 0 {
		return s[:i], s[i+2:]
	}
	return "", s
}

// cutCrateHashes drops the disambiguators of the v0 mangling, "std[e28293b1aa0f68bd]",
// and writes closures the old way, without their number.
func cutCrateHashes(s string) string {
	if !strings.Contains(s, "[") && !strings.Contains(s, "{closure#") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '[' && i+17 < len(s) && s[i+17] == ']' && isHex(s[i+1:i+17]) {
			i += 17
			continue
		}
		if strings.HasPrefix(s[i:], "{closure#") {
			if end := strings.IndexByte(s[i:], '}'); end > 0 {
				b.WriteString("{{closure}}")
				i += end
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// pathSplit returns the index of the last "::" outside angle brackets, before
// any closures: a closure belongs to its function's name.
func pathSplit(s string) int {
	end := len(s)
	for strings.HasSuffix(s[:end], "::{{closure}}") {
		end -= len("::{{closure}}")
	}
	depth := 0
	for i := end - 1; i > 0; i-- {
		switch s[i] {
		case '>':
			if s[i-1] != '-' { // not the arrow of a function type
				depth++
			}
		case '<':
			depth--
		case ':':
			if depth == 0 && s[i-1] == ':' && (i+1 >= len(s) || s[i+1] != '<') {
				return i - 1
			}
		}
	}
	return -1
}

func isHex(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !isDigit(c) && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F') {
			return false
		}
	}
	return s != ""
}

func parseRust(t *tree, lines []string) (*node, string) {
	var root, cur *node
	thread := ""
	var frames frameList
	traced, heading, have := false, false, false
	var at eco.Frame // the place the panic message names
	for _, l := range lines {
		s := strings.TrimSpace(l)
		switch {
		case strings.HasPrefix(s, "thread '") && strings.Contains(s, " panicked at "):
			if traced {
				goto done
			}
			var n *node
			n, thread, at = rustPanic(t, s)
			if n == nil {
				goto done
			}
			if root != nil {
				n.cause = root // a panic while panicking
			}
			root, cur, heading = n, n, true
		case s == "stack backtrace:" || s == "Stack backtrace:":
			traced, heading = true, false
		case traced && strings.HasPrefix(s, "at ") && have:
			if k := len(frames.list) - 1; k >= 0 && frames.list[k].File == "" {
				p := &frames.list[k]
				p.File, p.Line, p.Col = place(s[3:])
				p.File = cutName(p.File)
			}
		case traced:
			if f, ok := rustFrame(s, frames.dropped > 0); ok {
				frames.add(f)
				have = true
			} else if strings.HasPrefix(s, "[... omitted ") {
				t.note("frames left out by Rust")
			} else if have && s != "" {
				goto done
			}
		case strings.HasPrefix(s, "note: "):
			heading = false
		case heading && s != "":
			cur.more(s)
		case cur == nil && strings.HasPrefix(s, "Error: "): // anyhow and color-eyre
			if root = t.add("Error", s[7:]); root != nil {
				cur = root
			}
		case cur != nil && s == "Caused by:":
			cur, heading = rustCause(t, cur), true
		}
	}
done:
	if root == nil {
		if frames.len() == 0 {
			return nil, ""
		}
		root = t.add("", "")
	}
	if root.ex.Type == "Error" && frames.len() == 0 {
		return nil, ""
	}
	if frames.len() == 0 && at.File != "" {
		frames.add(at)
	}
	root.frames = frames
	return root, thread
}

// rustCause opens a cause of an anyhow error.
func rustCause(t *tree, of *node) *node {
	n := t.add("Error", "")
	if n == nil {
		return of
	}
	of.cause = n
	return n
}

// rustPanic reads both forms: "thread 'main' panicked at src/main.rs:2:5:" with
// the message below, and "… panicked at 'message', src/main.rs:2:5".
func rustPanic(t *tree, s string) (n *node, thread string, at eco.Frame) {
	name, r, _ := strings.Cut(strings.TrimPrefix(s, "thread '"), "'")
	_, r, _ = strings.Cut(r, " panicked at ")
	msg := ""
	if strings.HasPrefix(r, "'") {
		if i := strings.LastIndex(r, "', "); i > 0 {
			msg, r = r[1:i], r[i+3:]
		}
	} else if i := strings.LastIndex(r, ", "); i > 0 && !strings.HasSuffix(r, ":") {
		msg, r = r[:i], r[i+2:]
	}
	at.File, at.Line, at.Col = place(strings.TrimSuffix(r, ":"))
	return t.add("panic", msg), name, at
}

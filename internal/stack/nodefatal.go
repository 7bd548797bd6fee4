package stack

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// parseNodeFatal reads what Node prints when the process dies below
// JavaScript: "FATAL ERROR: …" and numbered stacks; the JavaScript one wins.
func parseNodeFatal(t *tree, lines []string) *node {
	var n *node
	var native, script frameList
	list := &native
	for _, l := range lines {
		s := strings.TrimSpace(l)
		switch {
		case strings.HasPrefix(s, "FATAL ERROR: "):
			if n == nil {
				n = t.add("FATAL ERROR", s[13:])
			}
			continue
		case strings.HasPrefix(s, "----- JavaScript stack trace"), strings.HasPrefix(s, "<--- JS stacktrace"):
			list = &script
			continue
		case strings.HasPrefix(s, "----- Native stack trace"):
			list = &native
			continue
		}
		if _, r, ok := leadNumber(s); ok && strings.HasPrefix(r, ": ") {
			r = r[2:]
			if strings.HasPrefix(r, "0x") {
				list.add(nativeFrame(r))
			} else if f, ok := v8Call(r); ok {
				list.add(f)
			}
		}
	}
	switch {
	case n == nil && script.len() == 0:
		return nil
	case n == nil:
		n = t.add("Abort", "")
	}
	n.frames = script
	if script.len() == 0 {
		n.frames = native
	}
	return n
}

// nativeFrame reads "0xb78db3 node::OOMErrorHandler(char const*) [/usr/bin/node]".
func nativeFrame(s string) eco.Frame {
	var f eco.Frame
	f.Addr, s, _ = strings.Cut(s, " ")
	if i := strings.LastIndex(s, "["); i >= 0 && strings.HasSuffix(s, "]") {
		f.Package = s[i+1 : len(s)-1]
		s = s[:i]
	}
	f.Function = cutArgs(strings.TrimSpace(s))
	return f
}

// cutArgs drops the argument list that ends a C++ name.
func cutArgs(s string) string {
	if !strings.HasSuffix(s, ")") {
		return s
	}
	depth := 0
	for i := len(s) - 1; i > 0; i-- {
		switch s[i] {
		case ')':
			depth++
		case '(':
			if depth--; depth == 0 {
				return s[:i]
			}
		}
	}
	return s
}

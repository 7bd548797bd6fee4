package stack

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// v8Evidence: a frame line counts 2, Node's own decoration 1.
func v8Evidence(l string) int {
	s := strings.TrimLeft(l, " \t")
	if strings.HasPrefix(s, "at ") {
		if _, ok := v8Frame(s); ok {
			return 2
		}
		return 0
	}
	if strings.HasPrefix(s, "FATAL ERROR: ") || strings.HasPrefix(s, "Node.js v") || strings.HasPrefix(s, "----- JavaScript stack trace") {
		return 3
	}
	return 0
}

// v8Frame reads "at f (file:1:2)" and its relatives.
func v8Frame(s string) (eco.Frame, bool) {
	s = strings.TrimPrefix(s, "at ")
	s = strings.TrimRight(s, " \t")
	s = strings.TrimSuffix(s, " {")
	s = strings.TrimSuffix(s, ",")
	return v8Call(s)
}

func v8Call(s string) (f eco.Frame, ok bool) {
	s = strings.TrimLeft(s, " \t")
	for strings.HasPrefix(s, "async ") {
		f.Async, s = true, strings.TrimLeft(s[len("async "):], " \t")
	}
	if s == "" {
		return f, false
	}
	loc := s
	if strings.HasSuffix(s, ")") {
		if i := strings.Index(s, " ("); i >= 0 {
			f.Function, loc = s[:i], s[i+2:len(s)-1]
		} else if s[0] == '(' {
			loc = s[1 : len(s)-1]
		} else {
			return f, false
		}
	}
	if strings.HasPrefix(loc, "eval at ") {
		loc = v8EvalOrigin(loc)
	}
	switch {
	case loc == "<anonymous>" || loc == "native" || loc == "unknown location" || loc == "Unknown script code":
		f.File = loc
		return f, true
	case strings.HasPrefix(loc, "index ") && f.Function != "":
		return f, true
	case loc == "[native code]":
		f.File = loc
		return f, true
	}
	if i := strings.Index(loc, ":wasm-function["); i >= 0 {
		f.File = loc[:i]
		fn, addr, _ := strings.Cut(loc[i+1:], "]:")
		if f.Function == "" {
			f.Function = fn + "]"
		}
		f.Addr = addr
		return f, true
	}
	f.File, f.Line, f.Col = place(loc)
	if f.Line == 0 && !strings.HasSuffix(loc, ":0") && !strings.HasSuffix(loc, ":0:0") {
		return f, false
	}
	if f.Function == "" && strings.Contains(f.File, ") ") && strings.Contains(f.File, " in ") {
		return f, false // a frame of Mono
	}
	// "at org.acme.A.b (A.java:1)" is no V8 frame, and a V8 location without a
	// column has a path or a scheme.
	if f.Col == 0 && !strings.ContainsAny(f.File, "/\\:") && f.Function == "" {
		return f, false
	}
	return f, true
}

// v8EvalOrigin returns the place of the code that called eval, at any depth.
func v8EvalOrigin(loc string) string {
	for range MaxDepth {
		r, is := strings.CutPrefix(loc, "eval at ")
		if !is {
			break
		}
		i := strings.Index(r, " (")
		if i < 0 {
			return loc
		}
		loc = r[i+2:]
	}
	if i := strings.IndexByte(loc, ')'); i >= 0 {
		loc = loc[:i]
	}
	return loc
}

// v8Head reads the first line of an error: "TypeError [CODE]: message",
// "Uncaught (in promise) X: y", "[Error: z]".
func v8Head(s string) (typ, msg string) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "[") {
		s = strings.TrimSuffix(s, " {")
	}
	for _, p := range [...]string{"Uncaught ", "(in promise) ", "Unhandled Rejection: ", "Unhandled rejection ", "Error: Uncaught "} {
		s = strings.TrimPrefix(s, p)
	}
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		s = s[1 : len(s)-1]
	}
	t := typeName(s, "")
	rest := s[len(t):]
	if i := strings.Index(rest, "]"); strings.HasPrefix(rest, " [") && i > 0 && strings.IndexByte(rest[2:i], ' ') < 0 {
		rest = rest[i+1:] // the code of a Node error
	}
	switch {
	case t == "" || isDigit(t[0]):
	case rest == "" || rest == ":":
		if errorish(t) || !strings.Contains(t, " ") && t[0] >= 'A' && t[0] <= 'Z' {
			return t, ""
		}
	case strings.HasPrefix(rest, ": "):
		return t, rest[2:]
	}
	return "", s
}

// v8Header finds the header in the lines before the first frame: behind Node's
// code frame and its caret, and behind a log line's own words.
func v8Header(t *tree, lines []string) *node {
	start := 0
	for i, l := range lines {
		c := strings.TrimSpace(l)
		if c != "" && strings.Trim(c, "^~") == "" {
			start = i + 1
		}
	}
	lines = lines[start:]
	for len(lines) > 0 && strings.TrimSpace(lines[0]) == "" {
		lines = lines[1:]
	}
	if len(lines) == 0 {
		return t.add("", "")
	}
	at := 0
	typ, msg := v8Head(lines[0])
	if !errorish(typ) {
		for i, l := range lines {
			if i == 50 {
				break
			}
			if t2, m2 := v8Head(l); errorish(t2) {
				at, typ, msg = i, t2, m2
			} else if t2, m2 := v8Inside(l); t2 != "" {
				at, typ, msg = i, t2, m2 // the last such line: loggers repeat the message first
			}
		}
	}
	n := t.add(typ, msg)
	for _, l := range lines[at+1:] {
		n.more(l)
	}
	return n
}

// v8Inside finds "Error: x" behind other words of the same line.
func v8Inside(l string) (typ, msg string) {
	i := strings.Index(l, "Error: ")
	if i < 0 {
		return "", ""
	}
	j := i
	for j > 0 && isIdent(l[j-1]) {
		j--
	}
	if j > 0 && l[j-1] != ' ' && l[j-1] != '[' && l[j-1] != '(' {
		return "", ""
	}
	return l[j : i+5], l[i+7:]
}

// open is an error whose properties may still come.
type open struct {
	n      *node
	indent int // of its header
	group  int // indent of the members of its [errors], -1 without
}

func parseV8(t *tree, lines []string) (*node, string) {
	first, props := -1, -1
	for i, l := range lines {
		s := strings.TrimLeft(l, " \t")
		if props < 0 && i > 0 && (strings.HasPrefix(s, "[errors]: [") || strings.HasPrefix(s, "[cause]: ")) && strings.HasSuffix(lines[i-1], "{") {
			props = i // an error without a stack of its own
		}
		if strings.HasPrefix(s, "at ") {
			if _, ok := v8Frame(s); ok {
				first = i
				break
			}
		}
	}
	if first < 0 {
		return parseNodeFatal(t, lines), ""
	}
	if props >= 0 {
		first = props
	}
	root := v8Header(t, lines[:first])
	stack := []open{{root, 0, -1}}
	cur, heading := root, false
	start := func(child *node, ind int) {
		if child != nil {
			stack = append(stack, open{child, ind, -1})
		}
		cur, heading = child, true
	}
	for _, l := range lines[first:] {
		ind := indent(l)
		s := strings.TrimRight(l[ind:], " \t")
		if strings.HasPrefix(s, "at ") {
			if f, ok := v8Frame(s); ok {
				heading = false
				if cur != nil {
					cur.frames.add(f)
				}
				continue
			}
		}
		switch {
		case s == "":
			continue
		case strings.HasPrefix(s, "[cause]: "):
			stack = unwind(stack, ind)
			if typ, msg := v8Head(strings.TrimSuffix(s[9:], " {")); typ != "" {
				child := t.add(typ, msg)
				stack[len(stack)-1].n.cause = child
				start(child, ind)
			} else {
				cur, heading = nil, false
			}
			continue
		case strings.HasPrefix(s, "[errors]: ["):
			stack = unwind(stack, ind)
			stack[len(stack)-1].group = ind + 2
			cur, heading = nil, false
			continue
		case strings.HasPrefix(s, "... ") && strings.HasSuffix(s, "lines matching cause stack trace ..."):
			if n, _, ok := leadNumber(s[4:]); ok && cur != nil && cur.matched == 0 {
				cur.matched, cur.at = n, cur.frames.len()
			}
			continue
		}
		if g := member(stack, ind); g >= 0 {
			if typ, msg := v8Head(strings.TrimSuffix(strings.TrimSuffix(s, ","), " {")); errorish(typ) {
				stack = stack[:g+1]
				child := t.add(typ, msg)
				if child != nil {
					child.ex.Grouped = true
					stack[g].n.beside = append(stack[g].n.beside, child)
				}
				start(child, ind)
				continue
			}
		}
		if r, is := cutFold(s, "caused by: "); is && !heading {
			typ, msg := v8Head(r)
			last := stack[len(stack)-1].n
			if child := t.add(typ, msg); child != nil {
				last.cause = child
				start(child, ind)
			}
			continue
		}
		if heading {
			cur.more(s)
			continue
		}
		if ind == 0 && s[0] != '}' && s[0] != ']' {
			break // another text begins
		}
	}
	restoreMatched(root)
	return root, ""
}

// unwind closes every open error that a property at this indent cannot belong to.
func unwind(stack []open, ind int) []open {
	for len(stack) > 1 && stack[len(stack)-1].indent >= ind {
		stack = stack[:len(stack)-1]
	}
	return stack
}

// member returns the innermost open error whose [errors] hold lines at ind.
func member(stack []open, ind int) int {
	for i := len(stack) - 1; i >= 0; i-- {
		if stack[i].group == ind {
			return i
		}
	}
	return -1
}

// restoreMatched puts back the frames that Node left out because the cause has
// them too: those after the frame that stands before the mark.
func restoreMatched(n *node) {
	for ; n != nil; n = n.cause {
		for _, b := range n.beside {
			restoreMatched(b)
		}
		if n.matched == 0 || n.cause == nil || n.at == 0 || n.at > len(n.frames.list) || n.frames.dropped > 0 {
			continue
		}
		before, from := n.frames.list[n.at-1], n.cause.frames.list
		for i := range from {
			if from[i] == before && i+1+n.matched <= len(from) && n.matched <= MaxFrames {
				list := append([]eco.Frame(nil), n.frames.list[:n.at]...)
				list = append(list, from[i+1:i+1+n.matched]...)
				n.frames.list = append(list, n.frames.list[n.at:]...)
				break
			}
		}
	}
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}

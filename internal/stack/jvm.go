package stack

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// jvmEvidence: frames count 2, the words of Throwable 1 or 3.
func jvmEvidence(l string) int {
	s := strings.TrimLeft(l, " \t")
	switch {
	case strings.HasPrefix(s, "at "):
		if _, ok := jvmFrame(s[3:]); ok {
			return 2
		}
	case strings.HasPrefix(s, "Exception in thread \""):
		return 3
	case strings.HasPrefix(s, "Caused by: "), strings.HasPrefix(s, "Suppressed: "):
		return 1
	case strings.HasPrefix(s, "... ") && strings.HasSuffix(s, " more"):
		return 1
	}
	return 0
}

// jvmFrame reads "java.base/java.lang.String.charAt(String.java:1517)".
func jvmFrame(s string) (f eco.Frame, ok bool) {
	s = strings.TrimRight(s, " \t")
	// Packaging data of Logback: " ~[jar:version]" or " [jar:version]".
	if i := strings.LastIndex(s, ") "); i > 0 && strings.HasSuffix(s, "]") {
		if p := strings.TrimPrefix(s[i+2:], "~"); strings.HasPrefix(p, "[") {
			jar, _, _ := strings.Cut(p[1:len(p)-1], ":")
			if jar != "?" && jar != "na" {
				f.Package = jar
			}
			s = s[:i+1]
		}
	}
	if !strings.HasSuffix(s, ")") {
		return f, false
	}
	i := strings.IndexByte(s, '(')
	if i <= 0 {
		return f, false
	}
	name, where := s[:i], s[i+1:len(s)-1]
	if strings.ContainsAny(name, " \t\"'=:") {
		return f, false
	}
	// Loader and module: "app//", "java.base/", "app/mod@1.2/"; but the class of
	// a lambda ends in "/0x…".
	for {
		j := strings.IndexByte(name, '/')
		if j < 0 || j+1 < len(name) && isDigit(name[j+1]) {
			break
		}
		name = name[j+1:]
	}
	dot := strings.LastIndexByte(name, '.')
	if dot <= 0 || dot == len(name)-1 {
		return f, false
	}
	f.Module, f.Function = name[:dot], name[dot+1:]
	switch where {
	case "Native Method", "Unknown Source", "<generated>", "":
		return f, where != ""
	}
	if file, n, ok := strings.Cut(where, ":"); ok {
		line, ok := number(n)
		if !ok || strings.ContainsAny(file, " /\\") {
			return f, false
		}
		f.File, f.Line = file, line
		return f, true
	}
	f.File = where
	return f, jvmFile(where)
}

// jvmFile: a place without a line must be a source file, or it is the argument
// list of a .NET frame.
func jvmFile(s string) bool {
	for _, e := range [...]string{".java", ".kt", ".scala", ".groovy", ".clj", ".xtend", "SourceFile", ".gradle", ".kts"} {
		if strings.HasSuffix(s, e) {
			return !strings.ContainsAny(s, " ,/\\:")
		}
	}
	return false
}

// jvmHead reads "[Exception in thread "x"] Type: message".
func jvmHead(s string) (typ, msg, thread string, ok bool) {
	s = strings.TrimSpace(s)
	if r, is := strings.CutPrefix(s, "Exception in thread \""); is {
		if th, rest, found := strings.Cut(r, "\" "); found {
			typ, msg := jvmType(rest)
			return typ, msg, th, true
		}
	}
	for _, p := range [...]string{"Uncaught exception: ", "Unhandled exception: "} {
		s = strings.TrimPrefix(s, p)
	}
	typ, msg = jvmType(s)
	return typ, msg, "", typ != "" && (strings.Contains(typ, ".") || errorish(typ))
}

func jvmType(s string) (typ, msg string) {
	if typ, msg = head(s, "/-"); typ != "" {
		return typ, msg
	}
	return "", s
}

// jvmOpen is an indent and the last throwable of the chain at it.
type jvmOpen struct {
	indent int
	last   *node
}

func parseJVM(t *tree, lines []string) (*node, string) {
	root, thread, next := jvmStart(t, lines)
	if root == nil {
		return nil, ""
	}
	base := 0
	if next > 0 {
		base = indent(lines[next-1])
	}
	stack := []jvmOpen{{base, root}}
	cur, heading, seen := root, true, false
	for _, l := range lines[next:] {
		ind := indent(l)
		s := strings.TrimRight(l[ind:], " \t")
		if strings.HasPrefix(s, "at ") {
			if f, ok := jvmFrame(s[3:]); ok {
				heading, seen = false, true
				if cur != nil {
					cur.frames.add(f)
				}
				continue
			}
		}
		if r, is := strings.CutPrefix(s, "... "); is {
			if n, rest, ok := leadNumber(r); ok && (rest == " more" || strings.HasPrefix(rest, " common frames omitted")) {
				if cur != nil {
					cur.ex.More = n
				}
				heading = false
				continue
			}
		}
		if r, is := strings.CutPrefix(s, "Caused by: "); is {
			heading = true
			if strings.HasPrefix(r, "[CIRCULAR REFERENCE") {
				t.note("a cause that points back was left out")
				cur, heading = nil, false
				continue
			}
			for len(stack) > 1 && stack[len(stack)-1].indent > ind {
				stack = stack[:len(stack)-1]
			}
			top := &stack[len(stack)-1]
			typ, msg := jvmType(r)
			if cur = t.add(typ, msg); cur != nil {
				if top.last.cause == nil {
					top.last.cause = cur
				}
				top.last = cur
			}
			continue
		}
		if r, is := strings.CutPrefix(s, "Suppressed: "); is {
			heading = true
			if strings.HasPrefix(r, "[CIRCULAR REFERENCE") {
				t.note("a suppressed exception that points back was left out")
				cur, heading = nil, false
				continue
			}
			for len(stack) > 1 && stack[len(stack)-1].indent >= ind {
				stack = stack[:len(stack)-1]
			}
			typ, msg := jvmType(r)
			if cur = t.add(typ, msg); cur != nil {
				cur.ex.Suppressed = true
				owner := stack[len(stack)-1].last
				owner.beside = append(owner.beside, cur)
				stack = append(stack, jvmOpen{ind, cur})
			}
			continue
		}
		if strings.HasPrefix(s, "[CIRCULAR REFERENCE") {
			t.note("a cause that points back was left out")
			cur, heading = nil, false
			continue
		}
		if heading {
			cur.more(strings.TrimRight(l, " \t")) // a caret below a pattern needs its indent
			continue
		}
		if s != "" && !strings.HasPrefix(s, "at ") && seen {
			break // another text begins
		}
	}
	if !seen && thread == "" && root.cause == nil {
		return nil, ""
	}
	return root, thread
}

// jvmStart finds the first header: the last line before the first frame that
// reads like one, or the line that names a thread.
func jvmStart(t *tree, lines []string) (root *node, thread string, next int) {
	found := -1
	for i, l := range lines {
		s := strings.TrimLeft(l, " \t")
		if strings.HasPrefix(s, "Exception in thread \"") {
			found = i
			break
		}
		if strings.HasPrefix(s, "Caused by: ") || strings.HasPrefix(s, "Suppressed: ") {
			break
		}
		if strings.HasPrefix(s, "at ") {
			if _, ok := jvmFrame(s[3:]); ok {
				break
			}
		}
		if _, _, _, ok := jvmHead(s); ok && found < 0 {
			found = i
		}
	}
	if found >= 0 {
		typ, msg, th, _ := jvmHead(lines[found])
		return t.add(typ, msg), th, found + 1
	}
	for i, l := range lines {
		s := strings.TrimLeft(l, " \t")
		if r, is := strings.CutPrefix(s, "Caused by: "); is {
			typ, msg := jvmType(r)
			return t.add(typ, msg), "", i + 1
		}
		if !strings.HasPrefix(s, "at ") {
			continue
		}
		if _, ok := jvmFrame(s[3:]); ok {
			return jvmPlain(t, lines[:i]), "", i
		}
	}
	return nil, "", 0
}

// jvmPlain reads a header without any dot in its type: a class of the default
// package, or a scrambled name. The first line that starts with a name counts.
func jvmPlain(t *tree, lines []string) *node {
	for i, l := range lines {
		if typ, msg := jvmType(strings.TrimSpace(l)); typ != "" {
			n := t.add(typ, msg)
			for _, m := range lines[i+1:] {
				n.more(m)
			}
			return n
		}
	}
	if len(lines) == 0 {
		return t.add("", "")
	}
	last := lines[len(lines)-1]
	typ, msg := v8Inside(last)
	if typ == "" {
		msg = strings.TrimSpace(last)
	}
	return t.add(typ, msg)
}

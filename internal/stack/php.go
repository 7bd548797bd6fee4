package stack

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// phpLevels are the words before a message that PHP itself prints.
var phpLevels = []string{"Fatal error: ", "Parse error: ", "Warning: ", "Notice: ", "Deprecated: ", "Recoverable fatal error: ", "Catchable fatal error: "}

func phpEvidence(l string) int {
	s := strings.TrimSpace(l)
	if strings.HasPrefix(s, "#") {
		if _, ok := phpFrame(s); ok {
			return 2
		}
		return 0
	}
	if _, _, ok := phpLevel(s); ok {
		if strings.Contains(s, " on line ") || strings.Contains(s, "Uncaught ") {
			return 2
		}
		return 0
	}
	if strings.HasPrefix(s, "thrown in ") && strings.Contains(s, " on line ") {
		return 1
	}
	return 0
}

// phpLevel splits off "PHP Fatal error:  ".
func phpLevel(s string) (level, rest string, ok bool) {
	if strings.HasPrefix(s, "[") { // the time of an error log
		if _, r, ok := strings.Cut(s, "] PHP "); ok {
			s = r
		}
	}
	s = strings.TrimPrefix(s, "PHP ")
	for _, w := range phpLevels {
		if r, is := strings.CutPrefix(s, w); is {
			return strings.TrimSuffix(w, ": "), strings.TrimSpace(r), true
		}
	}
	return "", s, false
}

// phpFrame reads "#0 /srv/o.php(3): Acme\Plugin->load('x')".
func phpFrame(s string) (f eco.Frame, ok bool) {
	_, r, ok := leadNumber(strings.TrimPrefix(s, "#"))
	if !ok || !strings.HasPrefix(r, " ") {
		return f, false
	}
	r = strings.TrimSpace(r)
	if r == "{main}" {
		f.Function = "{main}"
		return f, true
	}
	call := ""
	if c, is := strings.CutPrefix(r, "[internal function]: "); is {
		f.File, call = "[internal function]", c
	} else {
		i := strings.Index(r, "): ")
		if i < 0 {
			return f, false
		}
		j := strings.LastIndexByte(r[:i], '(')
		if j <= 0 {
			return f, false
		}
		n, ok := number(r[j+1 : i])
		if !ok {
			return f, false
		}
		f.File, f.Line, call = r[:j], n, r[i+3:]
	}
	name, _, _ := strings.Cut(call, "(")
	for _, sep := range [...]string{"->", "::"} {
		if class, m, found := strings.Cut(name, sep); found && !strings.Contains(class, "{") {
			f.Module, f.Function = class, m
			return f, true
		}
	}
	f.Function = name
	return f, name != ""
}

// phpThrown reads "Type: message in /p/o.php:4"; the place is where it was thrown.
func phpThrown(t *tree, s string) *node {
	s = strings.TrimSpace(s)
	var f eco.Frame
	if i := strings.LastIndex(s, " in "); i > 0 {
		if file, line, col := place(s[i+4:]); line > 0 && col == 0 && !strings.Contains(file, " on line") {
			f.File, f.Line = file, line
			s = s[:i]
		} else if file, n, ok := strings.Cut(s[i+4:], " on line "); ok {
			if line, _, ok := leadNumber(n); ok {
				f.File, f.Line = file, line
				s = s[:i]
			}
		}
	}
	typ, msg := head(s, `\`)
	n := t.add(typ, msg)
	if n != nil && f.File != "" {
		n.frames.add(f)
	}
	return n
}

func parsePHP(t *tree, lines []string) (*node, string) {
	// PHP prints the innermost exception first; "Next" brings its wrapper.
	var root, cur *node
	var pending []string // message lines before "Stack trace:"
	level, traced := "", hasTrace(lines)
	begin := func(next bool) bool {
		n := phpThrown(t, strings.Join(pending, "\n"))
		pending = nil
		if n == nil {
			return false
		}
		if n.ex.Type == "" && level != "" {
			n.ex.Type = level
		}
		if next && root != nil {
			n.cause = root
		}
		root, cur = n, n
		return true
	}
	open, next := false, false
	for _, l := range lines {
		s := strings.TrimSpace(l)
		if strings.HasPrefix(s, "#") && !open {
			if f, ok := phpFrame(s); ok {
				if cur == nil {
					cur = t.add("", "")
					root = cur
				}
				phpShift(cur, f)
				continue
			}
		}
		lv, rest, isLevel := phpLevel(s)
		switch {
		case isLevel && root == nil && !open:
			level = lv
			if u, is := strings.CutPrefix(rest, "Uncaught "); is {
				pending, open, next = []string{u}, true, false
				if !strings.Contains(u, "\n") && !traced {
					begin(false)
					open = false
				}
				continue
			}
			pending = []string{rest}
			begin(false)
		case strings.HasPrefix(s, "Next ") && root != nil && !open:
			pending, open, next = []string{s[5:]}, true, true
		case s == "Stack trace:" || s == "[stacktrace]":
			if !open && cur == nil && len(pending) == 0 {
				continue
			}
			if open {
				if !begin(next) {
					return root, ""
				}
				open = false
			}
		case open:
			if len(pending) < 50 {
				pending = append(pending, s)
			}
		case strings.HasPrefix(s, "thrown in "):
			return root, ""
		case root == nil && s != "" && traced:
			if typ, _ := head(s, `\`); errorish(typ) {
				pending, open, next = []string{s}, true, false
			}
		case root != nil && isLevel:
			return root, "" // the next message of a log
		}
	}
	if open {
		begin(next)
	}
	return root, ""
}

// phpShift adds a frame. PHP prints beside each call the place it was called
// FROM; in the house's model a frame's place is where its own function was, so
// names move one frame outwards: #0's function is that of the throwing place.
func phpShift(n *node, f eco.Frame) {
	list := n.frames.list
	if k := len(list); k > 0 && list[k-1].Function == "" {
		list[k-1].Function, list[k-1].Module = f.Function, f.Module
	} else if k > 0 {
		n.frames.add(f)
		return
	} else {
		n.frames.add(eco.Frame{Function: f.Function, Module: f.Module})
	}
	if f.Function == "{main}" && len(list) > 0 {
		return
	}
	if f.File != "" {
		n.frames.add(eco.Frame{File: f.File, Line: f.Line})
	} else {
		n.frames.add(f)
	}
}

func hasTrace(lines []string) bool {
	for _, l := range lines {
		if s := strings.TrimSpace(l); s == "Stack trace:" || s == "[stacktrace]" {
			return true
		}
	}
	return false
}

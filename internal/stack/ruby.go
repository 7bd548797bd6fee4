package stack

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

func rubyEvidence(l string) int {
	s := strings.TrimLeft(l, " \t")
	s = strings.TrimPrefix(s, "from ")
	if _, _, ok := rubyFrame(rubyNumber(s)); ok {
		return 2
	}
	return 0
}

// rubyNumber drops the "12: " of traces printed with the most recent call last.
func rubyNumber(s string) string {
	if _, r, ok := leadNumber(s); ok && strings.HasPrefix(r, ": from ") {
		return r[7:]
	}
	return s
}

// rubyFrame reads "app.rb:3:in `f'" and "app.rb:3:in 'A#f'"; rest is what
// follows the name.
func rubyFrame(s string) (f eco.Frame, rest string, ok bool) {
	i := strings.Index(s, ":in ")
	if i <= 0 || i+5 >= len(s) || s[i+4] != '`' && s[i+4] != '\'' {
		return f, "", false
	}
	file, line, col := place(s[:i])
	if col != 0 || line == 0 || strings.HasPrefix(file, "at ") || strings.Contains(file, "\": ") {
		return f, "", false
	}
	name := s[i+5:]
	end := strings.IndexByte(name, '\'')
	if end < 0 {
		return f, "", false
	}
	f = eco.Frame{File: file, Line: line}
	name, rest = name[:end], name[end+1:]
	// Ruby 3.4 names the class too: 'Acme::Plugin#boot'.
	if j := strings.LastIndexAny(name, "#."); j > 0 && !strings.Contains(name, " ") {
		f.Module, f.Function = name[:j], name[j+1:]
	} else {
		f.Function = name
	}
	return f, rest, true
}

// rubyHead splits ": message (Type)".
func rubyHead(t *tree, s string) *node {
	s = strings.TrimSpace(strings.TrimPrefix(s, ":"))
	if i := strings.LastIndex(s, " ("); i >= 0 && strings.HasSuffix(s, ")") {
		if typ := s[i+2 : len(s)-1]; typeName(typ, ":") == typ {
			return t.add(typ, s[:i])
		}
	}
	if strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")") && typeName(s[1:len(s)-1], ":") == s[1:len(s)-1] {
		return t.add(s[1:len(s)-1], "")
	}
	if s == "unhandled exception" {
		return t.add("RuntimeError", "")
	}
	return t.add("", s)
}

func parseRuby(t *tree, lines []string) (*node, string) {
	var root, last, cur *node
	var above frameList // frames before the header: most recent call last
	for _, l := range lines {
		s := strings.TrimLeft(l, " \t")
		if strings.HasPrefix(s, "... ") && strings.HasSuffix(s, " levels...") {
			t.note("levels left out by Ruby")
			continue
		}
		body := rubyNumber(s)
		from := body != s
		if r, is := strings.CutPrefix(body, "from "); is {
			body, from = r, true
		}
		f, rest, ok := rubyFrame(body)
		switch {
		case !ok && cur != nil && cur.frames.len() == 1 && cur.ex.Type == "" && strings.TrimSpace(s) != "":
			// the message goes on over several lines, the type ends it
			if n := rubyTail(s); n != "" {
				cur.ex.Type = n
				s = strings.TrimSuffix(strings.TrimRight(s, " "), " ("+n+")")
			}
			cur.more(s)
		case !ok:
		case from && cur == nil:
			above.add(f)
		case from, rest == "":
			if cur == nil { // a bare backtrace
				cur = t.add("", "")
				root, last = cur, cur
			}
			cur.frames.add(f)
		default:
			n := rubyHead(t, rest)
			if n == nil {
				return root, ""
			}
			n.frames.add(f)
			if root == nil {
				root = n
				if above.len() > 0 {
					above.reverse()
					for _, a := range above.list {
						n.frames.add(a)
					}
				}
			} else {
				last.cause = n
			}
			last, cur = n, n
		}
	}
	return root, ""
}

// rubyTail returns the type in the "(Type)" that ends a line.
func rubyTail(s string) string {
	s = strings.TrimRight(s, " ")
	i := strings.LastIndex(s, " (")
	if i < 0 || !strings.HasSuffix(s, ")") {
		return ""
	}
	if typ := s[i+2 : len(s)-1]; typ != "" && typeName(typ, ":") == typ {
		return typ
	}
	return ""
}

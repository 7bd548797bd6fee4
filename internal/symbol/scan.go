package symbol

import "strings"

func letter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c == '#' || c >= 0x80
}

// run reads the source once, from its beginning to its end.
func (s *scanner) run() {
	s.arrow = -1
	for s.i < len(s.src) && len(s.stack) < maxNesting {
		c := s.src[s.i]
		s.pos = s.i
		switch {
		case c == '\n':
			s.newline = true
			s.i++
		case c == ' ' || c == '\t' || c == '\r':
			s.i++
		case c == '/' && s.comment():
		case c == '/' && s.regex():
		case c == '"' || c == '\'':
			s.str(c)
		case c == '`':
			s.i++
			s.template()
		case letter(c):
			s.word()
			s.newline = false
		default:
			s.punct(c)
			s.newline = false
		}
	}
}

func (s *scanner) comment() bool {
	rest := s.src[s.i:]
	switch {
	case strings.HasPrefix(rest, "//"):
		n := strings.IndexByte(rest, '\n')
		if n < 0 {
			n = len(rest)
		}
		s.i += n
	case strings.HasPrefix(rest, "/*"):
		n := strings.Index(rest[2:], "*/")
		if n < 0 {
			s.i = len(s.src)
			return true
		}
		s.i += n + 4
	default:
		return false
	}
	return true
}

// beforeRegex are words behind which a slash begins a regular expression.
var beforeRegex = map[string]bool{"return": true, "typeof": true, "case": true, "in": true, "of": true, "delete": true, "void": true,
	"throw": true, "new": true, "else": true, "do": true, "instanceof": true, "await": true, "yield": true}

// maxRegex bounds how far a slash looks for its partner.
const maxRegex = 4096

func (s *scanner) regex() bool {
	switch l := s.last[0]; {
	case l.k == 'i' && !beforeRegex[l.s], l.k == 's', l.k == 'n':
		return false
	case l.s == ")", l.s == "]", l.s == "}", l.s == "<": // "</" closes an element
		return false
	}
	class := false
	for j := s.i + 1; j < len(s.src) && j < s.i+maxRegex; j++ {
		switch s.src[j] {
		case '\n':
			return false
		case '\\':
			j++
		case '[':
			class = true
		case ']':
			class = false
		case '/':
			if !class {
				s.i = j + 1
				s.push(tok{'n', "/"})
				return true
			}
		}
	}
	return false
}

// str reads a string. One that its line does not end is no string: an apostrophe
// in the text of an element.
func (s *scanner) str(q byte) {
	for j := s.i + 1; j < len(s.src) && s.src[j] != '\n'; j++ {
		if s.src[j] == '\\' {
			j++
			continue
		}
		if s.src[j] == q {
			s.push(tok{'s', s.src[s.i : j+1]})
			s.i = j + 1
			return
		}
	}
	s.i++
}

// template reads the text of a template up to its end or its next expression.
func (s *scanner) template() {
	for s.i < len(s.src) {
		switch s.src[s.i] {
		case '\\':
			s.i += 2
			continue
		case '`':
			s.i++
			s.push(tok{'n', "`"})
			return
		case '$':
			if strings.HasPrefix(s.src[s.i:], "${") {
				s.i += 2
				s.stack = append(s.stack, bracket{open: '`', scope: -1})
				s.push(tok{'p', "${"})
				return
			}
		}
		s.i++
	}
	s.i = len(s.src)
}

// starts are words that begin a statement; on a new line they end an arrow
// function without braces.
var starts = map[string]bool{"const": true, "let": true, "var": true, "function": true, "class": true, "return": true, "if": true,
	"for": true, "while": true, "export": true, "import": true, "switch": true, "try": true, "throw": true}

func (s *scanner) word() {
	j := s.i + 1
	for j < len(s.src) && letter(s.src[j]) {
		j++
	}
	w := s.src[s.i:j]
	s.i = j
	if s.newline && starts[w] {
		s.endExprs(len(s.stack), s.pos)
	}
	if s.sigState == 1 {
		s.sigState = 0
	}
	dot := s.last[0].s == "." || s.last[0].s == "?."
	switch {
	case w == "function" && !dot && s.last[0].s != ",":
		s.fn, s.fnDepth = nameBefore(s.last), len(s.stack)+1
	case w == "function" && !dot:
		s.fn, s.fnDepth = "", len(s.stack)+1
	case w == "class" && !dot:
		s.class, s.clsDepth = nameBefore(s.last), len(s.stack)+1
	case s.fnDepth == len(s.stack)+1 && (s.last[0].s == "function" || s.last[0].s == "*"):
		s.fn = w
	case s.clsDepth == len(s.stack)+1 && s.last[0].s == "class" && w != "extends" && w != "implements":
		s.class = w
	}
	switch s.last[0].s {
	case "const", "let", "var":
		s.decl, s.declAt = w, len(s.stack)
	}
	s.arrow = s.body(-1)
	s.push(tok{'i', w})
}

// body begins the expression of an arrow function that has no braces; next is -1.
func (s *scanner) body(next int32) int32 {
	if s.arrow >= 0 {
		s.exprs = append(s.exprs, exprScope{s.arrow, len(s.stack)})
	}
	return next
}

// operators that are read as one, longest first.
var operators = []string{">>>=", "===", "!==", "**=", "<<=", ">>=", "&&=", "||=", "??=", "...", "=>", "==", "!=", "<=", ">=", "+=", "-=", "*=",
	"/=", "%=", "&=", "|=", "^=", "?.", "++", "--", "&&", "||", "??"}

func (s *scanner) punct(c byte) {
	op := s.src[s.i : s.i+1]
	if strings.IndexByte("=>!*<&|?.+-/%^", c) >= 0 {
		for _, o := range operators {
			if o[0] == c && strings.HasPrefix(s.src[s.i:], o) {
				op = o
				break
			}
		}
	}
	s.i += len(op)
	if op != "{" && op != "=>" && s.arrow >= 0 {
		s.arrow = s.body(-1)
	}
	depth := len(s.stack)
	state := s.sigState
	if state == 1 {
		s.sigState = 0
	}
	switch op {
	case "=>":
		s.toArrow(state)
	case "(", "[":
		b := bracket{open: c, scope: -1}
		if c == '(' {
			b.head = s.headOf()
		}
		s.stack = append(s.stack, b)
	case "{":
		s.brace(state)
	case ")", "]", "}":
		s.close(c)
		return
	case ",", ";":
		s.endExprs(depth, s.pos)
		if op == ";" || state == 2 && s.sigDepth == depth {
			s.sigState = 0
		}
		if op == ";" {
			s.fnDepth, s.clsDepth = 0, 0
		}
	case ":":
		if state == 1 {
			s.sigState = 2
		}
	case "<":
		if s.last[0].k == 'i' {
			s.gen = s.last
		}
	case "=":
		if s.sigDepth == depth {
			s.sigState = 0
		}
		if s.decl != "" && s.declAt == depth { // a type may have stood between
			s.push(tok{'i', s.decl})
			s.decl = ""
		}
	}
	s.push(tok{'p', op})
}

// toArrow opens an arrow function; its body comes next.
func (s *scanner) toArrow(state int) {
	var before [4]tok
	switch {
	case state > 0 && s.sigDepth == len(s.stack):
		before = s.sig.before
	case s.last[0].k == 'i':
		before = [4]tok{s.last[1], s.last[2], s.last[3]}
	}
	s.sigState = 0
	if s.arrow >= 0 {
		s.arrow = s.body(-1)
	}
	s.arrow = s.enter(nameBefore(before))
}

func (s *scanner) brace(state int) {
	b := bracket{open: '{', scope: -1}
	depth := len(s.stack)
	typ := false
	switch s.last[0].s {
	case ":", "|", "&", "<", ",":
		typ = true
	}
	switch {
	case s.arrow >= 0:
		b.scope, s.arrow = s.arrow, -1
	case s.clsDepth == depth+1 && !typ && s.last[0].s != "=":
		b.class, b.body, s.clsDepth = s.class, true, 0
	case state > 0 && s.sigDepth == depth && !typ && (s.sig.fn || state == 1 && s.sig.maybe):
		b.scope = s.enter(s.sig.name)
		s.sigState = 0
	}
	s.stack = append(s.stack, b)
}

// close ends the nearest bracket of the kind; ones within it that were never
// closed end with it.
func (s *scanner) close(c byte) {
	open := map[byte]byte{')': '(', ']': '[', '}': '{'}[c]
	at := len(s.stack) - 1
	for ; at >= 0 && at > len(s.stack)-8; at-- {
		if o := s.stack[at].open; o == open || o == '`' && c == '}' {
			break
		}
	}
	if at < 0 || at <= len(s.stack)-8 {
		s.push(tok{'p', string(c)})
		return
	}
	b := s.stack[at]
	s.endExprs(at+1, s.pos)
	for _, x := range s.stack[at:] {
		s.leave(x.scope, s.pos)
	}
	s.stack = s.stack[:at]
	s.fnDepth, s.clsDepth = min(s.fnDepth, at+1), min(s.clsDepth, at+1)
	if c != '}' || s.sigState != 2 || s.sigDepth != at || b.scope >= 0 { // else it was part of a return type
		s.sigState = 0
	}
	switch {
	case b.open == '`':
		s.template()
		return
	case c == ')':
		s.sig, s.sigDepth, s.sigState = b.head, at, 1
	}
	s.push(tok{'p', string(c)})
}

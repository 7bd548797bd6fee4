package symbol

import (
	"cmp"
	"slices"
	"strings"
)

// scope is one function of a source: where it begins and ends (lines and columns
// from 0, columns in UTF-16 units), and the name it is known by.
type scope struct {
	line, col, endLine, endCol int32
	parent                     int32 // the function around it, -1 at the top
	name                       string
}

// anonymous is the name of a function that nothing names.
const anonymous = "<anonymous>"

// enclosing names the innermost function around a place.
func enclosing(sc []scope, line, col int32) string {
	i, _ := slices.BinarySearchFunc(sc, [2]int32{line, col}, func(s scope, at [2]int32) int {
		if s.line < at[0] || s.line == at[0] && s.col <= at[1] {
			return -1
		}
		return 1
	})
	for i--; i >= 0; i = int(sc[i].parent) {
		s := &sc[i]
		if cmp.Or(cmp.Compare(line, s.endLine), cmp.Compare(col, s.endCol)) < 0 {
			return s.name
		}
	}
	return ""
}

// maxNesting bounds brackets within each other; what is deeper has no names.
const maxNesting = 2000

// scopesOf finds the functions of a JavaScript or TypeScript source with a
// tokenizer, not a parser: it may miss a function of unusual form or place its
// end a little late, and it never fails. At most so many are found.
func scopesOf(src string, most int) []scope {
	s := scanner{src: src, most: most, cur: -1, pos: -1}
	s.run()
	line, col := s.at(len(src))
	for i := range s.out {
		if s.out[i].endLine < 0 { // the source ends within it
			s.out[i].endLine, s.out[i].endCol = line, col
		}
	}
	if s.out == nil {
		return []scope{}
	}
	return slices.Clip(s.out)
}

// tok is a token: its kind (i identifier, s string, n anything else that is a
// value, p punctuation) and its text.
type tok struct {
	k byte
	s string
}

// head is what stood before a parenthesis: whether what follows it is a function,
// by which name, and the tokens before, which name an arrow function.
type head struct {
	name   string
	fn     bool // by keyword, or a method for certain
	maybe  bool // a method, if a brace follows at once
	before [4]tok
}

type bracket struct {
	open  byte  // ( [ { or ` (an expression within a template)
	scope int32 // the function whose body it is, -1
	class string
	body  bool // of a class
	head  head
}

type scanner struct {
	src       string
	i         int
	most      int
	line, col int32 // of mark
	mark      int
	pos       int // start of the token at hand
	newline   bool

	last  [4]tok // newest first
	stack []bracket
	cur   int32 // innermost open function
	exprs []exprScope
	out   []scope

	sig      head // of the parenthesis that was closed last
	sigDepth int
	sigState int // 0 none, 1 just closed, 2 within a return type
	fn       string
	fnDepth  int // of a pending "function", +1; 0 none
	class    string
	clsDepth int
	gen      [4]tok // tokens when "<" stood behind a name
	decl     string // declared by const, let or var; its value has not begun
	declAt   int
	arrow    int32 // function of the "=>" that was read last, -1
}

type exprScope struct {
	scope int32
	depth int
}

// at turns an index into a line and a column; calls go forward only.
func (s *scanner) at(i int) (line, col int32) {
	for ; s.mark < i; s.mark++ {
		switch c := s.src[s.mark]; {
		case c == '\n':
			s.line, s.col = s.line+1, 0
		case c >= 0xf0:
			s.col += 2
		case c < 0x80 || c >= 0xc0:
			s.col++
		}
	}
	return s.line, s.col
}

func (s *scanner) push(t tok) {
	s.last = [4]tok{t, s.last[0], s.last[1], s.last[2]}
}

// enter opens a function.
func (s *scanner) enter(name string) int32 {
	if len(s.out) >= s.most {
		return -1
	}
	if name == "" {
		name = anonymous
	} else if n := len(s.stack); n > 0 && s.stack[n-1].body {
		name = member(s.stack[n-1].class, name)
	}
	line, col := s.at(s.pos)
	id := int32(len(s.out))
	s.out = append(s.out, scope{line: line, col: col, endLine: -1, parent: s.cur, name: clip(name)})
	s.cur = id
	return id
}

func member(class, name string) string {
	switch {
	case class == "":
		return name
	case name == "constructor":
		return "new " + class
	}
	return class + "." + name
}

func (s *scanner) leave(id int32, end int) {
	if id < 0 {
		return
	}
	line, col := s.at(end)
	for c := s.cur; c >= 0; c = s.out[c].parent { // what was still open within it ends too
		s.out[c].endLine, s.out[c].endCol = line, col
		if c == id {
			s.cur = s.out[c].parent
			return
		}
	}
}

// endExprs ends the arrow functions without braces at this depth and deeper.
func (s *scanner) endExprs(depth, end int) {
	for n := len(s.exprs); n > 0 && s.exprs[n-1].depth >= depth; n = len(s.exprs) {
		s.leave(s.exprs[n-1].scope, end)
		s.exprs = s.exprs[:n-1]
	}
}

// nameBefore finds the name that the tokens before a function's beginning give it.
func nameBefore(h [4]tok) string {
	if h[0].s == "async" {
		h = [4]tok{h[1], h[2], h[3]}
	}
	switch h[0].s {
	case "=", "||=", "??=":
		if h[2].s == ":" && h[3].k == 'i' && h[1].k == 'i' { // const f: Type = …
			return h[3].s
		}
		if h[1].k == 'i' {
			return h[1].s
		}
	case ":":
		if h[1].k == 'i' || h[1].k == 's' {
			return strings.Trim(h[1].s, `"'`)
		}
	case "default":
		return "default"
	}
	return ""
}

// control are keywords before a parenthesis that no function follows.
var control = map[string]bool{"if": true, "for": true, "while": true, "switch": true, "catch": true, "with": true, "await": true,
	"return": true, "typeof": true, "super": true, "import": true, "new": true, "in": true, "of": true, "case": true}

// modifiers may stand before a method's name.
var modifiers = map[string]bool{"async": true, "get": true, "set": true, "static": true, "public": true, "private": true,
	"protected": true, "readonly": true, "override": true, "*": true}

// headOf says what an opening parenthesis may begin.
func (s *scanner) headOf() head {
	if s.fnDepth == len(s.stack)+1 {
		s.fnDepth = 0
		return head{name: s.fn, fn: true}
	}
	h := head{before: s.last}
	l := s.last
	if l[0].s == ">" && s.gen[0].k == 'i' {
		l, s.gen = s.gen, [4]tok{}
	}
	body := len(s.stack) > 0 && s.stack[len(s.stack)-1].body
	if l[0].s == "]" {
		h.maybe = true // a method with a computed name
	}
	if (l[0].k == 'i' || l[0].k == 's') && (body || !control[l[0].s]) {
		h.name, h.maybe = strings.Trim(l[0].s, `"'`), true
		b := l[1]
		for k := 1; k < 3 && modifiers[b.s]; k++ {
			b = l[k+1]
		}
		switch b.s {
		case "{", "}", ";", ",", "":
			h.fn = l[1].s != "," || len(s.stack) > 0 && s.stack[len(s.stack)-1].open == '{'
		case ")":
			h.fn = body // behind a decorator
		}
	}
	return h
}

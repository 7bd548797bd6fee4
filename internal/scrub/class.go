package scrub

// The classes of bytes that some rule needs to see before it can fire.
const (
	hasAt uint16 = 1 << iota
	hasDigit
	hasSlash
	hasBack
	hasColon
	hasEqual
	hasQuery
	hasDash
	hasTilde
	hasDot
	hasAngle
	hasSpace
	hasEscape // % & \ ( [: the text may wrap another one
)

// class is what one look at a text tells.
type class struct {
	mask uint16
	run  int // length of the longest run of letters, digits, '-' and '_'
}

var byteMask = func() (t [256]uint16) {
	t['@'] = hasAt
	for c := '0'; c <= '9'; c++ {
		t[c] = hasDigit
	}
	t['/'] = hasSlash
	t['\\'] = hasBack | hasEscape
	t[':'] = hasColon
	t['='] = hasEqual
	t['?'] = hasQuery
	t['-'] = hasDash
	t['~'] = hasTilde
	t['.'] = hasDot
	t['<'] = hasAngle
	t[' '] = hasSpace
	t['('] = hasEscape
	t['['] = hasEscape
	t['%'] = hasEscape
	t['&'] = hasEscape
	t[0xEF] = hasAt // the first byte of the full-width signs
	return t
}()

// runByte: letters, digits, '-', '_'.
var runByte = func() (t [256]bool) {
	for c := range 256 {
		b := byte(c)
		t[c] = isAlnum(b) || b == '-' || b == '_'
	}
	return t
}()

func classify(s string) (c class) {
	run := 0
	for i := range len(s) {
		b := s[i]
		c.mask |= byteMask[b]
		if runByte[b] {
			run++
			if run > c.run {
				c.run = run
			}
		} else {
			run = 0
		}
	}
	return c
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isAlnum(c byte) bool { return isDigit(c) || isAlpha(c) }
func isWord(c byte) bool  { return isAlnum(c) || c == '_' || c >= 0x80 }
func isHexDigit(c byte) bool {
	return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f'
}
func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// at returns the byte at i, 0 outside.
func at(s string, i int) byte {
	if i < 0 || i >= len(s) {
		return 0
	}
	return s[i]
}

// foldAt reports whether s holds the lower-case word w at i, in any case.
func foldAt(s string, i int, w string) bool {
	if i < 0 || len(s)-i < len(w) {
		return false
	}
	for j := range len(w) {
		if lower(s[i+j]) != w[j] {
			return false
		}
	}
	return true
}

// tokenAt reports whether one of our own replacements stands at i, and its length.
func tokenAt(s string, i int) int {
	if at(s, i) != '<' {
		return 0
	}
	for j := i + 1; j < len(s) && j < i+24; j++ {
		switch c := s[j]; {
		case c == '>':
			if ourTokens[s[i:j+1]] {
				return j + 1 - i
			}
			return 0
		case !isAlpha(c) && c != '-':
			return 0
		}
	}
	return 0
}

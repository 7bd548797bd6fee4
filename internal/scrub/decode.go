package scrub

import "strings"

// unescape undoes one layer of the escapes that texts travel in: percent
// (%40), JSON and JavaScript (\u0040, \x40, \/), HTML (&#64; &#x40; &commat;),
// and "(at)".
// Only printable ASCII and the bytes of UTF-8 behind %XX come out; anything
// else stays as it was.
func unescape(s string) string {
	i := nextEscape(s, 0)
	if i < 0 {
		return s
	}
	var b strings.Builder
	at := 0
	for i >= 0 {
		c, n := escapeAt(s, i)
		if n == 0 {
			i = nextEscape(s, i+1)
			continue
		}
		b.WriteString(s[at:i])
		b.WriteByte(c)
		at = i + n
		i = nextEscape(s, at)
	}
	if at == 0 {
		return s
	}
	b.WriteString(s[at:])
	return b.String()
}

func nextEscape(s string, from int) int {
	for i := from; i < len(s); i++ {
		if c := s[i]; c == '%' || c == '\\' || c == '&' || (c == '(' || c == '[') && at(s, i+1)|0x25 == 'e' {
			return i
		}
	}
	return -1
}

func escapeAt(s string, i int) (c byte, n int) {
	switch s[i] {
	case '(', '[': // jo(at)example(dot)org; 'a' and 'd' pass the filter above
		if foldAt(s, i+1, "at") && (at(s, i+3) == ')' || at(s, i+3) == ']') {
			return '@', 4
		}
		if foldAt(s, i+1, "dot") && (at(s, i+4) == ')' || at(s, i+4) == ']') {
			return '.', 5
		}
	case '%':
		if v, ok := hexPair(s, i+1); ok && (printable(v) || v >= 0x80) {
			return v, 3
		}
	case '\\':
		switch at(s, i+1) {
		case '/':
			return '/', 2
		case 'u', 'U':
			if at(s, i+2) == '0' && at(s, i+3) == '0' {
				if v, ok := hexPair(s, i+4); ok && printable(v) {
					return v, 6
				}
			}
		case 'x':
			if v, ok := hexPair(s, i+2); ok && printable(v) {
				return v, 4
			}
		}
	case '&':
		if strings.HasPrefix(s[i:], "&commat;") {
			return '@', 8
		}
		if strings.HasPrefix(s[i:], "&amp;") {
			return '&', 5
		}
		if strings.HasPrefix(s[i:], "&quot;") {
			return '"', 6
		}
		if at(s, i+1) == '#' {
			return entity(s, i+2)
		}
	}
	return 0, 0
}

// entity reads the number of "&#64;" or "&#x40;" that starts at i.
func entity(s string, i int) (c byte, n int) {
	v, j := 0, i
	if at(s, j)|0x20 == 'x' {
		for j++; j < len(s) && j < i+7 && isHexDigit(s[j]); j++ {
			v = v<<4 | int(unhex(s[j]))
		}
	} else {
		for ; j < len(s) && j < i+7 && isDigit(s[j]); j++ {
			v = v*10 + int(s[j]-'0')
		}
	}
	if at(s, j) == ';' && v < 0x7f && printable(byte(v)) {
		return byte(v), j + 1 - (i - 2)
	}
	return 0, 0
}

func hexPair(s string, i int) (byte, bool) {
	if i+1 >= len(s) || !isHexDigit(s[i]) || !isHexDigit(s[i+1]) {
		return 0, false
	}
	return unhex(s[i])<<4 | unhex(s[i+1]), true
}

func unhex(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

func printable(c byte) bool { return c >= 0x20 && c < 0x7f }

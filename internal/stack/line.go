package stack

import "strings"

// MaxLines is how many lines of a text are read, after MaxText was applied.
const MaxLines = 20000

// textTail is how much of an over-long text's end is kept: some dialects print
// what matters first, others last.
const textTail = 64 << 10

// split cuts a text into lines, without carriage returns. It reports what it
// left out.
func split(text string) (lines []string, cut string) {
	if len(text) > MaxText {
		head, tail := text[:MaxText-textTail], text[len(text)-textTail:]
		if i := strings.LastIndexByte(head, '\n'); i >= 0 {
			head = head[:i]
		}
		if i := strings.IndexByte(tail, '\n'); i >= 0 {
			tail = tail[i+1:]
		}
		text, cut = head+"\n"+tail, "text cut in the middle"
	}
	if strings.IndexByte(text, '\n') < 0 && escapedBreaks(text) {
		text = strings.NewReplacer(`\r\n`, "\n", `\n`, "\n", `\t`, "\t").Replace(text)
	}
	n := strings.Count(text, "\n") + 1
	if n > MaxLines {
		n, cut = MaxLines, "lines past the limit left out"
	}
	lines = make([]string, 0, n)
	for len(lines) < n {
		var l string
		var more bool
		l, text, more = strings.Cut(text, "\n")
		l = strings.TrimSuffix(l, "\r")
		if len(l) > MaxLine {
			l = l[:MaxLine]
		}
		lines = append(lines, l)
		if !more {
			break
		}
	}
	return lines, cut
}

// escapedBreaks: a trace that went through a logger which escapes line ends.
// A Windows path alone (C:\new) must not count.
func escapedBreaks(s string) bool {
	return strings.Contains(s, `\n    at `) || strings.Contains(s, `\n\tat `) || strings.Contains(s, `\n  File "`) || strings.Contains(s, `\n\tat`) || strings.Contains(s, `\n#1 `)
}

// indent returns the width of the white space that a line starts with; a tab
// counts as one step, as printed.
func indent(s string) int {
	i := 0
	for i < len(s) && (s[i] == ' ' || s[i] == '\t') {
		i++
	}
	return i
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isIdent(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || isDigit(c) || c == '_' || c == '$' || c >= 0x80
}

// number reads a decimal number that is all of s; 0 and false when it is none or too large.
func number(s string) (int, bool) {
	if s == "" || len(s) > 10 {
		return 0, false
	}
	n := 0
	for i := range len(s) {
		if !isDigit(s[i]) {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, n <= maxPos
}

// leadNumber reads the digits that s starts with.
func leadNumber(s string) (n int, rest string, ok bool) {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	n, ok = number(s[:i])
	return n, s[i:], ok
}

// place splits "file:line:col" or "file:line" from the right.
func place(s string) (file string, line, col int) {
	i := strings.LastIndexByte(s, ':')
	if i <= 0 {
		return s, 0, 0
	}
	a, ok := number(s[i+1:])
	if !ok {
		return s, 0, 0
	}
	s = s[:i]
	j := strings.LastIndexByte(s, ':')
	if j > 0 {
		if b, ok := number(s[j+1:]); ok {
			return s[:j], b, a
		}
	}
	return s, a, 0
}

// typeName returns the dotted name that s starts with: what a language prints
// as the type of a throwable. Extra lists further bytes that may occur.
func typeName(s, extra string) string {
	i := 0
	for i < len(s) && (isIdent(s[i]) || s[i] == '.' || strings.IndexByte(extra, s[i]) >= 0) {
		i++
	}
	return strings.TrimRight(s[:i], ".")
}

// head splits "Type: message". The type is "" when s does not start with a name
// that a colon or the end follows.
func head(s, extra string) (typ, msg string) {
	t := typeName(s, extra)
	if t == "" || isDigit(t[0]) {
		return "", s
	}
	rest := s[len(t):]
	switch {
	case rest == "" || rest == ":":
		return t, ""
	case strings.HasPrefix(rest, ": "):
		return t, rest[2:]
	}
	return "", s
}

// errorish: a name that reads like one of a throwable.
func errorish(t string) bool {
	for _, s := range [...]string{"Error", "Exception", "Throwable", "Rejection", "Failure", "Fault", "Warning", "Exit", "Interrupt"} {
		if strings.HasSuffix(t, s) {
			return true
		}
	}
	return false
}

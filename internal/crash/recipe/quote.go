package recipe

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// id returns the id when it has the form of one, else "" and counts it.
func (m *maker) id(id eco.ExtensionID) eco.ExtensionID {
	if id == "" {
		return ""
	}
	if p, err := eco.ParseExtensionID(string(id)); err == nil && p == id {
		return id
	}
	m.unfit[string(id)] = true
	return ""
}

func (m *maker) slug(s string) string {
	if s == "" {
		return ""
	}
	if p, err := eco.ParseSlug(s); err == nil && p == s {
		return s
	}
	m.unfit[s] = true
	return ""
}

// versionLike is the allow-list of versions (and names of systems): up to 64
// letters, digits and . + _ -, the first a letter or digit, so that none is an
// option of a command.
func versionLike(s string) bool {
	for i := range len(s) {
		c := s[i]
		word := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !word && (i == 0 || !strings.ContainsRune(".+_-", rune(c))) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// text is one line of at most maxText bytes.
func text(s string) string { return eco.Clean(line(eco.Clean(s, 4*maxText)), maxText) }

// line makes one line of a text: control characters, and those that turn the
// direction of a line or are not seen, become spaces, runs of spaces one.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// inShell is a word of a POSIX shell.
func inShell(s string) string { return "'" + strings.ReplaceAll(line(s), "'", `'\''`) + "'" }

// inPowerShell is a word of PowerShell. It takes typographic quotes for quotes, and
// reads a file without a mark in the system's code page: other than ASCII is "?".
func inPowerShell(s string) string {
	s = strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII {
			return '?'
		}
		return r
	}, line(s))
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// inPython is a string literal of Python: the escapes of Go's are the same.
func inPython(s string) string { return strconv.QuoteToASCII(line(s)) }

// inMarkdown escapes every mark that can mean something.
func inMarkdown(s string) string {
	var b strings.Builder
	for _, r := range line(s) {
		if r < unicode.MaxASCII && (unicode.IsPunct(r) || unicode.IsSymbol(r)) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

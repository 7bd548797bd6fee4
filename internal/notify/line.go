package notify

import (
	"strings"
	"unicode"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// Line makes one printable line of at most max bytes out of any text: what goes
// into headers, subjects and logs passes it, so that nothing can add a line.
func Line(s string, max int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\u2028' || r == '\u2029' || unicode.IsSpace(r) || unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Bidi_Control, r) || r == '\ufeff':
			return -1 // would turn the text after it around
		}
		return r
	}, eco.Clean(s, 4*max))
	return eco.Clean(strings.Join(strings.Fields(s), " "), max)
}

package eco

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, c := range []struct {
		s    string
		max  int
		want string
	}{
		{"plain", 10, "plain"},
		{"plain", 3, "pla"},
		{"a\x00b", 10, "ab"},
		{"éé", 2, "é"},
		{"éé", 3, "é"},
		{"éé", 1, ""},
		{"\xa2", 10, "�"},
		{"a\xa2\xa2", 4, "a�"}, // a replaced run of bytes is one character
		{"aa\xa2", 3, "aa"},
		{"\xf0\x9f\x98\x80x", 4, "😀"},
		{"", 0, ""},
	} {
		if got := Clean(c.s, c.max); got != c.want {
			t.Errorf("Clean(%q, %d) = %q, want %q", c.s, c.max, got, c.want)
		}
	}
	for _, s := range []string{strings.Repeat("a\xa2", 600), strings.Repeat("é\xff", 600), strings.Repeat("\x80", 2000)} {
		for max := range 40 {
			if got := Clean(s, 1000+max); len(got) > 1000+max || !utf8.ValidString(got) {
				t.Errorf("%d bytes of at most %d", len(got), 1000+max)
			}
		}
	}
}

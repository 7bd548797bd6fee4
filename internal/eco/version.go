package eco

import (
	"cmp"
	"strings"
)

// CompareVersions orders versions as people read them: dotted parts, numeric
// parts as numbers, a pre-release ("-beta.2") before its release, build metadata
// ("+…") ignored, a leading "v" ignored. Any string has its place; equal keys
// compare as strings so that the order is total.
func CompareVersions(a, b string) int {
	am, ap := splitVersion(a)
	bm, bp := splitVersion(b)
	if c := compareParts(am, bm); c != 0 {
		return c
	}
	switch {
	case ap == "" && bp != "":
		return 1
	case ap != "" && bp == "":
		return -1
	}
	if c := compareParts(ap, bp); c != 0 {
		return c
	}
	return cmp.Compare(a, b)
}

func splitVersion(v string) (main, pre string) {
	v = strings.TrimPrefix(strings.TrimSpace(v), "v")
	v, _, _ = strings.Cut(v, "+")
	main, pre, _ = strings.Cut(v, "-")
	return main, pre
}

func compareParts(a, b string) int {
	for a != "" || b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		xn, yn := isNumber(x), isNumber(y)
		var c int
		switch {
		case x == y:
		case x == "" && yn: // 1.2 == 1.2.0
			c = cmp.Compare("0", strings.TrimLeft(y, "0")+"0")
			if strings.Trim(y, "0") == "" {
				c = 0
			}
		case y == "" && xn:
			c = 1
			if strings.Trim(x, "0") == "" {
				c = 0
			}
		case xn && yn:
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if c = cmp.Compare(len(x), len(y)); c == 0 {
				c = cmp.Compare(x, y)
			}
		case xn != yn: // numbers before words, as in semver
			c = 1
			if xn {
				c = -1
			}
		default:
			c = cmp.Compare(x, y)
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

func isNumber(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

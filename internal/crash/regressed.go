package crash

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// Regressed reports whether a family that was resolved in a release has come
// back, given the releases it was seen in since. The form of resolvedIn:
//
//	"1.4.0"   fixed in 1.4.0: that release or a later one is a regression
//	">1.3.9"  fixed in whatever follows 1.3.9: any later release is one
//	""        fixed from now on: any crash is one, whatever its release
//
// A crash without a release is evidence only in the last case.
func Regressed(resolvedIn string, seen []string) bool {
	if resolvedIn == "" {
		return len(seen) > 0
	}
	after, next := strings.CutPrefix(resolvedIn, ">")
	for _, r := range seen {
		if r == "" {
			continue
		}
		if c := eco.CompareVersions(r, after); c > 0 || c == 0 && !next {
			return true
		}
	}
	return false
}

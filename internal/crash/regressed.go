package crash

import (
	"context"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// Order is the declared releases of one thing as its register lists them, by the
// time of publication, oldest first. The nil Order knows none.
type Order []string

// Compare orders two releases: as the register does when it lists both, else as
// people read version numbers. What was only seen in traffic is in no register:
// the first sight of an old version may come late.
func (o Order) Compare(a, b string) int {
	if x, y := slices.Index(o, a), slices.Index(o, b); x >= 0 && y >= 0 {
		return x - y
	}
	return eco.CompareVersions(a, b)
}

// Newest is the last of some releases, "" when none of them has a name.
func (o Order) Newest(releases []string) string {
	last := ""
	for _, r := range releases {
		if r != "" && (last == "" || o.Compare(r, last) > 0) {
			last = r
		}
	}
	return last
}

// Regressed reports whether a family that was resolved in a release has come
// back, given the releases it was seen in since. The form of resolvedIn:
//
//	"1.4.0"   fixed in 1.4.0: that release or a later one is a regression
//	">1.3.9"  fixed in whatever follows 1.3.9: any later release is one
//	""        fixed from now on: any crash is one, whatever its release
//
// A crash without a release is evidence only in the last case.
func Regressed(o Order, resolvedIn string, seen []string) bool {
	if resolvedIn == "" {
		return len(seen) > 0
	}
	after, next := strings.CutPrefix(resolvedIn, ">")
	for _, r := range seen {
		if r == "" {
			continue
		}
		if c := o.Compare(r, after); c > 0 || c == 0 && !next {
			return true
		}
	}
	return false
}

// order is what the register lists for the thing whose releases a family names.
func (d *Desk) order(ctx context.Context, f *Family) (Order, error) {
	if d.o.Order == nil || f == nil {
		return nil, nil
	}
	return d.o.Order(ctx, f.Blame, f.Host)
}

package signature

import "github.com/bellwether-project/bellwether/internal/eco"

// maxChain bounds how many exceptions of one crash are looked at.
const maxChain = 50

// Root returns the index of the exception a crash is signed by: the innermost
// cause. Suppressed exceptions never count, of a group the first member does, and
// a linkage error counts before the class loader's own complaint below it. It
// returns -1 when there is no exception.
func Root(c *eco.Crash) int {
	n := min(len(c.Exceptions), maxChain)
	if n == 0 {
		return -1
	}
	root := 0
	for i := 1; i < n; i++ { // causes stand behind what they caused
		e := &c.Exceptions[i]
		if e.Parent == root && !e.Suppressed && (e.Type != "" || len(e.Frames) > 0) {
			if IsLinkage(c.Exceptions[root].Type) {
				break
			}
			root = i
		}
	}
	return root
}

// Walk calls yield for each frame of the whole stack of an exception, innermost
// first: its own frames, then those that the report leaves out as common with its
// wrapper ("... 12 more"), taken from the wrapper's.
func Walk(c *eco.Crash, exception int, yield func(*eco.Frame) bool) {
	if exception < 0 || exception >= len(c.Exceptions) {
		return
	}
	skip := 0
	for i, hops := exception, 0; hops < maxChain; hops++ {
		e := &c.Exceptions[i]
		for j := min(skip, len(e.Frames)); j < len(e.Frames); j++ {
			if !yield(&e.Frames[j]) {
				return
			}
		}
		common := e.More - max(0, skip-len(e.Frames)) // of the wrapper's stack, how many are still to come
		p := e.Parent
		if p < 0 || p >= i {
			return
		}
		if e.More > 0 {
			if common <= 0 {
				return
			}
			up := &c.Exceptions[p]
			skip = len(up.Frames) + up.More - common
			if skip < 0 {
				skip = 0
			}
		} else {
			// Runtimes that do not count: go on behind the call they have in common.
			at := meets(e.Frames, c.Exceptions[p].Frames)
			if at < 0 {
				return
			}
			skip = at + 1
		}
		i = p
	}
}

// meets finds the outermost frame of a cause in its wrapper's stack. The frame
// that catches is the one both stacks share.
func meets(inner, outer []eco.Frame) int {
	if len(inner) == 0 {
		return -1
	}
	last := &inner[len(inner)-1]
	if last.Function == "" {
		return -1
	}
	for i := range outer {
		f := &outer[i]
		if f.Function == last.Function && f.Module == last.Module && f.File == last.File {
			return i
		}
	}
	return -1
}

package stack

import (
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// node is one throwable while a text is read: its own fields, its cause, and
// those that hang beside it (suppressed, members of a group).
type node struct {
	ex      eco.Exception
	cause   *node
	beside  []*node
	frames  frameList
	matched int // V8: n of "... n lines matching cause stack trace ..."
	at      int // V8: how many frames stood before that line
}

// tree makes nodes, and stops making them when there are enough.
type tree struct {
	tr   Trace // what a reader of whole reports says beside the exceptions
	made int
	cut  []string // what was left out, for Why
}

// add returns a new node, nil when MaxExceptions are made already.
func (t *tree) add(typ, value string) *node {
	if t.made == MaxExceptions {
		t.note("more exceptions than are kept")
		return nil
	}
	t.made++
	return &node{ex: eco.Exception{Type: eco.Clean(typ, MaxName), Value: eco.Clean(strings.TrimRight(value, " \t\n"), MaxValue)}}
}

func (t *tree) note(s string) {
	for _, c := range t.cut {
		if c == s {
			return
		}
	}
	t.cut = append(t.cut, s)
}

// more appends a line to the message of a node.
func (n *node) more(line string) {
	if n == nil || len(n.ex.Value)+len(line) >= MaxValue {
		return
	}
	if n.ex.Value != "" {
		n.ex.Value += "\n"
	}
	n.ex.Value += eco.Clean(line, MaxValue)
}

// flatten lists a tree: the chain of causes first, then what hangs beside each
// of them, each with its own chain. Deeper than MaxDepth is left out.
func (t *tree) flatten(root *node) []eco.Exception {
	var out []eco.Exception
	var walk func(n *node, parent, depth int)
	walk = func(n *node, parent, depth int) {
		type spot struct {
			n  *node
			at int
		}
		var chain []spot
		for ; n != nil; n = n.cause {
			if depth > MaxDepth || len(out) >= MaxExceptions {
				t.note("deeper nesting than is kept")
				break
			}
			depth++
			n.ex.Parent = parent
			n.ex.Frames = n.frames.done(t)
			n.ex.Value = strings.TrimRight(n.ex.Value, " \t\n")
			parent = len(out)
			out = append(out, n.ex)
			chain = append(chain, spot{n, parent})
		}
		for i, s := range chain {
			for _, b := range s.n.beside {
				walk(b, s.at, depth-len(chain)+i+1)
			}
		}
	}
	walk(root, -1, 0)
	return out
}

// frameList keeps the first and the last half of MaxFrames of what is added.
type frameList struct {
	list    []eco.Frame
	dropped int
}

const half = MaxFrames / 2

func (l *frameList) add(f eco.Frame) {
	f.Function, f.Module, f.File = cutName(f.Function), cutName(f.Module), cutName(f.File)
	f.Package, f.Addr = cutName(f.Package), cutName(f.Addr)
	if f.Line < 0 || f.Line > maxPos {
		f.Line = 0
	}
	if f.Col < 0 || f.Col > maxPos {
		f.Col = 0
	}
	l.list = append(l.list, f)
	if len(l.list) >= 4*half {
		l.trim()
	}
}

func (l *frameList) trim() {
	if n := len(l.list) - 2*half; n > 0 {
		l.dropped += n
		l.list = append(l.list[:half], l.list[half+n:]...)
	}
}

func (l *frameList) done(t *tree) []eco.Frame {
	l.trim()
	if l.dropped > 0 {
		t.note(strconv.Itoa(l.dropped) + " frames in the middle left out")
	}
	return l.list
}

// reverse turns frames that were read outermost first.
func (l *frameList) reverse() {
	l.trim()
	for i, j := 0, len(l.list)-1; i < j; i, j = i+1, j-1 {
		l.list[i], l.list[j] = l.list[j], l.list[i]
	}
}

func (l *frameList) len() int { return len(l.list) }

// maxPos is the largest line or column that is believed.
const maxPos = 1 << 30

func cutName(s string) string {
	if len(s) > MaxName {
		return eco.Clean(s, MaxName)
	}
	return s
}

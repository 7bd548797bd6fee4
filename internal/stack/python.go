package stack

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

const pyFirst = "Traceback (most recent call last):"

func pythonEvidence(l string) int {
	s := strings.TrimLeft(l, " \t|+")
	switch {
	case strings.HasPrefix(s, `File "`) && strings.Contains(s, `", line `):
		return 2
	case strings.HasPrefix(s, pyFirst), strings.HasPrefix(s, "Exception Group "+pyFirst):
		return 3
	case strings.HasPrefix(s, "Fatal Python error: "), strings.HasPrefix(s, "Windows fatal exception: "):
		return 3
	}
	return 0
}

// pyFrame reads `File "x.py", line 3, in f` (and `line 3 in f` of faulthandler).
func pyFrame(s string) (f eco.Frame, ok bool) {
	r, is := strings.CutPrefix(s, `File "`)
	if !is {
		return f, false
	}
	i := strings.LastIndex(r, `", line `)
	if i < 0 {
		return f, false
	}
	f.File = r[:i]
	n, rest, ok := leadNumber(r[i+8:])
	if !ok {
		return f, strings.HasPrefix(r[i+8:], "???")
	}
	f.Line = n
	rest = strings.TrimPrefix(rest, ",")
	f.Function = strings.TrimSpace(strings.TrimPrefix(rest, " in "))
	return f, true
}

// pyHead reads "mod.Type: message".
func pyHead(s string) (typ, msg string) { return head(s, "<>") }

// pyChain reads the exceptions printed one after the other at one level, the
// innermost first; last is the one that everything so far led to.
type pyChain struct {
	t      *tree
	last   *node
	frames frameList
	state  pyState
	quoted bool   // inside the """ of a remote traceback
	link   string // how last relates to what comes: "", "cause", "context"
	closed bool
}

type pyState int

const (
	pyIdle pyState = iota
	pyFrames
	pyMessage
	pyGap // a blank line after a message
)

func (c *pyChain) feed(l string) {
	s := strings.TrimRight(l, " \t")
	if c.closed {
		return
	}
	if c.quoted {
		c.quoted = s != `"""`
		return
	}
	switch {
	case s == pyFirst || s == "Exception Group "+pyFirst || strings.HasSuffix(s, pyFirst) && c.state != pyMessage:
		if c.last != nil && c.link == "" {
			c.closed = true
			return
		}
		c.frames, c.state = frameList{}, pyFrames
		return
	case strings.HasPrefix(s, "The above exception was the direct cause of"):
		c.link, c.state = "cause", pyIdle
		return
	case strings.HasPrefix(s, "During handling of the above exception, another"):
		c.link, c.state = "context", pyIdle
		return
	}
	switch c.state {
	case pyFrames:
		body := strings.TrimLeft(s, " \t")
		if f, ok := pyFrame(body); ok {
			c.frames.add(f)
			return
		}
		if strings.HasPrefix(body, "[Previous line repeated ") {
			c.t.note("repeated frames printed once")
			return
		}
		if s == "" || s != body {
			return // source lines and carets are indented
		}
		c.exception(s)
	case pyMessage, pyGap:
		switch {
		case s == `"""`:
			c.quoted = true
		case s == "":
			c.state = pyGap
		case c.state == pyMessage:
			c.last.more(s)
		}
	case pyIdle:
		if typ, _ := pyHead(s); s != "" && typ != "" && (c.link != "" || errorish(typ) || strings.HasSuffix(typ, "Group")) {
			c.exception(s)
		}
	}
}

func (c *pyChain) exception(s string) {
	typ, msg := pyHead(s)
	n := c.t.add(typ, msg)
	c.state = pyMessage
	if n == nil {
		c.closed = true
		return
	}
	c.frames.reverse()
	n.frames, c.frames = c.frames, frameList{}
	n.cause = c.last
	if c.last != nil && c.link == "context" {
		c.last.ex.Mechanism = "context"
	}
	c.last, c.link = n, ""
}

// finish gives what was read; frames without an exception line are kept too (a
// text that was cut).
func (c *pyChain) finish() *node {
	if c.state == pyFrames && c.frames.len() > 0 && !c.closed && (c.last == nil || c.link != "") {
		c.exception("")
	}
	return c.last
}

func parsePython(t *tree, lines []string) (*node, string) {
	if n, thread := parsePyFatal(t, lines); n != nil {
		return n, thread
	}
	// levels[0] is the text itself; each further level is a member of the group
	// that the level above read last.
	levels := []*pyChain{{t: t}}
	closeTo := func(n int) {
		for len(levels) > n {
			top, owner := levels[len(levels)-1].finish(), levels[len(levels)-2].last
			levels = levels[:len(levels)-1]
			if top != nil && owner != nil {
				top.ex.Grouped = true
				owner.beside = append(owner.beside, top)
			}
		}
	}
	grouped := false
	for _, l := range lines {
		if !grouped && strings.HasPrefix(l, "  + Exception Group ") {
			grouped = true
		}
		ind := indent(l)
		if !grouped || ind < 2 || ind%2 != 0 || ind >= len(l) || l[ind] != '|' && l[ind] != '+' {
			if !grouped || strings.TrimSpace(l) == "" || ind == 0 {
				if grouped && ind == 0 && strings.TrimSpace(l) != "" {
					closeTo(1)
					grouped = false
				}
				levels[len(levels)-1].feed(l)
			}
			continue
		}
		level, rest := ind/2-1, l[ind+1:]
		switch {
		case l[ind] == '|':
			closeTo(level + 1)
			if level == len(levels)-1 {
				levels[level].feed(strings.TrimPrefix(rest, " "))
			}
		case strings.HasPrefix(rest, " "): // "+ Exception Group Traceback"
			closeTo(level + 1)
			levels[len(levels)-1].feed(rest[1:])
		case strings.HasPrefix(rest, "-+-"): // the first member
			closeTo(level + 1)
			if len(levels) < MaxDepth && levels[len(levels)-1].last != nil {
				levels = append(levels, &pyChain{t: t})
			}
		case strings.HasPrefix(rest, "-"): // the next member, or the end
			closeTo(max(level, 1))
			if strings.Trim(rest, "-") != "" && level > 0 && level == len(levels) {
				levels = append(levels, &pyChain{t: t})
			}
		}
	}
	closeTo(1)
	return levels[0].finish(), ""
}

// parsePyFatal reads faulthandler's reports, whose frames come innermost first:
// the current thread, or the last one listed, which is the main thread.
func parsePyFatal(t *tree, lines []string) (*node, string) {
	const order = "(most recent call first):"
	typ, value, mechanism := "", "", ""
	var thread string
	var frames frameList
	here, current, threads := false, false, 0
	for _, l := range lines {
		s := strings.TrimSpace(l)
		if r, is := strings.CutPrefix(s, "Fatal Python error: "); is && (typ == "" || typ == "Windows fatal exception") {
			typ, value = "Fatal Python error", r
			continue
		}
		if r, is := strings.CutPrefix(s, "Windows fatal exception: "); is && typ == "" {
			typ, value = "Windows fatal exception", r
			continue
		}
		if strings.HasPrefix(s, "Timeout (") && typ == "" { // dump_traceback_later
			typ, value, mechanism = "Timeout", strings.TrimSuffix(s, "!"), "hang"
			continue
		}
		if strings.HasPrefix(s, "Timeout (") && threads > 0 {
			break // the next of repeated dumps
		}
		if strings.HasSuffix(s, order) {
			if !strings.Contains(s, "C stack trace") {
				threads++
			}
			if here = !current && !strings.Contains(s, "C stack trace"); here {
				frames = frameList{}
				thread = strings.TrimSpace(strings.TrimSuffix(s, order))
				current = strings.HasPrefix(s, "Current thread") || strings.HasPrefix(s, "Stack ")
			}
			continue
		}
		if f, ok := pyFrame(s); ok && here && typ != "" {
			frames.add(f)
		}
	}
	if typ == "" || frames.len() == 0 {
		return nil, ""
	}
	n := t.add(typ, value)
	n.frames, n.ex.Mechanism = frames, mechanism
	t.tr.Level = "fatal"
	if mechanism == "hang" {
		t.tr.Level = "error"
	}
	t.tag("threads", countText(threads, threads > 1))
	name, _, _ := strings.Cut(thread, " 0x")
	if name == "Stack" {
		name = ""
	}
	return n, name
}

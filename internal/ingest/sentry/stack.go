package sentry

import (
	"slices"
	"strings"
	"sync"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

// maxThreads bounds the threads that are looked at.
const maxThreads = 256

// The frames kept of a longer stack: where it happened and where it began.
const (
	innermost = 200
	outermost = item.MaxFrames - innermost
)

type thread struct {
	id, name         string
	frames           []eco.Frame
	crashed, current bool
}

func (t *thread) rank() int {
	switch {
	case t == nil:
		return 0
	case t.crashed:
		return 3
	case t.current:
		return 2
	}
	return 1
}

// exception reads one of exception.values.
func (e *event) exception() {
	r := e.r
	x := e.exceptions.next()
	x.parent = -1
	r.Fields(func(name []byte) {
		switch string(name) {
		case "type":
			x.x.Type = r.Str(item.MaxName)
		case "value":
			x.x.Value = r.Str(item.MaxMessage)
		case "module":
			x.x.Module = r.Str(item.MaxName)
		case "thread_id":
			x.thread = r.Str(item.MaxID)
		case "stacktrace":
			x.x.Frames = e.stacktrace()
		case "mechanism":
			e.mechanism(x)
		default:
			r.Skip()
		}
	})
}

func (e *event) mechanism(x *exception) {
	r := e.r
	hasID, hasParent := false, false
	r.Fields(func(name []byte) {
		switch string(name) {
		case "type":
			x.x.Mechanism = r.Str(item.MaxWord)
		case "handled":
			x.handled = r.Bool()
		case "exception_id":
			x.id, hasID = r.Int(1<<30), true
		case "parent_id":
			x.parent, hasParent = r.Int(1<<30), true
		case "is_exception_group":
			if v := r.Bool(); v != nil {
				x.group = *v
			}
		default:
			r.Skip()
		}
	})
	x.linked = hasID && (hasParent || x.id == 0)
}

// stacktrace reads frames, which come oldest first, and turns them round.
func (e *event) stacktrace() []eco.Frame {
	r := e.r
	var frames []eco.Frame
	r.Fields(func(name []byte) {
		if string(name) != "frames" {
			r.Skip()
			return
		}
		room := stacks.Get().(*ring[eco.Frame])
		room.added = 0
		r.Each(1<<30, func(int) { e.frame(room.next()) })
		frames = slices.Clone(room.newestFirst())
		clear(room.kept) // nothing of a report stays behind it
		room.kept = room.kept[:0]
		stacks.Put(room)
	})
	return frames
}

// stacks are rooms to read a stack in: its length is known at its end.
var stacks = sync.Pool{New: func() any {
	r := newRing[eco.Frame](outermost, innermost)
	return &r
}}

// frame reads one frame; its source lines and variables are never read.
func (e *event) frame(f *eco.Frame) {
	r := e.r
	var file string
	r.Fields(func(name []byte) {
		switch string(name) {
		case "function":
			f.Function = r.Str(item.MaxName)
		case "module":
			f.Module = r.Str(item.MaxName)
		case "filename":
			file = r.Str(item.MaxName)
		case "abs_path":
			f.File = r.Str(item.MaxName)
		case "package":
			f.Package = r.Str(item.MaxName)
		case "lineno":
			f.Line = int(r.Int(1 << 31))
		case "colno":
			f.Col = int(r.Int(1 << 31))
		case "in_app":
			f.InApp = r.Bool()
		case "instruction_addr":
			f.Addr = r.Str(32) + f.Addr
		case "addr_mode":
			if n, ok := strings.CutPrefix(r.Str(32), "rel:"); ok {
				f.Addr += inImage + n
			}
		default:
			r.Skip()
		}
	})
	if f.File == "" {
		f.File = file
	}
}

func (e *event) threadValue() {
	r := e.r
	t := new(thread)
	r.Fields(func(name []byte) {
		switch string(name) {
		case "id":
			t.id = r.Str(item.MaxID)
		case "name":
			t.name = r.Str(item.MaxWord)
		case "crashed":
			if v := r.Bool(); v != nil {
				t.crashed = *v
			}
		case "current":
			if v := r.Bool(); v != nil {
				t.current = *v
			}
		case "stacktrace":
			t.frames = e.stacktrace()
		default:
			r.Skip()
		}
	})
	if t.rank() > e.thread.rank() {
		e.thread = t
	}
}

// finishExceptions turns the values round (they come causes first) and links each
// to the one it caused: by the client's own links where it gave them, else to its
// neighbour.
func (e *event) finishExceptions() {
	list := e.exceptions.newestFirst()
	if len(list) == 0 {
		return
	}
	byID := make(map[int64]int, len(list))
	for i := range list {
		if list[i].linked {
			byID[list[i].id] = i
		}
	}
	c := &e.c
	c.Exceptions = make([]eco.Exception, len(list))
	for i := range list {
		x := &list[i]
		x.x.Parent = i - 1
		if x.linked {
			if p, ok := byID[x.parent]; ok && x.parent >= 0 && p < i {
				x.x.Parent = p
				x.x.Grouped = list[p].group
			} else if x.parent < 0 {
				x.x.Parent = -1
			}
		}
		c.Exceptions[i] = x.x
		if x.handled != nil && (c.Handled == nil || !*x.handled) {
			c.Handled = x.handled
		}
		if c.Mechanism == "" {
			c.Mechanism = x.x.Mechanism
		}
	}
}

// finishThread gives the stack of the crashed thread to an event without any.
func (e *event) finishThread() {
	t, c := e.thread, &e.c
	if t == nil {
		return
	}
	if t.crashed || t.current {
		c.Thread = t.name
	}
	if len(t.frames) == 0 {
		return
	}
	if len(c.Exceptions) == 0 {
		if c.Level == "fatal" {
			c.Exceptions = []eco.Exception{{Value: c.Message, Parent: -1, Frames: t.frames}}
		}
		return
	}
	for i := range c.Exceptions {
		if len(c.Exceptions[i].Frames) > 0 {
			return
		}
	}
	c.Exceptions[0].Frames = t.frames
}

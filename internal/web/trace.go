package web

import (
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// traceView is a stack as a page shows it: frames of extensions open, runs of
// others folded.
type traceView struct {
	Exceptions []excView
	Text       string // the raw text when it could not be taken apart
}

type excView struct {
	Type, Value, Module string
	By                  string // how it hangs together with the one before
	Runs                []runView
	More                int
}

// runView is a run of frames; a folded one is behind a summary.
type runView struct {
	Folded bool
	Label  string
	Frames []frameView
}

type frameView struct {
	N     int
	Fn    string
	At    string // the end of the path, with line and column
	Path  string // the whole of it, where At leaves some out
	Owner eco.ExtensionID
	Class eco.FrameClass
	Ext   bool
	Async bool
	Orig  string
	Was   string // the frame as it came, when a symbol file renamed it
	Or    string // what else it may be
	In    bool   // inlined: it has no frame of its own
	Trust eco.FrameTrust
}

// keepOpen is how long a run of foreign frames may be before it is folded.
const keepOpen = 2

func traceOf(d crash.Document) *traceView {
	t := &traceView{}
	if len(d.Crash.Exceptions) == 0 {
		t.Text = d.Crash.Text
		if t.Text == "" {
			t.Text = d.Crash.Message
		}
	}
	for i, e := range d.Crash.Exceptions {
		x := excView{Type: e.Type, Value: e.Value, Module: e.Module, More: e.More}
		if x.Type == "" {
			x.Type = "(no type)"
		}
		switch {
		case e.Suppressed:
			x.By = "suppressed while handling the one above"
		case e.Grouped:
			x.By = "member of the group above"
		case i > 0:
			x.By = "caused the one above"
		}
		x.Runs = runsOf(e.Frames)
		t.Exceptions = append(t.Exceptions, x)
	}
	return t
}

func runsOf(frames []eco.Frame) []runView {
	anyExt := false
	for _, f := range frames {
		if open(f) {
			anyExt = true
			break
		}
	}
	var runs []runView
	for i := 0; i < len(frames); {
		o := open(frames[i])
		j := i
		for j < len(frames) && open(frames[j]) == o {
			j++
		}
		run := runView{Folded: !o && (anyExt && j-i > keepOpen || !anyExt && i == 0 && j-i > 12)}
		if run.Folded && !anyExt { // nothing of an extension: show the top, fold the rest
			runs = append(runs, runView{Frames: framesOf(frames, 0, 8)})
			i = 8
		}
		run.Frames = framesOf(frames, i, j)
		run.Label = foldLabel(run.Frames)
		runs = append(runs, run)
		i = j
	}
	return runs
}

func open(f eco.Frame) bool {
	if f.Class == "" && f.InApp != nil {
		return *f.InApp
	}
	return f.Class == eco.FrameExtension
}

func framesOf(frames []eco.Frame, i, j int) []frameView {
	out := make([]frameView, 0, j-i)
	for k := i; k < j; k++ {
		f := frames[k]
		v := frameView{N: k + 1, Fn: f.Function, Owner: f.Owner, Class: f.Class, Ext: open(f), Async: f.Async, Or: f.Or, In: f.Inlined, Trust: f.Trust}
		if v.Was = wasOf(f); v.Was == "" {
			v.Orig = f.Orig
		}
		if f.Module != "" && f.Module != f.Function && v.Fn != "" {
			v.Fn = f.Module + " · " + v.Fn
		} else if v.Fn == "" {
			if v.Fn = f.Module; strings.HasPrefix(f.Addr, "+0x") {
				v.Fn += f.Addr // an offset in the module: all there is without symbols
			}
		}
		if v.Fn == "" {
			v.Fn = f.Addr
		}
		if v.Fn == "" {
			v.Fn = "(anonymous)"
		}
		v.At = f.File
		if v.At == "" {
			v.At = f.Package
		}
		if end := pathEnd(v.At); end != v.At {
			v.At, v.Path = end, v.At
		}
		if f.Line > 0 {
			v.At += ":" + strconv.Itoa(f.Line)
			if f.Col > 0 {
				v.At += ":" + strconv.Itoa(f.Col)
			}
		}
		out = append(out, v)
	}
	return out
}

// pathEnd is the part of a long path that a reader looks at.
func pathEnd(path string) string {
	const most = 44
	if len(path) <= most {
		return path
	}
	at := len(path)
	for range 4 {
		i := strings.LastIndexAny(path[:at], `/\\`)
		if i <= 0 || len(path)-i > most && at < len(path) {
			break
		}
		at = i
	}
	if at == len(path) {
		return path
	}
	return "…" + path[at:]
}

func foldLabel(fs []frameView) string {
	n := map[eco.FrameClass]int{}
	for _, f := range fs {
		n[f.Class]++
	}
	s := strconv.Itoa(len(fs)) + " " + plural(len(fs), "frame", "frames")
	for _, c := range []struct {
		class eco.FrameClass
		word  string
	}{{eco.FrameVendored, "of libraries"}, {eco.FrameHost, "of the host"}, {eco.FrameRuntime, "of the runtime"}} {
		if n[c.class] == len(fs) {
			return s + " " + c.word
		}
	}
	return s + " outside the extension"
}

package stack

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// geckoEvidence: "f@url:1:2", and Safari's "f@[native code]".
func geckoEvidence(l string) int {
	if _, ok := geckoFrame(strings.TrimSpace(l)); ok {
		return 2
	}
	return 0
}

// geckoFrame reads a frame of Firefox or Safari. Function names hold no '@',
// addresses may: the first one splits.
func geckoFrame(s string) (f eco.Frame, ok bool) {
	fn, loc, found := strings.Cut(s, "@")
	if !found {
		if s == "[native code]" {
			return eco.Frame{File: s}, true
		}
		return f, false
	}
	for {
		r, is := strings.CutPrefix(fn, "async*")
		if !is {
			r, is = strings.CutPrefix(fn, "async ")
		}
		if !is {
			r, is = strings.CutPrefix(fn, "promise callback*")
		}
		if !is {
			break
		}
		f.Async, fn = true, r
	}
	if loc == "[native code]" {
		f.Function, f.File = fn, loc
		return f, fn != "" && !strings.Contains(fn, " ")
	}
	if strings.ContainsAny(fn, " \t\"'=") && !codeName(fn) {
		return f, false
	}
	f.Function = fn
	if codeName(fn) {
		f.Function = ""
	}
	// "file.js line 12 > eval:1:2": the place of the eval is what a map knows.
	if i := strings.Index(loc, " line "); i > 0 {
		if n, r, ok := leadNumber(loc[i+6:]); ok && strings.HasPrefix(r, " > ") {
			f.File, f.Line = loc[:i], n
			return f, true
		}
	}
	f.File, f.Line, f.Col = place(loc)
	if f.Line == 0 || f.File == "" || strings.ContainsAny(f.File, "\t\"") {
		return f, false
	}
	if !strings.ContainsAny(f.File, "/\\:.") && f.File != "debugger eval code" {
		return f, false // an address with a port (user@host:22) is no frame
	}
	if !strings.ContainsAny(f.File, "/\\") && f.Col == 0 {
		return f, false
	}
	return f, true
}

func codeName(fn string) bool {
	return fn == "global code" || fn == "module code" || fn == "eval code"
}

// looksSafari: words that only JavaScriptCore prints.
func looksSafari(lines []string) bool {
	for _, l := range lines {
		l = strings.TrimSpace(l)
		if strings.HasSuffix(l, "[native code]") || strings.HasPrefix(l, "global code@") || strings.HasPrefix(l, "module code@") || strings.HasPrefix(l, "eval code@") || strings.HasPrefix(l, "async ") && strings.Contains(l, "@") {
			return true
		}
	}
	return false
}

// parseGecko: both engines leave the message out of the stack; what stands
// before the first frame is what the client put there.
func parseGecko(t *tree, lines []string) (*node, string) {
	var root *node
	for i, l := range lines {
		s := strings.TrimSpace(l)
		f, ok := geckoFrame(s)
		switch {
		case ok && root == nil:
			root = v8Header(t, lines[:i])
			root.frames.add(f)
		case ok:
			root.frames.add(f)
		case root != nil && s != "":
			return root, ""
		}
	}
	return root, ""
}

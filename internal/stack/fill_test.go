package stack

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/eco"
)

const v8Text = "TypeError: x is not a function\n    at run (/srv/app/a.js:1:2)\n    at main (/srv/app/b.js:3:4)"

func TestFill(t *testing.T) {
	handled := true
	for name, c := range map[string]struct {
		in       eco.Crash
		note     string
		platform string
		types    []string
		frames   int
	}{
		"text":             {eco.Crash{Text: v8Text}, "v8: 1 exceptions, 2 frames", "javascript", []string{"TypeError"}, 2},
		"no text":          {eco.Crash{Message: "m"}, "", "", nil, 0},
		"prose":            {eco.Crash{Text: "it just stopped"}, "no trace: plain text", "", nil, 0},
		"has frames":       {eco.Crash{Text: v8Text, Exceptions: []eco.Exception{{Type: "E", Parent: -1, Frames: []eco.Frame{{File: "x.py"}}}}}, "", "python", []string{"E"}, 1},
		"type only":        {eco.Crash{Text: v8Text, Handled: &handled, Exceptions: []eco.Exception{{Type: "AcmeError", Value: "better", Parent: -1}}}, "v8: 1 exceptions, 2 frames", "javascript", []string{"AcmeError"}, 2},
		"client knows":     {eco.Crash{Platform: "node", Text: v8Text}, "v8: 1 exceptions, 2 frames", "javascript", []string{"TypeError"}, 2},
		"unknown platform": {eco.Crash{Platform: "toaster", Text: v8Text}, "v8: 1 exceptions, 2 frames", "javascript", []string{"TypeError"}, 2},
		"nothing known":    {eco.Crash{Platform: "toaster"}, "", "other", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.in
			if note := Fill(&got); note != c.note {
				t.Errorf("note %q, want %q", note, c.note)
			}
			if got.Platform != c.platform || got.Text != c.in.Text {
				t.Errorf("platform %q, want %q; text %q", got.Platform, c.platform, got.Text)
			}
			var types []string
			for _, x := range got.Exceptions {
				types = append(types, x.Type)
			}
			if d := cmp.Diff(c.types, types); d != "" || countFrames(got.Exceptions) != c.frames {
				t.Errorf("types %v, %d frames", types, countFrames(got.Exceptions))
			}
			if name == "type only" && got.Exceptions[0].Value != "better" {
				t.Errorf("value %q", got.Exceptions[0].Value)
			}
			again := got
			if Fill(&again); !cmp.Equal(got, again) {
				t.Errorf("a second time: %s", cmp.Diff(got, again))
			}
		})
	}
}

// TestNormalise: what clients send for one frame, and the one form.
func TestNormalise(t *testing.T) {
	for _, c := range []struct {
		platform string
		in, want eco.Frame
	}{
		{"node", eco.Frame{Function: "Object.x [as y]", File: "app:///dist/a.js?v=1#z"}, eco.Frame{Function: "Object.x", File: "/dist/a.js"}},
		{"javascript", eco.Frame{Function: "async load", File: "file:///srv/a%20b.mjs"}, eco.Frame{Function: "load", File: "/srv/a b.mjs", Async: true}},
		{"javascript", eco.Frame{Function: "Object.?", Module: "sentry-case", File: "/srv/a.js"}, eco.Frame{Function: "Object.<anonymous>", File: "/srv/a.js"}},
		{"javascript", eco.Frame{Function: "?", File: "file:///C:/x/a.js"}, eco.Frame{File: "C:/x/a.js"}},
		{"javascript", eco.Frame{Function: "new X", File: "webpack://acme/./src/a.ts?1f2e"}, eco.Frame{Function: "new X", File: "src/a.ts"}},
		{"javascript", eco.Frame{File: "file://server/share/a.js"}, eco.Frame{File: "//server/share/a.js"}},
		{"javascript", eco.Frame{File: "https://x.example/a.js?b#c", Line: -3, Col: 1 << 40}, eco.Frame{File: "https://x.example/a.js"}},
		{"javascript", eco.Frame{File: "node:internal/x"}, eco.Frame{File: "node:internal/x"}},
		{"java", eco.Frame{Function: "com.acme.A.run", File: "A.java"}, eco.Frame{Function: "run", Module: "com.acme.A", File: "A.java"}},
		{"kotlin", eco.Frame{Function: "run", Module: "app//com.acme.A", File: "Unknown Source"}, eco.Frame{Function: "run", Module: "com.acme.A"}},
		{"java", eco.Frame{Function: "run", Module: "com.acme.A$$Lambda$3/0x0001"}, eco.Frame{Function: "run", Module: "com.acme.A$$Lambda$3/0x0001"}},
		{"python", eco.Frame{Function: "f", File: "/usr/lib/python3.11/site-packages/acme/sub/__init__.py"}, eco.Frame{Function: "f", Module: "acme.sub", File: "/usr/lib/python3.11/site-packages/acme/sub/__init__.py"}},
		{"python", eco.Frame{Function: "f", File: `C:\Blender\4.2\scripts\addons\mesh_tools\ops.py`}, eco.Frame{Function: "f", Module: "mesh_tools.ops", File: `C:\Blender\4.2\scripts\addons\mesh_tools\ops.py`}},
		{"python", eco.Frame{Function: "<module>", File: "<string>"}, eco.Frame{Function: "<module>", File: "<string>"}},
		{"python", eco.Frame{Function: "f", Module: "given", File: "/x/y.py"}, eco.Frame{Function: "f", Module: "given", File: "/x/y.py"}},
	} {
		cr := eco.Crash{Platform: c.platform, Exceptions: []eco.Exception{{Type: "E", Parent: -1, Frames: []eco.Frame{c.in}}}}
		for range 2 { // the second time changes nothing
			Normalise(&cr)
			if d := cmp.Diff(c.want, cr.Exceptions[0].Frames[0]); d != "" {
				t.Errorf("%s %+v: -want +got\n%s", c.platform, c.in, d)
			}
		}
	}
}

func TestNormaliseTypes(t *testing.T) {
	for _, c := range []struct{ platform, typ, module, wantType, wantModule string }{
		{"java", "IOException", "java.io", "java.io.IOException", ""},
		{"java", "java.io.IOException", "java.io", "java.io.IOException", ""},
		{"python", "KeyError", "builtins", "KeyError", ""},
		{"python", "OperatorError", "mesh_tools", "mesh_tools.OperatorError", ""},
		{"csharp", "IOException", "System.IO", "System.IO.IOException", ""},
		{"javascript", "TypeError", "x", "TypeError", "x"},
		{"java", "", "java.io", "", "java.io"},
	} {
		cr := eco.Crash{Platform: c.platform, Exceptions: []eco.Exception{{Type: c.typ, Module: c.module, Parent: 7}}}
		Normalise(&cr)
		if x := cr.Exceptions[0]; x.Type != c.wantType || x.Module != c.wantModule || x.Parent != -1 {
			t.Errorf("%+v: %+v", c, x)
		}
	}
}

// TestBounds: what is too much is cut at the documented place, and said.
func TestBounds(t *testing.T) {
	frame := func(i int) string { return "\n    at f" + strings.Repeat("x", i%7) + " (/srv/a.js:1:2)" }
	var many, deep, wide strings.Builder
	many.WriteString("Error: many")
	for i := range 1000 {
		many.WriteString(frame(i))
	}
	deep.WriteString("Exception in thread \"main\" a.E: 0\n\tat a.B.c(B.java:1)\n")
	for range 200 {
		deep.WriteString("Caused by: a.E: x\n\tat a.B.c(B.java:1)\n")
	}
	wide.WriteString("a.E: 0\n\tat a.B.c(B.java:1)\n")
	for i := range 120 {
		wide.WriteString(strings.Repeat("\t", i+1) + "Suppressed: a.S: x\n" + strings.Repeat("\t", i+2) + "at a.B.c(B.java:1)\n")
	}
	for name, text := range map[string]string{
		"frames":  many.String(),
		"causes":  deep.String(),
		"nested":  wide.String(),
		"message": "Error: " + strings.Repeat("é", MaxValue) + frame(1),
		"name":    "Error: x\n    at " + strings.Repeat("n", 3*MaxName) + " (/srv/a.js:1:2)",
		"text":    "Error: x" + strings.Repeat(frame(1), 20000),
		"lines":   strings.Repeat("\n", 2*MaxLines) + v8Text,
	} {
		tr, ok := Parse(text)
		checkForm(t, tr)
		bound := false
		for _, w := range tr.Why {
			bound = bound || w.Step == "bound"
		}
		switch name {
		case "frames", "text":
			if n := len(tr.Exceptions[0].Frames); n != MaxFrames || !bound {
				t.Errorf("%s: %d frames, %v", name, n, tr.Why)
			}
		case "causes", "nested":
			if len(tr.Exceptions) != MaxExceptions || !bound {
				t.Errorf("%s: %d exceptions, %v", name, len(tr.Exceptions), tr.Why)
			}
		case "lines":
			if ok {
				t.Errorf("lines past %d were read", MaxLines)
			}
		default:
			if !ok {
				t.Errorf("%s: no trace", name)
			}
		}
	}
	// The first and the last half are kept, in order.
	tr, _ := Parse(strings.Replace(many.String(), "/srv/a.js", "/srv/first.js", 1) + "\n    at end (/srv/last.js:1:2)")
	fs := tr.Exceptions[0].Frames
	if fs[0].File != "/srv/first.js" || fs[len(fs)-1].File != "/srv/last.js" {
		t.Errorf("%v … %v", fs[0], fs[len(fs)-1])
	}
}

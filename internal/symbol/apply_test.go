package symbol

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
)

func trace(c *eco.Crash) string {
	var out []string
	for _, x := range c.Exceptions {
		out = append(out, strings.TrimPrefix(x.Module+"."+x.Type, "."))
		for _, f := range x.Frames {
			s := fmt.Sprintf("  %s %s:%d", strings.TrimPrefix(f.Module+"."+f.Function, "."), f.File, f.Line)
			if f.Renamed {
				s += fmt.Sprintf(" (%s %s:%d:%d)", strings.TrimPrefix(f.OrigModule+"."+f.Orig, "."), f.OrigFile, f.OrigLine, f.OrigCol)
			}
			if f.Inlined {
				s += " inlined"
			}
			if f.Or != "" {
				s += " or " + f.Or
			}
			out = append(out, s)
		}
	}
	return strings.Join(out, "\n")
}

func check(t *testing.T, got, want string) {
	t.Helper()
	if strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func browserCrash() *eco.Crash {
	const file = "http://127.0.0.1:9009/www/debugid/app-EB66TTGU.js"
	return &eco.Crash{Platform: "javascript", DebugImages: []eco.DebugImage{{Type: "sourcemap", CodeFile: file, DebugID: "d86c8f7a-f7de-4e81-acd9-1a99c646bee3"}},
		Exceptions: []eco.Exception{{Type: "TypeError", Parent: -1, Frames: []eco.Frame{
			{Function: "y.runCommand", File: file, Line: 1, Col: 1760},
			{Function: "HTMLButtonElement.<anonymous>", File: file, Line: 1, Col: 2366},
			{Function: "run", File: "node:internal/main", Line: 1, Col: 5},
		}}}}
}

func TestApplyScript(t *testing.T) {
	m, err := ParseMap(read(t, "app-EB66TTGU.js.map"))
	if err != nil {
		t.Fatal(err)
	}
	c := browserCrash()
	r := Apply(c, func(Need) (Artifact, bool) { return Artifact{}, false })
	want := Need{Kind: SourceMap, DebugID: "d86c8f7a-f7de-4e81-acd9-1a99c646bee3", File: "~/www/debugid/app-EB66TTGU.js"}
	if r.Renamed != 0 || len(r.Missing) != 1 || r.Missing[0] != want {
		t.Errorf("%+v", r)
	}
	for range 2 { // the second time there is nothing left to do
		r = Apply(c, func(n Need) (Artifact, bool) { return Artifact{ID: "1", Map: m}, n == want })
	}
	if r.Renamed != 0 || len(r.Missing) != 0 {
		t.Errorf("%+v", r)
	}
	check(t, trace(c), `TypeError
  ExtensionRegistry.runCommand web/src/registry.ts:10 (y.runCommand http://127.0.0.1:9009/www/debugid/app-EB66TTGU.js:1:1760)
  <anonymous> web/src/app.ts:12 (HTMLButtonElement.<anonymous> http://127.0.0.1:9009/www/debugid/app-EB66TTGU.js:1:2366)
  run node:internal/main:1`)
}

// TestApplyCaller: without the source's text the caller's map names the function.
func TestApplyCaller(t *testing.T) {
	m, err := ParseMap([]byte(`{"version":3,"sources":["a.ts"],"names":["lint","main"],"mappings":"AAAAC,UACAD"}`))
	if err != nil {
		t.Fatal(err)
	}
	c := &eco.Crash{Platform: "javascript", Exceptions: []eco.Exception{{Type: "E", Frames: []eco.Frame{
		{Function: "t", File: "app:///d/x.js", Line: 1, Col: 1}, {Function: "n", File: "app:///d/x.js", Line: 1, Col: 12}}}}}
	Apply(c, func(n Need) (Artifact, bool) {
		return Artifact{ID: "1", Map: m}, n.File == "~/x.js" || n.File == "~/d/x.js"
	})
	check(t, trace(c), `E
  lint a.ts:1 (t app:///d/x.js:1:1)
  n a.ts:2 (n app:///d/x.js:1:12)`)
}

func TestApplyJVM(t *testing.T) {
	m, err := ParseMapping([]byte(jvmSample))
	if err != nil {
		t.Fatal(err)
	}
	c := &eco.Crash{Platform: "java", Exceptions: []eco.Exception{{Type: "b", Module: "a", Frames: []eco.Frame{
		{Function: "a", Module: "a.b", File: "SourceFile", Line: 6}, {Function: "b", Module: "a.b", Line: 1}, {Function: "run", Module: "java.lang.Thread", File: "Thread.java", Line: 840}}}}}
	r := Apply(c, func(n Need) (Artifact, bool) { return Artifact{ID: "1", Mapping: m}, n == Need{Kind: ProGuard} })
	if r.Renamed != 2 || len(r.Missing) != 0 || len(r.Used) != 1 {
		t.Errorf("%+v", r)
	}
	check(t, trace(c), `acme.lint.Linter
  acme.lint.Rules.each Rules.java:7 inlined
  acme.lint.Linter.check Linter.kt:46 (a.b.a SourceFile:6:0)
  acme.lint.Linter.close Linter.kt:1 (a.b.b :1:0) or acme.lint.Linter.open
  java.lang.Thread.run Thread.java:840`)
}

func TestApplyNative(t *testing.T) {
	m, err := ParseBreakpad([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	c := &eco.Crash{Platform: "native", DebugImages: []eco.DebugImage{{Type: "elf", CodeFile: "/opt/engine.so", DebugID: "10FAA6BBAAB83DB36AFA0010000000000"}},
		Exceptions: []eco.Exception{{Type: "SIGSEGV", Frames: []eco.Frame{{Package: "engine.so", Addr: "+0x1018"}, {Package: "libc.so", Addr: "+0x1"}, {Package: "engine.so", Addr: "0x1"}}}}}
	r := Apply(c, func(n Need) (Artifact, bool) {
		return Artifact{ID: "1", Module: m}, n.DebugID == "10faa6bb-aab8-3db3-6afa-001000000000"
	})
	if r.Renamed != 1 {
		t.Errorf("%+v", r)
	}
	check(t, trace(c), `SIGSEGV
  Vec::check /src/vector.h:40 inlined
  Vec::at /src/vector.h:33 inlined
  Engine::draw(int) /src/engine.cc:12 ( :0:0)
   :0
   :0`)
}

func TestBundleFile(t *testing.T) {
	for in, want := range map[string]string{
		"http://127.0.0.1:9009/www/app.min.js?v=1":                               "~/www/app.min.js",
		"app:///dist/extension.js":                                               "~/dist/extension.js",
		"/home/<user>/.vscode/extensions/acme.linter-3.1.0/dist/extension.js":    "~/dist/extension.js",
		`C:\Users\<user>\.vscode\extensions\acme.linter-3.1.0\dist\extension.js`: "~/dist/extension.js",
		"~/dist/a.js": "~/dist/a.js",
		"plugin.js":   "~/plugin.js",
	} {
		if got := BundleFile(in); got != want {
			t.Errorf("%s = %s", in, got)
		}
	}
}

package blame_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/signature"
	"github.com/bellwether-project/bellwether/internal/signature/sigtest"
	"github.com/bellwether-project/bellwether/internal/stack"
)

var update = flag.Bool("update", false, "write what is decided into testdata")

// TestCases classifies and blames the crash of each testdata/*.txtar. "world" is
// what the registry knows, as JSON: {"hosts": …, "extensions": …}; it may be absent.
// "report" is a whole report as its runtime wrote it; its signature is shown too.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var world struct {
				Hosts      map[string]blame.HostRules         `json:"hosts"`
				Extensions map[eco.ExtensionID]blame.ExtRules `json:"extensions"`
			}
			var crash, report, want string
			at := -1
			for i, f := range a.Files {
				switch f.Name {
				case "world":
					if err := json.Unmarshal(f.Data, &world, json.RejectUnknownMembers(true)); err != nil {
						t.Fatal(err)
					}
				case "crash":
					crash = string(f.Data)
				case "report":
					report = string(f.Data)
				case "want":
					want, at = string(f.Data), i
				}
			}
			w, err := blame.NewWorld(world.Hosts, world.Extensions)
			if err != nil {
				t.Fatal(err)
			}
			c, o, err := sigtest.Parse(crash)
			if err != nil {
				t.Fatal(err)
			}
			if report != "" {
				tr, ok := stack.Parse(report)
				if !ok {
					t.Fatal(tr.Why)
				}
				stack.Adopt(c, tr)
			}
			w.Classify(c, o)
			got := show(c, blame.Decide(w, c, o))
			if report != "" {
				s := signature.Sign(c)
				got += fmt.Sprintf("key   %s\ntitle %s\n", s.Key, s.Title)
			}
			if *update {
				a.Files[at].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
		})
	}
}

func show(c *eco.Crash, b eco.Blame) string {
	var s strings.Builder
	for _, e := range c.Exceptions {
		for _, f := range e.Frames {
			fmt.Fprintf(&s, "%-9s %-16s %s\n", f.Class, or(string(f.Owner), "-"), strings.TrimSpace(or(f.Module, f.File)+" "+f.Function))
		}
	}
	fmt.Fprintf(&s, "blame %s %s (%s, %.2f)\n", or(string(b.Extension), "-"), b.Version, b.Target, b.Confidence)
	for _, x := range b.Candidates {
		fmt.Fprintf(&s, "  step %d %s %s %s %.2f: %s\n", x.Step, x.Role, or(string(x.Extension), "-"), x.Version, x.Confidence, x.Reason)
	}
	return s.String()
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func TestPatterns(t *testing.T) {
	for p, ok := range map[string]bool{
		"addons/{local}/":                     true,
		"a/*/b/{publisher}.{name}-{version}/": true,
		"moz-extension://{uuid}/":             true,
		"plugins/{local}/lib/":                true,
		"plugin:{local}":                      true,
		"{local}/":                            false, // no word before it
		"addons/":                             false, // names nobody
		"a/{local}/{local}/":                  false,
		"a/{local}/*/":                        false,
		"a/{other}/":                          false,
		"a/x*/{local}/":                       false,
		"":                                    false,
		strings.Repeat("a/", 200) + "{local}": false,
	} {
		if err := blame.CheckPattern(p); (err == nil) != ok {
			t.Errorf("CheckPattern(%q) = %v", p, err)
		}
	}
}

// FuzzClassify: any path and module has a class, and nothing panics.
func FuzzClassify(f *testing.F) {
	f.Add(`c:\Users\x\.vscode\extensions\acme.todo-1.2.0\out\a.js`, "", "run")
	f.Add("moz-extension://0f2e-1/a.js", "com.acme.todo.A$1", "x")
	f.Add("file:///opt/a", "", "")
	f.Add("plugin:", ".", "..")
	w, err := blame.NewWorld(map[string]blame.HostRules{"studio": {Prefixes: []string{"com.studio"}, Files: []string{"studio/app"}}},
		map[eco.ExtensionID]blame.ExtRules{"acme.todo": {Locals: []string{"todo"}, Prefixes: []string{"com.acme.todo"}, Libraries: []string{"org.lib"}}, "beta.lint": {Libraries: []string{"org.lib"}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, file, module, fn string) {
		c := &eco.Crash{Exceptions: []eco.Exception{{Type: "X", Parent: -1, Frames: []eco.Frame{{File: file, Module: module, Function: fn}, {Package: file}}}}}
		for _, o := range []eco.Origin{{}, {Extension: "acme.todo", ExtVersion: "1"}} {
			w.Classify(c, o)
			b := blame.Decide(w, c, o)
			if c.Exceptions[0].Frames[0].Class == "" || b.Target == "" || b.Confidence < 0 || b.Confidence > 1 {
				t.Errorf("%+v %+v", c.Exceptions[0].Frames[0], b)
			}
		}
	})
}

package route

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what the cases came to into their files")

// TestCases reads the rules of each testdata/*.txtar and asks them about its
// crash (JSON, over an almost empty one). Teams that exist begin with "t-".
func TestCases(t *testing.T) {
	engine, err := For[Crash]()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases (%v)", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var text string
			crash := Crash{Now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
			var want *txtar.File
			for i := range a.Files {
				switch f := &a.Files[i]; f.Name {
				case "rules":
					text = string(f.Data)
				case "crash":
					if err := json.Unmarshal(f.Data, &crash); err != nil {
						t.Fatal(err)
					}
				case "want":
					want = f
				}
			}
			rules, mistakes := engine.Compile(text, func(s string) bool { return strings.HasPrefix(s, "t-") })
			var got strings.Builder
			for _, m := range mistakes {
				fmt.Fprintln(&got, m)
			}
			if rules != nil {
				o, err := rules.Route(t.Context(), crash)
				if err != nil {
					t.Fatal(err)
				}
				got.WriteString(describe(o))
			}
			if *update {
				want.Data = []byte(got.String())
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(string(want.Data), got.String()); d != "" {
				t.Errorf("want - got +\n%s", d)
			}
		})
	}
}

func describe(o Outcome) string {
	var b strings.Builder
	fmt.Fprintf(&b, "team %q by %q, labels %q, priority %q by %q\n", o.Team, o.TeamRule, o.Labels, o.Priority, o.PriorityRule)
	for _, s := range o.Steps {
		fmt.Fprintf(&b, "  %s: %s %s\n", s.Rule, s.Result, s.Note)
	}
	return b.String()
}

func TestUses(t *testing.T) {
	engine, err := For[Crash]()
	if err != nil {
		t.Fatal(err)
	}
	rules, mistakes := engine.Compile(`[{name: a, when: impact.crashes > 3 && family.type != "", then: {labels: [x, y]}}, {name: b, when: "true", then: {labels: [a, x]}}]`, nil)
	if rules == nil {
		t.Fatal(mistakes)
	}
	if !rules.Uses("impact") || !rules.Uses("family") || rules.Uses("blame") {
		t.Error("the wrong variables are used")
	}
	if d := cmp.Diff([]string{"a", "x", "y"}, rules.Labels()); d != "" {
		t.Error(d)
	}
	if got := rules.List()[1].Line; got != 1 {
		t.Errorf("line %d", got)
	}
}

func TestAContextEndsIt(t *testing.T) {
	engine, err := For[Crash]()
	if err != nil {
		t.Fatal(err)
	}
	rules, mistakes := engine.Compile(`[{name: a, when: "signature.tokens.exists(x, signature.tokens.exists(y, x == y + y))", then: {team: t}}]`, nil)
	if rules == nil {
		t.Fatal(mistakes)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := Crash{}
	for range 2000 {
		c.Signature.Tokens = append(c.Signature.Tokens, "e|a|b")
	}
	if _, err := rules.Route(ctx, c); err == nil {
		t.Error("it went on")
	}
	o, err := rules.Route(t.Context(), c)
	if err != nil || o.Steps[0].Result != Failed || !strings.Contains(o.Steps[0].Note, "too much work") {
		t.Errorf("%+v, %v", o, err)
	}
}

// FuzzRules: any text is read without a panic, in bounds, and what compiles can be
// asked; every mistake has a place in the text.
func FuzzRules(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, x := range a.Files {
			if x.Name == "rules" {
				f.Add(string(x.Data))
			}
		}
	}
	f.Add("rules: [{name: x, when: &a 1, then: {team: *a}}]")
	f.Add("- {name: a, when: \"family.title.matches('(a+)+$')\", then: {team: t}}")
	engine, err := For[Crash]()
	if err != nil {
		f.Fatal(err)
	}
	crash := Crash{Family: Family{Title: strings.Repeat("a", 255) + "b", Releases: []string{"1", "2"}}, Signature: Signature{Tokens: []string{"x", "y"}}}
	f.Fuzz(func(t *testing.T, text string) {
		rules, mistakes := engine.Compile(text, nil)
		lines := strings.Count(text, "\n") + 2
		for _, m := range mistakes {
			if m.Line < 1 || m.Line > lines || m.Column < 1 || m.Text == "" {
				t.Errorf("a mistake without a place: %+v", m)
			}
		}
		if (rules == nil) != (len(mistakes) > 0) {
			t.Fatal("rules and mistakes, or neither")
		}
		if rules == nil {
			return
		}
		o, err := rules.Route(t.Context(), crash)
		if err != nil {
			t.Fatal(err)
		}
		if len(o.Steps) != len(rules.List()) {
			t.Fatal("not every rule has a step")
		}
	})
}

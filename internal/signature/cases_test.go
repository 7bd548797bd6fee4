package signature_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/scrub"
	"github.com/bellwether-project/bellwether/internal/signature"
	"github.com/bellwether-project/bellwether/internal/signature/sigtest"
)

var update = flag.Bool("update", false, "write what is signed into testdata")

// TestCases signs the crash of each testdata/sign/*.txtar: "crash" (and "crash-…",
// which must give the same key), wanted in "want".
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/sign/*.txtar")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, key := "", ""
			for _, f := range a.Files {
				if !strings.HasPrefix(f.Name, "crash") {
					continue
				}
				c, _, err := sigtest.Parse(string(f.Data))
				if err != nil {
					t.Fatal(err)
				}
				sig := signature.Explain(c)
				if got == "" {
					got, key = show(sig), sig.Key
				} else if sig.Key != key {
					t.Errorf("%s has key %q, want that of the first, %q", f.Name, sig.Key, key)
				}
				if plain := signature.Sign(c); plain.Hash != sig.Hash || len(plain.Why) > 0 {
					t.Errorf("Sign and Explain differ: %s %s", plain.Hash, sig.Hash)
				}
			}
			for i := range a.Files {
				if a.Files[i].Name != "want" {
					continue
				}
				if *update {
					a.Files[i].Data = []byte(got)
					if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
						t.Fatal(err)
					}
				} else if diff := cmp.Diff(string(a.Files[i].Data), got); diff != "" {
					t.Errorf("want (-), got (+):\n%s", diff)
				}
				return
			}
			t.Error("the case has no want")
		})
	}
}

func show(s eco.Signature) string {
	var b strings.Builder
	fmt.Fprintf(&b, "key    %s\ntitle  %s\n", s.Key, s.Title)
	if s.Low {
		b.WriteString("low trust\n")
	}
	for _, t := range s.Tokens {
		fmt.Fprintf(&b, "token  %s\n", t)
	}
	for _, w := range s.Why {
		fmt.Fprintf(&b, "why    %s\n", strings.TrimRight(w.Step+" "+w.What+" ("+w.Rule+")", " "))
	}
	return b.String()
}

// TestTemplates reads testdata/templates.txt: a message, then what it becomes.
func TestTemplates(t *testing.T) {
	data, err := os.ReadFile("testdata/templates.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for block := range strings.SplitSeq(string(data), "\n\n") {
		msg, want, ok := strings.Cut(strings.TrimSpace(block), "\n")
		if !ok || strings.HasPrefix(msg, "#") {
			continue
		}
		n++
		if got := signature.Template(strings.TrimSpace(msg)); got != strings.TrimSpace(want) {
			t.Errorf("Template(%q)\n got %q\nwant %q", msg, got, strings.TrimSpace(want))
		}
	}
	if n < 25 {
		t.Errorf("only %d templates were read", n)
	}
}

// TestMarksOfTheScrubber: a mark that templates do not know would tear the URL or
// the path that it stands in apart.
func TestMarksOfTheScrubber(t *testing.T) {
	seen := 0
	for _, r := range scrub.Describe() {
		if r.Token == "" {
			continue
		}
		seen++
		if got := signature.Template("open https://a.example/" + r.Token + "/x now"); got != "open <url> now" {
			t.Errorf("the mark %s: %q", r.Token, got)
		}
	}
	if seen < 15 {
		t.Errorf("only %d marks", seen)
	}
	clean := scrub.New(scrub.Options{})
	for _, pair := range [][2]string{ // after the scrubber, messages of one cause read the same
		{"clone https://bob:hunter2@git.example.org/marble.git failed", "clone https://git.example.org/acme/quartz.git failed"},
		{"open /home/jo/a/b.txt: denied", "open /home/anna.meier/work/deep/er/c.txt: denied"},
		{`open C:\Users\jo\x.txt: denied`, `open C:\Users\anna\AppData\Local\y.txt: denied`},
		{"connect 192.0.2.7:5432 refused", "connect 192.0.2.19:15432 refused"},
		{"GET https://example.org/find?name=bob#top is 404", "GET https://example.org/list is 404"},
	} {
		var got [2]string
		for i, msg := range pair {
			msg, _ = clean.Text(msg)
			got[i] = signature.Template(msg)
		}
		if got[0] != got[1] {
			t.Errorf("%q and %q: %q and %q", pair[0], pair[1], got[0], got[1])
		}
	}
}

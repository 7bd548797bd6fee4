package signature_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/signature"
)

// FuzzSign takes any crash apart: no panic, and every documented bound holds.
func FuzzSign(f *testing.F) {
	f.Add("java", "java.lang.StackOverflowError", "x", "com.acme.A$$Lambda$12/0x1|lambda$a$1|/x\ncom.acme.B|b|", 1, 1<<62)
	f.Add("javascript", "TypeError", "a 'b", "|Object.a [as b]|c:\\x\\y.js\n|<anonymous>|node:fs", -1, -5)
	f.Add("native", "SIGSEGV", "", "|_ZN4acme4todoE|a\n|std::vector<int, x>::y(int) [clone .cold]|", 0, 3)
	f.Add("go", "", "goroutine stack exceeds", "a/b.(*T[...]).M.func1|", 2, 0)
	f.Fuzz(func(t *testing.T, platform, typ, msg, frames string, parent, more int) {
		var list []eco.Frame
		for l := range strings.SplitSeq(frames, "\n") {
			p := strings.Split(l+"||", "|")
			list = append(list, eco.Frame{Module: p[0], Function: p[1], File: p[2], Class: eco.FrameExtension, Owner: "a.b"})
		}
		c := &eco.Crash{Platform: platform, Exceptions: []eco.Exception{
			{Type: typ, Value: msg, Frames: list, Parent: -1, More: more},
			{Type: typ + "2", Value: msg, Frames: list, Parent: parent, More: more},
			{Type: typ, Value: msg, Parent: parent, More: more},
		}}
		s := signature.Explain(c)
		if len(s.Tokens) > signature.MaxTokens || len(s.Key) > signature.MaxKey || utf8.RuneCountInString(s.Title) > signature.MaxTitle || len(s.Hash) != 16 {
			t.Errorf("out of bounds: %d tokens, key %d, title %d, hash %q", len(s.Tokens), len(s.Key), len(s.Title), s.Hash)
		}
		if again := signature.Sign(c); again.Hash != s.Hash || again.Title != s.Title {
			t.Error("Sign and Explain differ")
		}
		for i := range c.Exceptions {
			n := 0
			signature.Walk(c, i, func(*eco.Frame) bool { n++; return true })
			if n > len(list)*len(c.Exceptions) {
				t.Errorf("a stack of %d frames out of %d", n, len(list))
			}
		}
	})
}

// FuzzTemplate: a template is bounded and is its own template, or at least stays so.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"", "a 12 b", `"x" 'y' <z>`, "C:\\a\\b", "https://x@y", "\xff\xfe12", "it's 3f9c2a's", "/a/b/c/d ~/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := signature.Template(s); len(got) > 20*len(s)+20 {
			t.Errorf("template of %d bytes for %d", len(got), len(s))
		}
	})
}

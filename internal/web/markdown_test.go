package web

import (
	"strings"
	"testing"
)

func TestMarkdown(t *testing.T) {
	for in, want := range map[string]string{
		"":                               "",
		"Turn **off** `x`.":              "<p>Turn <strong>off</strong> <code>x</code>.</p>\n",
		"<script>alert(1)</script>hi":    "",
		"[a](javascript:alert(1))":       "<p>a</p>\n",
		"[a](https://e.org \"onclick\")": `<p><a href="https://e.org" rel="nofollow noreferrer">a</a></p>` + "\n",
		"![x](https://e.org/x.png)":      "<p></p>\n",
		"# big":                          "big",
	} {
		got, err := markdown(in)
		if err != nil || strings.TrimSpace(string(got)) != strings.TrimSpace(want) {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
	for _, in := range []string{`<img src=x onerror=alert(1)>`, `<a href="#" style="x" onclick=y>z</a>`, "<iframe src=//e></iframe>", "|a|\n|:-|\n|b|", "[x]: data:text/html,x\n[x]"} {
		got, err := markdown(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"onerror", "onclick", "style", "<iframe", "<img", "data:"} {
			if strings.Contains(string(got), bad) {
				t.Errorf("%q: %q", in, got)
			}
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	f.Add("**a** [b](https://c.d) `e`\n\n|a|\n|-|\n|b|")
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 8<<10 {
			return
		}
		got, err := markdown(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"<script", "<img", "<iframe", "<style"} {
			if strings.Contains(strings.ToLower(string(got)), bad) {
				t.Errorf("%q: %q", s, got)
			}
		}
	})
}

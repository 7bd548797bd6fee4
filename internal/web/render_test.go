package web

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func load(t *testing.T) *pages {
	t.Helper()
	a, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("BELLWETHER_SHOOT"); dir != "" {
		for _, x := range a.byName {
			if err := os.WriteFile(filepath.Join(dir, x.name), x.raw, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	p, err := loadPages(a)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestEveryTemplate renders each page full and empty and looks at the result:
// tags closed, ids unique and referred to, labels there, no style attribute, no
// script or address of another origin, one h1.
func TestEveryTemplate(t *testing.T) {
	p := load(t)
	full := fixPages()
	for name := range p.files {
		if _, ok := full[name]; !ok {
			t.Errorf("page %q has no fixture", name)
		}
	}
	for name, page := range full {
		t.Run(name+"/full", func(t *testing.T) { checkPage(t, p, name, page) })
		t.Run(name+"/empty", func(t *testing.T) { checkPage(t, p, name, emptyOf(page)) })
	}
}

// emptyOf is the page's zero value with only what a handler always sets.
func emptyOf(page any) any {
	v := reflect.New(reflect.TypeOf(page)).Elem()
	full := reflect.ValueOf(page)
	for i := range v.NumField() {
		switch v.Type().Field(i).Name {
		case "Shell", "Period", "Trace", "Lists", "Edit":
			if v.Field(i).CanSet() {
				v.Field(i).Set(full.Field(i))
			}
		case "Empty", "FamEmpty", "FreshEmpty", "Quiet":
			v.Field(i).Set(reflect.ValueOf(empty{Icon: "info", Title: "Nothing", Text: "Do this next."}))
		}
	}
	return withSettings(v, full)
}

// withSettings copies the unexported embedded shell of settings pages.
func withSettings(v, full reflect.Value) any {
	switch x := full.Interface().(type) {
	case profilePage:
		return profilePage{settingsShell: x.settingsShell}
	case tokensPage:
		return tokensPage{settingsShell: x.settingsShell}
	case membersPage:
		return membersPage{settingsShell: x.settingsShell}
	case memberPage:
		return memberPage{settingsShell: x.settingsShell}
	case registerPage:
		return registerPage{settingsShell: x.settingsShell, CanPub: true}
	case permissionsPage:
		return permissionsPage{settingsShell: x.settingsShell}
	case routingPage:
		return routingPage{settingsShell: x.settingsShell, CanEdit: true}
	case auditPage:
		return auditPage{settingsShell: x.settingsShell}
	case labelsPage:
		return labelsPage{settingsShell: x.settingsShell, Empty: empty{Icon: "info", Title: "Nothing", Text: "Do this next."}}
	}
	return v.Interface()
}

// With BELLWETHER_SHOOT=dir the pages are also written there, with their static
// files, to be looked at in a browser.
func checkPage(t *testing.T, p *pages, name string, page any) {
	t.Helper()
	var buf bytes.Buffer
	if err := p.execute(&buf, name, page); err != nil {
		t.Fatal(err)
	}
	body := buf.String()
	if dir := os.Getenv("BELLWETHER_SHOOT"); dir != "" {
		file := strings.ReplaceAll(t.Name(), "/", "_") + ".html"
		if err := os.WriteFile(filepath.Join(dir, file), buf.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, bad := range wellFormed(body) {
		t.Error(bad)
	}
}

// Elements that have no end tag; those inside svg are closed with "/>".
var void = map[string]bool{"area": true, "base": true, "br": true, "col": true, "embed": true, "hr": true, "img": true, "input": true, "link": true, "meta": true, "source": true, "track": true, "wbr": true}

var other = regexp.MustCompile(`^(https?:)?//`)

// wellFormed reads a page strictly and reports what is wrong with it.
func wellFormed(body string) []string {
	var bad, open []string
	ids, refs := map[string]bool{}, []string{}
	h1 := 0
	z := html.NewTokenizer(strings.NewReader(body))
	for {
		tt := z.Next()
		if tt == html.ErrorToken {
			break
		}
		tok := z.Token()
		switch tt {
		case html.StartTagToken, html.SelfClosingTagToken:
			if tok.Data == "h1" {
				h1++
			}
			for _, a := range tok.Attr {
				switch a.Key {
				case "style":
					bad = append(bad, "style attribute on "+tok.Data)
				case "id":
					if ids[a.Val] {
						bad = append(bad, "id twice: "+a.Val)
					}
					ids[a.Val] = true
				case "for", "aria-describedby", "aria-labelledby":
					refs = append(refs, a.Val)
				case "src":
					if other.MatchString(a.Val) {
						bad = append(bad, "loads from elsewhere: "+a.Val)
					}
				}
				if strings.HasPrefix(a.Key, "on") {
					bad = append(bad, "inline handler "+a.Key)
				}
			}
			if tt == html.StartTagToken && !void[tok.Data] {
				open = append(open, tok.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != tok.Data {
				bad = append(bad, fmt.Sprintf("</%s> closes %v", tok.Data, tail(open)))
				return bad
			}
			open = open[:len(open)-1]
		case html.TextToken:
			if strings.Contains(tok.Data, "<no value>") || strings.Contains(tok.Data, "%!") {
				bad = append(bad, "bad text: "+tok.Data)
			}
		}
	}
	if len(open) > 0 {
		bad = append(bad, fmt.Sprintf("not closed: %v", open))
	}
	if h1 != 1 {
		bad = append(bad, fmt.Sprintf("%d h1", h1))
	}
	for _, r := range refs {
		if !ids[r] {
			bad = append(bad, "refers to a missing id: "+r)
		}
	}
	return bad
}

func tail(s []string) []string { return s[max(0, len(s)-3):] }

package scrub

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// captured reads a crash out of a request of a real client, the plain way.
func captured(tb testing.TB, file string) (*eco.Crash, int) {
	tb.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		tb.Fatal(err)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		tb.Fatal(err)
	}
	var ev struct {
		Message   string
		Platform  string
		Exception struct {
			Values []struct {
				Type, Value string
				Stacktrace  struct {
					Frames []struct {
						Filename, Function, Module string
						Lineno, Colno              int
					}
				}
			}
		}
		Breadcrumbs []struct{ Category, Message string }
		Modules     map[string]string
		Tags        map[string]string
	}
	for line := range bytes.Lines(body) {
		if bytes.Contains(line, []byte(`"event_id"`)) && bytes.Contains(line, []byte(`"platform"`)) {
			if err := json.Unmarshal(line, &ev); err != nil {
				tb.Fatal(err)
			}
		}
	}
	c := &eco.Crash{Platform: ev.Platform, Message: ev.Message, Modules: ev.Modules, Tags: ev.Tags}
	for i, v := range ev.Exception.Values {
		x := eco.Exception{Type: v.Type, Value: v.Value, Parent: i - 1}
		for _, f := range v.Stacktrace.Frames {
			x.Frames = append(x.Frames, eco.Frame{Function: f.Function, Module: f.Module, File: f.Filename, Line: f.Lineno, Col: f.Colno})
		}
		c.Exceptions = append(c.Exceptions, x)
	}
	for _, b := range ev.Breadcrumbs {
		c.Breadcrumbs = append(c.Breadcrumbs, eco.Breadcrumb{Category: b.Category, Message: b.Message})
	}
	kept, _ := json.Marshal(c)
	return c, len(kept)
}

func BenchmarkCrash(b *testing.B) {
	for _, f := range []string{"uncaught-exception-01", "error-cause-02", "message-01"} {
		b.Run(f, func(b *testing.B) {
			c, n := captured(b, "testdata/"+f+".http")
			r := New(Options{})
			r.Crash(c)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				r.Crash(c)
			}
		})
	}
}

// BenchmarkDirty restores the dirty strings each time, so that edits are paid for.
func BenchmarkDirty(b *testing.B) {
	c, n := captured(b, "testdata/uncaught-exception-01.http")
	r := New(Options{})
	clean := append([]eco.Frame(nil), c.Exceptions[0].Frames...)
	for i := range clean {
		clean[i].File = `C:\Users\johanna\.vscode\extensions\acme.linter-1.2.3\dist\extension.js`
	}
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		copy(c.Exceptions[0].Frames, clean)
		c.Exceptions[0].Value = "cannot reach jo@example.org at 192.0.2.7, token=abcdef0123456789"
		r.Crash(c)
	}
}

func BenchmarkText(b *testing.B) {
	r := New(Options{})
	text, err := os.ReadFile("../stack/testdata/crash-text/node/uncaught.txt")
	if err != nil {
		b.Fatal(err)
	}
	s := string(text)
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	for b.Loop() {
		r.Text(s)
	}
}

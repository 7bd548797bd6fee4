package scrub_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/scrub"
	"github.com/bellwether-project/bellwether/internal/stack"
)

// traces are all texts that the reader of traces is tested on.
func traces(t *testing.T) map[string]string {
	out := map[string]string{}
	err := filepath.WalkDir("../stack/testdata", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "fuzz") {
			return err
		}
		switch {
		case strings.HasSuffix(path, ".txtar"):
			ar, err := txtar.ParseFile(path)
			if err != nil {
				return err
			}
			for _, f := range ar.Files {
				if strings.HasPrefix(f.Name, "trace") {
					out[path+" "+f.Name] = string(f.Data)
				}
			}
		case strings.HasSuffix(path, ".jsonl.gz"):
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			z, err := gzip.NewReader(bufio.NewReader(f))
			if err != nil {
				return err
			}
			for dec := json.NewDecoder(z); dec.More(); {
				var row struct{ ID, Raw string }
				if err := dec.Decode(&row); err != nil {
					return err
				}
				out[row.ID] = row.Raw
			}
		case strings.Contains(path, "crash-text") && strings.HasSuffix(path, ".txt"):
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			out[path] = string(b)
		}
		return nil
	})
	if err != nil || len(out) < 150 {
		t.Fatalf("%d traces: %v", len(out), err)
	}
	return out
}

// TestTraceThroughBoth: a text is scrubbed at the door and parsed later. That
// gives what parsing first and scrubbing each field gives: scrubbing leaves the
// form of a trace alone, and takes out of a field what it takes out of a text.
func TestTraceThroughBoth(t *testing.T) {
	r := scrub.New(scrub.Options{})
	for name, text := range traces(t) {
		before, ok := stack.Parse(text)
		clean, _ := r.Text(text)
		after, ok2 := stack.Parse(clean)
		if ok != ok2 || before.Dialect != after.Dialect || len(before.Exceptions) != len(after.Exceptions) {
			t.Errorf("%s: %s with %d exceptions became %s with %d\n%s", name, before.Dialect, len(before.Exceptions), after.Dialect, len(after.Exceptions), clean)
			continue
		}
		for i := range before.Exceptions {
			b, a := &before.Exceptions[i], &after.Exceptions[i]
			if b.Type != a.Type || b.Parent != a.Parent || b.More != a.More || len(b.Frames) != len(a.Frames) {
				t.Errorf("%s: exception %d: %s, %d frames, became %s, %d", name, i, b.Type, len(b.Frames), a.Type, len(a.Frames))
				continue
			}
			c := eco.Crash{Exceptions: []eco.Exception{*b}}
			r.Crash(&c)
			for k := range b.Frames {
				if d := cmp.Diff(c.Exceptions[0].Frames[k], a.Frames[k]); d != "" {
					t.Errorf("%s: frame %d: fields scrubbed (-) and text scrubbed (+)\n%s", name, k, d)
				}
			}
		}
	}
}

// TestFalseAlarms: in the captured traces, whose paths hold no names, only
// these rules may find something.
func TestFalseAlarms(t *testing.T) {
	r := scrub.New(scrub.Options{})
	allowed := map[string]bool{"user-path": true, "url-query": true, "install-url": true}
	for name, text := range traces(t) {
		if strings.Contains(name, "gecko") || strings.Contains(name, "v8-forms") || strings.Contains(name, "php.txtar") {
			continue // invented to hold such things
		}
		if strings.Contains(name, "/asan-") {
			continue // a legend of "words: two hex digits" reads like headers; such reports are refused
		}
		_, hits := r.Text(text)
		for _, h := range hits {
			if !allowed[h.Rule] {
				t.Errorf("%s: %v", name, hits)
			}
		}
	}
}

package query

import (
	"errors"
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

var update = flag.Bool("update", false, "rewrite testdata")

// TestCases: each file of an archive is named as the query of its first line is
// read; the lines behind it are the terms, or the mistake.
func TestCases(t *testing.T) {
	path := filepath.Join("testdata", "queries.txtar")
	arc, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range arc.Files {
		text, _, _ := strings.Cut(string(f.Data), "\n")
		got := text + "\n" + show(text)
		if *update {
			arc.Files[i].Data = []byte(got)
			continue
		}
		if d := cmp.Diff(string(f.Data), got); d != "" {
			t.Errorf("%s: -want +got\n%s", f.Name, d)
		}
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(arc), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func show(text string) string {
	q, err := Parse(text)
	if err != nil {
		return "! " + err.Error() + "\n"
	}
	var b strings.Builder
	for _, t := range q {
		fmt.Fprintf(&b, "key=%s op=%s not=%v phrase=%v values=%q\n", t.Key, t.Op, t.Not, t.Phrase, t.Values)
	}
	return b.String()
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		query, value string
		want         bool
	}{
		{"type:TypeError", "typeerror", true},
		{"type:Type*", "TypeError", true},
		{"type:*Error", "TypeError", true},
		{"type:*eErr*", "TypeError", true},
		{"type:*a*b*", "b-a-b", true},
		{"type:a*a", "a", false},
		{"type:[RangeError, Type*]", "TypeError", true},
		{"type:Type", "TypeError", false},
	} {
		if got := one(t, c.query).Match(c.value); got != c.want {
			t.Errorf("%s against %q: %v", c.query, c.value, got)
		}
	}
	for _, c := range []struct {
		query, version string
		want           bool
	}{
		{"release:>=1.4", "1.10.0", true},
		{"release:>=1.4", "1.4", true},
		{"release:>1.4", "1.4", false},
		{"release:>1.4", "1.4.0", false},
		{"release:<1.4", "1.4.0-beta.1", true},
		{"release:<=2", "2.0.1", false},
		{"release:1.4.*", "1.4.7", true},
		{"release:>=1", "", false},
	} {
		if got := one(t, c.query).Version(c.version); got != c.want {
			t.Errorf("%s against %q: %v", c.query, c.version, got)
		}
	}
	for _, c := range []struct {
		query string
		n     int64
		want  bool
	}{{"crashes:>5", 5, false}, {"crashes:>=5", 5, true}, {"crashes:<5", 4, true}, {"crashes:[1, 5]", 5, true}, {"installs:5", 6, false}} {
		if got := one(t, c.query).Number(c.n); got != c.want {
			t.Errorf("%s against %d: %v", c.query, c.n, got)
		}
	}
}

func TestSpan(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ query, from, to string }{
		{"last:<24h", "2026-11-20T12:00", ""},
		{"last:24h", "2026-11-20T12:00", ""},
		{"first:>7d", "", "2026-11-14T12:00"},
		{"time:2026-11-01", "2026-11-01T00:00", "2026-11-02T00:00"},
		{"time:>=2026-11-01", "2026-11-01T00:00", ""},
		{"time:>2026-11-01", "2026-11-02T00:00", ""},
		{"time:<2026-11-01", "", "2026-11-01T00:00"},
		{"time:<=2026-11-01", "", "2026-11-02T00:00"},
		{"time:>=2026-11-01T08:30Z", "2026-11-01T08:30", ""},
	} {
		from, to := one(t, c.query).Span(now)
		if g := minute(from) + "|" + minute(to); g != c.from+"|"+c.to {
			t.Errorf("%s: %s", c.query, g)
		}
	}
}

func minute(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02T15:04")
}

func one(t *testing.T, text string) Term {
	t.Helper()
	q, err := Parse(text)
	if err != nil || len(q) != 1 {
		t.Fatalf("%s: %v, %v", text, q, err)
	}
	return q[0]
}

func TestComplete(t *testing.T) {
	values := func(key, begin string) []string {
		return map[string][]string{"extension": {"acme.todo", "acme.git", "zeta.x"}, "release": {"1.4.0", "1.5.0"}, "type": {"Type Error"}}[key]
	}
	for _, c := range []struct {
		text string // | is where one types
		want string // what the text becomes by each suggestion
	}{
		{"ext|", "extension:"},
		{"os:linux rel|", "os:linux release:"},
		{"!is:re|", "!is:resolved,!is:regressed"},
		{"extension:ac|", "extension:acme.todo,extension:acme.git"},
		{"release:>=1.|", "release:>=1.4.0,release:>=1.5.0"},
		{"os:[linux, ma|", "os:[linux, macos"},
		{"ext| os:linux", "extension: os:linux"},
		{"type:T|", `type:"Type Error"`},
		{`"ext|`, ""},
		{"nothing:|", ""},
		{"crashes:|", ""},
		{"sta|", "is:"},
		{"state:res|", "is:resolved"},
	} {
		at := strings.IndexByte(c.text, '|')
		text := strings.Replace(c.text, "|", "", 1)
		from, to, list := Complete(text, at, values)
		var got []string
		for _, s := range list {
			got = append(got, text[:from]+s.Text+text[to:])
		}
		if g := strings.Join(got, ","); g != strings.ReplaceAll(c.want, ",!", ",!") {
			t.Errorf("%s: %s", c.text, g)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`extension:acme.todo release:>=1.4 is:regressed "cannot read"`, `os:[linux, "a b"]`, `!frame:x -y`, `a:b`, `time:<24h`, `"\""`, `[`, `x::y https://a.b`} {
		f.Add(s, 3)
	}
	f.Fuzz(func(t *testing.T, text string, at int) {
		from, to, list := Complete(text, at, func(string, string) []string { return []string{"a b", "c"} })
		if from < 0 || to > len(text) || from > to || len(list) > MaxSuggestions {
			t.Fatalf("%q at %d: %d to %d, %d suggestions", text, at, from, to, len(list))
		}
		q, err := Parse(text)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.At < 0 || e.At > len(text) {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		again, err := Parse(q.String())
		if err != nil && len(q.String()) <= MaxBytes {
			t.Fatalf("%q becomes %q: %v", text, q.String(), err)
		}
		for i := range again {
			again[i].At = q[i].At
		}
		if err == nil && cmp.Diff(q, again) != "" {
			t.Fatalf("%q becomes %q: %s", text, q.String(), cmp.Diff(q, again))
		}
		for i := range q {
			q[i].Match("TypeError")
			q[i].Version("1.2")
			q[i].Number(5)
			q[i].Span(time.Unix(1e9, 0))
		}
	})
}

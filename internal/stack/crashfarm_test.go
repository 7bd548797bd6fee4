package stack

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// farmThrowable and farmRow are the lines of the crashfarm set: what the JVM
// printed (raw) and what its own parser made of it.
type farmThrowable struct {
	Exception string      `json:"exception"`
	Message   string      `json:"message"`
	Frames    []farmFrame `json:"frames"`
	More      int         `json:"more"`
	CauseOf   bool        `json:"cause_of_suppressed"`
}

type farmFrame struct {
	Function, Module, File string
	Line                   int
}

type farmRow struct {
	farmThrowable
	ID         string          `json:"id"`
	Causes     []farmThrowable `json:"causes"`
	Suppressed []farmThrowable `json:"suppressed"`
	Truncated  bool            `json:"truncated"`
	Raw        string          `json:"raw"`
}

// TestCrashfarm: the text and its structured twin agree exactly, in types,
// messages, frames and the "n more" of every throwable.
func TestCrashfarm(t *testing.T) {
	n := farm(t, "testdata/crashfarm-java-raw.jsonl.gz")
	if n < 100 {
		t.Errorf("%d rows", n)
	}
}

// TestCrashfarmAll does the same over the whole set, where it has raw texts.
func TestCrashfarmAll(t *testing.T) {
	if n := farm(t, "../eval/testdata/crashfarm-java.jsonl.gz"); n < 600 {
		t.Errorf("%d rows", n)
	}
}

func farm(t *testing.T, file string) (n int) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(z); dec.More(); {
		var r farmRow
		if err := dec.Decode(&r); err != nil {
			t.Fatal(err)
		}
		if r.Raw == "" {
			continue
		}
		n++
		tr, ok := Parse(r.Raw)
		if !ok || tr.Dialect != JVM {
			t.Errorf("%s: %q", r.ID, tr.Dialect)
			continue
		}
		var got farmRow
		for i, x := range tr.Exceptions {
			th := farmThrowable{Exception: x.Type, Message: x.Value, More: x.More}
			for _, f := range x.Frames {
				th.Frames = append(th.Frames, farmFrame{f.Function, f.Module, f.File, f.Line})
			}
			switch {
			case i == 0:
				got.farmThrowable = th
			case besideOf(tr.Exceptions, i):
				th.CauseOf = !x.Suppressed
				got.Suppressed = append(got.Suppressed, th)
			default:
				got.Causes = append(got.Causes, th)
			}
		}
		want := farmRow{farmThrowable: r.farmThrowable, Causes: r.Causes, Suppressed: r.Suppressed}
		cutTo(&want, &got, r.Truncated)
		if d := cmp.Diff(want, got, cmp.AllowUnexported(farmRow{})); d != "" {
			t.Errorf("%s: -want +got\n%s\n%s", r.ID, d, r.Raw)
			if n > 2000 {
				return n
			}
		}
	}
	return n
}

// besideOf: the throwable is suppressed, or hangs below one that is.
func besideOf(xs []eco.Exception, i int) bool {
	for ; i >= 0; i = xs[i].Parent {
		if xs[i].Suppressed {
			return true
		}
	}
	return false
}

// cutTo compares only what both sides kept of very long lists: the set keeps
// the first 200 frames, we keep the first and the last 150.
func cutTo(want, got *farmRow, truncated bool) {
	each := func(a, b *farmThrowable) {
		if a.Frames == nil {
			a.Frames = []farmFrame{}
		}
		if b.Frames == nil {
			b.Frames = []farmFrame{}
		}
		if truncated && len(a.Frames) >= 200 {
			a.Frames = a.Frames[:min(150, len(a.Frames))]
			b.Frames = b.Frames[:min(150, len(b.Frames))]
		}
		if utf8.RuneCountInString(a.Message) == 300 { // the set cuts some messages there
			b.Message = firstRunes(b.Message, 300)
		}
		a.Message, b.Message = strings.TrimRight(a.Message, " \n"), strings.TrimRight(b.Message, " \n")
	}
	each(&want.farmThrowable, &got.farmThrowable)
	for i := range want.Causes {
		if i < len(got.Causes) {
			each(&want.Causes[i], &got.Causes[i])
		}
	}
	for i := range want.Suppressed {
		if i < len(got.Suppressed) {
			each(&want.Suppressed[i], &got.Suppressed[i])
		}
	}
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

package diagnosis

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// The cases: a line each, "label | type | message".
func TestCases(t *testing.T) {
	b, err := os.ReadFile("testdata/cases.txt")
	if err != nil {
		t.Fatal(err)
	}
	r := Load()
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		p := strings.SplitN(line, " | ", 3)
		p = append(p, "")
		d := r.Name(&eco.Crash{Exceptions: []eco.Exception{{Type: strings.TrimSpace(p[1]), Value: strings.TrimSpace(p[2]), Parent: -1}}}, Hint{})
		if d.Label != strings.TrimSpace(p[0]) {
			t.Errorf("%s: %s (%s)", line, d.Label, d.Reason)
		}
		if d.Title == "" || d.Author == "" || d.User == "" || d.Reason == "" {
			t.Errorf("%s says too little: %+v", line, d)
		}
	}
}

// The innermost cause speaks; a host update gives a missing member its name; nothing is unknown.
func TestChain(t *testing.T) {
	r := Load()
	c := &eco.Crash{Exceptions: []eco.Exception{{Type: "java.lang.RuntimeException", Value: "wrapped", Parent: -1}, {Type: "java.lang.NoSuchMethodError", Value: "int Host.api()"},
		{Type: "java.io.IOException", Value: "no space left on device", Suppressed: true}}}
	if d := r.Name(c, Hint{OnlyHost: "2025.2"}); d.Label != "missing_member" || d.Title != "Missing member after a host update" || !strings.Contains(d.Reason, "2025.2") {
		t.Errorf("%+v", d)
	}
	for _, c := range []*eco.Crash{{}, {Message: "Something happened"}, {Exceptions: []eco.Exception{{}}}} {
		if d := r.Name(c, Hint{}); d.Label != Unknown {
			t.Errorf("%+v", d)
		}
	}
	if d := r.Name(&eco.Crash{Mechanism: "AppHang"}, Hint{}); d.Label != "hang" {
		t.Errorf("by mechanism %+v", d)
	}
	if d := r.Name(&eco.Crash{Message: strings.Repeat("x", 1<<20)}, Hint{}); d.Label != Unknown {
		t.Error("a long message")
	}
	labels, titles := r.Labels()
	if len(labels) != 16 || slices.Contains(titles, "") {
		t.Errorf("labels %v %v", labels, titles)
	}
}

// expected is what the kinds of defects that say something about the exception
// should be called; the others (a library's own, an invariant …) may be anything.
var expected = map[string]string{
	"json": "bad_input", "url": "bad_input", "struct": "bad_input", "int": "bad_input", "regex": "bad_input", "prop": "null_access", "npe2": "null_access", "badret": "null_access",
	"overflow": "stack_overflow", "fs": "missing_file", "nofile": "missing_file", "noclassdef": "missing_member", "nosuchmethod": "missing_member",
	"badsuper": "missing_member", "abstractmethod": "missing_member", "notfn": "missing_member", "xcme": "concurrency",
}

// How often the labels are right on the labelled sets, by kind; they were not fitted to them.
func TestCrashfarm(t *testing.T) {
	dir := os.Getenv("BELLWETHER_DATA")
	if dir == "" {
		t.Skip("set BELLWETHER_DATA to the folder of reference data to measure the labels")
	}
	r := Load()
	right, all := 0, 0
	for _, set := range []string{"js", "java", "py"} {
		f, err := os.Open(filepath.Join(dir, "stacktraces", "crashfarm-"+set+".jsonl.gz"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		type thrown struct{ Exception, Message string }
		n, ok, answers := map[string]int{}, map[string]int{}, map[string]map[string]int{}
		lines := bufio.NewScanner(z)
		lines.Buffer(nil, 8<<20)
		for lines.Scan() {
			var x struct {
				thrown
				Kind   string
				Causes []thrown
			}
			if err := json.Unmarshal(lines.Bytes(), &x); err != nil {
				t.Fatal(err)
			}
			c := &eco.Crash{}
			for i, e := range append([]thrown{x.thrown}, x.Causes...) {
				c.Exceptions = append(c.Exceptions, eco.Exception{Type: e.Exception, Value: e.Message, Parent: i - 1})
			}
			want := expected[x.Kind]
			if want == "" {
				continue
			}
			got := r.Name(c, Hint{}).Label
			n[x.Kind]++
			all++
			if got == want {
				ok[x.Kind]++
				right++
			} else {
				if answers[x.Kind] == nil {
					answers[x.Kind] = map[string]int{}
				}
				answers[x.Kind][got]++
			}
		}
		for k := range n {
			t.Logf("%-5s %-15s %4d of %4d right; otherwise %v", set, k, ok[k], n[k], answers[k])
		}
	}
	t.Logf("%d of %d right: %.3f", right, all, float64(right)/float64(all))
	if float64(right) < .8*float64(all) {
		t.Error("fewer than 80 % are right")
	}
}

func FuzzName(f *testing.F) {
	r := Load()
	f.Add("TypeError", "Cannot read properties of undefined (reading 'x')", "onerror")
	f.Fuzz(func(t *testing.T, typ, value, mechanism string) {
		d := r.Name(&eco.Crash{Mechanism: mechanism, Exceptions: []eco.Exception{{Type: typ, Value: value, Parent: -1}}}, Hint{})
		if d.Label == "" || d.Title == "" {
			t.Fatalf("%+v", d)
		}
	})
}

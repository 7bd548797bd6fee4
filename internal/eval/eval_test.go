package eval

import (
	"bytes"
	"io"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/fault"
)

func open(t testing.TB, name string) (data, classmap io.Reader) {
	t.Helper()
	f, err := os.Open("testdata/crashfarm-" + name + ".jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if m, err := os.ReadFile("testdata/crashfarm-" + name + ".classmap.json"); err == nil {
		classmap = bytes.NewReader(m)
	}
	return f, classmap
}

// TestFloors keeps the quality of grouping on the open sets: a change that loses
// it fails here. The floors lie a little below what was measured.
func TestFloors(t *testing.T) {
	for _, want := range []struct {
		name                    string
		f1, blame, rr1, shuffle float64
	}{
		{"js", .97, 1, .98, .98},
		{"py", .98, 1, .98, .98},
		{"java", .93, .87, .98, .98},
	} {
		t.Run(want.name, func(t *testing.T) {
			data, classmap := open(t, want.name)
			s, err := Crash(data, CrashOptions{Classmap: classmap, Cost: testing.Verbose()})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Print(t.Output()); err != nil {
				t.Fatal(err)
			}
			least := func(what string, got, floor float64) {
				if got < floor {
					t.Errorf("%s = %.4f, want at least %.4f", what, got, floor)
				}
			}
			least("pairwise F1", s.Families.F1, want.f1)
			if x := s.Spread; x.Halves == 0 || x.Lowest > x.Median || x.Median > x.Highest || x.Highest > 1 || x.Lowest == x.Highest {
				t.Errorf("halves: %+v", x)
			}
			least("pairwise F1, median of the halves", s.Spread.Median, want.f1-.02)
			least("blame accuracy", s.Blame.Accuracy, want.blame)
			least("RR@1", s.Oracle.RR1, want.rr1)
			least("shuffled within a day", s.Stability.Shuffled, want.shuffle)
			least("restarted", s.Stability.Restarted, 1)
			for what, share := range s.Stability.Signatures {
				least("equal signatures after a change of "+what, share, 1)
			}
		})
	}
}

// TestAnswers: a line per crash, in order of time, without any label having been read.
func TestAnswers(t *testing.T) {
	const in = `{"id":"b","group":"g","timestamp":2,"platform":"python","exception":"KeyError","message":"'x'","frames":[{"function":"f","module":"acme_todo.m","file":"/x/addons/acme_todo/m.py"}],"release":"acme.todo@1.0.0","blame":"acme.todo"}
{"id":"a","group":"h","timestamp":1,"platform":"python","exception":"KeyError","message":"'x'","frames":[{"function":"f","module":"acme_todo.m","file":"/x/addons/acme_todo/m.py"}],"release":"acme.todo@1.0.0","blame":"other"}
`
	run := func(in string) (string, *Scores) {
		var out strings.Builder
		s, err := Crash(strings.NewReader(in), CrashOptions{Answers: &out})
		if err != nil {
			t.Fatal(err)
		}
		return out.String(), s
	}
	labelled, s := run(in)
	bare, _ := run(regexp.MustCompile(`,"(group|blame)":"[^"]*"`).ReplaceAllString(in, ""))
	if labelled != bare {
		t.Errorf("labels changed the answers:\n%s\n%s", labelled, bare)
	}
	lines := strings.Split(strings.TrimSpace(labelled), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], `{"id":"a","signature":"`) || !strings.Contains(lines[0], `"new":true,"ranked":[]}`) || !strings.Contains(lines[1], `"blame":"acme.todo","new":false,"ranked":[{"family":"F-`) {
		t.Errorf("answers:\n%s", labelled)
	}
	if s.Families.Precision != 0 || s.Blame.Accuracy != .5 {
		t.Errorf("scores %+v %+v", s.Families, s.Blame)
	}
}

func TestCompare(t *testing.T) {
	truth := []string{"a", "a", "a", "b", "b", ""}
	for _, tc := range []struct {
		got                     []string
		p, r, b3, spray, bucket float64
	}{
		{[]string{"1", "1", "1", "2", "2", "9"}, 1, 1, 1, 1, 1},
		{[]string{"1", "1", "2", "3", "3", "9"}, 1, .5, harmonic(1, (2*2./3+1./3+2)/5), 1.5, 1},
		{[]string{"1", "1", "1", "1", "1", "9"}, .4, 1, harmonic((3*.6+2*.4)/5, 1), 1, 2},
	} {
		p := compare(truth, tc.got)
		for what, v := range map[string][2]float64{"precision": {p.Precision, tc.p}, "recall": {p.Recall, tc.r}, "B-cubed": {p.BCubed, tc.b3}, "spray": {p.Spray, tc.spray}, "bucket": {p.Bucket, tc.bucket}} {
			if math.Abs(v[0]-v[1]) > 1e-9 {
				t.Errorf("%v: %s = %v, want %v", tc.got, what, v[0], v[1])
			}
		}
	}
}

func TestReadSetRefuses(t *testing.T) {
	for name, in := range map[string]string{"no JSON": "{", "a wrong type": `{"id":1}`, "broken gzip": "\x1f\x8bxx"} {
		if _, err := ReadSet(strings.NewReader(in), nil); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadSet(strings.NewReader(""), strings.NewReader("[")); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("class map: %v", err)
	}
}

package diagnose

import (
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/family"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/receipt"
	"github.com/bellwether-project/bellwether/internal/scrub"
)

const trace = `TypeError: Cannot read properties of undefined (reading 'range') for ann@example.org
    at ruleRange (/home/ann/.vscode/extensions/acme.lint-2.4.0/out/rules.js:10:5)
    at run (/home/ann/.vscode/extensions/acme.lint-2.4.0/out/main.js:20:7)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)`

func doctor(t testing.TB) *Doctor {
	t.Helper()
	w, err := blame.NewWorld(map[string]blame.HostRules{"studio": {}}, map[eco.ExtensionID]blame.ExtRules{"acme.lint": {}})
	if err != nil {
		t.Fatal(err)
	}
	return &Doctor{World: func() *blame.World { return w }, Scrub: scrub.New(scrub.Options{}), Board: receipt.NewBoard()}
}

func TestTrace(t *testing.T) {
	d := doctor(t)
	f, err := d.Trace("here is what I saw\n\n" + trace)
	if err != nil {
		t.Fatal(err)
	}
	if f.Blame.Extension != "acme.lint" || f.Version != "2.4.0" || f.Type != "TypeError" || len(f.Frames) < 2 || f.Frames[0].Owner != "acme.lint" || f.Public != nil || f.Removed == 0 || len(f.Blame.Candidates) == 0 {
		t.Errorf("%+v", f)
	}
	for _, s := range []string{f.Message, f.Title, f.Frames[0].Place} {
		if strings.Contains(s, "ann@") || strings.Contains(s, "/ann") {
			t.Errorf("a name is told back: %q", s)
		}
	}
	hash := strings.TrimPrefix(f.Signature, "sig/1:")
	d.Board.Ready()
	d.Board.Learn("acme.lint", "", hash, "F-1")
	st := receipt.Standing{Family: "F-1", Owner: "acme.lint", State: receipt.Fixed, ResolvedIn: "2.4.1", Installs: receipt.K - 1, Workaround: "Wait."}
	set := func(change func(*receipt.Standing)) {
		s := st
		change(&s)
		d.Board.Set(&s)
	}
	set(func(*receipt.Standing) {})
	if again, _ := d.Trace(trace); again.Public != nil {
		t.Errorf("19 installs and not published: %+v", again.Public)
	}
	set(func(s *receipt.Standing) { s.Installs = receipt.K })
	if again, _ := d.Trace(trace); again.Public == nil || again.Public.FixedIn != "2.4.1" || again.Public.HaveFix == nil || *again.Public.HaveFix || !again.Exact {
		t.Errorf("20 installs: %+v", again.Public)
	}
	set(func(s *receipt.Standing) { s.Installs, s.Public = 2, "p1" })
	if again, _ := d.Trace(trace); again.Public == nil || again.Public.Public != "p1" || again.Public.Installs != 0 {
		t.Errorf("published: %+v", again.Public)
	}
	// Alike, by the index of families.
	other := strings.ReplaceAll(trace, "ruleRange", "ruleSpan")
	var asked family.Input
	d.Near = func(in family.Input, _ int) []family.Near {
		asked = in
		return []family.Near{{Family: "F-9", Score: .9}, {Family: "F-1", Score: .5}}
	}
	if again, _ := d.Trace(other); again.Public == nil || again.Exact || again.Score != .5 || asked.Signature == hash {
		t.Errorf("alike: %+v", again)
	}
	d.Near = func(family.Input, int) []family.Near { return []family.Near{{Family: "F-1", Score: .1}} }
	if again, _ := d.Trace(other); again.Public != nil {
		t.Errorf("not alike: %+v", again.Public)
	}
}

func TestRefused(t *testing.T) {
	d := doctor(t)
	for text, code := range map[string]fault.Code{"": fault.Invalid, "hello\nworld": fault.Invalid, "a\x00b": fault.Invalid, strings.Repeat("x", MaxText+1): fault.TooLarge} {
		if _, err := d.Trace(text); fault.CodeOf(err) != code {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

func FuzzTrace(f *testing.F) {
	d := doctor(f)
	f.Add(trace)
	f.Add("Traceback (most recent call last):\n  File \"/home/x/plugins/a/b.py\", line 3, in f\nValueError: x")
	f.Add("java.lang.IllegalStateException: x\n\tat a.b.C.d(C.java:3)\nCaused by: java.lang.NoSuchMethodError: e\n\t... 3 more")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := d.Trace(s)
		if err != nil && fault.CodeOf(err) != fault.Invalid && fault.CodeOf(err) != fault.TooLarge {
			t.Fatal(err)
		}
		if len(got.Frames) > MaxFrames {
			t.Errorf("%d frames", len(got.Frames))
		}
	})
}

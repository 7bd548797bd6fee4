package stack

import (
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// dialect is a language's way of printing: evidence says how much one line
// speaks for it, parse reads the whole.
type dialect struct {
	name     Dialect
	platform string
	evidence func(line string) int
	parse    func(*tree, []string) (root *node, thread string)
}

// The order breaks ties: what is stricter comes first.
var dialects = []dialect{
	{JVMFatal, "java", jvmFatalEvidence, parseJVMFatal},
	{AppleCrash, "native", appleEvidence, parseApple},
	{Python, "python", pythonEvidence, parsePython},
	{JVM, "java", jvmEvidence, parseJVM},
	{V8, "javascript", v8Evidence, parseV8},
	{Go, "go", goEvidence, parseGo},
	{Rust, "rust", rustEvidence, parseRust},
	{PHP, "php", phpEvidence, parsePHP},
	{DotNet, "csharp", dotnetEvidence, parseDotNet},
	{Ruby, "ruby", rubyEvidence, parseRuby},
	{Firefox, "javascript", geckoEvidence, parseGecko},
}

// private is the evidence from which on a text is a whole report of a system.
const private = 100

// Parse reads a text trace or a whole report. It reports false when the text holds no trace of a
// dialect it knows; Why then says what was looked for.
func Parse(text string) (Trace, bool) {
	if tr, is, ok := parseJSON(text); is {
		return tr, ok
	}
	lines, cut := split(text)
	var score [16]int
	for _, l := range lines {
		if l == "" {
			continue
		}
		for i := range dialects {
			score[i] += dialects[i].evidence(l)
		}
	}
	tr := Trace{Private: score[0] >= private || score[1] >= private}
	for range dialects {
		best := -1
		for i := range dialects {
			if score[i] > 0 && (best < 0 || score[i] > score[best]) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		d := dialects[best]
		t := &tree{}
		root, thread := d.parse(t, lines)
		if root == nil {
			tr.Why = append(tr.Why, eco.WhyStep{Step: "not", What: string(d.name), Rule: "evidence " + strconv.Itoa(score[best]) + ", but no exception and no frame"})
			score[best] = 0
			continue
		}
		tr.Level, tr.Tags, tr.Images, tr.Origin = t.tr.Level, t.tr.Tags, t.tr.Images, t.tr.Origin
		tr.Dialect, tr.Platform, tr.Thread = d.name, d.platform, eco.Clean(thread, MaxName)
		if d.name == Firefox && looksSafari(lines) {
			tr.Dialect = Safari
		}
		tr.Exceptions = t.flatten(root)
		tr.Why = append(tr.Why, eco.WhyStep{Step: "dialect", What: string(tr.Dialect), Rule: "evidence " + strconv.Itoa(score[best])})
		if cut != "" {
			t.note(cut)
		}
		for _, c := range t.cut {
			tr.Why = append(tr.Why, eco.WhyStep{Step: "bound", What: c})
		}
		normaliseAll(tr.Exceptions, tr.Platform)
		return tr, true
	}
	tr.Why = append(tr.Why, eco.WhyStep{Step: "none", What: notTrace(lines), Rule: "no line reads like a frame of a known dialect"})
	return tr, false
}

// notTrace names what else a text may be, for the reader of the lineage.
func notTrace(lines []string) string {
	for i, l := range lines {
		if i == 200 {
			break
		}
		for _, k := range [...]struct{ mark, what string }{
			{"A fatal error has been detected by the Java Runtime", "a JVM fatal error log without its frame"},
			{"AddressSanitizer", "a sanitizer report"},
			{": runtime error: ", "a sanitizer report"},
			{"Program received signal", "a debugger session"},
			{"stack traceback:", "a Lua trace"},
			{"*** stack smashing", "a libc abort"},
			{"free(): ", "a libc abort"},
		} {
			if strings.Contains(l, k.mark) {
				return k.what
			}
		}
	}
	return "plain text"
}

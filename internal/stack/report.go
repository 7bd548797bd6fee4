package stack

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// The dialects of whole reports: files that a runtime or a system writes when a
// program dies or hangs. They hold far more than a trace (environments, command
// lines, registers, every library of the machine); of each only what its reader
// names is taken, and the text itself is never kept (Trace.Private).
const (
	NodeReport Dialect = "node-report" // Node.js diagnostic report, JSON
	JVMFatal   Dialect = "jvm-fatal"   // hs_err_pid*.log, and what the JVM prints to its console
	AppleIPS   Dialect = "apple-ips"   // .ips of macOS 12 and later: two JSON documents
	AppleCrash Dialect = "apple-crash" // the plain text of macOS before that
	CPUProfile Dialect = "cpuprofile"  // V8's .cpuprofile, as editors take one of a hanging extension host
)

// jsonReports are the reports in JSON: marks says which words a text must hold to
// be one, so that a broken one is known too.
var jsonReports = []struct {
	name     Dialect
	platform string
	marks    func(string) bool
	read     func(*tree, string) (*node, error)
}{
	{NodeReport, "javascript", func(s string) bool {
		return strings.Contains(s, `"javascriptStack"`) || strings.Contains(s, `"reportVersion"`) && strings.Contains(s, `"nodejsVersion"`)
	}, readNodeReport},
	{CPUProfile, "javascript", func(s string) bool {
		return strings.Contains(s, `"callFrame"`) && strings.Contains(s, `"nodes"`)
	}, readProfile},
	{AppleIPS, "native", func(s string) bool {
		return strings.Contains(s, `"bug_type"`) || strings.Contains(s, `"usedImages"`) && strings.Contains(s, `"threads"`)
	}, readIPS},
}

// parseJSON reads a text that begins like a JSON object, when it is a report. It
// reads the whole of it, once: time is linear in its length, and memory is that of
// what is kept.
func parseJSON(text string) (tr Trace, is, ok bool) {
	if s := strings.TrimLeft(text, "\ufeff \t\r\n"); s == "" || s[0] != '{' {
		return tr, false, false
	} else {
		text = s
	}
	for i := range jsonReports {
		r := &jsonReports[i]
		if !r.marks(text) {
			continue
		}
		t := &tree{tr: Trace{Dialect: r.name, Platform: r.platform, Private: true}}
		root, err := r.read(t, text)
		tr = t.tr
		if root == nil {
			what := "holds no stack"
			if err != nil {
				what = fault.TextOf(err)
			}
			tr.Why = append(tr.Why, eco.WhyStep{Step: "refused", What: "a report of the form " + string(r.name) + ": " + what, Rule: "its own words"})
			return tr, true, false
		}
		tr.Exceptions = t.flatten(root)
		tr.Why = append(tr.Why, eco.WhyStep{Step: "dialect", What: string(tr.Dialect), Rule: "its own words"})
		for _, c := range t.cut {
			tr.Why = append(tr.Why, eco.WhyStep{Step: "bound", What: c})
		}
		normaliseAll(tr.Exceptions, tr.Platform)
		return tr, true, true
	}
	return tr, false, false
}

// tag notes a fact of a report beside its frames.
func (t *tree) tag(key, value string) {
	if value == "" {
		return
	}
	if t.tr.Tags == nil {
		t.tr.Tags = map[string]string{}
	}
	t.tr.Tags[key] = eco.Clean(value, 256)
}

// os brings the platforms of reports to the house's words.
func osName(s string) string {
	l := strings.ToLower(s)
	switch {
	case l == "":
		return ""
	case strings.HasPrefix(l, "win"):
		return "windows"
	case strings.HasPrefix(l, "darwin"), strings.HasPrefix(l, "mac"), strings.HasPrefix(l, "bsd"):
		return "macos"
	case strings.HasPrefix(l, "iphone"), strings.HasPrefix(l, "ipad"), strings.HasPrefix(l, "ios"):
		return "ios"
	case strings.HasPrefix(l, "linux"):
		return "linux"
	case strings.HasPrefix(l, "android"):
		return "android"
	}
	return "other"
}

// archName brings names of processors to one form each.
func archName(s string) string {
	switch l := strings.ToLower(s); l {
	case "amd64", "x86_64", "x86-64", "x64":
		return "x64"
	case "arm64", "aarch64", "arm64e", "arm-64", "arm-64 (native)":
		return "arm64"
	case "x86", "ia32", "i386":
		return "x86"
	case "arm", "armv7":
		return "arm"
	}
	return ""
}

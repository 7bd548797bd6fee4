package stack

import (
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// Fill parses c.Text into c.Exceptions when there are none, brings the frames
// of every crash to one form (Normalise), infers the platform when the client
// named none that we know, and returns a note for the lineage, "" when nothing
// was parsed. The text stays as it is.
func Fill(c *eco.Crash) (note string) {
	if c.Text != "" && !hasFrames(c) {
		tr, ok := Parse(c.Text)
		if ok {
			note = string(tr.Dialect) + ": " + strconv.Itoa(len(tr.Exceptions)) + " exceptions, " + strconv.Itoa(countFrames(tr.Exceptions)) + " frames"
			for _, w := range tr.Why {
				if w.Step == "bound" {
					note += "; " + w.What
				}
			}
			Adopt(c, tr)
		} else {
			note = "no trace: " + tr.Why[len(tr.Why)-1].What
		}
	}
	Normalise(c)
	return note
}

// Adopt takes over what was parsed. A type and value that the client gave
// structured win over what its text says: a text may be cut or decorated.
func Adopt(c *eco.Crash, tr Trace) {
	if len(c.Exceptions) > 0 && len(tr.Exceptions) > 0 {
		if x := c.Exceptions[0]; x.Type != "" {
			if tr.Exceptions[0].Type == "" || x.Module == "" {
				tr.Exceptions[0].Type = x.Type
			}
			if x.Value != "" {
				tr.Exceptions[0].Value = x.Value
			}
			tr.Exceptions[0].Mechanism = x.Mechanism
		}
	}
	c.Exceptions = tr.Exceptions
	if tr.Level != "" && (c.Level == "" || c.Level == "error") {
		c.Level = tr.Level
	}
	for k, v := range tr.Tags {
		if c.Tags == nil {
			c.Tags = map[string]string{}
		}
		if _, taken := c.Tags[k]; !taken {
			c.Tags[k] = v
		}
	}
	c.DebugImages = append(c.DebugImages, tr.Images...)
	if c.Thread == "" {
		c.Thread = tr.Thread
	}
	if knownPlatform(c.Platform) == "" {
		c.Platform = tr.Platform
	}
}

func hasFrames(c *eco.Crash) bool {
	for i := range c.Exceptions {
		if len(c.Exceptions[i].Frames) > 0 {
			return true
		}
	}
	return false
}

func countFrames(xs []eco.Exception) (n int) {
	for i := range xs {
		n += len(xs[i].Frames)
	}
	return n
}

// knownPlatform maps the words of clients to ours; "" when it is none.
func knownPlatform(p string) string {
	switch strings.ToLower(p) {
	case "javascript", "node", "nodejs", "typescript", "electron", "webjs", "browser":
		return "javascript"
	case "python":
		return "python"
	case "java", "kotlin", "android", "scala", "jvm", "groovy", "clojure":
		return "java"
	case "go", "golang":
		return "go"
	case "csharp", "dotnet", ".net", "fsharp", "vb":
		return "csharp"
	case "ruby":
		return "ruby"
	case "php":
		return "php"
	case "rust":
		return "rust"
	case "native", "c", "cpp", "c++", "objc", "cocoa", "swift", "minidump":
		return "native"
	case "other":
		return "other"
	}
	return ""
}

// infer guesses the platform from file names, then from the forms of types.
func infer(c *eco.Crash) string {
	votes := map[string]int{}
	for i := range c.Exceptions {
		for j := range c.Exceptions[i].Frames {
			f := &c.Exceptions[i].Frames[j]
			if p := platformOfFile(f.File); p != "" {
				votes[p]++
			} else if f.Addr != "" {
				votes["native"]++
			}
		}
	}
	best := ""
	for _, p := range [...]string{"javascript", "python", "java", "go", "csharp", "ruby", "php", "rust", "native"} {
		if votes[p] > votes[best] {
			best = p
		}
	}
	if best != "" {
		return best
	}
	for i := range c.Exceptions {
		t := c.Exceptions[i].Type
		switch {
		case strings.HasPrefix(t, "java.") || strings.HasPrefix(t, "javax.") || strings.HasPrefix(t, "kotlin."):
			return "java"
		case strings.HasPrefix(t, "System."):
			return "csharp"
		case strings.Contains(t, "::"):
			return "ruby"
		case strings.Contains(t, `\`):
			return "php"
		}
	}
	return ""
}

func platformOfFile(f string) string {
	if strings.HasPrefix(f, "node:") || strings.HasPrefix(f, "chrome-extension:") || strings.HasPrefix(f, "moz-extension:") || f == "<anonymous>" {
		return "javascript"
	}
	dot := strings.LastIndexByte(f, '.')
	if dot < 0 {
		return ""
	}
	switch strings.ToLower(f[dot+1:]) {
	case "js", "mjs", "cjs", "ts", "tsx", "jsx", "vue", "svelte", "mts", "cts":
		return "javascript"
	case "py", "pyx", "pyw":
		return "python"
	case "java", "kt", "scala", "groovy", "clj":
		return "java"
	case "go":
		return "go"
	case "cs", "fs", "vb":
		return "csharp"
	case "rb", "erb":
		return "ruby"
	case "php":
		return "php"
	case "rs":
		return "rust"
	case "c", "cc", "cpp", "cxx", "h", "hpp", "m", "mm", "swift":
		return "native"
	}
	return ""
}

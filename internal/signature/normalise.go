package signature

import (
	"path"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// place is a normalised frame: what stays the same from build to build, machine
// to machine and user to user.
type place struct {
	class    byte   // e extension, v vendored, h host, r runtime, u unknown
	pkg      string // owner, library, class or module
	fn       string
	file     string // the file's own name without folders, hashes and ending; may be empty
	minified bool   // fn is a name that a bundler or obfuscator made up
	unnamed  bool   // fn is an offset in a native module: its symbols were missing
}

// token is the text of a place. Minified names carry a ~: they mean nothing
// outside their own build.
func (p *place) token(b []byte) []byte {
	b = append(b, p.class, '|')
	b = append(b, p.pkg...)
	if p.file != "" {
		b = append(b, '/')
		b = append(b, p.file...)
	}
	b = append(b, '|')
	if p.minified {
		b = append(b, '~')
	}
	return append(b, p.fn...)
}

func classLetter(c eco.FrameClass) byte {
	switch c {
	case eco.FrameExtension:
		return 'e'
	case eco.FrameVendored:
		return 'v'
	case eco.FrameHost:
		return 'h'
	case eco.FrameRuntime:
		return 'r'
	}
	return 'u'
}

// normalise reduces a frame. It reports false for plumbing, which leaves no token.
func (r *rules) normalise(platform string, f *eco.Frame) (place, bool) {
	p := place{class: classLetter(f.Class)}
	switch platform {
	case "java":
		if r.isPlumbing(f.Module, f.Function) {
			return p, false
		}
		p.pkg, p.fn = jvmClass(f.Module), jvmMethod(f.Function)
		p.minified = p.class == 'e' && shortName(p.fn)
		return p, p.fn != ""
	case "python":
		if r.isPlumbing(f.Module, f.Function) {
			return p, false
		}
		p.pkg, p.fn = f.Module, pythonName(f.Function)
	case "javascript", "node":
		p.fn = scriptName(f.Function)
		p.minified = p.class != 'r' && p.class != 'v' && shortName(p.fn)
	case "go":
		p.pkg, p.fn = goName(f.Module, f.Function)
	case "csharp":
		if r.isPlumbing(f.Module, f.Function) {
			return p, false
		}
		p.pkg, p.fn = f.Module, dotnetName(f.Function)
	case "ruby":
		p.pkg, p.fn = f.Module, rubyName(f.Function)
	default:
		p.pkg, p.fn = f.Module, nativeName(f.Function)
		if p.fn == "" && f.Module != "" && strings.HasPrefix(f.Addr, "+0x") {
			p.fn, p.unnamed = f.Addr, true // an offset in its module: as good as a name until the next build
		}
	}
	if p.pkg == "" {
		p.pkg = scriptPackage(f)
	}
	if p.fn == "" || p.minified {
		p.file = stem(f.File, p.class == 'e')
	}
	return p, p.fn != "" || p.file != "" || p.pkg != ""
}

// scriptPackage names the package of a frame without a module: the library's
// folder of a vendored frame, the owner of an extension's, the file of the rest.
func scriptPackage(f *eco.Frame) string {
	switch f.Class {
	case eco.FrameVendored:
		if lib := library(f.File); lib != "" {
			return lib
		}
	case eco.FrameExtension:
		return string(f.Owner)
	}
	return stem(f.File, false)
}

// library is the folder behind the last vendor folder, with its scope.
func library(file string) string {
	best := ""
	rest := file
	for rest != "" {
		var s string
		s, rest = cutSegment(rest)
		switch s {
		case "node_modules", "site-packages", "dist-packages", "vendor", "_vendor", "third_party", "third-party", "bower_components":
			lib, more := cutSegment(rest)
			if strings.HasPrefix(lib, "@") {
				sub, _ := cutSegment(more)
				lib += "/" + sub
			}
			if lib != "" {
				best = lib
			}
		}
	}
	return best
}

func cutSegment(s string) (first, rest string) {
	if i := strings.IndexAny(s, `/\`); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// stem is a file's name without ending and content hashes. With folder set its
// last folder goes before it ("dist/extension" is a bundle, "src/extension" is
// not), unless that has a version in it; only inside an extension, where a folder
// cannot be a user's name.
func stem(file string, folder bool) string {
	if i := strings.IndexAny(file, "?#"); i > 0 {
		file = file[:i]
	}
	dir := ""
	if i := strings.LastIndexAny(file, `/\`); i >= 0 {
		dir, file = file[:i], file[i+1:]
	}
	if i := strings.LastIndexByte(file, '.'); i > 0 {
		file = file[:i]
	}
	file = dropHashes(file)
	if dir != "" && folder {
		if i := strings.LastIndexAny(dir, `/\`); i >= 0 {
			dir = dir[i+1:]
		}
		if dir != "" && !strings.ContainsAny(dir, "0123456789:") {
			return dir + "/" + file
		}
	}
	return file
}

// dropHashes replaces the parts of a file name that a bundler makes of its
// content: "main.3f9c2a", "chunk-BX3Q7ZK2", "vendors~app-9b1deb4d".
func dropHashes(s string) string {
	if len(s) < 6 || !strings.ContainsAny(s, ".-_~") {
		return s
	}
	start, out := 0, []byte(nil)
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '.' && s[i] != '-' && s[i] != '_' && s[i] != '~' {
			continue
		}
		if isContentHash(s[start:i]) {
			if out == nil {
				out = append(make([]byte, 0, len(s)), s[:start]...)
			}
			out = append(out, '*')
		} else if out != nil {
			out = append(out, s[start:i]...)
		}
		if out != nil && i < len(s) {
			out = append(out, s[i])
		}
		start = i + 1
	}
	if out == nil {
		return s
	}
	return string(out)
}

// isContentHash: hexadecimal of six or more with a digit, or eight or more
// letters and digits mixed in a way no word is.
func isContentHash(s string) bool {
	if len(s) >= 6 && looksHex(s, 6) {
		return true
	}
	if len(s) < 8 {
		return false
	}
	digits, upper, lower := 0, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'A' && c <= 'Z':
			upper++
		case c >= 'a' && c <= 'z':
			lower++
		default:
			return false
		}
	}
	return digits > 0 && (upper > 1 || lower == 0) && digits+upper+lower == len(s)
}

// shortName reports whether a name is one that minifiers make: at most two
// letters, or three with a digit, _ or $.
func shortName(s string) bool {
	if s == "" {
		return false
	}
	switch {
	case len(s) <= 2:
		return s[0] != '<'
	case len(s) == 3:
		return strings.ContainsAny(s, "0123456789_$")
	}
	return false
}

// Platform of a crash, guessed from its frames when the client did not say.
func platformOf(c *eco.Crash) string {
	if c.Platform != "" {
		return c.Platform
	}
	for i := range c.Exceptions {
		for j := range c.Exceptions[i].Frames {
			switch path.Ext(c.Exceptions[i].Frames[j].File) {
			case ".js", ".ts", ".mjs", ".cjs", ".jsx", ".tsx":
				return "javascript"
			case ".py":
				return "python"
			case ".java", ".kt", ".scala":
				return "java"
			case ".go":
				return "go"
			case ".cs":
				return "csharp"
			case ".rb":
				return "ruby"
			}
		}
	}
	return "other"
}

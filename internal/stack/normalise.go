package stack

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// Normalise brings a crash to the one form that the rules after it rely on,
// whatever client it came from. It is idempotent, and what Parse returns is
// normalised already. In words:
//
//   - at most MaxExceptions exceptions, and MaxFrames frames of each (first and last half);
//   - Parent points at an earlier exception or is -1; cycles cannot occur;
//   - the type of a JVM, .NET or Python exception is its qualified name, as the
//     language prints it (Module joined in front; Python's builtins have none);
//   - files: no app:///, file://, webpack://, no query or fragment, %20 undone,
//     asar and vscode-file prefixes gone;
//   - V8: "async f" sets Async, "[as y]" goes, unknown names become "", the
//     module that a client made of the file's name goes;
//   - JVM: class and method split, loader and module prefixes gone, no
//     pseudo-files; Python: Module from the file when the client gave none;
//   - negative and absurd line numbers become 0.
func Normalise(c *eco.Crash) {
	if p := knownPlatform(c.Platform); p != "" {
		c.Platform = p
	} else if p := infer(c); p != "" {
		c.Platform = p
	} else if c.Platform != "" || len(c.Exceptions) > 0 {
		c.Platform = "other"
	}
	if len(c.Exceptions) > MaxExceptions {
		c.Exceptions = c.Exceptions[:MaxExceptions]
	}
	normaliseAll(c.Exceptions, c.Platform)
}

func normaliseAll(xs []eco.Exception, platform string) {
	for i := range xs {
		x := &xs[i]
		if x.Parent >= i || x.Parent < -1 {
			x.Parent = i - 1
		}
		x.Type, x.Module = exceptionType(x.Type, x.Module, platform)
		if x.More < 0 || x.More > maxPos {
			x.More = 0
		}
		if len(x.Value) > MaxValue {
			x.Value = eco.Clean(x.Value, MaxValue)
		}
		if len(x.Frames) > MaxFrames {
			l := frameList{list: x.Frames}
			l.trim()
			x.Frames = l.list
		}
		for j := range x.Frames {
			normaliseFrame(&x.Frames[j], platform)
		}
	}
}

func exceptionType(typ, module, platform string) (string, string) {
	typ = strings.TrimSpace(typ)
	if len(typ) > MaxName {
		typ = eco.Clean(typ, MaxName)
	}
	if module == "" || typ == "" {
		return typ, module
	}
	switch platform {
	case "java", "csharp":
	case "python":
		if module == "builtins" || module == "__main__" || module == "exceptions" {
			return typ, ""
		}
	default:
		return typ, module
	}
	if strings.HasPrefix(typ, module+".") || strings.Contains(typ, ".") {
		return typ, ""
	}
	return module + "." + typ, ""
}

func normaliseFrame(f *eco.Frame, platform string) {
	if f.Line < 0 || f.Line > maxPos {
		f.Line = 0
	}
	if f.Col < 0 || f.Col > maxPos {
		f.Col = 0
	}
	f.Function, f.Module, f.File, f.Package = cutName(f.Function), cutName(f.Module), cutName(f.File), cutName(f.Package)
	f.Function = strings.TrimSpace(f.Function)
	f.File = cleanFile(f.File)
	switch f.Function {
	case "?", "??", "<unknown>", "<anonymous>", "(anonymous)", "anonymous", "(anonymous function)", "[anonymous]", "???":
		f.Function = ""
	}
	switch platform {
	case "javascript":
		normaliseJS(f)
	case "java":
		normaliseJVM(f)
	case "python":
		if f.Module == "" {
			f.Module = pythonModule(f.File)
		}
	}
}

func normaliseJS(f *eco.Frame) {
	f.Function = strings.TrimSpace(f.Function)
	for {
		r, is := strings.CutPrefix(f.Function, "async ")
		if !is {
			r, is = strings.CutPrefix(f.Function, "async*")
		}
		if !is {
			break
		}
		f.Function, f.Async = strings.TrimSpace(r), true
	}
	for {
		i := strings.LastIndex(f.Function, " [as ")
		if i < 0 || !strings.HasSuffix(f.Function, "]") {
			break
		}
		f.Function = strings.TrimSpace(f.Function[:i])
	}
	if f.Function == "new <anonymous>" {
		f.Function = "new"
	}
	if r, is := strings.CutSuffix(f.Function, ".?"); is { // Sentry's word
		f.Function = r + ".<anonymous>"
	}
	if f.File != "" {
		f.Module = "" // clients make one of the file's name, each in its own way
	}
}

func normaliseJVM(f *eco.Frame) {
	if f.Module == "" {
		if dot := strings.LastIndexByte(f.Function, '.'); dot > 0 && dot < len(f.Function)-1 {
			f.Module, f.Function = f.Function[:dot], f.Function[dot+1:]
		}
	}
	for {
		i := strings.IndexByte(f.Module, '/')
		if i < 0 || i+1 < len(f.Module) && isDigit(f.Module[i+1]) {
			break
		}
		f.Module = f.Module[i+1:]
	}
	switch f.File {
	case "Native Method", "Unknown Source", "<generated>", "<unknown>":
		f.File = ""
	}
}

// pythonRoots are folders below which a path is a dotted module name.
var pythonRoots = []string{"/site-packages/", "/dist-packages/", "/addons/", "/addons_core/", "/scripts/", "/plugins/", "/modules/", "/src/"}

// pythonModule makes "json.decoder" of "/usr/lib/python3.11/json/decoder.py".
func pythonModule(file string) string {
	p := strings.ReplaceAll(file, `\`, "/")
	stem, ok := strings.CutSuffix(p, ".py")
	if !ok || strings.HasPrefix(p, "<") {
		return ""
	}
	at := 0
	for _, r := range pythonRoots {
		if i := strings.LastIndex(stem, r); i >= 0 && i+len(r) > at {
			at = i + len(r)
		}
	}
	if at == 0 {
		if i := strings.LastIndex(stem, "/python"); i >= 0 && i+8 < len(stem) && stem[i+7] >= '2' && stem[i+7] <= '9' {
			if j := strings.IndexByte(stem[i+1:], '/'); j > 0 {
				at = i + 1 + j + 1
			}
		}
	}
	if at == 0 {
		at = strings.LastIndexByte(stem, '/') + 1
		if strings.HasSuffix(stem, "/__init__") {
			dir := strings.TrimSuffix(stem, "/__init__")
			return dir[strings.LastIndexByte(dir, '/')+1:]
		}
	}
	m := strings.TrimSuffix(stem[at:], "/__init__")
	return strings.ReplaceAll(m, "/", ".")
}

// cleanFile takes the wrapping off a file name.
func cleanFile(s string) string {
	if len(s) < 5 || s[0] == '<' {
		return s
	}
	for range 4 {
		t := cleanOnce(s)
		if t == s {
			break
		}
		s = t
	}
	return s
}

func cleanOnce(s string) string {
	i := strings.Index(s, "://")
	if i < 0 || i > 24 {
		return s
	}
	scheme, rest := s[:i], s[i+3:]
	switch scheme {
	case "file":
		rest = unescapePath(cutQuery(rest))
		if host, _, ok := strings.Cut(rest, "/"); ok && host != "" && host != "localhost" && !strings.HasSuffix(host, ":") {
			return "//" + rest // a share
		}
		rest = strings.TrimPrefix(rest, "localhost")
		return driveSlash(rest)
	case "app":
		return driveSlash(strings.TrimPrefix(unescapePath(cutQuery(rest)), "."))
	case "webpack", "webpack-internal", "turbopack", "rsc", "ng", "vite":
		rest = unescapePath(cutQuery(rest))
		if _, path, ok := strings.Cut(rest, "/"); ok { // the first part is the package's name, or nothing
			rest = path
		}
		for strings.HasPrefix(rest, "./") {
			rest = rest[2:]
		}
		return driveSlash(rest)
	case "vscode-file", "vscode-app", "asar":
		rest = unescapePath(cutQuery(rest))
		if _, path, ok := strings.Cut(rest, "/"); ok {
			return driveSlash("/" + path)
		}
		return rest
	}
	return scheme + "://" + cutQuery(rest)
}

// driveSlash: "/C:/x" is "C:/x".
func driveSlash(s string) string {
	if len(s) > 2 && s[0] == '/' && s[2] == ':' && (s[1]|0x20 >= 'a' && s[1]|0x20 <= 'z') {
		return s[1:]
	}
	return s
}

func cutQuery(s string) string {
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		return s[:i]
	}
	return s
}

// unescapePath undoes the percent escapes of a path; a broken one stays.
func unescapePath(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1:i+3]) {
			c := unhex(s[i+1])<<4 | unhex(s[i+2])
			if c >= 0x20 && c != '%' && c < 0x7f {
				b.WriteByte(c)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func unhex(c byte) byte {
	switch {
	case isDigit(c):
		return c - '0'
	case c >= 'a':
		return c - 'a' + 10
	}
	return c - 'A' + 10
}

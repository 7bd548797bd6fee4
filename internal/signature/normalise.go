package signature

import (
	"path"
	"strings"

	"github.com/ianlancetaylor/demangle"

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
	async    bool
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

// scriptName trims what V8 and other engines put around a name: receivers,
// "new", "async", "[as alias]", anonymous and native markers.
func scriptName(s string) string {
	if i := strings.Index(s, " [as "); i >= 0 {
		alias := strings.TrimSuffix(s[i+5:], "]")
		s = s[:i]
		if j := strings.LastIndexByte(s, '.'); shortName(s[j+1:]) && !shortName(alias) {
			return alias // a property's name outlives the minifier
		}
	}
	for {
		cut := false
		for _, p := range [...]string{"async ", "new ", "async*", "get ", "set ", "static ", "bound ", "global code", "function "} {
			if strings.HasPrefix(s, p) {
				s, cut = s[len(p):], true
			}
		}
		if !cut {
			break
		}
	}
	if i := strings.LastIndexAny(s, "./"); i >= 0 { // Safari nests with /, V8 with .
		s = s[i+1:]
	}
	switch s {
	case "<anonymous>", "anonymous", "eval", "[native code]", "?", "(anonymous function)", "<", "global code", "module code", "<eval>":
		return ""
	}
	return strings.TrimRight(s, "<")
}

// pythonName drops the marks of nested code, so that a comprehension or lambda is
// its function.
func pythonName(s string) string {
	if strings.IndexByte(s, '<') < 0 {
		return s
	}
	for _, m := range [...]string{".<locals>.<listcomp>", ".<locals>.<lambda>", ".<locals>.<genexpr>", ".<locals>.<dictcomp>", ".<locals>.<setcomp>"} {
		for strings.HasSuffix(s, m) {
			s = s[:len(s)-len(m)]
		}
	}
	s = strings.ReplaceAll(s, ".<locals>", "")
	switch s {
	case "<module>", "<lambda>", "<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>":
		return s
	}
	return s
}

// jvmClass collapses the names that compilers and proxies make up.
func jvmClass(s string) string {
	if i := strings.LastIndexByte(s, '/'); i >= 0 {
		s = s[i+1:] // "java.base@17/java.lang.Thread", "app//com.acme.Main"
	}
	i := strings.IndexByte(s, '$')
	if i < 0 {
		return s
	}
	if j := strings.Index(s, "$$"); j > 0 {
		s = s[:j] // $$Lambda$…, $$EnhancerByCGLIB$$…, $$FastClass…
	}
	// "$1", "$3$2": anonymous classes are numbered in the order of the file.
	for j := len(s) - 1; j > 0; j-- {
		if c := s[j]; c >= '0' && c <= '9' {
			continue
		} else if c == '$' && j < len(s)-1 {
			s = s[:j]
			continue
		}
		break
	}
	if j := strings.IndexByte(s, '$'); j > 0 && strings.Contains(s, "$") {
		s = dropNumbered(s)
	}
	return s
}

// dropNumbered takes "$3" out of the middle of a class name.
func dropNumbered(s string) string {
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '$' {
			j := i + 1
			for j < len(s) && s[j] >= '0' && s[j] <= '9' {
				j++
			}
			if j > i+1 && (j == len(s) || s[j] == '$') {
				if b == nil {
					b = append(make([]byte, 0, len(s)), s[:i]...)
				}
				i = j - 1
				continue
			}
		}
		if b != nil {
			b = append(b, s[i])
		}
	}
	if b == nil {
		return s
	}
	return string(b)
}

// jvmMethod collapses lambdas, accessors and Kotlin's synthetic names.
func jvmMethod(s string) string {
	switch {
	case strings.HasPrefix(s, "lambda$"):
		s = s[len("lambda$"):]
		if i := strings.LastIndexByte(s, '$'); i > 0 {
			s = s[:i]
		}
		if s == "new" || s == "static" {
			return "<init>"
		}
		return s
	case strings.HasPrefix(s, "access$"):
		return ""
	}
	if i := strings.IndexByte(s, '$'); i > 0 {
		rest := s[i+1:]
		if strings.HasPrefix(rest, "lambda") || rest == "default" || strings.HasPrefix(rest, "suspendImpl") || rest != "" && rest[0] >= '0' && rest[0] <= '9' {
			return s[:i]
		}
	}
	if i := strings.IndexByte(s, '-'); i > 0 && len(s)-i == 8 {
		return s[:i] // Kotlin's inline-class mangling: "add-Qn1smSk"
	}
	return s
}

// goName splits "github.com/a/b.(*T).M.func1" and drops closures and generics.
func goName(module, fn string) (pkg, name string) {
	if module == "" {
		at := strings.LastIndexByte(fn, '/') + 1
		if dot := strings.IndexByte(fn[at:], '.'); dot >= 0 {
			module, fn = fn[:at+dot], fn[at+dot+1:]
		}
	}
	fn = generics(fn, '[', ']')
	for {
		i := strings.LastIndexByte(fn, '.')
		if i <= 0 {
			break
		}
		last := fn[i+1:]
		if !(strings.HasPrefix(last, "func") && isDigits(last[4:]) || isDigits(last) || strings.HasPrefix(last, "gowrap") || strings.HasPrefix(last, "deferwrap")) {
			break
		}
		fn = fn[:i]
	}
	return module, strings.TrimSuffix(fn, "-fm")
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// dotnetName unwraps what the C# compiler makes of lambdas, iterators and async:
// "<Save>b__0_1" and "<Save>d__3.MoveNext" are Save.
func dotnetName(s string) string {
	if i := strings.IndexByte(s, '('); i > 0 {
		s = s[:i]
	}
	if i := strings.IndexByte(s, '<'); i >= 0 {
		if j := strings.IndexByte(s[i:], '>'); j > 1 && i+j+1 < len(s) {
			return s[:i] + s[i+1:i+j]
		}
	}
	if i := strings.IndexByte(s, '`'); i > 0 {
		s = s[:i]
	}
	return s
}

func rubyName(s string) string {
	if i := strings.LastIndex(s, " in "); i >= 0 && (strings.HasPrefix(s, "block") || strings.HasPrefix(s, "rescue") || strings.HasPrefix(s, "ensure")) {
		return s[i+4:]
	}
	return s
}

// nativeName demangles and drops arguments, template arguments, hashes and the
// marks of optimisers.
func nativeName(s string) string {
	switch s {
	case "??", "???", "<unknown>", "<redacted>", "unknown", "{closure}", "{main}":
		return ""
	}
	if strings.HasPrefix(s, "_Z") || strings.HasPrefix(s, "__Z") || strings.HasPrefix(s, "_R") {
		if len(s) < 1024 {
			s = demangle.Filter(s, demangle.NoParams, demangle.NoTemplateParams, demangle.NoClones)
		}
	}
	for {
		i := strings.LastIndex(s, " [clone")
		if i < 0 {
			break
		}
		s = s[:i]
	}
	if i := strings.LastIndex(s, "::h"); i > 0 && len(s)-i == 19 && looksHexDigits(s[i+3:]) {
		s = s[:i]
	}
	s = generics(s, '<', '>')
	if i := strings.IndexByte(s, '('); i > 0 && !strings.HasPrefix(s[i:], "(anonymous") {
		s = s[:i]
	}
	return strings.TrimSpace(s)
}

func looksHexDigits(s string) bool {
	for i := range len(s) {
		if c := s[i]; !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}

// generics replaces what stands between a pair of brackets by T.
func generics(s string, open, shut byte) string {
	if strings.IndexByte(s, open) <= 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	depth := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == open:
			if depth == 0 {
				b = append(b, open, 'T')
			}
			depth++
		case c == shut && depth > 0:
			if depth--; depth == 0 {
				b = append(b, shut)
			}
		case depth == 0:
			b = append(b, c)
		}
	}
	return string(b)
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

package signature

import (
	"strings"

	"github.com/ianlancetaylor/demangle"
)

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

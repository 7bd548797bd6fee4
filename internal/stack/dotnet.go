package stack

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// dotnetAt are the words before a frame, by the language of the runtime.
var dotnetAt = []string{"at ", "bei ", "à ", "à ", "en ", "em ", "в ", "w ", "in ", "v ", "konum: ", "konum ", "場所 ", "在 ", "於 ", "위치: "}

// dotnetIn are the words before a place, and before its line.
var dotnetIn = []string{" in ", " dans ", " en ", " em ", " в ", " w ", " v ", " 場所 ", " 位置 ", " 於 ", " 파일 "}

func dotnetEvidence(l string) int {
	if f, ok := dotnetFrame(l); ok {
		if f.Line > 0 {
			return 2
		}
		return 1
	}
	s := strings.TrimSpace(l)
	if strings.HasPrefix(s, "---> ") || strings.HasPrefix(s, "--- ") && strings.HasSuffix(s, " ---") || strings.HasPrefix(s, "Unhandled exception. ") {
		return 2
	}
	return 0
}

// dotnetFrame reads "   at A.B.C(T x) in /p/f.cs:line 3".
func dotnetFrame(l string) (f eco.Frame, ok bool) {
	ind := indent(l)
	if ind == 0 {
		return f, false
	}
	s := strings.TrimSuffix(strings.TrimRight(l[ind:], " \t."), "<---")
	for _, w := range dotnetAt {
		if r, is := strings.CutPrefix(s, w); is {
			s, ok = r, true
			break
		}
	}
	if !ok {
		return f, false
	}
	if i := strings.Index(s, ") [0x"); i > 0 { // Mono prints the offset
		if j := strings.IndexByte(s[i:], ']'); j > 0 {
			s = s[:i+1] + s[i+j+1:]
		}
	}
	open := strings.IndexByte(s, '(')
	if open <= 0 {
		return f, false
	}
	name := strings.TrimSuffix(s[:open], " ")
	shut := strings.IndexByte(s[open:], ')')
	// Arguments may hold parentheses of their own (tuples): take the last ")"
	// before " in ", or of the line.
	if shut < 0 {
		return f, false
	}
	rest := ""
	if i := lastPlace(s[open:]); i >= 0 {
		rest = s[open+i:]
	} else if !strings.HasSuffix(s, ")") {
		return f, false
	}
	if strings.ContainsAny(name, " \t\"/\\:") && !strings.HasPrefix(name, "async ") || !strings.Contains(name, ".") {
		return f, false
	}
	args := s[open+1 : len(s)-len(rest)]
	args = strings.TrimSuffix(args, ")")
	if rest == "" && args != "" && (strings.ContainsAny(args, ":") || !strings.ContainsAny(args, " ") && strings.Contains(args, ".java")) {
		return f, false // a frame of V8 or the JVM
	}
	f.Module, f.Function = dotnetName(name)
	f.File, f.Line = dotnetPlace(rest)
	return f, f.Function != ""
}

// lastPlace finds ") in path" and returns the index after the ")".
func lastPlace(s string) int {
	for _, w := range dotnetIn {
		if i := strings.Index(s, ")"+w); i >= 0 {
			return i + 1
		}
	}
	return -1
}

// dotnetPlace reads " in C:\a b\f.cs:line 12"; the word before the number is localised.
func dotnetPlace(s string) (file string, line int) {
	for _, w := range dotnetIn {
		if r, is := strings.CutPrefix(s, w); is {
			s = r
			break
		}
	}
	i := strings.LastIndexByte(s, ':')
	if i <= 1 {
		return strings.TrimSpace(s), 0
	}
	j := i + 1
	for j < len(s) && !isDigit(s[j]) {
		j++
	}
	n, ok := number(s[j:])
	if !ok {
		return strings.TrimSpace(s), 0
	}
	return s[:i], n
}

// dotnetName splits class and method, and undoes what the compiler did for
// async methods, lambdas and local functions:
// "A.B.<RunAsync>d__3.MoveNext" is A.B.RunAsync, "A.<>c.<Main>b__0_1" is A.Main.
func dotnetName(s string) (class, method string) {
	s, _, _ = strings.Cut(s, "[") // type arguments
	dot := strings.LastIndexByte(s, '.')
	if strings.HasSuffix(s, "..ctor") || strings.HasSuffix(s, "..cctor") {
		dot = strings.LastIndex(s, "..")
	}
	if dot <= 0 {
		return "", s
	}
	class, method = s[:dot], s[dot+1:]
	if i := strings.LastIndex(class, ".<"); i > 0 && method == "MoveNext" {
		if name, _, ok := strings.Cut(class[i+2:], ">d"); ok && name != "" {
			return class[:i], lambdaName(name)
		}
	}
	if i := strings.Index(class, ".<>c"); i > 0 {
		class = class[:i]
	}
	return class, lambdaName(method)
}

// lambdaName: "<Main>b__0_1" and "<Main>g__local|0_0" name the method around them.
func lambdaName(m string) string {
	if !strings.HasPrefix(m, "<") {
		return m
	}
	i := strings.LastIndexByte(m, '>')
	if i < 0 {
		return m
	}
	name := strings.Trim(m[:i], "<>")
	if r, ok := strings.CutPrefix(m[i+1:], "g__"); ok {
		local, _, _ := strings.Cut(r, "|")
		return name + "." + local
	}
	if name == "" {
		return m
	}
	return name
}

func parseDotNet(t *tree, lines []string) (*node, string) {
	// Headers come first, outermost to innermost, joined by "--->"; then the
	// frames, innermost exception first, each list closed by an end mark.
	var chain []*node // open exceptions, outermost first
	depth := -1       // which of them the frames belong to now
	started := false
	var frames frameList
	for _, l := range lines {
		if f, ok := dotnetFrame(l); ok {
			started = true
			frames.add(f)
			continue
		}
		s := strings.TrimSpace(l)
		switch {
		case s == "":
		case strings.HasPrefix(s, "---> (Inner Exception #"):
			// A further member of an AggregateException: "---> (Inner Exception #1) T: m".
			flush(chain, &depth, &frames)
			if _, r, ok := strings.Cut(s, ") "); ok && len(chain) > 0 {
				r = strings.TrimSuffix(r, "<---")
				if n := dotnetHead(t, r); n != nil {
					n.ex.Grouped = true
					chain[0].beside = append(chain[0].beside, n)
					chain = append(chain[:1:1], n)
					depth, started = 1, false
				}
			}
		case strings.HasPrefix(s, "---> "), strings.Contains(s, " ---> "):
			parts := strings.Split(strings.TrimPrefix(s, "---> "), " ---> ")
			for _, p := range parts {
				n := dotnetHead(t, p)
				if n == nil {
					break
				}
				if len(chain) > 0 {
					chain[len(chain)-1].cause = n
				}
				chain = append(chain, n)
			}
			depth = len(chain) - 1
		case strings.HasPrefix(s, "--- ") && strings.HasSuffix(s, " ---"):
			// The end of an inner exception hands over to its wrapper; the mark
			// of a rethrow ("End of stack trace from previous location") does not.
			if strings.Contains(s, "previous location") || strings.Contains(s, "where exception was thrown") || !innerEnd(s) {
				continue
			}
			flush(chain, &depth, &frames)
			depth--
		case strings.HasPrefix(s, "<---"):
			flush(chain, &depth, &frames)
		case len(chain) == 0:
			if n := dotnetHead(t, s); n != nil && n.ex.Type != "" {
				chain, depth = append(chain, n), 0
			} else if n != nil {
				t.made--
			}
		case !started:
			chain[len(chain)-1].more(s)
		default:
			if indent(l) == 0 {
				flush(chain, &depth, &frames)
				return chain[0], ""
			}
		}
	}
	if len(chain) == 0 {
		if frames.len() == 0 {
			return nil, ""
		}
		n := t.add("", "")
		n.frames = frames
		return n, ""
	}
	flush(chain, &depth, &frames)
	if !started && len(chain) == 1 {
		return nil, ""
	}
	return chain[0], ""
}

// innerEnd: "--- End of inner exception stack trace ---" in any language holds
// no comma and names no rethrow; the rethrow marks known are longer.
func innerEnd(s string) bool {
	for _, w := range [...]string{"inner", "interne", "inneren", "interna", "внутрен", "wewn", "内部", "内部例外", "내부"} {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

func flush(chain []*node, depth *int, frames *frameList) {
	if *depth >= 0 && *depth < len(chain) && frames.len() > 0 && chain[*depth].frames.len() == 0 {
		chain[*depth].frames = *frames
	}
	*frames = frameList{}
}

func dotnetHead(t *tree, s string) *node {
	for _, p := range [...]string{"Unhandled exception. ", "Unhandled Exception: ", "Unbehandelte Ausnahme: ", "Exception non gérée : ", "Excepción no controlada: "} {
		s = strings.TrimPrefix(s, p)
	}
	s = strings.TrimSpace(s)
	typ, msg := head(s, "`+[],")
	if typ == "" || !strings.Contains(typ, ".") && !errorish(typ) {
		if i := strings.Index(s, " (0x8"); i > 0 { // "System.IO.IOException (0x80070020): m"
			if j := strings.Index(s[i:], "): "); j > 0 {
				return t.add(s[:i], s[i+j+3:])
			}
		}
		return t.add("", s)
	}
	return t.add(typ, msg)
}

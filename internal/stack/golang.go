package stack

import (
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

func goEvidence(l string) int {
	switch {
	case strings.HasPrefix(l, "goroutine ") && strings.HasSuffix(l, "]:"):
		return 4
	case strings.HasPrefix(l, "panic: "), strings.HasPrefix(l, "fatal error: "), goSignal(l) != "":
		return 2
	case strings.HasPrefix(l, "created by "):
		return 1
	case strings.HasPrefix(l, "\t") || strings.HasPrefix(l, "    "):
		if _, _, ok := goPlace(strings.TrimSpace(l)); ok {
			return 1
		}
	}
	return 0
}

// goPlace reads "/srv/main.go:51 +0x199 fp=0x…".
func goPlace(s string) (file string, line int, ok bool) {
	s, _, _ = strings.Cut(s, " +0x")
	s, _, _ = strings.Cut(s, " fp=0x")
	i := strings.LastIndexByte(s, ':')
	if i <= 0 {
		return "", 0, false
	}
	line, ok = number(s[i+1:])
	file = s[:i]
	if !ok || !strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, ".s") && !strings.HasSuffix(file, ".c") && file != "_cgo_gotypes.go" && file != "??" {
		return "", 0, false
	}
	return file, line, true
}

// goFunc splits "github.com/acme/x.(*T).M(0x1, 0x2)" into package and function.
func goFunc(s string) (pkg, fn string) {
	if strings.HasSuffix(s, ")") {
		s = cutArgs(s)
	}
	i := strings.LastIndexByte(s, '/') + 1
	dot := strings.IndexByte(s[i:], '.')
	if dot < 0 {
		return "", s
	}
	pkg, fn = s[:i+dot], s[i+dot+1:]
	if strings.Contains(pkg, "%2") {
		pkg = strings.NewReplacer("%2e", ".", "%2E", ".", "%22", `"`, "%25", "%").Replace(pkg)
	}
	return pkg, fn
}

func parseGo(t *tree, lines []string) (*node, string) {
	panics, from := goPanics(t, lines)
	var frames frameList
	thread, in, done, fn := "", false, false, ""
	var system frameList // the runtime's own stack, when no goroutine follows
	list := &frames
	others := 0
	for _, l := range lines[from:] {
		s := strings.TrimRight(l, " \t")
		if done {
			if strings.HasPrefix(s, "goroutine ") && strings.HasSuffix(s, "]:") {
				others++
			}
			continue
		}
		switch {
		case goIdle(s): // goroutine 0 is the runtime's
			in, list, fn = true, &system, ""
		case strings.HasPrefix(s, "goroutine ") && strings.HasSuffix(s, "]:"):
			if done = frames.len() > 0; !done {
				in, list, fn, thread = true, &frames, "", goThread(s)
			} else {
				others++
			}
		case s == "runtime stack:":
			in, list, fn = true, &system, ""
		case s == "":
			if frames.len() > 0 {
				done = true
			}
			in = in && list == &frames && frames.len() == 0
		case !in:
		case strings.HasPrefix(s, "...") && strings.HasSuffix(s, "frames elided..."):
			t.note("frames left out by the Go runtime")
		case strings.HasPrefix(s, "created by "):
			fn, _, _ = strings.Cut(s[11:], " in goroutine ")
			fn = "\x00" + fn
		case s[0] == '\t' || s[0] == ' ':
			if file, line, ok := goPlace(strings.TrimSpace(s)); ok && fn != "" {
				f := eco.Frame{File: file, Line: line}
				name, created := strings.CutPrefix(fn, "\x00")
				f.Module, f.Function = goFunc(name)
				f.Async = created
				list.add(f)
			}
			fn = ""
		default:
			fn = s
		}
	}
	t.tag("goroutines", countText(others+1, others > 0))
	if frames.len() == 0 {
		frames = system
	}
	if frames.len() == 0 && thread == "" && (len(panics) == 0 || panics[0].ex.Type == "") {
		return nil, ""
	}
	if len(panics) == 0 {
		panics = append(panics, t.add("goroutine", ""))
	}
	root := panics[len(panics)-1]
	root.frames = frames
	for i := len(panics) - 1; i > 0; i-- {
		panics[i].cause = panics[i-1]
	}
	if root.frames.len() == 0 && thread == "" && !goAlone(lines) {
		return nil, ""
	}
	return root, thread
}

// goAlone: a panic line without goroutines is a trace only when it stands on
// its own, as with GOTRACEBACK=none.
func goAlone(lines []string) bool {
	n := 0
	for _, l := range lines {
		if strings.TrimSpace(l) != "" {
			n++
		}
	}
	return n <= 3
}

// goPanics reads the lines before the first goroutine: "panic: a [recovered]"
// and the panics that followed, oldest first.
func goPanics(t *tree, lines []string) (panics []*node, from int) {
	var cur *node
	for i, l := range lines {
		s := strings.TrimRight(l, " \t")
		body := strings.TrimLeft(s, " \t")
		switch {
		case strings.HasPrefix(s, "goroutine ") && strings.HasSuffix(s, "]:"), s == "runtime stack:":
			return panics, i
		case strings.HasPrefix(body, "panic: "):
			v := body[7:]
			for _, m := range [...]string{" [recovered, repanicked]", " [recovered]"} {
				v = strings.TrimSuffix(v, m)
			}
			if cur = t.add("panic", v); cur != nil {
				panics = append(panics, cur)
			}
		case strings.HasPrefix(s, "fatal error: "):
			if cur = t.add("fatal error", s[13:]); cur != nil {
				panics = append(panics, cur)
			}
		case goSignal(s) != "" && cur == nil: // from outside, or in C code
			if cur = t.add(goSignal(s), s[len(goSignal(s))+2:]); cur != nil {
				panics = append(panics, cur)
				if cur.ex.Type == "SIGQUIT" { // how people ask a program that hangs where it is
					cur.ex.Mechanism = "hang"
				}
			}
		case strings.HasPrefix(s, "PC=0x"), strings.HasPrefix(s, "signal arrived during "):
		case strings.HasPrefix(body, "[signal "):
			if cur != nil {
				cur.ex.Mechanism, _, _ = strings.Cut(body[8:], ":")
			}
		case strings.HasPrefix(body, "panic during "), strings.HasPrefix(body, "goroutine running on other thread"):
		case cur != nil && s != "":
			for _, m := range [...]string{" [recovered, repanicked]", " [recovered]"} {
				body = strings.TrimSuffix(body, m)
			}
			cur.more(body)
		}
	}
	return panics, len(lines)
}

// goThread reads the number and state: "goroutine 1 [running]".
func goThread(s string) string {
	r := strings.TrimPrefix(s, "goroutine ")
	n, _, ok := leadNumber(r)
	i := strings.IndexByte(r, '[')
	if !ok || i < 0 {
		return "goroutine"
	}
	state, _, _ := strings.Cut(strings.TrimSuffix(r[i+1:], "]:"), ",")
	return "goroutine " + strconv.Itoa(n) + " [" + state + "]"
}

// goSignal is the name in "SIGQUIT: quit", the line a signal begins a dump with.
func goSignal(l string) string {
	name, rest, ok := strings.Cut(l, ": ")
	if !ok || !strings.HasPrefix(name, "SIG") || len(name) > 9 || rest == "" {
		return ""
	}
	for i := range len(name) {
		if name[i] < 'A' || name[i] > 'Z' {
			return ""
		}
	}
	return name
}

// goIdle: the header of goroutine 0, which runs the scheduler and not the program.
func goIdle(s string) bool {
	return strings.HasPrefix(s, "goroutine 0 ") && strings.HasSuffix(s, "]:")
}

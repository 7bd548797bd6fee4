package stack

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

func appleEvidence(l string) int {
	switch {
	case strings.HasPrefix(l, "Exception Type:  "), strings.HasPrefix(l, "Exception Type: EXC_"):
		return private
	case strings.HasPrefix(l, "Incident Identifier:"), strings.HasPrefix(l, "Crashed Thread:"):
		return private
	case strings.HasPrefix(l, "Thread ") && strings.Contains(l, " Crashed:"):
		return private
	}
	return 0
}

// parseApple reads the plain text of Apple's crash reporter: what happened, the
// thread that crashed, versions, and the binaries of its frames. Not the paths of
// the process, its parents and user, nor registers and other threads.
func parseApple(t *tree, lines []string) (*node, string) {
	var a appleParts
	var frames frameList
	thread, threads, in, images, asi := "", 0, false, false, false
	byName := map[string]eco.DebugImage{}
	for _, l := range lines {
		s := strings.TrimSpace(l)
		switch {
		case strings.HasPrefix(l, "Thread ") && strings.Contains(l, ":"):
			asi, in = false, false
			if name, _, crashed := strings.Cut(l, " Crashed:"); crashed && frames.len() == 0 {
				in, thread = true, name
			} else if strings.HasSuffix(s, ":") || strings.Contains(l, "::") {
				threads++
			}
			continue
		case strings.HasPrefix(l, "Binary Images:"):
			in, images = false, true
			continue
		case s == "":
			in, asi = false, false
			continue
		}
		switch {
		case in:
			if f, ok := appleFrame(s); ok {
				frames.add(f)
			}
		case images:
			if img, ok := appleImage(s); ok && len(byName) < 2000 {
				byName[imageKey(img.CodeFile)] = img
			}
		case asi:
			a.said(s)
		default:
			if s == "Application Specific Information:" {
				asi = true
				continue
			}
			key, value, ok := strings.Cut(l, ":")
			if !ok {
				continue
			}
			value = strings.TrimSpace(value)
			switch key {
			case "Exception Type":
				a.typ, a.signal, _ = strings.Cut(value, " (")
				a.signal = strings.TrimSuffix(a.signal, ")")
			case "Exception Codes", "Exception Subtype":
				if a.subtype == "" {
					a.subtype = value
				}
			case "Termination Reason":
				a.reason = value
			case "Code Type":
				t.tr.Origin.Arch = archName(strings.ToLower(value))
			case "OS Version":
				name, rest, _ := strings.Cut(value, " ")
				t.tr.Origin.OS = osName(name)
				t.tr.Origin.OSVersion, _, _ = strings.Cut(strings.TrimPrefix(rest, "OS X "), " (")
			case "VM Region Info":
				a.guard = strings.Contains(strings.ToUpper(value), "STACK GUARD")
			}
		}
	}
	if a.typ == "" && frames.len() == 0 {
		return nil, ""
	}
	for i := range frames.list {
		f := &frames.list[i]
		if img, ok := byName[f.Package]; ok {
			if f.Package = img.CodeFile; len(t.tr.Images) < 32 && img.DebugID != "" {
				t.tr.Images = appendImage(t.tr.Images, img)
			}
		}
	}
	t.tag("threads", countText(threads+1, threads > 0))
	n := a.node(t)
	n.frames = frames
	return n, thread
}

// appleParts is what both forms say of the crash.
type appleParts struct {
	typ, signal     string // EXC_BAD_ACCESS, SIGSEGV
	subtype, reason string
	info            string // what the program or a library said last
	guard           bool   // the address lay in the guard page of a stack
}

// said keeps the line of a program or library that tells most: not that the loader
// has two modes, nor that abort was called when somebody says why.
func (a *appleParts) said(s string) {
	if strings.HasPrefix(s, "dyld") || a.info != "" && a.info != "abort() called" {
		return
	}
	a.info = eco.Clean(s, MaxValue)
}

// node makes the exception: its type, what is said of it, and whether it is a
// hang, spent memory or a spent stack in the system's own words.
func (a *appleParts) node(t *tree) *node {
	t.tr.Level = "fatal"
	typ := a.typ
	if typ == "" {
		typ = "Crash"
	}
	value := a.info
	if value == "" {
		value = a.subtype
	}
	if value == "" || strings.EqualFold(value, "0x0000000000000000, 0x0000000000000000") {
		value = a.reason
	}
	n := t.add(typ, value)
	n.ex.Mechanism = a.signal
	low := strings.ToLower(a.reason + " " + a.subtype)
	switch {
	case a.guard:
		n.ex.Mechanism = "stack_overflow"
	case strings.Contains(low, "8badf00d"), strings.Contains(low, "watchdog"), a.typ == "EXC_RESOURCE" && strings.Contains(low, "cpu"):
		n.ex.Mechanism = "hang"
	case a.typ == "EXC_RESOURCE" && strings.Contains(low, "memory"), strings.Contains(low, "jettisoned"):
		n.ex.Mechanism = "oom"
	}
	return n
}

// appleFrame reads "3  com.acme.app  0x0000000104f3c0a4 main + 36 (main.m:9)".
func appleFrame(s string) (f eco.Frame, ok bool) {
	_, rest, ok := leadNumber(s)
	if !ok || rest == "" || rest[0] != ' ' && rest[0] != '\t' {
		return f, false
	}
	rest = strings.TrimLeft(rest, " \t")
	at := strings.Index(rest, "0x")
	if at <= 0 {
		return f, false
	}
	f.Package = strings.TrimSpace(rest[:at])
	f.Addr, rest, _ = strings.Cut(rest[at:], " ")
	rest = strings.TrimSpace(rest)
	if i := strings.LastIndex(rest, " ("); i > 0 && strings.HasSuffix(rest, ")") {
		if file, line, _ := place(rest[i+2 : len(rest)-1]); line > 0 {
			f.File, f.Line = file, line
			rest = rest[:i]
		}
	}
	if i := strings.LastIndex(rest, " + "); i >= 0 {
		if _, ok := number(rest[i+3:]); ok {
			rest = rest[:i]
		}
	}
	if !strings.HasPrefix(rest, "0x") {
		f.Function = rest
	}
	return f, true
}

// appleImage reads "0x104f38000 - 0x104f3ffff +com.acme.app (1.0 - 1) <UUID> /path".
func appleImage(s string) (img eco.DebugImage, ok bool) {
	i, j := strings.IndexByte(s, '<'), strings.IndexByte(s, '>')
	if !strings.HasPrefix(s, "0x") || i < 0 || j < i {
		return img, false
	}
	path := strings.TrimSpace(s[j+1:])
	if path == "" {
		return img, false
	}
	return eco.DebugImage{Type: "macho", CodeFile: path, DebugID: uuidText(s[i+1 : j])}, true
}

// imageKey is a binary's name in the lines of frames.
func imageKey(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// uuidText is a UUID of 32 digits, lower case with dashes; "" when it is none.
func uuidText(s string) string {
	s = strings.ToLower(strings.ReplaceAll(s, "-", ""))
	if len(s) != 32 || !isHex(s) {
		return ""
	}
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

func appendImage(list []eco.DebugImage, img eco.DebugImage) []eco.DebugImage {
	for i := range list {
		if list[i] == img {
			return list
		}
	}
	return append(list, img)
}

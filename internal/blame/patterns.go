package blame

import (
	_ "embed"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

//go:embed rules/paths.txt
var pathRules string

//go:embed rules/places.txt
var placeRules string

//go:embed rules/gostd.txt
var goRules string

//go:embed rules/prefixes.txt
var prefixRules string

// maxSegments bounds how much of a path is read; deeper segments are ignored.
const maxSegments = 48

type segKind uint8

const (
	segLiteral segKind = iota
	segAny
	segID      // {publisher}.{name}-{version}
	segLocal   // {local}
	segUUID    // {uuid}
	segTrailer // a literal behind the extension's folder
)

type seg struct {
	kind segKind
	text string // lower case
}

// pattern is one compiled path rule. anchor is the literal it is looked up by.
type pattern struct {
	kind   string // of host, or the host's own name
	segs   []seg
	anchor int    // index of the last literal before the capture
	inline string // "plugin:" of a pattern like plugin:{local}
}

func compilePattern(kind, text string) (*pattern, error) {
	bad := func(why string) error {
		return fault.E("blame.pattern", fault.Invalid, "The path pattern is not valid: "+why, nil)
	}
	text = strings.ToLower(strings.TrimSpace(text))
	if text == "" || len(text) > 256 {
		return nil, bad("it is empty or longer than 256 characters.")
	}
	p := &pattern{kind: kind, anchor: -1}
	if pre, ok := strings.CutSuffix(text, ":{local}"); ok && !strings.ContainsAny(pre, "/{}*") && pre != "" {
		p.inline = pre + ":"
		return p, nil
	}
	captured := -1
	for s := range strings.SplitSeq(strings.Trim(text, "/"), "/") {
		switch {
		case s == "":
			continue // "//" of a scheme: a path is split the same way
		case s == "*":
			p.segs = append(p.segs, seg{kind: segAny})
			continue
		case s == "{publisher}.{name}-{version}":
			p.segs = append(p.segs, seg{kind: segID})
		case s == "{local}":
			p.segs = append(p.segs, seg{kind: segLocal})
		case s == "{uuid}":
			p.segs = append(p.segs, seg{kind: segUUID})
		case strings.ContainsAny(s, "{}*"):
			return nil, bad("a segment is a word, *, {publisher}.{name}-{version}, {local} or {uuid}.")
		default:
			if captured < 0 {
				p.anchor = len(p.segs)
			}
			p.segs = append(p.segs, seg{text: s})
			continue
		}
		if captured >= 0 {
			return nil, bad("it names the extension twice.")
		}
		captured = len(p.segs) - 1
	}
	if captured < 0 || p.anchor < 0 {
		return nil, bad("it needs a word before the segment that names the extension.")
	}
	for i := captured + 1; i < len(p.segs); i++ {
		if p.segs[i].kind != segLiteral {
			return nil, bad("only words may stand behind the extension's folder.")
		}
		p.segs[i].kind = segTrailer
	}
	return p, nil
}

// found is what a path says.
type found struct {
	id      eco.ExtensionID // when the path holds the full id
	local   string          // when it holds the host's own id; lower case
	version string
	uuid    bool
	end     int    // index of the first segment behind the extension's folder
	kind    string // of the rule
}

// match tries the pattern with its anchor at segment i.
func (p *pattern) match(segs []string, i int, f *found) bool {
	start := i - p.anchor
	if start < 0 || start+len(p.segs) > len(segs) {
		return false
	}
	for k, s := range p.segs {
		in := segs[start+k]
		switch s.kind {
		case segLiteral, segTrailer:
			if !strings.EqualFold(in, s.text) {
				return false
			}
		case segID:
			id, version, ok := cutVersion(in)
			if !ok {
				return false
			}
			f.id, f.version, f.end = id, version, start+k+1
		case segLocal, segUUID:
			if in == "" || len(in) > 128 {
				return false
			}
			f.local, f.uuid, f.end = strings.ToLower(in), s.kind == segUUID, start+k+1
		}
	}
	// A folder holds files: a path that ends with the captured segment is no match
	// unless that segment is the whole extension, a module file.
	if f.end == len(segs) && f.local != "" {
		f.local, _, _ = strings.Cut(f.local, ".")
	}
	f.kind = p.kind
	return true
}

// cutVersion splits "publisher.name-1.2.3" at the first dash that a dotted number
// follows: names and pre-releases may hold dashes and digits of their own.
func cutVersion(s string) (eco.ExtensionID, string, bool) {
	for i := 1; i < len(s)-2; i++ {
		if s[i] == '-' && dotted(s[i+1:]) {
			id, err := eco.ParseExtensionID(s[:i])
			return id, s[i+1:], err == nil
		}
	}
	return "", "", false
}

// dotted reports whether s begins like a version: digits, a dot, a digit.
func dotted(s string) bool {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i > 0 && i+1 < len(s) && s[i] == '.' && s[i+1] >= '0' && s[i+1] <= '9'
}

// split cuts a path at both separators into at most maxSegments parts; empty
// parts are dropped, so that "chrome-extension://id/x" is three segments.
func split(path string, into []string) []string {
	into = into[:0]
	start := 0
	for i := 0; i <= len(path) && len(into) < maxSegments; i++ {
		if i == len(path) || path[i] == '/' || path[i] == '\\' {
			if i > start {
				into = append(into, path[start:i])
			}
			start = i + 1
		}
	}
	return into
}

// lines yields the fields of each line of a rule file that is not a comment.
func lines(text string) func(func([]string) bool) {
	return func(yield func([]string) bool) {
		for l := range strings.Lines(text) {
			l = strings.TrimSpace(l)
			if l == "" || l[0] == '#' {
				continue
			}
			if !yield(strings.Fields(l)) {
				return
			}
		}
	}
}

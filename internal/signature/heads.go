package signature

import (
	_ "embed"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

//go:embed rules/heads.txt
var headRules string

//go:embed rules/messages.txt
var messageRules string

//go:embed rules/plumbing.txt
var plumbingRules string

// A head is a kind of crash whose key is not a place in the code.
type head string

const (
	headOOM      head = "oom"
	headOverflow head = "overflow"
	headHang     head = "hang"
	headChunk    head = "chunk"
	headLinkage  head = "linkage"
	headNone     head = ""
)

var headOrder = [...]head{headOOM, headOverflow, headHang, headChunk, headLinkage}

// rules is the parsed data; built once, never changed.
type rules struct {
	types      map[string]head
	mechanisms map[string]head
	messages   []messageRule
	canonical  []canonical
	plumbing   map[string][]string // module prefix -> functions; nil = any
}

type messageRule struct {
	head head
	text string
	how  string // is, has, starts
}

func (m *messageRule) matches(message string) bool {
	switch m.how {
	case "is":
		return message == m.text
	case "starts":
		return strings.HasPrefix(message, m.text)
	}
	return strings.Contains(message, m.text)
}

// canonical is the one template of many messages.
type canonical struct{ text, template string }

var table = parseRules(headRules, plumbingRules, messageRules)

func parseRules(heads, plumbing, messages string) *rules {
	r := &rules{types: map[string]head{}, mechanisms: map[string]head{}, plumbing: map[string][]string{}}
	for l := range strings.Lines(heads) {
		f := strings.Fields(l)
		if len(f) < 4 || f[0][0] == '#' {
			continue
		}
		h, text := head(f[0]), strings.Join(f[3:], " ")
		switch f[1] {
		case "type":
			r.types[text] = h
		case "mechanism":
			r.mechanisms[text] = h
		case "message":
			r.messages = append(r.messages, messageRule{h, text, f[2]})
		}
	}
	for l := range strings.Lines(messages) {
		text, template, ok := strings.Cut(l, "->")
		if text = strings.TrimSpace(text); ok && text != "" && text[0] != '#' {
			r.canonical = append(r.canonical, canonical{text, strings.TrimSpace(template)})
		}
	}
	for l := range strings.Lines(plumbing) {
		f := strings.Fields(l)
		if len(f) != 2 || f[0][0] == '#' {
			continue
		}
		if f[1] == "*" {
			r.plumbing[f[0]] = nil
		} else if old, ok := r.plumbing[f[0]]; !ok || old != nil {
			r.plumbing[f[0]] = append(old, f[1])
		}
	}
	return r
}

// lastPart is the name behind the last dot, colon or dollar of a type.
func lastPart(s string) string {
	if i := strings.LastIndexAny(s, ".:$"); i >= 0 && i < len(s)-1 {
		return s[i+1:]
	}
	return s
}

// IsLinkage reports whether a type of exception says that a class, method or module
// is missing.
func IsLinkage(typ string) bool { return table.types[lastPart(typ)] == headLinkage }

// headOf finds the special head of an exception, and the rule that said so.
func (r *rules) headOf(typ, message, mechanism string) (head, string) {
	var hits [len(headOrder)]string
	found := false
	note := func(h head, rule string) {
		for i, o := range headOrder {
			if o == h && hits[i] == "" {
				hits[i], found = rule, true
			}
		}
	}
	if h, ok := r.types[lastPart(typ)]; ok {
		note(h, "type "+lastPart(typ))
	} else if h, ok := r.types[typ]; ok {
		note(h, "type "+typ)
	}
	if h, ok := r.mechanisms[mechanism]; ok && mechanism != "" {
		note(h, "mechanism "+mechanism)
	}
	if len(message) > maxMessage {
		message = message[:maxMessage]
	}
	if message != "" {
		for _, m := range r.messages {
			if m.matches(message) {
				note(m.head, "message "+m.text)
			}
		}
	}
	if found {
		for i, o := range headOrder {
			if hits[i] != "" {
				return o, hits[i]
			}
		}
	}
	return headNone, ""
}

// isPlumbing reports whether a frame only carries a call.
func (r *rules) isPlumbing(module, fn string) bool {
	m := module
	if i := strings.LastIndexByte(m, '/'); i >= 0 {
		m = m[i+1:]
	}
	for m != "" {
		e := len(m)
		for e > 0 && m[e-1] >= '0' && m[e-1] <= '9' {
			e--
		}
		if fns, ok := r.plumbing[m[:e]]; ok {
			if fns == nil {
				return true
			}
			if m == module {
				for _, f := range fns {
					if f == fn {
						return true
					}
				}
			}
			return false
		}
		i := strings.LastIndexByte(m, '.')
		if i < 0 {
			return strings.HasPrefix(m, "$Proxy")
		}
		m = m[:i]
	}
	return false
}

// member is what a linkage error misses, in one spelling: classes with dots,
// without parameters, quotes and versions of the class loader.
func member(c *eco.Crash, e *eco.Exception) string {
	typ, msg := lastPart(e.Type), e.Value
	if i := strings.IndexByte(msg, '\n'); i >= 0 {
		msg = msg[:i]
	}
	const cannotInit = "Could not initialize class "
	switch {
	case strings.HasPrefix(msg, cannotInit):
		return "initialiser " + jvmClass(firstWord(msg[len(cannotInit):]))
	case typ == "ExceptionInInitializerError":
		if class := initialised(c); class != "" {
			return "initialiser " + jvmClass(class)
		}
		return "initialiser"
	case typ == "NoClassDefFoundError", typ == "ClassNotFoundException", typ == "TypeLoadException":
		w := strings.ReplaceAll(strings.Trim(firstWord(msg), "'\""), "/", ".")
		return "class " + jvmClass(strings.TrimPrefix(w, "L"))
	case typ == "NoSuchMethodError", typ == "AbstractMethodError", typ == "NoSuchFieldError":
		if m := resolved(msg); m != "" {
			return m
		}
	}
	if i := strings.IndexAny(msg, `'"`); i >= 0 {
		if j := strings.IndexByte(msg[i+1:], msg[i]); j > 0 {
			return "module " + dropHashes(msg[i+1:i+1+j])
		}
	}
	return Template(msg)
}

// initialised is the class whose static initialiser failed.
func initialised(c *eco.Crash) string {
	for i := range c.Exceptions {
		for j := range c.Exceptions[i].Frames {
			if c.Exceptions[i].Frames[j].Function == "<clinit>" {
				return c.Exceptions[i].Frames[j].Module
			}
		}
	}
	return ""
}

// resolved reads the method out of the JVM's sentence: 'ret pkg.Class.name(args)'.
func resolved(msg string) string {
	i := strings.IndexByte(msg, '(')
	if i < 0 {
		if i = strings.IndexAny(msg, " \n"); i < 0 {
			i = len(msg)
		}
	}
	head := strings.TrimRight(msg[:i], "'\" ")
	if j := strings.LastIndexAny(head, " '\""); j >= 0 {
		head = head[j+1:]
	}
	if strings.IndexByte(head, '.') < 0 {
		// AbstractMethodError: "Receiver class X does not define … method 'ret name(args)' of interface Y."
		owner := ""
		for _, mark := range [...]string{" of interface ", " of abstract class ", " of class "} {
			if k := strings.Index(msg, mark); k >= 0 {
				owner = strings.TrimRight(firstWord(msg[k+len(mark):]), ".")
				break
			}
		}
		if k := strings.Index(msg, "method '"); k >= 0 {
			m := msg[k+len("method '"):]
			if p := strings.IndexByte(m, '('); p >= 0 {
				m = m[:p]
			}
			if p := strings.LastIndexByte(m, ' '); p >= 0 {
				m = m[p+1:]
			}
			head = m
		}
		if owner != "" {
			head = owner + "." + head
		}
	}
	return strings.ReplaceAll(head, "/", ".")
}

func firstWord(s string) string {
	if i := strings.IndexAny(s, " \t,;:"); i >= 0 {
		s = s[:i]
	}
	return s
}

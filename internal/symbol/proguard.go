package symbol

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Bounds of a ProGuard or R8 mapping: a class takes about 150 bytes of memory, a
// method 64, whatever the file says.
const (
	maxClasses    = 500_000
	maxMethods    = 2_000_000
	maxCandidates = 8  // answers to one ambiguous line
	maxInlineJVM  = 64 // frames of one answer
)

// Mapping is a parsed ProGuard or R8 mapping.txt.
type Mapping struct {
	ID string // pg_map_id of R8, "" when not given

	classes map[string]*jvmClassMap
	methods int
	text    int
}

type jvmClassMap struct {
	name    string
	file    string // from R8's sourceFile comment
	methods []jvmMethodMap
}

type jvmMethodMap struct {
	short       string // the obfuscated name
	class, name string // class "": that of the section
	from, to    uint32 // obfuscated lines; 0: any
	oFrom, oTo  uint32 // original lines; oTo 0: only oFrom was given
}

// Call is one original frame.
type Call struct {
	Class, Method, File string
	Line                int
}

// ParseMapping reads a mapping. Lines it does not know are skipped; a text without
// one class is none.
func ParseMapping(data []byte) (*Mapping, error) {
	if len(data) > MaxFile {
		return nil, tooLarge("A mapping has at most 64 MB.")
	}
	m := &Mapping{classes: map[string]*jvmClassMap{}, text: len(data)}
	var class *jvmClassMap
	for rest := string(data); rest != ""; {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		line = strings.TrimSuffix(line, "\r")
		body := strings.TrimLeft(line, " \t")
		switch {
		case body == "":
		case body[0] == '#':
			m.comment(class, body)
		case len(body) == len(line):
			from, to, ok := strings.Cut(line, " -> ")
			to, colon := strings.CutSuffix(strings.TrimSpace(to), ":")
			if class = nil; !ok || !colon || !className(from) || !className(to) {
				continue
			}
			if len(m.classes) >= maxClasses {
				return nil, tooLarge("A mapping has at most 500,000 classes.")
			}
			class = &jvmClassMap{name: from}
			m.classes[to] = class
		case class != nil:
			if x, ok := method(body); ok {
				if m.methods++; m.methods > maxMethods {
					return nil, tooLarge("A mapping has at most 2 million methods.")
				}
				class.methods = append(class.methods, x)
			}
		}
	}
	if len(m.classes) == 0 {
		return nil, invalid("This is no ProGuard or R8 mapping: it names no class.", nil)
	}
	for _, c := range m.classes {
		c.methods = slices.Clip(c.methods)
		slices.SortStableFunc(c.methods, func(a, b jvmMethodMap) int { return cmp.Compare(a.short, b.short) })
	}
	return m, nil
}

func className(s string) bool {
	return s != "" && len(s) <= maxName && !strings.ContainsAny(s, " \t():,\"{}")
}

// comment reads what R8 says in comments: the id of the mapping, and the source
// file of a class. Others ("synthesized", "residualsignature", "rewriteFrame") say
// nothing that a trace needs here.
func (m *Mapping) comment(class *jvmClassMap, s string) {
	s = strings.TrimSpace(s[1:])
	if id, ok := strings.CutPrefix(s, "pg_map_id:"); ok && m.ID == "" {
		m.ID = clip(strings.TrimSpace(id))
	}
	if class == nil || len(s) > 1024 || !strings.HasPrefix(s, "{") || !strings.Contains(s, "sourceFile") {
		return
	}
	var v struct {
		ID       string `json:"id"`
		FileName string `json:"fileName"`
	}
	if json.Unmarshal([]byte(s), &v) == nil && v.ID == "sourceFile" {
		class.file = clip(v.FileName)
	}
}

// method reads "[from:to:]type name(types)[:from[:to]] -> short". Fields, which have no
// parenthesis, are not kept.
func method(s string) (x jvmMethodMap, ok bool) {
	left, short, ok := strings.Cut(s, " -> ")
	if !ok || short == "" || len(short) > maxName {
		return x, false
	}
	x.short = strings.TrimSpace(short)
	if a, rest, ok := number(left); ok {
		b, rest, ok := number(rest)
		if !ok {
			return x, false
		}
		x.from, x.to, left = a, b, rest
	}
	open, end := strings.IndexByte(left, '('), strings.LastIndexByte(left, ')')
	if open < 0 || end < open {
		return x, false
	}
	name := left[:open]
	if i := strings.LastIndexByte(name, ' '); i >= 0 {
		name = name[i+1:]
	} else {
		return x, false
	}
	if name == "" || len(name) > maxName {
		return x, false
	}
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		x.class, name = name[:i], name[i+1:]
	}
	x.name = name
	if lines, ok := strings.CutPrefix(left[end+1:], ":"); ok {
		a, b, _ := strings.Cut(lines, ":")
		x.oFrom, _ = dec32(a)
		x.oTo, _ = dec32(b)
	}
	return x, true
}

// number cuts "12:" off.
func number(s string) (uint32, string, bool) {
	a, rest, ok := strings.Cut(s, ":")
	if !ok || a == "" || a[0] < '0' || a[0] > '9' {
		return 0, s, false
	}
	n, err := strconv.ParseUint(a, 10, 32)
	return uint32(n), rest, err == nil
}

// Class returns the original name of a class.
func (m *Mapping) Class(short string) (string, bool) {
	c, ok := m.classes[short]
	if !ok {
		return "", false
	}
	return c.name, true
}

// Retrace returns what a frame may have been: one answer when the line says which,
// several when it does not. Each answer is a list of calls, innermost first (a
// method that was inlined, then its caller). ok is false when the class or the
// method is not in the mapping.
func (m *Mapping) Retrace(class, name string, line int) (answers [][]Call, ok bool) {
	c := m.classes[class]
	if c == nil {
		return nil, false
	}
	from, _ := slices.BinarySearchFunc(c.methods, name, func(x jvmMethodMap, n string) int { return cmp.Compare(x.short, n) })
	to := from
	for to < len(c.methods) && c.methods[to].short == name {
		to++
	}
	run := c.methods[from:to]
	answers = c.groups(run, func(x *jvmMethodMap) bool {
		return line > 0 && x.to > 0 && uint32(line) >= x.from && uint32(line) <= x.to
	}, line, false)
	if len(answers) == 0 {
		answers = c.groups(run, func(x *jvmMethodMap) bool { return x.to == 0 }, line, true)
	}
	if len(answers) == 0 { // the line is none of these, or there is none: every method of the name
		answers = c.groups(run, func(*jvmMethodMap) bool { return true }, 0, true)
	}
	return answers, len(answers) > 0
}

// groups gathers neighbours of one range into calls inlined into each other; with
// single set, each method stands alone (for a range, the outermost one: it is the
// one that is still there). Equal answers count once.
func (c *jvmClassMap) groups(run []jvmMethodMap, want func(*jvmMethodMap) bool, line int, single bool) (out [][]Call) {
	for i := 0; i < len(run) && len(out) < maxCandidates; {
		j := i + 1
		for j < len(run) && run[i].to > 0 && run[j].from == run[i].from && run[j].to == run[i].to {
			j++
		}
		group := run[i:j]
		i = j
		if !want(&group[0]) {
			continue
		}
		if single {
			group = group[len(group)-1:]
		}
		var calls []Call
		for k := range group {
			if len(calls) < maxInlineJVM {
				calls = append(calls, c.call(&group[k], line))
			}
		}
		if !slices.ContainsFunc(out, func(have []Call) bool { return slices.Equal(have, calls) }) {
			out = append(out, calls)
		}
	}
	return out
}

func (c *jvmClassMap) call(x *jvmMethodMap, line int) Call {
	k := Call{Class: x.class, Method: x.name, File: c.file}
	if k.Class == "" {
		k.Class = c.name
	}
	if k.File == "" || x.class != "" {
		k.File = sourceOf(k.Class)
	}
	switch {
	case line <= 0:
	case x.oFrom == 0: // lines were kept as they are, or nothing is known
		if x.to == 0 {
			k.Line = line
		}
	case x.oTo == 0 || x.oTo <= x.oFrom || x.to == 0:
		k.Line = int(x.oFrom)
	default:
		k.Line = int(min(uint64(x.oFrom)+uint64(line)-uint64(x.from), uint64(x.oTo)))
	}
	return k
}

// sourceOf guesses the file of a class as its compiler would have named it.
func sourceOf(class string) string {
	base := class[strings.LastIndexByte(class, '.')+1:]
	if i := strings.IndexByte(base, '$'); i > 0 {
		base = base[:i]
	}
	if name, ok := strings.CutSuffix(base, "Kt"); ok && name != "" {
		return name + ".kt"
	}
	return base + ".java"
}

// Methods is the number of methods.
func (m *Mapping) Methods() int { return m.methods }

// Size is about how many bytes of memory the mapping takes.
func (m *Mapping) Size() int64 {
	return int64(m.text) + int64(m.methods)*64 + int64(len(m.classes))*160
}

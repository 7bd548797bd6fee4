// Package query is the language of the search box for crashes: words, quoted
// phrases and conditions such as
//
//	extension:acme.todo release:>=1.4 is:regressed !os:linux "cannot read"
//
// All terms of a query hold at once. A condition is a key, a colon and a value;
// [a, b] is a list of which one holds, * stands for any text, >, >=, < and <=
// compare, and ! (or -) before a term means that it does not hold. The package
// reads text into terms, says what is wrong with it and where, and completes what
// is being typed. It knows no store: package crash asks the questions.
package query

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds of a query.
const (
	MaxBytes  = 400 // of its text
	MaxTerms  = 24
	MaxValues = 20  // of one list
	MaxValue  = 200 // bytes of one value
)

// Op is how a term compares.
type Op string

const (
	Is   Op = "" // one of the values; a value may hold *
	Gt   Op = ">"
	GtEq Op = ">="
	Lt   Op = "<"
	LtEq Op = "<="
)

// Term is one condition. A term without a key is words that a crash's title,
// message or frames hold.
type Term struct {
	Key    string
	Op     Op
	Values []string // at least one; exactly one beside an Op that compares, and in a term without a key
	Not    bool
	Phrase bool // the words stood in quotes: they follow one another
	At     int  // where the term begins in the text, in bytes
}

// Query is a text that was understood.
type Query []Term

// Error says what is wrong with a query, and where.
type Error struct {
	At   int // byte of the text
	Text string
}

func (e *Error) Error() string { return fmt.Sprintf("%s (at character %d)", e.Text, e.At+1) }

func wrong(at int, format string, args ...any) error {
	return &Error{At: at, Text: fmt.Sprintf(format, args...)}
}

// Parse reads a query. Its error is an *Error.
func Parse(text string) (Query, error) {
	if len(text) > MaxBytes {
		return nil, wrong(MaxBytes, "A search has at most %d characters", MaxBytes)
	}
	if !utf8.ValidString(text) {
		return nil, wrong(0, "This is not text")
	}
	p := parser{text: text}
	var q Query
	for p.space(); p.at < len(text); p.space() {
		if len(q) == MaxTerms {
			return nil, wrong(p.at, "A search has at most %d terms", MaxTerms)
		}
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		if err := check(&t); err != nil {
			return nil, err
		}
		q = append(q, t)
	}
	return q, nil
}

type parser struct {
	text string
	at   int
}

func (p *parser) space() {
	for p.at < len(p.text) && isSpace(p.text[p.at]) {
		p.at++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// term reads one term; the text is not at its end.
func (p *parser) term() (Term, error) {
	t := Term{At: p.at}
	if c := p.text[p.at]; (c == '!' || c == '-') && p.at+1 < len(p.text) && !isSpace(p.text[p.at+1]) {
		t.Not = true
		p.at++
	}
	switch p.text[p.at] {
	case '(', ')':
		return t, wrong(p.at, "Brackets are not known here: all terms of a search hold at once; for one of several values write key:[a, b]")
	case '"':
		v, err := p.quoted()
		t.Values, t.Phrase = []string{v}, true
		return t, err
	}
	if key, ok := p.key(); ok {
		t.Key = key
		return t, p.values(&t)
	}
	word := p.until(func(c byte) bool { return isSpace(c) || c == '"' })
	switch word {
	case "OR", "AND", "NOT":
		return t, wrong(t.At, "%s is not known here: all terms of a search hold at once, ! before a term means that it does not, and key:[a, b] is one of several values", word)
	}
	t.Values = []string{word}
	return t, nil
}

// key reads a key with its colon. A word with a colon that is no key of ours
// (TypeError:, node:fs, a URL, Foo::bar) is a word, unless it looks like a slip of
// the pen, which check then names.
func (p *parser) key() (string, bool) {
	rest := p.text[p.at:]
	n := strings.IndexByte(rest, ':')
	if n <= 0 || n > 20 {
		return "", false
	}
	name := rest[:n]
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_' && c != '.' {
			return "", false
		}
	}
	if after := rest[n+1:]; strings.HasPrefix(after, ":") || strings.HasPrefix(after, "//") || strings.HasPrefix(after, "\\") {
		return "", false
	}
	name = strings.ToLower(name)
	k, ok := KeyOf(name)
	if ok {
		name = k.Name
	} else if filters[name] == "" && nearest(name) == "" {
		return "", false
	}
	p.at += n + 1
	return name, true
}

// values reads what stands behind a colon.
func (p *parser) values(t *Term) error {
	for _, op := range []Op{GtEq, LtEq, Gt, Lt} {
		if strings.HasPrefix(p.text[p.at:], string(op)) {
			t.Op = op
			p.at += len(op)
			break
		}
	}
	if p.at >= len(p.text) || isSpace(p.text[p.at]) {
		return wrong(p.at, "%s: wants a value", t.Key)
	}
	if p.text[p.at] != '[' {
		v, err := p.value(func(c byte) bool { return isSpace(c) })
		t.Values = []string{v}
		return err
	}
	if t.Op != Is {
		return wrong(p.at, "%s takes one value, not a list", t.Op)
	}
	p.at++
	for {
		p.space()
		if p.at >= len(p.text) {
			return wrong(t.At, "The list of %s: has no end; write ] behind it", t.Key)
		}
		switch p.text[p.at] {
		case ']':
			p.at++
			if len(t.Values) == 0 {
				return wrong(t.At, "The list of %s: is empty", t.Key)
			}
			return nil
		case ',':
			p.at++
			continue
		}
		if len(t.Values) == MaxValues {
			return wrong(p.at, "A list has at most %d values", MaxValues)
		}
		v, err := p.value(func(c byte) bool { return isSpace(c) || c == ',' || c == ']' })
		if err != nil {
			return err
		}
		t.Values = append(t.Values, v)
	}
}

func (p *parser) value(end func(byte) bool) (string, error) {
	at := p.at
	if p.text[p.at] == '"' {
		return p.quoted()
	}
	v := p.until(end)
	if len(v) > MaxValue {
		return "", wrong(at, "A value has at most %d characters", MaxValue)
	}
	return v, nil
}

func (p *parser) until(end func(byte) bool) string {
	from := p.at
	for p.at < len(p.text) && !end(p.text[p.at]) {
		p.at++
	}
	return p.text[from:p.at]
}

// quoted reads text in quotes; \" and \\ stand for themselves. Quotes that are not
// closed reach to the end: one is perhaps still typing.
func (p *parser) quoted() (string, error) {
	from := p.at
	var b strings.Builder
scan:
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			break scan
		case c == '\\' && p.at+1 < len(p.text) && (p.text[p.at+1] == '"' || p.text[p.at+1] == '\\'):
			p.at++
			b.WriteByte(p.text[p.at])
		default:
			b.WriteByte(c)
		}
	}
	if b.Len() > MaxValue {
		return "", wrong(from, "A value has at most %d characters", MaxValue)
	}
	return b.String(), nil
}

// String writes the query; Parse reads the same from it.
func (q Query) String() string {
	var out []string
	for _, t := range q {
		out = append(out, t.String())
	}
	return strings.Join(out, " ")
}

func (t Term) String() string {
	var b strings.Builder
	if t.Not {
		b.WriteByte('!')
	}
	if t.Key == "" {
		if t.Phrase {
			return b.String() + quote(t.Values[0])
		}
		return b.String() + t.Values[0]
	}
	b.WriteString(t.Key + ":" + string(t.Op))
	if len(t.Values) == 1 {
		return b.String() + bare(t.Values[0])
	}
	var vs []string
	for _, v := range t.Values {
		vs = append(vs, bare(v))
	}
	return b.String() + "[" + strings.Join(vs, ", ") + "]"
}

func bare(v string) string {
	if v == "" || strings.ContainsAny(v, " \t\r\n,]\"") || strings.ContainsAny(v[:1], "[<>=") {
		return quote(v)
	}
	return v
}

func quote(v string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + `"`
}

// Words are the terms without a key that hold.
func (q Query) Words() (out []Term) {
	for _, t := range q {
		if t.Key == "" {
			out = append(out, t)
		}
	}
	return out
}

// Of returns the terms with a key.
func (q Query) Of(key string) (out []Term) {
	for _, t := range q {
		if t.Key == key {
			out = append(out, t)
		}
	}
	return out
}

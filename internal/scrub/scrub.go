// Package scrub takes out of text what must never reach a disk or a log:
// addresses, names, secrets. It is a set of versioned rules over strings and
// over the house's types; it keeps nothing and reports which rule fired where
// and how often, never what it took out. It is no proof of anonymity: free text
// may hold a name that no rule can know.
//
// Each rule is a scanner that moves forward only and looks back a bounded way,
// so that a text costs time in proportion to its length whatever is in it.
// What a rule takes out is replaced by a word in angle brackets; scrubbing a
// scrubbed text changes nothing.
package scrub

import "strings"

// Version names the rules in lineage and on the public page.
const Version = "scrub/1"

// Hit says that a rule fired in a string.
type Hit struct {
	Rule  string // id of the rule
	Count int
}

// Options adjusts the rules. The zero value is the house's rules.
type Options struct {
	SensitiveKeys []string // further field names whose values are always removed
}

// Rules is a compiled set of rules, safe for concurrent use.
type Rules struct {
	keys map[string]bool // the further names, folded
	memo *memo
}

// New compiles the rules.
func New(o Options) *Rules {
	r := &Rules{keys: map[string]bool{}, memo: newMemo()}
	for _, k := range o.SensitiveKeys {
		var buf [maxKey]byte
		r.keys[string(foldKey(buf[:0], k))] = true
	}
	return r
}

// mode narrows the rules for fields whose form is known.
type mode uint8

const (
	modeText    mode = iota // free text: every rule
	modeVersion             // a version: four numbers are no address
	modeName                // a function, a class, a type: code, no prose
	modePath                // of a file: every rule, and what is left may be remembered
)

// maxLayers is how many layers of escapes are looked through; what is wrapped
// deeper is replaced as a whole.
const maxLayers = 4

// Text returns s without what the rules take out, and which rules fired. A text
// that nothing fires on comes back as it is, without an allocation.
func (r *Rules) Text(s string) (string, []Hit) {
	var x scan
	x.rules = r
	out := x.text(s, modeText)
	return out, x.hitList()
}

// scan is one run over one text.
type scan struct {
	rules *Rules
	hits  [ruleCount]int32
	any   bool
	edits []edit
	work  int  // bytes looked at, for the test that time is linear
	inner bool // scanning what was inside base64
	code  bool // a name of code: what looks random may be made by a compiler
	block int  // end of the block of base64 that was looked at last
	tries int  // how often
}

// edit replaces s[from:to] by the token of a rule.
type edit struct {
	from, to int
	with     string
}

// hit notes an edit. Scanners move forward, so that edits come in order; where
// two touch the same bytes the first is made longer: nothing between may survive.
func (x *scan) hit(id ruleID, from, to int, with string) {
	if n := len(x.edits); n > 0 && from < x.edits[n-1].to {
		last := &x.edits[n-1]
		last.from, last.to = min(last.from, from), max(last.to, to)
		x.hits[id]++
		x.any = true
		for ; n > 1 && x.edits[n-2].to > x.edits[n-1].from; n-- {
			x.edits[n-2].to = max(x.edits[n-2].to, x.edits[n-1].to)
			x.edits[n-2].from = min(x.edits[n-2].from, x.edits[n-1].from)
			x.edits = x.edits[:n-1]
		}
		return
	}
	x.edits = append(x.edits, edit{from, to, with})
	x.hits[id]++
	x.any = true
}

// flush applies the edits of one pass.
func (x *scan) flush(s string) string {
	if len(x.edits) == 0 {
		return s
	}
	n := len(s)
	for _, e := range x.edits {
		n += len(e.with) - (e.to - e.from)
	}
	var b strings.Builder
	b.Grow(n)
	at := 0
	for _, e := range x.edits {
		b.WriteString(s[at:e.from])
		b.WriteString(e.with)
		at = e.to
	}
	b.WriteString(s[at:])
	x.edits = x.edits[:0]
	x.work += len(s)
	return b.String()
}

func (x *scan) hitList() []Hit {
	if !x.any {
		return nil
	}
	var out []Hit
	for i, n := range x.hits {
		if n > 0 {
			out = append(out, Hit{Rule: rules[i].ID, Count: int(n)})
		}
	}
	return out
}

// maxRounds is how often a text is read again after something was taken out:
// what stands beside a replacement may read differently then. A text that is
// not quiet after that is replaced as a whole.
const maxRounds = 8

// text reads until nothing more is found. Most texts are read once.
func (x *scan) text(s string, m mode) string {
	for range maxRounds {
		before := x.total()
		s = x.round(s, m)
		if x.total() == before {
			return s
		}
	}
	x.hits[ruleEncoded]++
	return rules[ruleEncoded].Token
}

// round scrubs the text as it stands, then as it reads with its escapes undone.
// Where the second shows something more, the second is kept.
func (x *scan) round(s string, m mode) string {
	c := classify(s)
	x.work += len(s)
	if c.mask == 0 && c.run < 8 {
		return s
	}
	out := x.passes(s, c, m)
	if c.mask&hasEscape == 0 {
		return out
	}
	plain := out
	for layer := 0; ; layer++ {
		d := unescape(plain)
		x.work += len(plain)
		if d == plain {
			break
		}
		if layer == maxLayers {
			x.hits[ruleEncoded]++
			x.any = true
			return rules[ruleEncoded].Token // quiet from now on
		}
		plain = d
	}
	if plain == out {
		return out
	}
	before := x.total()
	if d := x.passes(plain, classify(plain), m); x.total() > before {
		return d
	}
	return out
}

func (x *scan) total() (n int32) {
	for _, h := range x.hits {
		n += h
	}
	return n
}

// passes runs the rules in the order in which they must see the text: secrets
// whole before their parts are taken for something else.
func (x *scan) passes(s string, c class, m mode) string {
	x.block, x.tries = 0, 0
	x.code = m == modeName
	mask := c.mask
	if m == modeName {
		return x.namePasses(s, c)
	}
	if mask&hasDash != 0 {
		s = x.pem(s)
	}
	if mask&hasSlash != 0 {
		s = x.userAgent(s)
	}
	if mask&(hasColon|hasEqual|hasAngle|hasDash|hasSpace|hasEscape|hasAt) != 0 {
		s = x.pairs(s, mask)
	}
	if mask&(hasSpace|hasDash|hasColon) != 0 || s[0] == '$' {
		s = x.phrases(s)
	}
	if mask&(hasColon|hasQuery) != 0 {
		s = x.urls(s)
	}
	if c.run >= 10 {
		s = x.tokens(s)
	}
	if mask&(hasAt|hasEqual) != 0 {
		s = x.emails(s)
	}
	if mask&(hasSlash|hasBack|hasTilde|hasColon|hasDash|hasEscape) != 0 {
		s = x.paths(s)
	}
	if mask&hasDigit != 0 {
		if mask&(hasColon|hasDash|hasDot) != 0 {
			s = x.hexPairs(s)
		}
		if mask&hasDot != 0 && m != modeVersion {
			s = x.ipv4(s)
		}
		s = x.numbers(s)
	}
	if mask&hasColon != 0 {
		s = x.ipv6(s)
	}
	if mask&(hasDot|hasDash) != 0 && m != modeVersion {
		s = x.hosts(s)
	}
	return s
}

// namePasses: what code names may hold by accident (a path in an eval'd name,
// an address in a generated class, a key).
func (x *scan) namePasses(s string, c class) string {
	if c.mask&hasColon != 0 {
		s = x.urls(s)
	}
	if c.run >= 10 {
		s = x.tokens(s)
	}
	if c.mask&hasAt != 0 {
		s = x.emails(s)
	}
	if c.mask&(hasSlash|hasBack) != 0 {
		s = x.paths(s)
	}
	if c.mask&hasDigit != 0 && c.mask&hasDot != 0 {
		s = x.ipv4(s)
	}
	return s
}

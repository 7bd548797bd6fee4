package family

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/signature"
)

// Describe reduces a classified, signed, blamed crash to what the index reads.
func Describe(c *eco.Crash, sig eco.Signature, b eco.Blame) Input { return describe(c, sig, b, &fam1) }

func describe(c *eco.Crash, sig eco.Signature, b eco.Blame, t *tuning) Input {
	in := Input{Signature: sig.Hash, Terms: make([]Term, 0, len(sig.Tokens)+4)}
	typ, msg := sig.Type, c.Message
	if r := signature.Root(c); r >= 0 && c.Exceptions[r].Value != "" {
		msg = c.Exceptions[r].Value
	}
	in.Block = c.Platform + "|" + string(b.Extension) + "|" + typ
	if b.Extension == "" {
		in.Block += "|" + library(sig.Tokens)
	}
	if signature.IsCondition(sig) {
		// A condition, not a place: its key says all.
		in.Block = c.Platform + "|" + string(b.Extension) + "|" + sig.Hash
		in.Terms = append(in.Terms, Term{Token: "KEY|" + sig.Key, Weight: 1, Extra: true})
		in.Sequence = in.hash()
		return in
	}
	if typ != "" {
		in.Terms = append(in.Terms, Term{Token: "EXC|" + typ, Weight: t.excWeight, Extra: true})
	}
	if tm := signature.Template(msg); tm != "" {
		w := t.msgWeight
		if len(sig.Tokens) > 0 && (sig.Tokens[0][0] == 'e' || sig.Tokens[0][0] == 'h' || sig.Tokens[0][0] == 'u') && !engineTypes[lastPart(typ)] {
			w *= t.author
		} else {
			w *= t.engine
		}
		in.Terms = append(in.Terms, Term{"MSG|" + typ + "|" + tm, w, true, codeNames(tm) >= t.names})
	}
	if t.top > 0 && !strings.Contains(sig.Key, "|~") {
		in.Terms = append(in.Terms, Term{Token: "SIG|" + sig.Hash, Weight: t.top, Extra: true})
	}
	bundle := oneFile(sig.Tokens)
	for _, tok := range sig.Tokens {
		w := t.unknown
		switch tok[0] {
		case 'e':
			w = 1
		case 'v':
			w = t.vendored
		case 'h':
			w = t.host
		case 'r':
			w = t.runtime
		}
		if i := strings.LastIndex(tok, "|~"); i > 0 {
			// A minified name means something within its own build only.
			in.Terms = append(in.Terms, Term{Token: string(b.Extension) + "@" + b.Version + tok[i:], Weight: w})
			if bundle {
				continue
			}
			tok = tok[:i+1]
		}
		if t.ownerPkg && tok[0] == 'e' {
			if i := strings.LastIndexByte(tok, '|'); i < len(tok)-1 {
				tok = "e|" + tok[i:]
			}
		}
		in.Terms = append(in.Terms, Term{Token: tok, Weight: w})
	}
	in.Sequence = in.hash()
	return in
}

// library is the package of the first vendored frame.
func library(tokens []string) string {
	for _, t := range tokens {
		if t[0] == 'v' {
			_, t, _ = strings.Cut(t, "|")
			t, _, _ = strings.Cut(t, "|")
			return t
		}
	}
	return ""
}

func (in *Input) hash() uint64 {
	h := signature.Hash64(in.Block)
	for i := range in.Terms {
		h = h*0x9e3779b97f4a7c15 ^ signature.Hash64(in.Terms[i].Token)
	}
	return h
}

var engineTypes = map[string]bool{"TypeError": true, "ReferenceError": true, "RangeError": true, "SyntaxError": true, "NullPointerException": true, "AttributeError": true, "KeyError": true, "IndexError": true, "NameError": true, "ZeroDivisionError": true, "ValueError": true, "IndexOutOfBoundsException": true, "ArrayIndexOutOfBoundsException": true, "ClassCastException": true, "ArithmeticException": true, "NumberFormatException": true, "UnboundLocalError": true, "NullReferenceException": true}

func lastPart(s string) string {
	if i := strings.LastIndexAny(s, ".:$"); i >= 0 && i < len(s)-1 {
		return s[i+1:]
	}
	return s
}

// oneFile reports whether all minified frames (two or more) lie in one file: a
// bundle, whose name says nothing about the place.
func oneFile(tokens []string) bool {
	file, n := "", 0
	for _, t := range tokens {
		i := strings.LastIndex(t, "|~")
		if i < 0 || t[0] != 'e' {
			continue
		}
		if n++; n > 1 && t[:i] != file {
			return false
		}
		file = t[:i]
	}
	return n > 1
}

// codeNames counts the quoted names of code in a message.
func codeNames(m string) int {
	n := 0
	for i := 0; i < len(m); i++ {
		if m[i] != '"' && m[i] != '\'' && m[i] != '`' {
			continue
		}
		j := strings.IndexByte(m[i+1:], m[i])
		if j < 0 {
			break
		}
		if j > 0 && m[i+1:i+1+j] != "<str>" {
			n++
		}
		i += j + 1
	}
	return n
}

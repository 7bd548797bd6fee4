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
	if typ != "" {
		in.Terms = append(in.Terms, Term{"EXC|" + typ, t.excWeight, true})
	}
	if tm := signature.Template(msg); tm != "" {
		in.Terms = append(in.Terms, Term{"MSG|" + typ + "|" + tm, t.msgWeight, true})
	}
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
			in.Terms = append(in.Terms, Term{string(b.Extension) + "@" + b.Version + tok[i:], w, false})
			tok = tok[:i+1]
		}
		in.Terms = append(in.Terms, Term{tok, w, false})
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

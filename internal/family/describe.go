package family

import (
	_ "embed"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/signature"
)

//go:embed rules/engine_types.txt
var engineRules string

// engineTypes are exceptions whose message the engine writes.
var engineTypes = func() map[string]bool {
	m := map[string]bool{}
	for l := range strings.Lines(engineRules) {
		if l = strings.TrimSpace(l); l != "" && l[0] != '#' {
			m[l] = true
		}
	}
	return m
}()

// Describe reduces a classified, signed, blamed crash to what the index reads.
//
// The block is the platform, the blamed extension and the exception's type; without
// blame the first library stands in. A crash with a special head (out of memory,
// linkage …) is described by its key alone: its frames say little. A name that a
// minifier made up counts within its own build only; in its place the file that a
// source map gave counts everywhere.
func Describe(c *eco.Crash, sig eco.Signature, b eco.Blame) Input { return describe(c, sig, b, &fam1) }

func describe(c *eco.Crash, sig eco.Signature, b eco.Blame, t *tuning) Input {
	in := Input{Signature: sig.Hash, Build: b.Version, Block: c.Platform + "|" + string(b.Extension) + "|"}
	if signature.IsCondition(sig) {
		in.Block += sig.Hash
		in.Terms = []Term{{Token: "KEY|" + sig.Key, Weight: 1, Extra: true}}
		in.Sequence = in.hash()
		return in
	}
	in.Block += sig.Type
	if b.Extension == "" {
		in.Block += "|" + library(sig.Tokens)
	}
	in.Terms = make([]Term, 0, len(sig.Tokens)+4)
	if sig.Type != "" {
		in.Terms = append(in.Terms, Term{Token: "EXC|" + sig.Type, Weight: t.exception, Extra: true})
	}
	if m := signature.Template(message(c)); m != "" {
		in.Terms = append(in.Terms, Term{Token: "MSG|" + sig.Type + "|" + m, Weight: t.message, Extra: true, Telling: names(m) >= t.names, Author: authored(sig)})
	}
	home := atHome(sig.Tokens)
	bundle := oneFile(sig.Tokens)
	for _, tok := range sig.Tokens {
		term := Term{Token: tok, Weight: t.unknown}
		switch tok[0] {
		case home:
			term.Weight, term.Own = 1, true
		case 'v':
			term.Weight = t.vendored
		case 'h':
			term.Weight = t.host
		case 'r':
			term.Weight = t.runtime
		}
		if i := strings.LastIndex(tok, "|~"); i > 0 {
			term.Token, term.Scoped = string(b.Extension)+"@"+b.Version+tok[i:], !bundle
			in.Terms = append(in.Terms, term)
			if bundle {
				continue
			}
			term.Token, term.Scoped = tok[:i+1], false
		}
		in.Terms = append(in.Terms, term)
	}
	in.Sequence = in.hash()
	return in
}

// atHome is the class of frames that a stack is about: an extension's, where there
// are any; else unknown ones, else the host's. Stacks of libraries and runtimes
// alone are about nobody.
func atHome(tokens []string) byte {
	for _, class := range [...]byte{'e', 'u', 'h'} {
		for _, t := range tokens {
			if t[0] == class {
				return class
			}
		}
	}
	return 'e'
}

// authored reports whether a programmer wrote the message: the exception was thrown
// in the extension's or host's own code, and is none of the engine's.
func authored(sig eco.Signature) bool {
	return len(sig.Tokens) > 0 && strings.IndexByte("ehu", sig.Tokens[0][0]) >= 0 && !engineTypes[lastPart(sig.Type)]
}

// message is the text of the root cause.
func message(c *eco.Crash) string {
	if r := signature.Root(c); r >= 0 && c.Exceptions[r].Value != "" {
		return c.Exceptions[r].Value
	}
	return c.Message
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

// names counts the quoted names of code in the template of a message.
func names(m string) int {
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

func lastPart(s string) string {
	if i := strings.LastIndexAny(s, ".:$"); i >= 0 && i < len(s)-1 {
		return s[i+1:]
	}
	return s
}

func (in *Input) hash() uint64 {
	h := signature.Hash64(in.Block)
	for i := range in.Terms {
		h = h*0x9e3779b97f4a7c15 ^ signature.Hash64(in.Terms[i].Token)
	}
	return h
}

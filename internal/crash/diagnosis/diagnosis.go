// Package diagnosis names what kind of mistake a crash is (null access, missing
// member, out of memory …), why, and what to do about it. The rules are data
// (rules/*.json) and pure: no clock, no dice, no I/O. It is a word to begin with,
// never a place of blame or a family. A reason quotes the rule, never the report.
//
// Bounds: the types and messages of the first 20 exceptions are read, 400 bytes of each.
package diagnosis

import (
	"embed"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

//go:embed rules
var files embed.FS

// Version names these rules.
const Version = "diag/1"

// Unknown is the label of what no rule fits.
const Unknown = "unknown"

// Diagnosis is what a crash looks like.
type Diagnosis struct {
	Version    string  `json:"version"`
	Label      string  `json:"label"`
	Title      string  `json:"title"`
	Reason     string  `json:"reason"`
	Confidence float64 `json:"confidence"` // 0 … 1, of the rule
	Author     string  `json:"author"`     // what its author can do
	User       string  `json:"user"`       // what its user can do
}

// Hint is what is known beside the report.
type Hint struct {
	// OnlyHost is the one host version that every crash of the family came from, though
	// the extension ran on others too; "" when there is none.
	OnlyHost string
}

// Rules are the rules. They are safe for concurrent use.
type Rules struct {
	rules  []rule
	advice map[string]remedy
}

type rule struct {
	Label, Name              string
	Type, Message, Mechanism string
	Confidence               float64

	typ, message, mechanism *regexp.Regexp
}

type remedy struct{ Title, Author, User string }

// Load reads the rules that are built in; they are tested, so it cannot fail.
func Load() *Rules {
	r := &Rules{}
	for file, into := range map[string]any{"rules/rules.json": &r.rules, "rules/remedies.json": &r.advice} {
		b, err := files.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(b, into)
		}
		if err != nil {
			panic(fmt.Sprintf("diagnosis: %s: %v", file, err))
		}
	}
	for i := range r.rules {
		x := &r.rules[i]
		for text, into := range map[string]**regexp.Regexp{x.Type: &x.typ, x.Message: &x.message, x.Mechanism: &x.mechanism} {
			if text != "" {
				*into = regexp.MustCompile("(?i)" + text)
			}
		}
	}
	return r
}

// Labels lists every label with its title, in the order of the rules, the unknown last.
func (r *Rules) Labels() (labels, titles []string) {
	seen := map[string]bool{}
	for _, x := range append(r.rules[:len(r.rules):len(r.rules)], rule{Label: Unknown}) {
		if !seen[x.Label] {
			seen[x.Label] = true
			labels, titles = append(labels, x.Label), append(titles, r.advice[x.Label].Title)
		}
	}
	return labels, titles
}

// Title is a label in words.
func (r *Rules) Title(label string) string { return r.advice[label].Title }

const (
	maxExceptions = 20
	maxText       = 400
)

// Name says what a crash looks like. The innermost cause speaks first: what wraps
// it only passes it on.
func (r *Rules) Name(c *eco.Crash, h Hint) Diagnosis {
	list := c.Exceptions[:min(len(c.Exceptions), maxExceptions)]
	var chain []eco.Exception
	for i := len(list) - 1; i >= 0; i-- {
		if !list[i].Suppressed {
			chain = append(chain, list[i])
		}
	}
	if c.Message != "" {
		chain = append(chain, eco.Exception{Value: c.Message})
	}
	if len(chain) == 0 {
		chain = append(chain, eco.Exception{})
	}
	for _, x := range chain {
		if d, ok := r.one(x, c.Mechanism, h); ok {
			return d
		}
	}
	return r.say(rule{Label: Unknown}, "No rule fits its types and messages.")
}

// one looks for a rule by type first, over all rules, then by message: a type is
// the stronger word, unless the rule asks for both.
func (r *Rules) one(x eco.Exception, mechanism string, h Hint) (Diagnosis, bool) {
	typ, value := cut(x.Type), cut(x.Value)
	full := typ
	if x.Module != "" && !strings.Contains(typ, ".") {
		full = cut(x.Module) + "." + typ
	}
	var weak *Diagnosis
	for i := range r.rules {
		k := &r.rules[i]
		byType := k.typ != nil && typ != "" && (k.typ.MatchString(typ) || k.typ.MatchString(full))
		byMessage := k.message != nil && value != "" && k.message.MatchString(value)
		byMechanism := k.mechanism != nil && mechanism != "" && k.mechanism.MatchString(cut(mechanism))
		why := ""
		switch {
		case k.Name == "not callable": // a type that says little by itself
			if byType && byMessage {
				why = "its type and the words of its message"
			}
		case byType && byMessage:
			why = "its type and the words of its message"
		case byMessage:
			why = "words of its message"
		case byType:
			why = "its type"
		case byMechanism:
			why = "the mechanism that caught it"
		}
		if why == "" {
			continue
		}
		d := r.say(*k, "Rule "+k.Label+"/"+k.Name+" fits "+why+".")
		if k.Label == "missing_member" && h.OnlyHost != "" {
			d.Title, d.Confidence = "Missing member after a host update", min(1, k.Confidence+.05)
			d.Reason += " It came from host version " + h.OnlyHost + " only, though the extension ran on others too."
		}
		if byMessage || k.Confidence >= .9 {
			return d, true
		}
		if weak == nil {
			weak = &d
		}
	}
	if weak != nil {
		return *weak, true
	}
	return Diagnosis{}, false
}

func (r *Rules) say(k rule, why string) Diagnosis {
	a := r.advice[k.Label]
	return Diagnosis{Version: Version, Label: k.Label, Title: a.Title, Reason: why, Confidence: k.Confidence, Author: a.Author, User: a.User}
}

func cut(s string) string { return s[:min(len(s), maxText)] }

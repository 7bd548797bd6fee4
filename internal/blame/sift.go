package blame

import (
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Ignored is a word of an extension that does not count, and why.
type Ignored struct {
	Field string `json:"field"` // locals, prefixes, shaded, libraries
	Word  string `json:"word"`
	Why   string `json:"why"`
}

// Sift is NewWorld for a register with words that nobody held against Takes: those
// of the extensions given, in this order, count only as far as Takes accepts them
// beside all others. What it does not accept is named with the reason. mine reports
// whether two extensions have one owner.
func Sift(hosts map[string]HostRules, exts map[eco.ExtensionID]ExtRules, unchecked []eco.ExtensionID, mine func(a, b eco.ExtensionID) bool) (*World, map[eco.ExtensionID][]Ignored, error) {
	if len(unchecked) == 0 {
		w, err := NewWorld(hosts, exts)
		return w, nil, err
	}
	kept := make(map[eco.ExtensionID]ExtRules, len(exts))
	for id, e := range exts {
		kept[id] = e
	}
	for _, id := range unchecked {
		kept[id] = ExtRules{Host: exts[id].Host}
	}
	w, err := NewWorld(hosts, kept)
	if err != nil {
		return nil, nil, err
	}
	ignored := map[eco.ExtensionID][]Ignored{}
	for _, id := range unchecked {
		e := exts[id]
		out := ExtRules{Host: e.Host}
		for _, f := range []struct {
			field string
			words []string
			to    *[]string
			as    func(word string) ExtRules
		}{
			{"locals", e.Locals, &out.Locals, func(x string) ExtRules { return ExtRules{Host: e.Host, Locals: []string{x}} }},
			{"prefixes", e.Prefixes, &out.Prefixes, func(x string) ExtRules { return ExtRules{Prefixes: []string{x}} }},
			{"shaded", e.Shaded, &out.Shaded, func(x string) ExtRules { return ExtRules{Shaded: []string{x}} }},
			{"libraries", e.Libraries, &out.Libraries, func(x string) ExtRules { return ExtRules{Libraries: []string{x}} }},
		} {
			for _, word := range f.words {
				err := w.Takes(id, func(other eco.ExtensionID) bool { return mine(id, other) }, ExtRules{}, f.as(word))
				if err == nil {
					*f.to = append(*f.to, word)
					continue
				}
				ignored[id] = append(ignored[id], Ignored{f.field, word, fault.TextOf(err)})
			}
		}
		kept[id] = out
		w.addExtension(id, out)
	}
	w, err = NewWorld(hosts, kept)
	return w, ignored, err
}

package query

import (
	"strings"
	"unicode/utf8"
)

// Suggestion is a way to go on.
type Suggestion struct {
	Text  string `json:"text"`  // what replaces the term
	Label string `json:"label"` // what is shown
	Doc   string `json:"doc,omitempty"`
}

// MaxSuggestions bounds one answer.
const MaxSuggestions = 12

// Complete says how the term at the byte `at` may go on, and which bytes of the
// text the suggestions replace. Values returns the values of a key that begin with
// a text, the likeliest first; it may return none.
func Complete(text string, at int, values func(key, begin string) []string) (from, to int, list []Suggestion) {
	at = max(0, min(at, len(text)))
	for at > 0 && at < len(text) && !utf8.RuneStart(text[at]) {
		at--
	}
	from, to = bounds(text, at)
	typed := text[from:at]
	not := ""
	if strings.HasPrefix(typed, "!") || strings.HasPrefix(typed, "-") {
		not, typed = typed[:1], typed[1:]
	}
	if strings.HasPrefix(typed, `"`) {
		return from, to, nil
	}
	name, value, isKey := strings.Cut(typed, ":")
	if !isKey {
		for _, k := range Keys {
			if offers(k.Name, strings.ToLower(typed)) && len(list) < MaxSuggestions {
				list = append(list, Suggestion{not + k.Name + ":", k.Name, k.Doc})
			}
		}
		return from, to, list
	}
	k, ok := KeyOf(strings.ToLower(name))
	if !ok {
		return from, to, nil
	}
	head := ""
	for _, op := range []Op{GtEq, LtEq, Gt, Lt} {
		if strings.HasPrefix(value, string(op)) {
			head, value = string(op), value[len(op):]
			break
		}
	}
	if i := strings.LastIndexAny(value, "[,"); strings.HasPrefix(value, "[") {
		head, value = head+value[:i+1], strings.TrimLeft(value[i+1:], " ")
		if strings.HasSuffix(head, ",") {
			head += " "
		}
	}
	seen := map[string]bool{}
	offer := func(v string) {
		if !seen[v] && len(list) < MaxSuggestions && strings.HasPrefix(strings.ToLower(v), strings.ToLower(strings.TrimPrefix(value, `"`))) {
			seen[v] = true
			list = append(list, Suggestion{Text: not + k.Name + ":" + head + bare(v), Label: v})
		}
	}
	for _, v := range k.Choices {
		offer(v)
	}
	if k.Kind != Choice && k.Kind != Words && k.Kind != Count && k.Kind != Moment {
		for _, v := range values(k.Name, strings.TrimPrefix(value, `"`)) {
			offer(v)
		}
	}
	return from, to, list
}

// offers reports whether a key is offered for the letters typed so far.
func offers(key, typed string) bool {
	if strings.HasPrefix(key, typed) {
		return true
	}
	for also, name := range alsoKnown {
		if name == key && strings.HasPrefix(also, typed) {
			return true
		}
	}
	return false
}

// bounds finds the term around a byte: spaces inside quotes and lists do not end it.
func bounds(text string, at int) (from, to int) {
	quoted, list := false, false
	for i := range len(text) {
		c := text[i]
		switch {
		case c == '"' && (i == 0 || text[i-1] != '\\'):
			quoted = !quoted
		case quoted:
		case c == '[' && i > 0 && text[i-1] == ':':
			list = true
		case c == ']':
			list = false
		case isSpace(c) && !list:
			if i >= at {
				return from, i
			}
			from = i + 1
		}
	}
	return from, len(text)
}

package scrub

import "strings"

// pairs finds "name = value" in all its clothes: name=value, name: value,
// "name":"value", \"name\":\"value\", name => value, <name>value</name>,
// --name value, and "Bearer value". The name decides.
func (x *scan) pairs(s string, mask uint16) string {
	done := 0 // nothing before it is looked at again
	for i := 0; i < len(s); i++ {
		c := s[i]
		if i < done || c != ':' && c != '=' && c != '<' && c != '-' && c != ' ' && c != '(' && c != ',' && c != 0xEF {
			continue
		}
		if c == 0xEF {
			if at(s, i+1) != 0xBC || at(s, i+2) != 0x9A && at(s, i+2) != 0x9D {
				continue
			}
			c = ':' // the full-width signs
		}
		switch c {
		case ':', '=':
			next := at(s, i+1)
			if prev := at(s, i-1); prev == ':' || prev == '=' || prev == '!' || prev == '<' || prev == '>' || prev == '+' {
				continue
			}
			if next == ':' || next == '=' && c == '=' || next == '/' && at(s, i+2) == '/' {
				continue
			}
			from, to := keyBefore(s, i, done)
			x.work += i - from + 4
			if to-from < 2 {
				continue
			}
			kind := kindOf(s[from:to], x.rules.keys)
			if kind == keyPlain {
				kind = x.contextKind(s, from, to)
			}
			if kind == keyPlain {
				continue
			}
			if kind == keyHeader && c == '=' && !quoted(s, to) && at(s, from-1) == '.' {
				kind = keySecret // document.cookie=…
			}
			if foldAt(s, to-5, "token") && foldAt(s, to-16, "unexpected token") {
				continue // a parser complains
			}
			v := i + 1
			if s[i] == 0xEF {
				v = i + 3
			}
			if c == ':' && next == '=' || c == '=' && next == '>' {
				v++
			}
			done = x.value(s, kind, from, v)
		case '<':
			if mask&hasAngle != 0 {
				done = max(done, x.element(s, i))
			}
		case '-':
			if at(s, i+1) == '-' && !isWord(at(s, i-1)) && at(s, i-1) != '-' {
				done = max(done, x.flag(s, i+2))
			} else if at(s, i+1) == 'u' && at(s, i+2) == ' ' && at(s, i-1) == ' ' {
				done = max(done, x.userFlag(s, i+3))
			} else if at(s, i+1)|0x20 == 'p' && at(s, i-1) == ' ' {
				done = max(done, x.passFlag(s, i+2))
			}
		case ' ':
			done = max(done, x.scheme(s, i))
		case '(', ',':
			if quoted(s, i+1) || at(s, i+1) == ' ' && quoted(s, i+2) {
				done = max(done, x.argument(s, i, done))
			}
		}
	}
	return x.flush(s)
}

// keyBefore returns the bounds of the name that ends before a separator: quotes,
// escapes, brackets and spaces in between are skipped.
func keyBefore(s string, sep, floor int) (from, to int) {
	to = sep
	for n := 0; to > floor && n < 8; n++ {
		c := s[to-1]
		if c != '"' && c != '\'' && c != '\\' && c != ' ' && c != ']' && c != '[' && c != '`' {
			break
		}
		to--
	}
	from = to
	for from > floor && to-from < 64 && keyByte(s[from-1]) {
		from--
	}
	// "User ID=x", "Account Key: y": two words of a connection string.
	if from > floor+3 && s[from-1] == ' ' && to-from <= 4 {
		j := from - 1
		for j > floor && to-j < 24 && isAlpha(s[j-1]) {
			j--
		}
		if j < from-1 && (foldAt(s, from, "id") || foldAt(s, from, "key") || foldAt(s, from, "uuid") || foldAt(s, from, "name")) {
			from = j
		}
	}
	return from, to
}

func keyByte(c byte) bool { return isWord(c) || c == '-' || c == '.' }

// value redacts the value that starts at v (after the separator) and returns
// where to go on.
func (x *scan) value(s string, kind keyKind, key, v int) int {
	for n := 0; n < 24 && (at(s, v) == ' ' || at(s, v) == '\t'); n++ { // in columns, too
		v++
	}
	if kind == keyHeader {
		for n := 0; n < 4 && (at(s, v) == '[' || at(s, v) == ' ' || at(s, v) == '{'); n++ {
			v++
		}
	}
	limit := len(s)
	switch c := at(s, v); {
	case kind == keyIdentity && (c == '(' || c == '{' || c == '['):
		return v
	case kind == keyHeader && !quoted(s, v):
		// a whole "Name: value" inside quotes ends with them
		if q := at(s, key-1); q == '"' || q == '\'' {
			if n := strings.IndexByte(s[v:], q); n >= 0 {
				limit = v + n
			}
		}
	case kind == keyWeak: // what is longer than this is no session id
		limit = min(limit, v+512)
	}
	start, end, closed := valueBounds(s[:limit], v, kind == keyHeader)
	x.work += end - start
	val := s[start:end]
	if kind == keyIdentity && !closed { // "fullName: Jo Ann"
		for at(s, end) == ' ' && at(s, end+1) >= 'A' && at(s, end+1) <= 'Z' && end-start < 80 {
			_, end, _ = valueBounds(s, end+1, false)
		}
		for n := 0; n < 5 && (at(s, end) == ' ' || at(s, end) == '/') && end-start < 40 && digitsOnly(s[start:end]) && isDigit(at(s, end+1)); n++ {
			_, end, _ = valueBounds(s, end+1, false) // "phone: 030 1234567"
		}
		val = s[start:end]
	}
	if !closed && kind == keySecret && phraseKey(s, key) {
		for n := 0; n < 32 && at(s, end) == ' ' && isAlpha(at(s, end+1)); n++ {
			_, end, _ = valueBounds(s, end+1, false)
		}
		val = s[start:end]
	}
	if !closed && kind != keyHeader {
		// "Bearer x", "Basic y": the word is not the secret.
		for n := 0; n < 2 && isSchemeWord(val) && at(s, end) == ' '; n++ {
			start = end + 1
			_, end, _ = valueBounds(s, start, false)
			x.work += end - start
			val = s[start:end]
		}
	}
	if harmless(val) || x.placeOf(s, key, val) || !closed && throwable(val) {
		return start
	}
	switch kind {
	case keyWeak:
		if !looksSecret(val) {
			return start
		}
		x.hit(ruleSecret, start, end, rules[ruleSecret].Token)
	case keyIdentity:
		x.hit(ruleIdentity, start, end, rules[ruleIdentity].Token)
	case keyHeader:
		x.hit(ruleHeader, start, end, rules[ruleHeader].Token)
	default:
		x.hit(ruleSecret, start, end, rules[ruleSecret].Token)
	}
	return end
}

// placeOf: "/srv/token:12:3" is a file and a line.
func (x *scan) placeOf(s string, key int, val string) bool {
	if p := at(s, key-1); p != '/' && p != '\\' && p != '.' {
		return false
	}
	for i := range len(val) {
		if !isDigit(val[i]) && val[i] != ':' {
			return false
		}
	}
	return true
}

// phraseKey: the secret of the name at key is made of words.
func phraseKey(s string, key int) bool {
	for k := key; k < len(s) && k < key+maxKey && (keyByte(s[k]) || s[k] == ' '); k++ {
		if lower(s[k]) == 'p' && foldAt(s, k, "phrase") || lower(s[k]) == 'm' && foldAt(s, k, "mnemonic") {
			return true
		}
	}
	return false
}

func digitsOnly(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) && s[i] != ' ' && s[i] != '/' && s[i] != '(' && s[i] != ')' && s[i] != '+' && s[i] != '-' {
			return false
		}
	}
	return s != ""
}

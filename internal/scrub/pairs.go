package scrub

import "strings"

// pairs finds "name = value" in all its clothes: name=value, name: value,
// "name":"value", \"name\":\"value\", name => value, <name>value</name>,
// --name value, and "Bearer value". The name decides.
func (x *scan) pairs(s string, mask uint16) string {
	done := 0 // nothing before it is looked at again
	for i := 0; i < len(s); i++ {
		c := s[i]
		if i < done || c != ':' && c != '=' && c != '<' && c != '-' && c != ' ' && c != '(' && c != ',' {
			continue
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
		if j < from-1 && (foldAt(s, from, "id") || foldAt(s, from, "key") || foldAt(s, from, "name")) {
			from = j
		}
	}
	return from, to
}

func keyByte(c byte) bool { return isWord(c) || c == '-' || c == '.' }

func quoted(s string, i int) bool {
	c := at(s, i)
	return c == '"' || c == '\'' || c == '\\'
}

// value redacts the value that starts at v (after the separator) and returns
// where to go on.
func (x *scan) value(s string, kind keyKind, key, v int) int {
	for n := 0; n < 4 && (at(s, v) == ' ' || at(s, v) == '\t'); n++ {
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

// throwable: "failure to login: javax.security.LoginException: …" is prose.
func throwable(v string) bool {
	if v[len(v)-1] == ':' {
		v = v[:len(v)-1]
	}
	return len(v) > 9 && (v[len(v)-9:] == "Exception" || v[len(v)-5:] == "Error")
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

// valueBounds finds a value: inside quotes (which may be escaped), or up to a
// byte that ends a word. A header without quotes ends with its line.
func valueBounds(s string, v int, line bool) (start, end int, closed bool) {
	q := v
	for q < len(s) && q < v+8 && s[q] == '\\' {
		q++
	}
	if c := at(s, q); c == '"' || c == '\'' || c == '`' {
		mark := s[v : q+1]
		start = q + 1
		for j := start; j < len(s); j++ {
			if s[j] == '\n' && len(mark) > 1 {
				return start, j, false
			}
			if s[j] == '\\' && len(mark) == 1 {
				j++ // an escaped byte inside
				continue
			}
			if s[j] == mark[0] && len(s)-j >= len(mark) && s[j:j+len(mark)] == mark {
				return start, j, true
			}
		}
		return start, len(s), false
	}
	for j := v; j < len(s); j++ {
		c := s[j]
		if c == '\n' || c == '\r' {
			return v, j, false
		}
		if line {
			continue
		}
		switch c {
		case '<':
			if n := tokenAt(s, j); n > 0 {
				j += n - 1
			} else if at(s, j+1) == '/' {
				return v, j, false
			}
		case ' ', '\t', ',', ';', '&', '"', '\'', '>', ')', ']', '}', '|', '`':
			return v, j, false
		case '\\':
			if n := at(s, j+1); n == '"' || n == '\'' || j > v && (n == 'n' || n == 'r') {
				return v, j, false
			}
		}
	}
	return v, len(s), false
}

// harmless: nothing was there, or it was taken out already.
func harmless(v string) bool {
	if v == "" {
		return true
	}
	for {
		n := tokenAt(v, 0)
		if n == 0 {
			break
		}
		if v = v[n:]; v == "" {
			return true
		}
	}
	alnum, star := 0, 0
	for i := range len(v) {
		if isAlnum(v[i]) || v[i] >= 0x80 {
			alnum++
		} else if v[i] == '*' || v[i] == '.' {
			star++
		}
		if alnum > 8 {
			break
		}
	}
	if alnum == 0 {
		return true
	}
	if len(v) > 12 {
		return false
	}
	switch v {
	case "null", "undefined", "None", "nil", "NULL", "true", "false", "True", "False", "REDACTED", "redacted", "localhost", "[REDACTED]", "[Filtered]", "(null)", "string", "number", "boolean", "NaN", "required", "missing", "empty", "invalid", "expired", "unknown", "not", "is", "must", "should", "cannot", "the", "a", "no", "yes", "YES", "NO", "error", "failed":
		return true
	}
	return false
}

func isSchemeWord(v string) bool {
	switch len(v) {
	case 3:
		return foldAt(v, 0, "key")
	case 4:
		return foldAt(v, 0, "hawk") || foldAt(v, 0, "ntlm")
	case 5:
		return foldAt(v, 0, "basic") || foldAt(v, 0, "token") || foldAt(v, 0, "oauth")
	case 6:
		return foldAt(v, 0, "bearer") || foldAt(v, 0, "digest") || foldAt(v, 0, "apikey")
	case 9:
		return foldAt(v, 0, "negotiate") || foldAt(v, 0, "sharedkey")
	}
	return false
}

// looksSecret: long enough, and no word of a language.
func looksSecret(v string) bool {
	if len(v) < 12 {
		return false
	}
	digits, upper, low := 0, 0, 0
	for i := range len(v) {
		switch c := v[i]; {
		case isDigit(c):
			digits++
		case c >= 'A' && c <= 'Z':
			upper++
		case c >= 'a' && c <= 'z':
			low++
		case c == ' ' || c == '/' && len(v) < 24 || c == '(' || c == '<':
			return false
		}
	}
	return digits >= 2 && upper+low >= 2 || digits >= 14 || len(v) >= 32 && upper >= 4 && low >= 4
}

// argument redacts setPassword("x"), and the value of ("Cookie", "a=b").
func (x *scan) argument(s string, i, floor int) int {
	from, to := keyBefore(s, i, floor)
	x.work += i - from + 4
	if to-from < 4 || s[i] == '(' && to != i || s[i] == ',' && !quoted(s, to) {
		return 0
	}
	kind := kindOf(s[from:to], x.rules.keys)
	if s[i] == ',' && kind != keyHeader || s[i] == '(' && (kind != keySecret || foldAt(s, to-5, "token") || foldAt(s, to-6, "tokens")) {
		return 0
	}
	v := i + 1
	if at(s, v) == ' ' {
		v++
	}
	start, end, closed := valueBounds(s[:min(len(s), v+4096)], v, false)
	x.work += end - start
	if !closed || harmless(s[start:end]) {
		return 0
	}
	x.hit(ruleSecret, start, end, rules[ruleSecret].Token)
	return end
}

// contextKind: the name itself tells nothing, what stands before it does:
// "Password for bob: x", <add key="Password" value="x"/>,
// {"name":"password","value":"x"}, thin:bob/x@db.
func (x *scan) contextKind(s string, from, to int) keyKind {
	switch {
	case foldAt(s, from-13, "password for "), foldAt(s, from-15, "passphrase for "), foldAt(s, from-12, "password of "):
		return keySecret
	case to-from == 5 && foldAt(s, from, "value"):
		j := from
		for n := 0; j > 0 && n < 8 && !keyByte(s[j-1]); n++ {
			j--
		}
		k := j
		for k > 0 && j-k < maxKey && keyByte(s[k-1]) {
			k--
		}
		x.work += from - k
		if q := at(s, k-1); j < from && (q == '"' || q == '\'') {
			if kind := kindOf(s[k:j], x.rules.keys); kind != keyWeak {
				return kind
			}
		}
	case to-from >= 4 && foldAt(s, to-4, "thin") && at(s, to) == ':':
		return keySecret
	}
	return keyPlain
}

// scheme redacts what words announce without a sign between: "Bearer x",
// "Basic x", "password 'x'", "the token is x".
func (x *scan) scheme(s string, sp int) int {
	const (
		none = iota
		bearer
		basic
		password
		phrase
		person
	)
	what := none
	switch lower(at(s, sp-1)) {
	case 'r':
		if foldAt(s, sp-6, "bearer") && !isWord(at(s, sp-7)) {
			what = bearer
		} else if foldAt(s, sp-4, "user") && !isWord(at(s, sp-5)) && quoted(s, sp+1) {
			what = person
		}
	case 'c':
		if foldAt(s, sp-5, "basic") && !isWord(at(s, sp-6)) {
			what = basic
		}
	case 'd':
		if foldAt(s, sp-8, "password") || foldAt(s, sp-6, "passwd") {
			what = password
		}
	case 'e':
		if foldAt(s, sp-10, "passphrase") {
			what = password
		}
	case 's':
		if foldAt(s, sp-3, " is") && (foldAt(s, sp-11, "password") || foldAt(s, sp-8, "token") || foldAt(s, sp-9, "secret") || foldAt(s, sp-10, "api key") || foldAt(s, sp-13, "passphrase")) {
			what = password
		}
	case 'n':
		if foldAt(s, sp-5, "token") && !foldAt(s, sp-16, "unexpected token") {
			what = phrase
		}
	case 't':
		if foldAt(s, sp-6, "secret") {
			what = phrase
		}
	case 'y':
		if foldAt(s, sp-7, "api key") || foldAt(s, sp-6, "apikey") || foldAt(s, sp-10, "access key") {
			what = phrase
		}
	case 'o':
		if foldAt(s, sp-11, "password to") {
			what = password
		}
	case 'p':
		if foldAt(s, sp-10, "sshpass -p") {
			what = password
		}
	}
	if what == none {
		return 0
	}
	start, end, closed := valueBounds(s[:min(len(s), sp+4096)], sp+1, false)
	x.work += end - start
	v := s[start:end]
	if harmless(v) {
		return 0
	}
	ok := false
	switch what {
	case bearer:
		ok = len(v) >= 8 && (closed || looksSecret(v) || len(v) >= 20 || mixed(v))
	case basic:
		ok = len(v) >= 8 && (closed || basicAuth(v))
	case password:
		ok = mixed(v) && v[len(v)-1] != '=' // "password must …" is prose
	case person:
		if !closed || len(v) > 64 {
			return 0
		}
		x.hit(ruleIdentity, start, end, rules[ruleIdentity].Token)
		return end
	case phrase:
		ok = closed && len(v) >= 6 && mixed(v) || looksSecret(v)
	}
	if !ok {
		return 0
	}
	x.hit(ruleSecret, start, end, rules[ruleSecret].Token)
	return end
}

// passFlag redacts "-px" and "-P x" of the clients that take a password so.
func (x *scan) passFlag(s string, i int) int {
	from := max(0, i-96)
	x.work += i - from
	tool := false
	for k := from; k < i && !tool; k++ {
		switch lower(s[k]) {
		case 'm', 's':
			tool = foldAt(s[:i], k, "mysql") || foldAt(s[:i], k, "mariadb") || foldAt(s[:i], k, "sqlcmd") || foldAt(s[:i], k, "sshpass")
		}
	}
	if !tool {
		return 0
	}
	if at(s, i) == ' ' {
		if lower(at(s, i-1)) == at(s, i-1) && !foldAt(s, i-10, "sshpass -p") {
			return 0 // "mysql -p db" asks for it
		}
		i++
	}
	start, end, _ := valueBounds(s[:min(len(s), i+256)], i, false)
	if harmless(s[start:end]) {
		return 0
	}
	x.hit(ruleSecret, start, end, rules[ruleSecret].Token)
	return end
}

// userFlag redacts the password of "-u bob:x".
func (x *scan) userFlag(s string, i int) int {
	start, end, _ := valueBounds(s[:min(len(s), i+256)], i, false)
	x.work += end - start
	for k := start; k < end; k++ {
		if s[k] == ':' && k > start && k+1 < end && s[k+1] != '/' && s[k+1] != '\\' && !harmless(s[k+1:end]) {
			x.hit(ruleURLUser, start, end, rules[ruleURLUser].Token)
			return end
		}
	}
	return 0
}

// mixed: letters with digits or signs inside one word, as passwords are.
func mixed(v string) bool {
	letters, others := 0, 0
	for i := range len(v) {
		if isAlpha(v[i]) {
			letters++
		} else if v[i] != '.' && v[i] != '-' && v[i] != ':' && v[i] != '?' && v[i] != '(' {
			others++
		}
	}
	return len(v) >= 4 && letters > 0 && others > 0
}

// flag redacts "--password x" and "--token=x" (the latter is a pair already).
func (x *scan) flag(s string, i int) int {
	j := i
	for j < len(s) && j < i+40 && keyByte(s[j]) {
		j++
	}
	x.work += j - i
	if j == i || at(s, j) != ' ' {
		return 0
	}
	if k := kindOf(s[i:j], x.rules.keys); k != keySecret {
		return 0
	}
	start, end, _ := valueBounds(s[:min(len(s), j+4096)], j+1, false)
	x.work += end - start
	if v := s[start:end]; harmless(v) || v[0] == '-' {
		return 0
	}
	x.hit(ruleSecret, start, end, rules[ruleSecret].Token)
	return end
}

// element redacts <name>value</name>.
func (x *scan) element(s string, i int) int {
	j := i + 1
	for j < len(s) && j < i+48 && (keyByte(s[j]) || s[j] == ':') {
		j++
	}
	x.work += j - i
	if j == i+1 || tokenAt(s, i) > 0 {
		return 0
	}
	name := s[i+1 : j]
	kind := kindOf(name, x.rules.keys)
	if kind == keyPlain {
		return 0
	}
	if at(s, j) == ' ' { // attributes
		for k := j; j < len(s) && j < k+256 && s[j] != '>' && s[j] != '<'; j++ {
		}
		x.work += j - i
	}
	if at(s, j) != '>' {
		return 0
	}
	end := j + 1
	for end < len(s) && end < j+4096 && s[end] != '<' {
		end++
	}
	x.work += end - j
	if at(s, end+1) != '/' || len(s)-end-2 < len(name) || s[end+2:end+2+len(name)] != name || harmless(s[j+1:end]) {
		return 0
	}
	if kind == keyWeak && !looksSecret(s[j+1:end]) {
		return 0
	}
	x.hit(ruleSecret, j+1, end, rules[ruleSecret].Token)
	return end
}

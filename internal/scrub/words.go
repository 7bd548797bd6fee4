package scrub

// argument redacts setPassword("x"), and the value of ("Cookie", "a=b").
func (x *scan) argument(s string, i, floor int) int {
	from, to := keyBefore(s, i, floor)
	x.work += i - from + 4
	if to-from < 4 || s[i] == '(' && to != i || s[i] == ',' && !quoted(s, to) {
		return 0
	}
	kind := kindOf(s[from:to], x.rules.keys)
	if s[i] == ',' && kind != keyHeader && !(kind == keySecret && quoted(s, from-1) && at(s, from-2) == '[') || s[i] == '(' && (kind != keySecret || foldAt(s, to-5, "token") || foldAt(s, to-6, "tokens")) {
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
	case to-from == 4 && foldAt(s, from, "name") && (foldAt(s, from-9, `"user":{"`) || foldAt(s, from-10, `"user": {"`) || foldAt(s, from-11, `"owner":{"`) || foldAt(s, from-12, `"author":{"`) || foldAt(s, from-8, `user: { `)):
		return keyIdentity
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
		} else if foldAt(s, sp-4, " was") && (foldAt(s, sp-12, "password") || foldAt(s, sp-9, "token") || foldAt(s, sp-10, "secret") || foldAt(s, sp-14, "passphrase")) {
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
	v0 := sp + 1
	for n := 0; n < 24 && at(s, v0) == ' '; n++ { // in columns
		v0++
	}
	start, end, closed := valueBounds(s[:min(len(s), sp+4096)], v0, false)
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
	tool, login := false, false
	for k := from; k < i && !tool; k++ {
		switch lower(s[k]) {
		case 'd', 'h', 'm', 'p', 's', 'u':
			login = foldAt(s[:i], k, "docker login") || foldAt(s[:i], k, "podman login") || foldAt(s[:i], k, "helm registry login")
			tool = login || foldAt(s[:i], k, "unzip") || foldAt(s[:i], k, "mysql") || foldAt(s[:i], k, "mariadb") || foldAt(s[:i], k, "sqlcmd") || foldAt(s[:i], k, "sshpass")
		}
	}
	if !tool {
		return 0
	}
	if at(s, i) == ' ' {
		if lower(at(s, i-1)) == at(s, i-1) && !foldAt(s, i-10, "sshpass -p") && !login {
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

package scrub

// urls handles what "://" and "?" announce: credentials, queries, fragments,
// per-installation addresses; and the contents of data: URLs.
func (x *scan) urls(s string) string {
	done := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case ':':
			if i < done {
				continue
			}
			if at(s, i+1) == '/' && at(s, i+2) == '/' {
				done = x.url(s, i)
			} else if i >= 4 && foldAt(s, i-4, "data") && !isWord(at(s, i-5)) {
				done = x.dataURL(s, i+1)
			}
		case '?':
			if i >= done {
				done = max(done, x.looseQuery(s, i))
			}
		}
	}
	return x.flush(s)
}

// urlEnd returns where a URL that goes on at i ends. A closing parenthesis ends
// it when none was opened inside.
func urlEnd(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch c := s[i]; c {
		case ' ', '\t', '\n', '\r', '"', '\'', '`', '>', '|', '^':
			return i
		case '<':
			if n := tokenAt(s, i); n > 0 {
				i += n - 1
				continue
			}
			return i
		case '\\':
			if n := at(s, i+1); n == '"' || n == 'n' || n == '\'' || n == 't' || n == 'r' {
				return i
			}
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return i
}

func (x *scan) url(s string, colon int) int {
	scheme := colon
	for scheme > 0 && colon-scheme < 32 && (isAlnum(s[scheme-1]) || s[scheme-1] == '+' || s[scheme-1] == '-' || s[scheme-1] == '.') {
		scheme--
	}
	x.work += colon - scheme
	from := colon + 3
	end := urlEnd(s, from)
	x.work += end - from
	// The authority ends at the first '/', '?' or '#'; what stands before its
	// last '@' is a user and perhaps a password, which may hold anything.
	auth, last := from, -1
	for auth < end && s[auth] != '/' && s[auth] != '?' && s[auth] != '#' && s[auth] != '\\' {
		if s[auth] == '@' {
			last = auth
		}
		auth++
	}
	if last < 0 { // a password with a '/' or '#' in it
		for j := auth; j < end && j < from+128; j++ {
			if s[j] == '@' && credentialLike(s[from:j]) {
				last, auth = j, j+1
				for auth < end && s[auth] != '/' && s[auth] != '?' && s[auth] != '#' {
					auth++
				}
				break
			}
		}
	}
	if last > from && !(tokenAt(s, from) == last-from) {
		x.hit(ruleURLUser, from, last, rules[ruleURLUser].Token)
	}
	name := s[scheme:colon]
	if name == "moz-extension" && auth-from >= 16 && isGUID(s[from:auth]) {
		x.hit(ruleInstallURL, from, auth, rules[ruleInstallURL].Token)
	}
	if name == "vscode-remote" && auth > from && tokenAt(s, from) == 0 {
		x.hit(ruleHost, from, auth, rules[ruleHost].Token)
	}
	if name == "file" && auth > from && at(s, from+1) != ':' && !foldAt(s, from, "localhost") && at(s, from) != '.' && tokenAt(s, from) == 0 && hostName(s[from:auth]) {
		x.hit(ruleHost, from, auth, rules[ruleHost].Token)
	}
	x.hook(s, from, auth, end)
	q := auth
	for q < end && s[q] != '?' && s[q] != '#' {
		q++
	}
	if q < end {
		x.query(s, q, end, name)
	}
	return max(end, from)
}

// credentialLike: "user:pass/word" before an '@', with no second "//".
func credentialLike(s string) bool {
	colon := false
	for i := range len(s) {
		switch c := s[i]; {
		case c == ':':
			// a port is digits only: then what follows is a path
			j := i + 1
			for j < len(s) && isDigit(s[j]) {
				j++
			}
			if j < len(s) && s[j] != '/' {
				colon = true
			}
		case c == '/' && !colon, isSpace(c):
			return false
		}
	}
	return colon
}

// query redacts s[q:end], which starts with '?' or '#'. A place in a script
// (":12:3", as in a stack) stays.
func (x *scan) query(s string, q, end int, scheme string) {
	keep := end
	if p := placeSuffix(s[q:end]); p >= 0 {
		keep = q + p
	}
	if keep <= q+1 || tokenAt(s, q+1) == keep-q-1 {
		return
	}
	if s[q] == '#' && scheme == "" {
		return
	}
	with := "<query>"
	if s[q] == '#' {
		with = "<fragment>"
	}
	x.hit(ruleQuery, q+1, keep, with)
}

// placeSuffix returns where ":line:col" starts at the end of a URL, -1 without.
func placeSuffix(s string) int {
	i := len(s)
	for range 2 {
		j := i
		for j > 0 && i-j < 8 && isDigit(s[j-1]) {
			j--
		}
		if j == i || at(s, j-1) != ':' {
			return -1
		}
		i = j - 1
	}
	return i
}

// looseQuery handles "?name=value" behind a path without a scheme.
func (x *scan) looseQuery(s string, i int) int {
	j := i + 1
	for j < len(s) && j < i+64 && (keyByte(s[j]) || s[j] == '[' || s[j] == ']') {
		j++
	}
	x.work += j - i
	if j == i+1 || at(s, j) != '=' || i == 0 {
		return 0
	}
	end := urlEnd(s, j)
	x.work += end - j
	x.query(s, i, end, "path")
	return end
}

// dataURL drops the content of a data: URL.
func (x *scan) dataURL(s string, i int) int {
	comma := -1
	for j := i; j < len(s) && j < i+80; j++ {
		if s[j] == ',' {
			comma = j
			break
		}
		if !isAlnum(s[j]) && s[j] != '/' && s[j] != ';' && s[j] != '=' && s[j] != '-' && s[j] != '+' && s[j] != '.' {
			break
		}
	}
	if comma < 0 {
		return i
	}
	end := urlEnd(s, comma)
	x.work += end - i
	if end-comma < 2 {
		return i
	}
	x.hit(ruleData, i, end, rules[ruleData].Token)
	return end
}

// hook takes the secret path out of web hooks.
func (x *scan) hook(s string, from, auth, end int) {
	host := s[from:auth]
	var mark string
	switch {
	case foldAt(host, 0, "hooks."), foldAt(host, 0, "hook."):
		mark = "/"
	case foldAt(host, 0, "discord.com"), foldAt(host, 0, "discordapp.com"), foldAt(host, 0, "canary.discord.com"):
		mark = "/api/webhooks/"
	case foldAt(host, 0, "outlook.office.com"):
		mark = "/webhook/"
	case foldAt(host, 0, "api.telegram.org"):
		mark = "/bot"
	case len(host) > 19 && foldAt(host, len(host)-19, ".webhook.office.com"):
		mark = "/"
	default:
		return
	}
	if !foldAt(s, auth, mark) {
		return
	}
	a := auth + len(mark)
	b := a
	for b < end && s[b] != '?' && s[b] != '#' {
		b++
	}
	if b > a && tokenAt(s, a) != b-a {
		x.hit(ruleToken, a, b, rules[ruleToken].Token)
	}
}

func isGUID(s string) bool {
	n := 0
	for i := range len(s) {
		switch {
		case isHexDigit(s[i]):
			n++
		case s[i] != '-' && s[i] != '{' && s[i] != '}':
			return false
		}
	}
	return n == 32
}

func hostName(s string) bool {
	for i := range len(s) {
		if !isAlnum(s[i]) && s[i] != '-' && s[i] != '.' && s[i] != '_' && s[i] != '$' {
			return false
		}
	}
	return s != ""
}

package scrub

// emails replaces addresses, and user@host of shells and copies. The sign may
// be full-width; percent and entity forms are undone before.
func (x *scan) emails(s string) string {
	done := 0
	for i := 0; i < len(s); i++ {
		w := 1
		switch {
		case s[i] == '@':
		case s[i] == 0xEF && at(s, i+1) == 0xBC && at(s, i+2) == 0xA0, // U+FF20
			s[i] == 0xEF && at(s, i+1) == 0xB9 && at(s, i+2) == 0xAB: // U+FE6B
			w = 3
		case s[i] == '=' && at(s, i+1) == '4' && at(s, i+2) == '0' && isWord(at(s, i-1)) && publicDomain(s, i+3): // quoted printable
			w = 3
		default:
			continue
		}
		from, start := localPart(s, i, done), i+w
		if from == i && at(s, i-1) == ' ' && at(s, start) == ' ' { // jo @ example.org
			from, start = localPart(s, i-1, done), start+1
			if from == i-1 {
				continue
			}
		}
		x.work += i - from
		if from == i {
			continue
		}
		end, ok := domainPart(s, start)
		x.work += end - i
		if !ok {
			if end = shellHost(s, start); end == 0 {
				if end = loginAddress(s, from, start); end == 0 {
					if end = share(s, from, start, done); end == 0 {
						continue
					}
				}
			}
		}
		from = before(s, from, i, done)
		if at(s, from-1) == '<' && at(s, end) == '>' { // Jo Ann <jo@example.org>
			from, end = displayName(s, from-1, done), end+1
		}
		x.hit(ruleEmail, from, end, rules[ruleEmail].Token)
		done, i = end, end-1
	}
	return x.flush(s)
}

func localPart(s string, at, floor int) int {
	i := at
	if i > floor && s[i-1] == '"' { // "jo ann"@example.org
		for j := i - 2; j >= floor && i-j < 66; j-- {
			if s[j] == '"' {
				return j
			}
			if s[j] == '\n' {
				break
			}
		}
		return at
	}
	for i > floor && at-i < 128 {
		c := s[i-1]
		if !isWord(c) && c != '.' && c != '-' && c != '+' && c != '%' && c != '#' && c != '&' && c != '*' && c != '!' && c != '$' && c != '^' && c != '~' {
			break
		}
		i--
	}
	for i < at && (s[i] == '.' || s[i] == '-' || s[i] == '&' || s[i] == '#' || s[i] == '*' || s[i] == '!') {
		i++
	}
	return i
}

// domainPart reads labels up to a top level of letters. Versions ("acme@1.2.3-rc.1")
// and files ("load@app.js") are none.
func domainPart(s string, i int) (end int, ok bool) {
	start, label, labels, lastDot := i, i, 0, -1
	if at(s, i) == '[' { // jo@[192.0.2.1]
		for j := i + 1; j < len(s) && j < i+48; j++ {
			if s[j] == ']' {
				return j + 1, j > i+4
			}
			if !isHexDigit(s[j]) && s[j] != '.' && s[j] != ':' && s[j]|0x20 != 'i' && s[j]|0x20 != 'p' && s[j]|0x20 != 'v' {
				break
			}
		}
		return i, false
	}
	j := i
	for ; j < len(s) && j < i+254; j++ {
		c := s[j]
		if isAlnum(c) || c >= 0x80 || c == '-' && j > label {
			continue
		}
		if c == '.' && j > label && (isAlnum(at(s, j+1)) || at(s, j+1) >= 0x80) {
			labels++
			if labels >= 2 && allDigits(s[label:j]) || labels == 1 && allDigits(trimV(s[label:j])) && isDigit(at(s, j+1)) {
				return j, false
			}
			lastDot, label = j, j+1
			continue
		}
		break
	}
	if lastDot < 0 {
		return j, false
	}
	tld := s[label:j]
	for len(tld) > 0 && tld[len(tld)-1] == '-' {
		tld = tld[:len(tld)-1]
		j--
	}
	if len(tld) < 2 || allDigits(tld) || codeFile(tld) || s[start] == '-' {
		return j, false
	}
	if labels == 1 && allDigits(trimV(s[start:lastDot])) && !alphaOnly(tld) {
		return j, false // acme@1.x2
	}
	return j, true
}

func trimV(s string) string {
	if len(s) > 1 && s[0]|0x20 == 'v' {
		return s[1:]
	}
	return s
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

func alphaOnly(s string) bool {
	for i := range len(s) {
		if !isAlpha(s[i]) && s[i] < 0x80 {
			return false
		}
	}
	return true
}

// codeFile: endings of files that are no top-level domains.
func codeFile(tld string) bool {
	switch tld {
	case "js", "mjs", "cjs", "ts", "mts", "cts", "tsx", "jsx", "java", "kt", "php", "css", "html", "htm", "json", "map", "vue", "svelte", "wasm", "exe", "dll", "jar", "yaml", "yml", "txt", "tgz":
		return true
	}
	return false
}

// shellHost: "jo@devbox:~/x", "jo@devbox:/srv": a prompt or a copy. "f@self-hosted:12:3"
// and "f@resource://x" are frames.
func shellHost(s string, i int) int {
	j := i
	for j < len(s) && j < i+64 && (isAlnum(s[j]) || s[j] == '-' || s[j] == '.' || s[j] == '_') {
		j++
	}
	if j == i || j-i < 2 {
		return 0
	}
	if foldAt(s, i, "localhost") && j == i+9 {
		return j
	}
	if from := i - 1; at(s, j) == '>' && at(s, localPart(s, from, 0)-1) == '<' { // <jo@contoso>
		return j
	} else if k := localPart(s, from, 0); j-i > 1 && (foldAt(s, k-4, "ssh ") || foldAt(s, k-4, "scp ") || foldAt(s, k-5, "sftp ")) {
		return j
	}
	if at(s, j) == ':' && (at(s, j+1) == '~' || at(s, j+1) == '/' && at(s, j+2) != '/' && isWord(at(s, j+2))) {
		return j
	}
	return 0
}

// loginAddress: "jo@192.0.2.7" when it cannot be a package and its version: an
// address of a private network, or behind the name of a tool.
func loginAddress(s string, from, i int) int {
	end, ok := quad(s, i)
	if !ok {
		return 0
	}
	private := foldAt(s, i, "10.") || foldAt(s, i, "192.168.") || foldAt(s, i, "172.") || foldAt(s, i, "127.") || foldAt(s, i, "169.254.")
	for k := max(0, from-12); k < from && !private; k++ {
		private = foldAt(s[:from], k, "ssh") || foldAt(s[:from], k, "scp") || foldAt(s[:from], k, "sftp") || foldAt(s[:from], k, "rsync") || foldAt(s[:from], k, "login")
	}
	if !private && !(at(s, end) == ':' && !isDigit(at(s, end+1)) && at(s, end+1) != 0) {
		return 0
	}
	return end
}

// displayName goes back over up to three words with a capital before "<".
func displayName(s string, i, floor int) int {
	from := i
	if k := i - 1; k > floor && s[k] == ' ' && s[k-1] == '"' { // "Doe, Jo" <jo@example.org>
		for j := k - 2; j >= floor && k-j < 80 && s[j] != '\n' && s[j] != '<'; j-- {
			if s[j] == '"' {
				return j
			}
		}
	}
	for range 3 {
		j := from
		for j > floor && from-j < 3 && (s[j-1] == ' ' || s[j-1] == '"') {
			j--
		}
		k := j
		for k > floor && j-k < 24 && (isWord(s[k-1]) || s[k-1] == '.' || s[k-1] == '-' || s[k-1] == '\'') {
			k--
		}
		if k < j && j < from && from == i && (k == floor || k > 1 && s[k-1] == ' ' && s[k-2] == ':') {
			return k // "Author: jo <jo@example.org>"
		}
		if k == j || j == from || !(s[k] >= 'A' && s[k] <= 'Z' || s[k] >= 0x80) || at(s, k-1) == '/' {
			break
		}
		from = k
	}
	if from > floor && s[from-1] == '"' {
		from--
	}
	return from
}

// before goes back over what belongs to an address and stands before its local
// part: a sender's address that a list put in ("jo=example.org@lists.example"), and
// the user of "jo:password@host".
func before(s string, from, i, floor int) int {
	if p := at(s, from-1); p == '=' && publicDomain(s[:i], from) || p == ':' && isAlnum(at(s, from-2)) && !foldAt(s, from-7, "mailto:") {
		if j := localPart(s, from-1, floor); j < from-1 && (p == '=' || isSpace(at(s, j-1)) || isSep(at(s, j-1)) || j == 0) {
			return j
		}
	}
	return from
}

// publicDomain: a domain of a few well-known top levels starts at i.
func publicDomain(s string, i int) bool {
	end, ok := domainPart(s, i)
	if !ok {
		return false
	}
	dot := end - 1
	for dot > i && s[dot] != '.' {
		dot--
	}
	switch s[dot+1 : end] {
	case "com", "org", "net", "de", "eu", "edu", "uk", "fr", "ch", "gov", "io", "it", "es", "nl", "example":
		return true
	}
	return false
}

// share: "//jo:password@nas/x", an address without a scheme and a server without a domain.
func share(s string, from, i, floor int) int {
	if at(s, from-1) != ':' {
		return 0
	}
	j := localPart(s, from-1, floor)
	if j == from-1 || at(s, j-1) != '/' || at(s, j-2) != '/' {
		return 0
	}
	for i < len(s) && hostByte(s[i]) {
		i++
	}
	return i
}

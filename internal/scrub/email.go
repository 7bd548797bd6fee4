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
		default:
			continue
		}
		from := localPart(s, i, done)
		x.work += i - from
		if from == i {
			continue
		}
		end, ok := domainPart(s, i+w)
		x.work += end - i
		if !ok {
			if end = shellHost(s, i+w); end == 0 {
				continue
			}
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
	if at(s, j) == ':' && (at(s, j+1) == '~' || at(s, j+1) == '/' && at(s, j+2) != '/' && isWord(at(s, j+2))) {
		return j
	}
	return 0
}

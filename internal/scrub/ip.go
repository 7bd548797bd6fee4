package scrub

import "net/netip"

// ipv4 replaces dotted quads, unless they read as a version: behind a letter,
// '-', '_', '@' or '+', behind words such as "version", as a part of a path, or
// with a fifth number.
func (x *scan) ipv4(s string) string {
	for i := 0; i < len(s); {
		if !isDigit(s[i]) || i > 0 && (isDigit(s[i-1]) || s[i-1] == '.' && i > 1 && isAlnum(s[i-2])) {
			i++
			continue
		}
		end, ok := quad(s, i)
		x.work += end - i
		if !ok || x.versionBefore(s, i, end) {
			i = max(end, i+1)
			continue
		}
		if at(s, end) == '/' && isDigit(at(s, end+1)) && !isDigit(at(s, end+3)) { // a network
			end += 2
			if isDigit(at(s, end)) {
				end++
			}
		}
		x.hit(ruleIP, i, end, rules[ruleIP].Token)
		i = end
	}
	return x.flush(s)
}

func quad(s string, i int) (end int, ok bool) {
	for part := range 4 {
		v, n := 0, 0
		for i < len(s) && isDigit(s[i]) && n < 4 {
			v = v*10 + int(s[i]-'0')
			i++
			n++
		}
		if n == 0 || n > 3 || v > 255 {
			return i, false
		}
		if part < 3 {
			if at(s, i) != '.' {
				return i, false
			}
			i++
		}
	}
	if isWord(at(s, i)) || at(s, i) == '.' && isDigit(at(s, i+1)) || at(s, i) == '-' && isAlnum(at(s, i+1)) || at(s, i) == '+' && isAlnum(at(s, i+1)) {
		if at(s, i) == '-' && isDigit(at(s, i+1)) { // a range of addresses
			return i, true
		}
		return i, false
	}
	return i, true
}

// versionWords stand before versions.
var versionWords = []string{"version", "ver", "v", "release", "build", "fileversion", "productversion", "revision", "assemblyversion", "sdk", "runtime", "driver", "chrome", "electron", "firmware", "opera", "edge", "chromium", "webview2"}

func (x *scan) versionBefore(s string, i, end int) bool {
	if i == 0 {
		return false
	}
	p := s[i-1]
	switch {
	case foldAt(s, i, "192.168.") && !isWord(p) && p != '@' && p != '-' && p != '+':
		return false // no version is as high
	case isAlpha(p) || p == '_' || p >= 0x80:
		return true
	case p == '@':
		return true // acme@1.2.3.4; jo@192.0.2.1 went as an address before
	case p == '-' || p == '+':
		return isAlnum(at(s, i-2)) && !isDigit(at(s, i-2)) || !isAlnum(at(s, i-2)) && at(s, i-2) != ' ' && p == '+'
	case p == '/' || p == '\\':
		if isSep(at(s, i-2)) {
			return false // http://192.0.2.1, \\192.0.2.1
		}
		if isSep(at(s, end)) && !foldAt(s, i-4, "ip4") {
			return true // node_modules/acme/1.2.3.4/x.js
		}
		if at(s, end) == ':' && isDigit(at(s, end+1)) {
			return false // db/192.0.2.1:5432, as Java prints it
		}
		k := i - 1
		for k > 0 && i-k < 40 && isWord(s[k-1]) {
			k--
		}
		x.work += i - k
		if k == i-1 || at(s, k-1) == '.' { // "/192.0.2.1", "db.example.org/192.0.2.1"
			return false
		}
		return !foldEq(s[k:i-1], "localhost") && !foldEq(s[k:i-1], "ip4") // Chrome/1.2.3.4
	}
	// the word before: "version 1.2.3.4", "Version=1.2.3.4", `"version": "1.2.3.4"`
	k := i
	for k > 0 && i-k < 6 && !isWord(s[k-1]) && s[k-1] != '\n' {
		k--
	}
	w := k
	for w > 0 && k-w < 16 && isAlpha(s[w-1]) {
		w--
	}
	x.work += i - w
	word := s[w:k]
	for _, v := range versionWords {
		if foldEq(word, v) {
			return true
		}
	}
	return len(word) > 7 && foldEq(word[len(word)-7:], "version")
}

// ipv6 replaces addresses of version 6; "Foo::bar" and times are none.
func (x *scan) ipv6(s string) string {
	for i := 0; i < len(s); {
		if !v6Byte(s[i]) || i > 0 && (isWord(s[i-1]) || s[i-1] == '.') && s[i] != ':' {
			i++
			continue
		}
		j, colons, digits := i, 0, 0
		for j < len(s) && j < i+64 && (v6Byte(s[j]) || s[j] == '.') {
			if s[j] == ':' {
				colons++
			} else if isDigit(s[j]) {
				digits++
			}
			j++
		}
		x.work += j - i
		end := j
		if colons < 2 || digits == 0 || i > 0 && isWord(s[i-1]) {
			i = max(j, i+1)
			continue
		}
		if at(s, j) == '%' { // a zone
			for end++; end < len(s) && end < j+20 && isWord(s[end]); end++ {
			}
		} else if isWord(at(s, j)) || at(s, j) == '-' {
			i = j
			for i < len(s) && isWord(s[i]) {
				i++
			}
			continue
		}
		a := s[i:j]
		for len(a) > 0 && (a[len(a)-1] == '.' || a[len(a)-1] == ':' && len(a) > 1 && a[len(a)-2] != ':') {
			a = a[:len(a)-1]
		}
		if end == j {
			end = i + len(a)
		}
		// "[::1]:80" comes in pieces already; "2001:db8::1:443" is read whole.
		addr, err := netip.ParseAddr(a)
		if err != nil || !addr.Is6() || !sureV6(a, colons) {
			i = j
			continue
		}
		x.hit(ruleIP, i, end, rules[ruleIP].Token)
		i = end
	}
	return x.flush(s)
}

func v6Byte(c byte) bool { return isHexDigit(c) || c == ':' }

// sureV6: three groups, or a first group as long as routed addresses have, or
// the loopback.
func sureV6(a string, colons int) bool {
	if colons >= 3 || a == "::1" {
		return true
	}
	n := 0
	for n < len(a) && a[n] != ':' {
		n++
	}
	return n >= 3
}

// hexPairs replaces hardware addresses and Windows security identifiers.
func (x *scan) hexPairs(s string) string {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == 'S' && at(s, i+1) == '-' && at(s, i+2) == '1' && at(s, i+3) == '-' && !isWord(at(s, i-1)) {
			if end := sidEnd(s, i); end > 0 {
				x.work += end - i
				x.hit(ruleSID, i, end, rules[ruleSID].Token)
				i = end - 1
				continue
			}
		}
		if !isHexDigit(c) || i > 0 && (isWord(s[i-1]) || s[i-1] == ':' || s[i-1] == '-') {
			continue
		}
		end := macEnd(s, i)
		x.work += 4
		if end > 0 {
			x.work += end - i
			x.hit(ruleMAC, i, end, rules[ruleMAC].Token)
			i = end - 1
		}
	}
	return x.flush(s)
}

// macEnd accepts six pairs joined by one sign (00:1a:…, 00-1A-…), and three
// groups of four (001a.2b3c.4d5e).
func macEnd(s string, i int) int {
	if !isHexDigit(at(s, i+1)) {
		return 0
	}
	sep := at(s, i+2)
	digits, letters := 0, 0
	count := func(c byte) {
		if isDigit(c) {
			digits++
		} else {
			letters++
		}
	}
	if sep == ':' || sep == '-' {
		j, pairs := i, 0
		for isHexDigit(at(s, j)) && isHexDigit(at(s, j+1)) {
			count(s[j])
			count(s[j+1])
			pairs++
			j += 2
			if at(s, j) != sep || pairs == 9 {
				break
			}
			j++
		}
		if (pairs == 6 || pairs == 8) && !isWord(at(s, j)) && at(s, j) != sep && at(s, j-1) != sep && digits > 0 {
			return j
		}
		return 0
	}
	j := i
	for g := range 3 {
		for range 4 {
			if !isHexDigit(at(s, j)) {
				return 0
			}
			count(s[j])
			j++
		}
		if g < 2 {
			if at(s, j) != '.' {
				return 0
			}
			j++
		}
	}
	if isWord(at(s, j)) || at(s, j) == '.' || digits == 0 || letters == 0 {
		return 0
	}
	return j
}

// sidEnd: "S-1-5-21-…" of an account, or any with five parts and more.
func sidEnd(s string, i int) int {
	j, parts, long := i+2, 0, 0
	for j < len(s) && j < i+200 {
		k := j
		for k < len(s) && isDigit(s[k]) {
			k++
		}
		if k == j {
			break
		}
		parts++
		if k-j >= 6 {
			long++
		}
		j = k
		if at(s, j) != '-' || !isDigit(at(s, j+1)) {
			break
		}
		j++
	}
	if parts >= 5 && long > 0 {
		return j
	}
	return 0
}

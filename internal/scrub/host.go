package scrub

// hosts replaces names of devices and of hosts in private networks.
func (x *scan) hosts(s string) string {
	for i := 0; i < len(s); {
		if !isAlnum(s[i]) && s[i] < 0x80 || i > 0 && hostByte(s[i-1]) {
			i++
			continue
		}
		j := i
		dash := false
		for j < len(s) && hostByte(s[j]) {
			dash = dash || s[j] == '-'
			j++
		}
		x.work += j - i
		next := j
		for j > i && (s[j-1] == '.' || s[j-1] == '-') {
			j--
		}
		if p := at(s, i-1); j-i >= 6 && p != '_' && p != '$' && j-i < 254 && x.privateHost(s, i, j, dash) {
			x.hit(ruleHost, i, j, rules[ruleHost].Token)
		}
		i = max(next, i+1)
	}
	return x.flush(s)
}

func hostByte(c byte) bool { return isAlnum(c) || c == '-' || c == '.' || c >= 0x80 || c == '_' }

// privateHost decides whether s[i:j] names a device.
func (x *scan) privateHost(s string, i, j int, dash bool) bool {
	h := s[i:j]
	if p := at(s, i-1); dash && ownDevice(h) || (isSep(p) == isSep(at(s, i-2)) && p != '@') && at(s, j) != '(' && ownHost(h) {
		return true
	}
	if dash {
		switch {
		case deviceName(h, "DESKTOP-", 5), deviceName(h, "LAPTOP-", 5), deviceName(h, "WIN-", 8), deviceName(h, "PC-", 5), deviceName(h, "MININT-", 5), deviceName(h, "WORKSTATION-", 3), deviceName(h, "NOTEBOOK-", 3), deviceName(h, "SURFACE-", 3), deviceName(h, "MAC-", 6):
			return true
		case len(h) == 15 && (foldAt(h, 0, "desktop-") || foldAt(h, 0, "laptop-")) && randomName(h[7:]):
			return true // as Windows makes them up, in lower case
		case foldAt(h, 0, "ip-") && isDigit(at(h, 3)) && dashedQuad(h[3:]):
			return true
		}
		for k := 1; k < len(h); k++ {
			if h[k] == '-' && (foldAt(h, k, "-macbook") || foldAt(h, k, "-mbp") && !isAlpha(at(h, k+4)) || foldAt(h, k, "-imac") && !isAlpha(at(h, k+5)) || foldAt(h, k, "-mac-mini") || foldAt(h, k, "-mac-studio") || foldAt(h, k, "-mac-pro") || foldAt(h, k, "-thinkpad") || foldAt(h, k, "-iphone") || foldAt(h, k, "-ipad") || foldAt(h, k, "-laptop") && k+7 == len(h) || foldAt(h, k, "-desktop") && k+8 == len(h) && (h[k-1] == 's' || isDigit(h[k-1]))) {
				return true
			}
		}
	}
	dot := len(h) - 1
	for dot > 0 && h[dot] != '.' {
		dot--
	}
	if dot <= 0 {
		return false
	}
	if isSep(at(s, i-1)) && !isSep(at(s, i-2)) || at(s, i-1) == '@' {
		return false // a file or a package
	}
	switch tld := h[dot+1:]; {
	case foldEq(tld, "local"), foldEq(tld, "lan"), foldEq(tld, "localdomain"), foldEq(tld, "intranet"), foldEq(tld, "arpa") && foldAt(h, dot-5, ".home"):
		return !isSep(at(s, j)) || isSep(at(s, i-1))
	case foldEq(tld, "box"):
		return foldAt(h, dot-6, ".fritz")
	case foldEq(tld, "internal"), foldEq(tld, "corp"), foldEq(tld, "intra"), foldEq(tld, "home"), foldEq(tld, "private"):
		return !codeRoot(h) && hyphenOrDigit(h[:dot]) && at(s, j) != '('
	}
	return false
}

// deviceName: a maker's prefix and a code with upper case or digits behind it.
func deviceName(h, prefix string, rest int) bool {
	if len(h) < len(prefix)+rest || h[:len(prefix)] != prefix {
		return false
	}
	digits := 0
	for i := len(prefix); i < len(h) && h[i] != '.'; i++ {
		c := h[i]
		if isDigit(c) {
			digits++
		} else if !(c >= 'A' && c <= 'Z') && c != '-' {
			return false
		}
	}
	return digits > 0 || prefix == "DESKTOP-" || prefix == "LAPTOP-"
}

// randomName: letters and digits, both.
func randomName(s string) bool {
	d, l := false, false
	for i := range len(s) {
		d, l = d || isDigit(s[i]), l || isAlpha(s[i])
		if !isAlnum(s[i]) && i > 0 {
			return false
		}
	}
	return d && l
}

// dashedQuad: "10-0-0-1".
func dashedQuad(s string) bool {
	n, parts := 0, 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && isDigit(s[i]) {
			n++
			continue
		}
		if n == 0 || n > 3 {
			return false
		}
		parts++
		n = 0
		if parts == 4 {
			return true
		}
		if at(s, i) != '-' {
			return false
		}
	}
	return false
}

// codeRoot: names that start like a package do not name a host.
func codeRoot(h string) bool {
	for _, r := range [...]string{"com.", "org.", "net.", "io.", "java.", "javax.", "jdk.", "sun.", "kotlin.", "kotlinx.", "scala.", "dev.", "app.", "android.", "androidx.", "ai.", "de.", "google.", "github."} {
		if foldAt(h, 0, r) {
			return true
		}
	}
	return false
}

func hyphenOrDigit(s string) bool {
	for i := range len(s) {
		if s[i] == '-' || isDigit(s[i]) {
			return true
		}
	}
	return false
}

// userAgent replaces "Mozilla/5.0 (…) …" up to its last product.
func (x *scan) userAgent(s string) string {
	for i := 0; i+11 < len(s); i++ {
		if lower(s[i]) != 'm' || !foldAt(s, i, "mozilla/") || !isDigit(at(s, i+8)) || isWord(at(s, i-1)) {
			continue
		}
		end := agentEnd(s, i)
		x.work += end - i
		if end-i >= 16 {
			x.hit(ruleUserAgent, i, end, rules[ruleUserAgent].Token)
			i = end - 1
		}
	}
	return x.flush(s)
}

// agentEnd reads products ("Name/1.2"), comments in parentheses, and "like Gecko".
func agentEnd(s string, i int) int {
	end := i
	for {
		j := i
		for at(s, j) == ' ' {
			j++
		}
		start := j
		switch {
		case at(s, j) == '(':
			for j < len(s) && j < start+400 && s[j] != ')' && s[j] != '\n' && s[j] != '"' {
				j++
			}
			if at(s, j) != ')' {
				return j
			}
			j++
		case foldAt(s, j, "like gecko"):
			j += 10
		default:
			slash := false
			for j < len(s) && j < start+80 && !isSpace(s[j]) && s[j] != '"' && s[j] != '\'' && s[j] != ',' && s[j] != '\\' && s[j] != ')' && s[j] != ';' {
				slash = slash || s[j] == '/' && isDigit(at(s, j+1))
				j++
			}
			if !slash || j == start {
				return end
			}
		}
		i, end = j, j
	}
}

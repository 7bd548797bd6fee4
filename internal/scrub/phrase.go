package scrub

// phrases finds what a few words announce: the values that databases, sudo, sshd
// and shells repeat, hosts in system lines, devices called after people. It looks
// at the beginnings of words only.
func (x *scan) phrases(s string) string {
	done := 0
	for i := 0; i < len(s); i++ {
		if i < done || isWord(at(s, i-1)) {
			continue
		}
		from, to, id := x.phrase(s, i, done)
		if to <= from || from < done || harmless(s[from:to]) {
			continue
		}
		x.work += to - i
		x.hit(id, from, to, rules[id].Token)
		done = to
	}
	return x.flush(s)
}

// phrase returns what to take out for the word that starts at i.
func (x *scan) phrase(s string, i, floor int) (from, to int, id ruleID) {
	switch lower(s[i]) {
	case 'd':
		if foldAt(s, i, "duplicate entry ") {
			return quotedAt(s, i+16, ruleRow)
		}
		if foldAt(s, i, "denied to ") {
			end := word(s, i+10)
			for end > i+10 && s[end-1] == '.' {
				end--
			}
			return i + 10, end, ruleIdentity
		}
		if foldAt(s, i, "darwin ") {
			return kernelHost(s, i+7)
		}
	case 'l':
		if foldAt(s, i, "linux ") {
			return kernelHost(s, i+6)
		}
		if foldAt(s, i, "login ") && word(s, i+6) > i+6 && foldAt(s, word(s, i+6), " password ") {
			return i + 6, word(s, i+6), ruleIdentity
		}
		if foldAt(s, i, "logged in as ") {
			return i + 13, word(s, i+13), ruleIdentity
		}
	case 's':
		if foldAt(s, i, "signed in as ") {
			return i + 13, word(s, i+13), ruleIdentity
		}
	case 'f':
		switch {
		case foldAt(s, i, "failing row contains ("):
			return i + 22, closing(s, i+22, ')'), ruleRow
		case foldAt(s, i, "failed password for "):
			i += 20
			if foldAt(s, i, "invalid user ") {
				i += 13
			}
			return i, word(s, i), ruleIdentity
		}
	case 'k':
		if foldAt(s, i, "key (") {
			j := min(closing(s[:min(len(s), i+200)], i+5, ')'), len(s))
			x.work += j - i
			if at(s, j) == ')' && at(s, j+1) == '=' && at(s, j+2) == '(' {
				return j + 3, closing(s, j+3, ')'), ruleRow
			}
		}
	case 'p':
		if foldAt(s, i, "parameters: ") && at(s, i-1) == '[' {
			return i + 12, closing(s, i+12, ']'), ruleRow
		}
		if foldAt(s, i, "phone ") {
			return local(s, i+6)
		}
	case 'r':
		if foldAt(s, i, "role ") && at(s, i+5) == '"' {
			return quotedAt(s, i+5, ruleIdentity)
		}
	case 'i':
		switch {
		case foldAt(s, i, "invalid user: '"):
			return quotedAt(s, i+14, ruleIdentity)
		case foldAt(s, i, "id: '"):
			if _, to, _ := quotedAt(s, i+4, ruleIdentity); foldAt(s, to+1, ": no such user") {
				return i + 5, to, ruleIdentity
			}
		case foldAt(s, i, "is not in the sudoers") && at(s, i-1) == ' ':
			j := i - 1
			for j > floor && i-j < 64 && !isSpace(s[j-1]) {
				j--
			}
			return j, i - 1, ruleIdentity
		case foldAt(s, i, "iphone"), foldAt(s, i, "ipad"), foldAt(s, i, "imac"):
			return owner(s, i, floor)
		}
	case 'm':
		switch {
		case foldAt(s, i, "macbook-pro-") || foldAt(s, i, "macbook-air-"):
			return calledAfter(s, i+12)
		case foldAt(s, i, "macbook"), foldAt(s, i, "mac mini"), foldAt(s, i, "mac studio"):
			return owner(s, i, floor)
		case foldAt(s, i, "mobile "):
			return local(s, i+7)
		}
	case 't':
		if foldAt(s, i, "tel. ") || foldAt(s, i, "tel: ") {
			return local(s, i+5)
		}
	case '/':
		if foldAt(s, i, "/user:") && at(s, i-1) == ' ' { // net use Z: \\nas\share PASSWORD /user:jo
			j := i - 1
			for j > floor && i-j < 64 && !isSpace(s[j-1]) {
				j--
			}
			for k := max(0, i-160); k < j; k++ {
				if foldAt(s, k, "net use") && s[j] != '\\' && j > k+7 && at(s, j+1) != ':' {
					return j, i - 1, ruleSecret
				}
			}
			return i + 6, word(s, i+6), ruleIdentity
		}
	case 'u':
		for _, w := range [...]string{"user id is ", "username is ", "user name is ", "user.name ", "user.email "} {
			if foldAt(s, i, w) {
				return i + len(w), word(s, i+len(w)), ruleIdentity
			}
		}
		if foldAt(s, i, "user ") || foldAt(s, i, "user:") {
			if end := word(s, i+5); foldAt(s, end, " does not exist") {
				return i + 5, end, ruleIdentity
			}
			return domainUser(s, i+5)
		}
	case 'a':
		if foldAt(s, i, "account ") {
			return domainUser(s, i+8)
		}
		if foldAt(s, i, "at") {
			return spelled(s, i, floor)
		}
	case 'x':
		if at(s, i+1) == ':' && at(s, i-1) == ':' && isDigit(at(s, i+2)) {
			return account(s, i, floor)
		}
	case '-':
		return listed(s, i)
	case '$':
		return crypted(s, i)
	}
	if from, to := logHost(s, i); to > 0 {
		return from, to, ruleHost
	}
	if from, to := envColumn(s, i); to > 0 {
		return from, to, ruleIdentity
	}
	return 0, 0, 0
}

// quotedAt returns what stands between the quotes at i.
func quotedAt(s string, i int, id ruleID) (from, to int, rule ruleID) {
	if q := at(s, i); q != '"' && q != '\'' {
		return 0, 0, 0
	}
	start, end, _ := valueBounds(s[:min(len(s), i+4096)], i, false)
	return start, end, id
}

// closing returns where the bracket that was opened before i is closed, the end
// of the line, or of 4 KB, without. What stands in quotes counts as well: rows hold anything.
func closing(s string, i int, mark byte) int {
	depth := 0
	for end := min(len(s), i+4096); i < end && s[i] != '\n'; i++ {
		switch s[i] {
		case '(', '[':
			depth++
		case ')', ']':
			if depth == 0 && s[i] == mark {
				return i
			}
			depth = max(0, depth-1)
		}
	}
	return i
}

// word returns the end of the word at i.
func word(s string, i int) int {
	for n := 0; n < 64 && i < len(s) && !isSpace(s[i]) && s[i] != '"' && s[i] != '\'' && s[i] != ',' && s[i] != ';'; n++ {
		i++
	}
	return i
}

// kernelHost: "Linux jobox 6.1.0-13 …", as uname prints it.
func kernelHost(s string, i int) (from, to int, id ruleID) {
	j := i
	for j < len(s) && j-i < 64 && hostByte(s[j]) {
		j++
	}
	if j == i || at(s, j) != ' ' || !isDigit(at(s, j+1)) || !isDigit(at(s, j+2)) && at(s, j+2) != '.' || foldEq(s[i:j], "kernel") || foldEq(s[i:j], "version") || foldEq(s[i:j], "mint") || isDigit(s[i]) {
		return 0, 0, 0
	}
	k := j + 1
	dots := 0
	for k < len(s) && k-j < 12 && (isDigit(s[k]) || s[k] == '.') {
		if s[k] == '.' {
			dots++
		}
		k++
	}
	if dots < 2 {
		return 0, 0, 0
	}
	return i, j, ruleHost
}

// logHost: "Nov 21 18:00:01 jobox sshd[12]:", as system logs begin their lines.
func logHost(s string, i int) (from, to int) {
	if len(s)-i < 20 || s[i] < 'A' || s[i] > 'S' || s[i+3] != ' ' || s[i+6] != ' ' || s[i+9] != ':' || s[i+12] != ':' || s[i+15] != ' ' || !isDigit(s[i+5]) || !isDigit(s[i+14]) {
		return 0, 0
	}
	j := i + 16
	for j < len(s) && j-i < 80 && hostByte(s[j]) {
		j++
	}
	k := j + 1
	for k < len(s) && k-j < 40 && (isWord(s[k]) || s[k] == '-' || s[k] == '.' || s[k] == '/') {
		k++
	}
	if j == i+16 || at(s, j) != ' ' || at(s, k) != '[' && at(s, k) != ':' {
		return 0, 0
	}
	return i + 16, j
}

// envColumns are names that tables of the environment print beside a value.
var envColumns = []string{"USERNAME", "COMPUTERNAME", "USERDOMAIN", "USERDNSDOMAIN", "LOGONSERVER", "LOGNAME", "HOSTNAME", "USER"}

// envColumn: "USERNAME          johanna", as PowerShell lists the environment.
func envColumn(s string, i int) (from, to int) {
	if s[i] != 'U' && s[i] != 'C' && s[i] != 'L' && s[i] != 'H' {
		return 0, 0
	}
	for _, n := range envColumns {
		j := i + len(n)
		if len(s) < j || s[i:j] != n || at(s, j) != ' ' || at(s, j+1) != ' ' {
			continue
		}
		for j < len(s) && j-i < 80 && s[j] == ' ' {
			j++
		}
		return j, word(s, j)
	}
	return 0, 0
}

// owner: "Johanna's iPhone": the word before the device, when it is a possessive.
func owner(s string, i, floor int) (from, to int, id ruleID) {
	j := i - 1
	if at(s, j) != ' ' || at(s, j-1) != 's' {
		return 0, 0, 0
	}
	end := j
	switch {
	case at(s, j-2) == '\'':
		j -= 2
	case j >= 4 && s[j-4:j-1] == "’":
		j -= 4
	default:
		return 0, 0, 0
	}
	for k := 0; j > floor && k < 32 && isWord(s[j-1]); k++ {
		j--
	}
	if !(at(s, j) >= 'A' && at(s, j) <= 'Z' || at(s, j) >= 0x80) {
		return 0, 0, 0
	}
	return j, end, ruleHost
}

// calledAfter: "MacBook-Pro-von-Johanna", in the languages macOS makes it up in.
func calledAfter(s string, i int) (from, to int, id ruleID) {
	for _, w := range [...]string{"von-", "de-", "di-", "van-", "of-", "av-", "til-", "fra-", "do-", "da-"} {
		if foldAt(s, i, w) {
			j := i + len(w)
			for j < len(s) && j-i < 64 && hostByte(s[j]) {
				j++
			}
			return i + len(w), j, ruleHost
		}
	}
	return 0, 0, 0
}

// domainUser: "user CORP\jo": a domain in capitals, one backslash, a name that is no path.
func domainUser(s string, i int) (from, to int, id ruleID) {
	j := i
	for j < len(s) && j-i < 16 && (s[j] >= 'A' && s[j] <= 'Z' || isDigit(s[j]) || s[j] == '-' || s[j] == '_') {
		j++
	}
	if n := sepLen(s, j); j-i < 2 || at(s, j) != '\\' || n > 4 || !isWord(at(s, j+n)) {
		return 0, 0, 0
	}
	end := word(s, j+sepLen(s, j))
	for k := j + sepLen(s, j); k < end; k++ {
		if isSep(s[k]) {
			return 0, 0, 0
		}
	}
	return i, end, ruleIdentity
}

// local is a telephone number as people write it, behind a word that says so.
func local(s string, i int) (from, to int, id ruleID) {
	j, n := i, 0
	for j < len(s) && j-i < 28 {
		switch c := s[j]; {
		case isDigit(c):
			n++
		case (c == ' ' || c == '-' || c == '/' || c == '.' || c == '(' || c == ')') && n > 0 && (isDigit(at(s, j+1)) || isDigit(at(s, j+2)) && at(s, j+1) != '.'):
		default:
			goto out
		}
		j++
	}
out:
	if n < 7 || n > 15 || isWord(at(s, j)) {
		return 0, 0, 0
	}
	return i, j, rulePhone
}

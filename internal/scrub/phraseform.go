package scrub

// spelled: "jo at example dot org", with brackets around the words or without.
func spelled(s string, i, floor int) (from, to int, id ruleID) {
	open := i
	for n := 0; n < 3 && open > floor && (s[open-1] == ' ' || s[open-1] == '[' || s[open-1] == '('); n++ {
		open--
	}
	from = localPart(s, open, floor)
	if open == i || from == open {
		return 0, 0, 0
	}
	j, dots := i+2, 0
	for range 4 {
		k := j
		for n := 0; n < 3 && (at(s, k) == ' ' || at(s, k) == ']' || at(s, k) == ')' || at(s, k) == '[' || at(s, k) == '('); n++ {
			k++
		}
		if dots > 0 || k > j {
			if foldAt(s, k, "dot") && k > j && !isWord(at(s, k+3)) && dots >= 0 && j > i+2 {
				dots++
				j = k + 3
				continue
			}
		}
		e := k
		for e < len(s) && e-k < 64 && (isAlnum(s[e]) || s[e] == '-') {
			e++
		}
		if k == j || e == k || j > i+2 && !foldAt(s, j-3, "dot") {
			break
		}
		j = e
	}
	if dots == 0 || foldAt(s, j-3, "dot") {
		return 0, 0, 0
	}
	return from, j, ruleEmail
}

// crypted: "$2b$10$…", "$argon2id$…", "$6$…": what is left of a password.
func crypted(s string, i int) (from, to int, id ruleID) {
	for _, p := range [...]string{"$2a$", "$2b$", "$2y$", "$argon2", "$6$", "$5$", "$1$", "$y$", "$7$", "$apr1$", "$pbkdf2", "$scrypt$"} {
		if !foldAt(s, i, p) {
			continue
		}
		j := i + len(p)
		for j < len(s) && j-i < 256 && (isAlnum(s[j]) || s[j] == '.' || s[j] == '/' || s[j] == '$' || s[j] == '=' || s[j] == ',' || s[j] == '+' || s[j] == '-') {
			j++
		}
		if j-i >= 24 && varied(s[i+len(p):j]) {
			return i, j, ruleSecret
		}
	}
	return 0, 0, 0
}

// account: "jo:x:1000:1000:Jo Ann:", a line of /etc/passwd; i is its x.
func account(s string, i, floor int) (from, to int, id ruleID) {
	j := i - 1
	for j > floor && i-j < 40 && keyByte(s[j-1]) {
		j--
	}
	k, colons := i+2, 0
	for k < len(s) && k-i < 160 && s[k] != '\n' && s[k] != '/' && s[k] != '<' {
		if s[k] == ':' {
			if colons++; colons == 3 {
				break
			}
		} else if colons < 2 && !isDigit(s[k]) {
			return 0, 0, 0
		}
		k++
	}
	if colons != 3 || j == i-1 {
		return 0, 0, 0
	}
	return j, k, ruleIdentity
}

// listed: "-rw-r--r-- 1 jo staff 12", a line of ls.
func listed(s string, i int) (from, to int, id ruleID) {
	j := i + 1
	for j < len(s) && j-i < 10 && (s[j] == 'r' || s[j] == 'w' || s[j] == 'x' || s[j] == '-' || s[j] == 's' || s[j] == 't') {
		j++
	}
	if j-i != 10 || at(s, i+1) != 'r' {
		return 0, 0, 0
	}
	for j < len(s) && j-i < 24 && (s[j] == ' ' || isDigit(s[j]) || s[j] == '@' || s[j] == '+' || s[j] == '.') {
		j++
	}
	return j, word(s, j), ruleIdentity
}

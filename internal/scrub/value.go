package scrub

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

// throwable: "failure to login: javax.security.LoginException: …" is prose.
func throwable(v string) bool {
	if v[len(v)-1] == ':' {
		v = v[:len(v)-1]
	}
	return len(v) > 9 && (v[len(v)-9:] == "Exception" || v[len(v)-5:] == "Error")
}

func quoted(s string, i int) bool {
	c := at(s, i)
	return c == '"' || c == '\'' || c == '\\'
}

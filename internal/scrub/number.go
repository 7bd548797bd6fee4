package scrub

// numbers replaces what groups of digits can be: payment cards, IBANs, social
// security numbers, telephone numbers. All are conservative: a number that
// could be an id, a time or an address in memory stays.
func (x *scan) numbers(s string) string {
	for i := 0; i < len(s); i++ {
		c := s[i]
		prev := at(s, i-1)
		switch {
		case c == '+' && isDigit(at(s, i+1)) && !isWord(prev) && prev != '.' && prev != ')':
			if end := phoneEnd(s, i+1); end > 0 {
				x.work += end - i
				x.hit(rulePhone, i, end, rules[rulePhone].Token)
				i = end - 1
			}
		case c == '(' && isDigit(at(s, i+1)) && !isWord(prev):
			if end := nanp(s, i); end > 0 {
				x.hit(rulePhone, i, end, rules[rulePhone].Token)
				i = end - 1
			}
		case isDigit(c) && !isWord(prev) && prev != '.' && prev != '-' && prev != '+' && prev != '#':
			end, id := x.digits(s, i)
			if end > 0 {
				x.hit(id, i, end, rules[id].Token)
				i = end - 1
				continue
			}
			for i+1 < len(s) && isAlnum(s[i+1]) {
				i++
			}
		case isAlnum(c) && !isWord(prev) && prev != '-' && isKeyGroups(s, i):
			end := i + 29
			x.hit(ruleToken, i, end, rules[ruleToken].Token)
			i = end - 1
		case isAlpha(c) && !isWord(prev) && isDigit(at(s, i+2)) && isDigit(at(s, i+3)):
			if end := ibanEnd(s, i); end > 0 {
				x.work += end - i
				x.hit(ruleNational, i, end, rules[ruleNational].Token)
				i = end - 1
			}
		}
	}
	return x.flush(s)
}

// digits reads groups of digits joined by single spaces or dashes from i.
func (x *scan) digits(s string, i int) (end int, id ruleID) {
	if isDigit(at(s, i+1)) && isDigit(at(s, i+2)) {
		if e := nanp(s, i); e > 0 {
			return e, rulePhone
		}
		if e := ssnEnd(s, i); e > 0 {
			return e, ruleNational
		}
	}
	var d [20]byte
	n, j, sep := 0, i, byte(0)
	for j < len(s) && n < 20 {
		c := s[j]
		if isDigit(c) {
			d[n] = c - '0'
			n++
			j++
			continue
		}
		if (c == ' ' || c == '-' || c == '.' && n%4 == 0 && isDigit(at(s, j+4))) && isDigit(at(s, j+1)) && (sep == 0 || sep == c) {
			sep = c
			j++
			continue
		}
		break
	}
	x.work += j - i
	if n < 13 || n > 19 || isWord(at(s, j)) || at(s, j) == '.' && isDigit(at(s, j+1)) || at(s, j) == '-' {
		return 0, 0
	}
	if d[0] < 3 || d[0] > 6 {
		if d[0] != 2 || n != 16 {
			return 0, 0
		}
	}
	if sep != 0 && !cardGroups(s[i:j], sep) {
		return 0, 0
	}
	if !luhn(d[:n]) {
		return 0, 0
	}
	return j, ruleCard
}

// cardGroups: 4-4-4-4, 4-6-5, 4-6-4 and the like.
func cardGroups(s string, sep byte) bool {
	n := 0
	for i := 0; i <= len(s); i++ {
		if i == len(s) || s[i] == sep {
			if n < 1 || n > 7 || i < len(s) && n < 4 {
				return false
			}
			n = 0
			continue
		}
		n++
	}
	return true
}

func luhn(d []byte) bool {
	sum, same := 0, true
	for i := range d {
		v := int(d[len(d)-1-i])
		if d[i] != d[0] {
			same = false
		}
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0 && !same
}

// phoneEnd: 8 to 15 digits after '+', in groups.
func phoneEnd(s string, i int) int {
	j, n, open := i, 0, 0
	for j < len(s) && j < i+28 {
		c := s[j]
		switch {
		case isDigit(c):
			n++
		case c == '(' && isDigit(at(s, j+1)):
			open++
		case c == ')' && open > 0:
			open--
		case (c == ' ' || c == '-' || c == '.' || c == '/') && (isDigit(at(s, j+1)) || at(s, j+1) == '('):
		default:
			goto out
		}
		j++
	}
out:
	if n < 8 || n > 15 || isWord(at(s, j)) || s[i] == '0' {
		return 0
	}
	return j
}

// nanp: "(555) 123-4567", "555-123-4567", "555.123.4567" with a first digit
// of 2 to 9 in both codes.
func nanp(s string, i int) int {
	j := i
	paren := at(s, j) == '('
	if paren {
		j++
	}
	if !three(s, j) || s[j] < '2' {
		return 0
	}
	j += 3
	if paren {
		if at(s, j) != ')' {
			return 0
		}
		j++
		if at(s, j) == ' ' || at(s, j) == '-' {
			j++
		}
	} else {
		if at(s, j) != '-' {
			return 0
		}
		j++
	}
	if !three(s, j) || s[j] < '2' {
		return 0
	}
	j += 3
	if c := at(s, j); c != '-' && c != ' ' && c != '.' {
		return 0
	}
	j++
	if !three(s, j) || !isDigit(at(s, j+3)) || isWord(at(s, j+4)) || at(s, j+4) == '-' {
		return 0
	}
	return j + 4
}

func three(s string, i int) bool {
	return isDigit(at(s, i)) && isDigit(at(s, i+1)) && isDigit(at(s, i+2))
}

// ssnEnd: three, two and four digits; the ranges that were never given out stay.
func ssnEnd(s string, i int) int {
	if !three(s, i) || at(s, i+3) != '-' && at(s, i+3) != ' ' || at(s, i+6) != at(s, i+3) {
		return 0
	}
	if !isDigit(at(s, i+4)) || !isDigit(at(s, i+5)) || !three(s, i+7) || !isDigit(at(s, i+10)) || isWord(at(s, i+11)) || at(s, i+11) == '-' {
		return 0
	}
	area := s[i : i+3]
	if area == "000" || area == "666" || area[0] == '9' || s[i+4:i+6] == "00" || s[i+7:i+11] == "0000" {
		return 0
	}
	if s[i+3] == ' ' && !foldAt(s, i-4, "ssn") && !foldAt(s, i-5, "ssn:") {
		return 0
	}
	return i + 11
}

// ibanEnd: two letters, two digits, 11 to 30 letters and digits, and the check
// (mod 97).
func ibanEnd(s string, i int) int {
	capital := s[i] <= 'Z'
	if !isAlpha(at(s, i+1)) || (s[i+1] <= 'Z') != capital {
		return 0
	}
	var b [34]byte
	n, j := 0, i
	for j < len(s) && n < 34 {
		c := s[j]
		if isDigit(c) || isAlpha(c) && (c <= 'Z') == capital {
			b[n] = c &^ 0x20
			if isDigit(c) {
				b[n] = c
			}
			n++
			j++
			continue
		}
		if n > 0 && (c == ' ' || c == '-') && (isDigit(at(s, j+1)) || isAlpha(at(s, j+1)) && (at(s, j+1) <= 'Z') == capital) && n%4 == 0 {
			j++
			continue
		}
		break
	}
	if n < 15 || isWord(at(s, j)) {
		return 0
	}
	mod := 0
	for k := range n {
		c := b[(k+4)%n]
		if isDigit(c) {
			mod = (mod*10 + int(c-'0')) % 97
		} else {
			mod = (mod*100 + int(c-'A') + 10) % 97
		}
	}
	if mod != 1 {
		return 0
	}
	return j
}

// isKeyGroups: five groups of five capitals and digits, as product keys are.
func isKeyGroups(s string, i int) bool {
	if len(s)-i < 29 || isWord(at(s, i+29)) || at(s, i+29) == '-' || s[i+5] != '-' {
		return false
	}
	digits, letters := 0, 0
	for k := range 29 {
		c := s[i+k]
		switch {
		case k%6 == 5:
			if c != '-' {
				return false
			}
		case isDigit(c):
			digits++
		case c >= 'A' && c <= 'Z':
			letters++
		default:
			return false
		}
	}
	return digits > 1 && letters > 1
}

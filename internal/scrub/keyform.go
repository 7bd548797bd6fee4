package scrub

import (
	"encoding/base64"
	"strings"
)

// odd finds keys whose form a prefix alone does not tell; s[i:j] is a run of
// letters, digits, '-' and '_'. It returns where the key starts and ends, 0 at
// the end without one.
func (x *scan) odd(s string, i, j int) (from, to int) {
	run := s[i:j]
	switch {
	case len(run) < 100 && at(s, j) == '~': // Azure: 8Q~ and more behind a few signs
		if len(run) >= 3 && run[len(run)-1] == 'Q' && isDigit(run[len(run)-2]) {
			k := j + 1
			for k < len(s) && k-j < 64 && (runByte[s[k]] || s[k] == '~' || s[k] == '.') {
				k++
			}
			if k-j >= 24 {
				return i, k
			}
		}
	case len(run) < 10:
	case strings.HasPrefix(run, "AAAA") && sshKey(run):
		k := j
		for k < len(s) && k-i < 4096 && (runByte[s[k]] || s[k] == '+' || s[k] == '/' || s[k] == '=') {
			k++
		}
		if at(s, k) == ' ' { // its comment names who made it, and where
			k = word(s, k+1)
		}
		x.work += k - i
		return i, k
	case len(run) == 43 && foldAt(s, i-7, "sha256:"): // the fingerprint of a key
		return i, j
	case run[0] == '0' && len(run) >= 24 && foldAt(s, i-3, "1//") && varied(run): // Google, to refresh
		return i - 3, j
	case len(run) == 34 && (run[:2] == "SK" || run[:2] == "AC") && hexOnly(run[2:]): // Twilio
		return i, j
	case len(run) >= 36 && hexOnly(run[:32]) && run[32:35] == "-us" && allDigits(run[35:]): // Mailchimp
		return i, j
	case len(run) >= 76 && len(run) <= 96 && strings.Contains(run, "AZDO"): // Azure DevOps
		return i, j
	case run[0] >= 'M' && run[0] <= 'O' && len(run) >= 22 && len(run) <= 30 && at(s, j) == '.':
		if k := discord(s, i, j); k > 0 {
			return i, k
		}
	}
	if !x.code && randomKey(s, i, j) {
		return i, j
	}
	return 0, 0
}

func sshKey(run string) bool {
	return strings.HasPrefix(run, "AAAAB3NzaC1") || strings.HasPrefix(run, "AAAAC3NzaC1") || strings.HasPrefix(run, "AAAAE2VjZHNhLX") || strings.HasPrefix(run, "AAAAGnNr") || strings.HasPrefix(run, "AAAAInNr")
}

func hexOnly(s string) bool {
	for i := range len(s) {
		if !isHexDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// discord: an account's number in base64, a time, a seal.
func discord(s string, i, j int) int {
	b, err := base64.RawStdEncoding.DecodeString(s[i:j])
	if err != nil || !allDigits(string(b)) {
		return 0
	}
	k := j + 1
	for parts := 0; k < len(s) && k-j < 80; k++ {
		if s[k] == '.' && parts == 0 {
			parts++
		} else if !runByte[s[k]] {
			break
		}
	}
	if k-j < 24 {
		return 0
	}
	return k
}

// randomKey: at least 24 signs in which small and capital letters and digits change
// so often that it is no name: keys of issuers that nobody knows here. Names that
// compilers make (_ZN…, $s…), files and their hashes are none.
func randomKey(s string, i, j int) bool {
	if j-i < 24 || j-i > 200 {
		return false
	}
	switch at(s, i-1) {
	case '/', '.', '\\', '@', '$', '?', '#', '+':
		return false
	}
	if c := at(s, j); c == '.' && isAlpha(at(s, j+1)) || c == '/' || c == '+' || c == '$' || c == '@' {
		return false
	}
	if s[i] == '_' && (s[i+1] == 'Z' || s[i+1] == 'R' || s[i+1] == 'T' || s[i+1] == '_') || foldAt(s, i, "sha") && at(s, i+6) == '-' {
		return false
	}
	var n, changes, digits, upper, low int
	last := byte(0)
	for k := i; k < j; k++ {
		kind := byte(3)
		switch c := s[k]; {
		case isDigit(c):
			digits++
			kind = 1
		case c >= 'A' && c <= 'Z':
			upper++
			kind = 2
		case !isAlpha(c):
			continue // '-' and '_' join parts
		default:
			low++
		}
		n++
		if kind != last {
			changes++
		}
		last = kind
	}
	return digits >= 4 && upper >= 4 && low >= 4 && changes*2 >= n
}

package scrub

import (
	"strings"
)

// The forms that fields of their own must have; what has another one is taken out.

// versionLike: at most 64 letters, digits and ".-+_", with a digit.
func versionLike(s string) bool {
	if s == "" {
		return true
	}
	if len(s) > 64 {
		return false
	}
	digit := false
	for i := range len(s) {
		c := s[i]
		if !isAlnum(c) && c != '.' && c != '-' && c != '+' && c != '_' {
			return false
		}
		digit = digit || isDigit(c)
	}
	return digit
}

func hexAddr(s string) bool {
	if len(s) > 20 {
		return false
	}
	s = strings.TrimPrefix(strings.TrimPrefix(s, "+"), "0x")
	for i := range len(s) {
		if !isHexDigit(s[i]) {
			return false
		}
	}
	return true
}

// guidLike: hexadecimal digits and dashes, at most 80.
func guidLike(s string) bool {
	if len(s) > 80 {
		return false
	}
	for i := range len(s) {
		if !isHexDigit(s[i]) && s[i] != '-' {
			return false
		}
	}
	return true
}

// oneAddress: a single mail address and nothing else.
func oneAddress(s string) bool {
	s = strings.TrimSpace(s)
	i := strings.IndexByte(s, '@')
	if i <= 0 || len(s) > 254 || strings.ContainsAny(s, " \t\r\n<>,;:\"'()\\/?#&=") {
		return false
	}
	end, ok := domainPart(s, i+1)
	return ok && end == len(s)
}

// originOf returns scheme://host[:port] of an address.
func originOf(u string) string {
	i := strings.Index(u, "://")
	if i < 0 {
		if strings.ContainsAny(u, "/?#@") {
			return ""
		}
		return u
	}
	rest := u[i+3:]
	if k := strings.IndexAny(rest, "/?#\\"); k >= 0 {
		rest = rest[:k]
	}
	if k := strings.LastIndexByte(rest, '@'); k >= 0 {
		rest = rest[k+1:]
	}
	return u[:i+3] + rest
}

package signature

import "strings"

// marks are what the scrubber leaves where something personal was. They vary with
// nothing, but what stands around them does: a mark belongs to the URL, the path
// or the name it was found in. A test compares the list with scrub's.
var marks = []string{
	"private-key", "user-agent", "secret", "id", "credentials", "query", "token", "encoded", "email", "user", "host", "ip", "mac", "card",
	"national-id", "phone", "sid", "data", "removed", "org", "volume", "fragment",
	"row",
}

// markAt returns the end of the mark that begins at s[i], or i.
func markAt(s string, i int) int {
	if i >= len(s) || s[i] != '<' {
		return i
	}
	for _, m := range marks {
		if end := i + 1 + len(m); end < len(s) && s[end] == '>' && s[i+1:end] == m {
			return end + 1
		}
	}
	return i
}

// runEnd returns the end of the run that begins at s[i] and is known up to j: see
// isRun. A mark is part of it; so are a tilde in a path, and in a URL an address
// in brackets and what else a URL may hold.
func runEnd(s string, i, j int, path bool) int {
	url := false
	for j < len(s) {
		if end := markAt(s, j); end > j {
			j = end
			continue
		}
		switch c := s[j]; {
		case isRun(c) || path && c == '~':
			url = url || c == '/' && strings.HasSuffix(s[i:j], ":/")
			j++
			continue
		case url && c == '[':
			if end := strings.IndexByte(s[j:min(len(s), j+64)], ']'); end > 0 {
				j += end + 1
				continue
			}
		case url && (c == '~' || c == ',' || c == ';' || c == '!' || c == '*') && j+1 < len(s) && (isRun(s[j+1]) || markAt(s, j+1) > j+1):
			j++
			continue
		}
		break
	}
	for j > i+1 && isTrail(s[j-1]) {
		j--
	}
	return j
}

// appendMarked writes a run in which there are marks and which is no URL.
func appendMarked(b []byte, s string) []byte {
	if first := markAt(s, 0); first > 0 {
		switch rest := s[first:]; {
		case rest == "":
			return append(b, s...)
		case rest[0] == ':' && allDigits(rest[1:]): // a port
			return append(b, s[:first]...)
		case rest[0] == ':' && s[:first] == "<email>": // git@host:path
			return append(b, "<url>"...)
		}
	}
	if strings.ContainsAny(s, `/\`) && (strings.Contains(s, "<user>") || strings.Contains(s, "<org>") || strings.Contains(s, "<volume>") || strings.Contains(s, "<host>")) {
		return append(b, "<path>"...)
	}
	for i := 0; i < len(s); {
		if end := markAt(s, i); end > i {
			b = append(b, s[i:end]...)
			i = end
			continue
		}
		next := strings.IndexByte(s[i+1:], '<')
		if next < 0 {
			return appendRun(b, s[i:])
		}
		b = appendRun(b, s[i:i+1+next])
		i += 1 + next
	}
	return b
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

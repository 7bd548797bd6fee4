package signature

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// maxMessage is how much of a message a template reads.
const maxMessage = 400

// Template replaces what varies in a message (addresses, ids, numbers, paths,
// quoted strings) by placeholders, so that two messages of one cause read the
// same. Short quoted names stay: "reading 'uri'" names a place in the code. One
// pass, no regular expressions; the first 400 bytes count, first line only.
func Template(msg string) string {
	if i := strings.IndexByte(msg, '\n'); i >= 0 {
		msg = msg[:i]
	}
	if len(msg) > maxMessage {
		msg = eco.Clean(msg, maxMessage)
	}
	for _, c := range table.canonical {
		if strings.Contains(msg, c.text) {
			return c.template
		}
	}
	b := make([]byte, 0, len(msg)+16)
	for i := 0; i < len(msg); {
		c := msg[i]
		switch {
		case c == '"' || c == '\'' || c == '`':
			j := closing(msg, i)
			if j < 0 {
				b = append(b, c)
				i++
				continue
			}
			b = appendQuoted(b, msg[i:j+1])
			i = j + 1
		case isWord(c) || markAt(msg, i) > i:
			j := runEnd(msg, i, i, false)
			b = appendRun(b, msg[i:j])
			i = j
		case c == ' ' || c == '\t':
			if len(b) > 0 && b[len(b)-1] != ' ' {
				b = append(b, ' ')
			}
			i++
		case (c == '/' || c == '\\' || c == '~') && (i == 0 || isBreak(msg[i-1])):
			j := runEnd(msg, i, i+1, true)
			b = appendPath(b, msg[i:j])
			i = j
		default:
			b = append(b, c)
			i++
		}
	}
	return strings.TrimRight(string(b), " ")
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= 0x80
}

// isRun reports whether a byte may stand inside one run of text without blanks
// that is judged as a whole (a URL, a path, an id, a number).
func isRun(c byte) bool {
	return isWord(c) || c == '.' || c == '-' || c == ':' || c == '/' || c == '\\' || c == '@' || c == '%' || c == '+' || c == '#' || c == '?' || c == '&' || c == '='
}

// isTrail reports whether a byte at the end of a run belongs to the sentence.
func isTrail(c byte) bool {
	return c == '.' || c == ':' || c == '?' || c == '-' || c == '+' || c == '='
}

func isBreak(c byte) bool {
	return c == ' ' || c == '(' || c == '[' || c == '=' || c == ',' || c == '\t'
}

// closing finds the quote that ends the one at i, near enough to be a name or a value.
func closing(s string, i int) int {
	if i > 0 && isWord(s[i-1]) {
		return -1 // an apostrophe
	}
	j := strings.IndexByte(s[i+1:], s[i])
	if j < 0 || j > 200 {
		return -1
	}
	return i + 1 + j
}

// appendQuoted keeps a quoted name of code and replaces a quoted value.
func appendQuoted(b []byte, q string) []byte {
	in := q[1 : len(q)-1]
	if in == "" || isName(in) {
		return appendName(b, q)
	}
	return append(append(append(b, q[0]), "<str>"...), q[0])
}

// appendName writes a name; "<local4>" and "<parameter1>", which stand for
// variables without names, lose their numbers.
func appendName(b []byte, q string) []byte {
	if q[1] != '<' {
		return append(b, q...)
	}
	for i := range len(q) {
		if q[i] < '0' || q[i] > '9' {
			b = append(b, q[i])
		}
	}
	return b
}

// isName reports whether s reads like an identifier or a call path of code.
func isName(s string) bool {
	if len(s) > 120 || s[0] >= '0' && s[0] <= '9' {
		return false
	}
	digits := 0
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			digits++
		case isWord(c), c == '.', c == '(', c == ')', c == '<', c == '>', c == '[', c == ']', c == ',', c == ' ' && i > 0:
		default:
			return false
		}
	}
	return digits <= 2 && !looksHex(s, 2)
}

// appendRun writes a run of word characters, replaced when it varies.
func appendRun(b []byte, s string) []byte {
	switch {
	case strings.Contains(s, "://"):
		return append(b, "<url>"...)
	case strings.IndexByte(s, '<') >= 0:
		return appendMarked(b, s)
	case strings.IndexByte(s, '@') > 0 && looksEmail(s):
		return append(b, "<email>"...)
	}
	if p, ok := simple(s); ok {
		return append(b, p...)
	}
	if len(s) > 2 && s[1] == ':' && (s[2] == '\\' || s[2] == '/') {
		return append(b, "<path>"...)
	}
	if isFile(s) {
		return append(b, "<file>"...)
	}
	// Parts between separators are judged one by one.
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && isWord(s[i]) {
			continue
		}
		b = appendPart(b, s[start:i])
		if i < len(s) {
			b = append(b, s[i])
		}
		start = i + 1
	}
	return b
}

// isFile reports whether a run is a file's name: a word, a dot, and an ending that
// files of users have; names of code ("util.parse") are not.
func isFile(s string) bool {
	i := strings.LastIndexByte(s, '.')
	if i <= 0 || i == len(s)-1 || strings.ContainsAny(s, ":@") {
		return false
	}
	switch s[i+1:] {
	case "md", "txt", "json", "jsonc", "yaml", "yml", "toml", "xml", "csv", "tsv", "ini", "cfg", "conf", "log", "db", "sqlite",
		"html", "htm", "css", "png", "jpg", "jpeg", "gif", "svg", "webp", "pdf", "zip", "gz", "tar", "blend", "obj", "stl", "shp", "tif", "tiff",
		"ts", "tsx", "jsx", "mjs", "cjs", "vue", "kt", "rs", "cpp", "hpp", "docx", "xlsx", "pptx", "mp3", "mp4", "wav", "tmp", "lock", "bak":
		return true
	}
	return false
}

func appendPart(b []byte, s string) []byte {
	if p, ok := simple(s); ok {
		return append(b, p...)
	}
	// Digits at the end of a word count something: layer_12, pool7.
	e := len(s)
	for e > 0 && s[e-1] >= '0' && s[e-1] <= '9' {
		e--
	}
	if e < len(s) && e > 0 && len(s)-e >= 2 {
		return append(append(b, s[:e]...), "<int>"...)
	}
	return append(b, s...)
}

// simple recognises numbers, hashes, UUIDs, IP addresses, dates and durations.
func simple(s string) (string, bool) {
	if s == "" {
		return "", false
	}
	digits, hex, letters, dots, dashes, colons, other := 0, 0, 0, 0, 0, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
			hex++
		case isWord(c):
			letters++
		case c == '.':
			dots++
		case c == '-':
			dashes++
		case c == ':':
			colons++
		default:
			other++
		}
	}
	if other > 0 || digits == 0 {
		return "", false
	}
	switch {
	case digits == len(s):
		if len(s) >= 17 {
			return "<hash>", true
		}
		return "<int>", true
	case len(s) == 36 && dashes == 4 && letters == 0:
		return "<uuid>", true
	case letters == 0 && hex == 0 && dots == 3 && dashes == 0:
		return "<ip>", true
	case letters == 0 && hex == 0 && dashes == 2 && digits >= 6 || digits >= 8 && dashes == 2 && colons == 2:
		return "<date>", true
	case letters == 0 && hex == 0 && dots == 1 && dashes == 0 && colons == 0:
		return "<float>", true
	case letters == 0 && hex == 0:
		return "<nums>", true
	case len(s) > 2 && (s[:2] == "0x" || s[:2] == "0X"):
		return "<hex>", true
	case letters == 0 && dots+dashes+colons == 0 && looksHex(s, 4):
		return "<hash>", true
	case letters == 0 && colons >= 2 && dots == 0:
		return "<ip>", true
	case s[0] >= '0' && s[0] <= '9' && unit(s):
		return "<duration>", true
	}
	return "", false
}

// looksHex reports whether s is a hash or an id: hexadecimal, with a digit, and at
// least so long.
func looksHex(s string, least int) bool {
	digits := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
		default:
			return false
		}
	}
	return digits > 0 && len(s) >= least
}

func unit(s string) bool {
	i := 0
	for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.') {
		i++
	}
	switch s[i:] {
	case "ms", "s", "m", "h", "us", "ns", "sec", "min", "MB", "KB", "GB", "px":
		return true
	}
	return false
}

func looksEmail(s string) bool {
	at := strings.IndexByte(s, '@')
	return at > 0 && strings.IndexByte(s[at:], '.') > 1 && strings.IndexByte(s, '/') < 0
}

// appendPath keeps a short path of words (a route: "/uri/<int>") and replaces one
// of a file system.
func appendPath(b []byte, s string) []byte {
	n := strings.Count(s, "/") + strings.Count(s, `\`)
	if n > 3 || s[0] != '/' || len(s) > 4 && (strings.HasPrefix(s, "/home/") || strings.HasPrefix(s, "/Users/") || strings.HasPrefix(s, "/tmp/") || strings.HasPrefix(s, "/var/")) {
		return append(b, "<path>"...)
	}
	return appendRun(b, s)
}

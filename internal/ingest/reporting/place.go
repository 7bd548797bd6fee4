package reporting

import (
	"net/netip"
	"strings"
)

const (
	maxSegments = 12
	maxSegment  = 40
)

// place makes of an address what may be kept: scheme, host and port, and with path
// the template of its path, in which "*" stands for what looks like an id. Words
// that policies use for places without an address (inline, eval, data …) stay.
func place(url string, path bool) string {
	url = strings.TrimSpace(url)
	scheme, rest, ok := strings.Cut(url, ":")
	scheme = strings.ToLower(scheme)
	if !ok {
		return word(url)
	}
	if word(strings.ReplaceAll(scheme, "+", "-")) == "" {
		return ""
	}
	rest, slashes := strings.CutPrefix(rest, "//")
	if !slashes || scheme == "file" { // data:, blob:, javascript:, about: …
		return scheme
	}
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest = rest[:i]
	}
	host, tail, _ := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	host = strings.ToLower(host)
	switch scheme {
	case "moz-extension", "safari-web-extension": // an id of one installation
		host, path = "unknown", true
	case "chrome-extension":
		path = true
	}
	out := scheme + "://" + hostOf(host)
	if !path || tail == "" {
		return out
	}
	n := 0
	for s := range strings.SplitSeq(tail, "/") {
		if n++; n > maxSegments {
			out += "/*"
			break
		}
		if idLike(s) {
			s = "*"
		}
		out += "/" + s
	}
	return out
}

// hostOf hides addresses of machines: a name may stay, a number may not.
func hostOf(host string) string {
	name, port := host, ""
	if i := strings.LastIndexByte(host, ':'); i > 0 && !strings.HasSuffix(host, "]") {
		name, port = host[:i], host[i:]
	}
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		name = "ip"
	}
	if len(name) > 253 || strings.ContainsAny(name, " \"'<>\\@%") {
		name = "*"
	}
	if len(port) > 6 {
		port = ""
	}
	return name + port
}

// idLike: a segment that names a thing or a person and not a place in a program:
// numbers, hexadecimal, UUIDs, tokens, addresses, anything escaped or long.
func idLike(s string) bool {
	if s == "" {
		return false
	}
	if len(s) > maxSegment || strings.ContainsAny(s, "@%=~:;,+ !*'()&$") {
		return true
	}
	if strings.HasSuffix(s, ".js") || strings.HasSuffix(s, ".mjs") || strings.HasSuffix(s, ".css") || strings.HasSuffix(s, ".html") {
		return false // a build's own file: its hash is nobody's
	}
	digits, hex := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
			hex++
		case c >= 'a' && c <= 'f', c >= 'A' && c <= 'F', c == '-':
			hex++
		}
	}
	return digits == len(s) || digits >= 4 || digits > 0 && len(s) >= 16 || hex == len(s) && digits > 0 && len(s) >= 8
}

func extension(place string) bool {
	scheme, _, _ := strings.Cut(place, "://")
	return strings.HasSuffix(scheme, "-extension")
}

// browser reads the family and major version out of a user agent, and the system.
func browser(agent string) (runtime, os string) {
	for _, b := range [...]struct{ mark, name string }{
		{"Edg/", "edge"}, {"EdgA/", "edge"}, {"OPR/", "opera"}, {"Vivaldi/", "vivaldi"}, {"SamsungBrowser/", "samsung"}, {"Electron/", "electron"},
		{"Firefox/", "firefox"}, {"FxiOS/", "firefox"}, {"CriOS/", "chrome"}, {"HeadlessChrome/", "chrome"}, {"Chrome/", "chrome"}, {"Version/", "safari"},
	} {
		i := strings.Index(agent, b.mark)
		if i < 0 || b.name == "safari" && !strings.Contains(agent, "Safari/") {
			continue
		}
		v := agent[i+len(b.mark):]
		n := 0
		for n < len(v) && n < 4 && v[n] >= '0' && v[n] <= '9' {
			n++
		}
		if n > 0 {
			runtime = b.name + " " + v[:n]
			break
		}
	}
	switch {
	case strings.Contains(agent, "Windows"):
		os = "windows"
	case strings.Contains(agent, "Android"):
		os = "android"
	case strings.Contains(agent, "iPhone"), strings.Contains(agent, "iPad"):
		os = "ios"
	case strings.Contains(agent, "Mac OS X"):
		os = "macos"
	case strings.Contains(agent, "Linux"), strings.Contains(agent, "CrOS"):
		os = "linux"
	}
	return runtime, os
}

package scrub

// homeHosts are domains below which people name their own machines.
var homeHosts = [...]string{".ts.net", ".synology.me", ".myfritz.net", ".duckdns.org", ".dyndns.org", ".no-ip.org", ".ddns.net", ".quickconnect.to", ".github.dev", ".gitpod.io", ".ngrok.io", ".ngrok-free.app", ".ngrok.app", ".trycloudflare.com", ".loca.lt", ".nip.io", ".sslip.io", ".cloudapp.azure.com", ".in-addr.arpa", ".ip6.arpa"}

// ownHost: a machine that somebody named, or a line of a provider with its address.
func ownHost(h string) bool {
	for _, d := range homeHosts {
		if len(h) > len(d) && foldAt(h, len(h)-len(d), d) {
			return true
		}
	}
	first, last, dots, inside := len(h), 0, 0, false
	for k := range len(h) {
		if h[k] != '.' {
			if h[k] >= 'A' && h[k] <= 'Z' {
				return false
			}
			continue
		}
		if dots++; dots == 1 {
			first = k
		} else {
			switch h[last+1 : k] {
			case "corp", "internal", "intra", "intranet", "lan", "ad":
				inside = true
			}
		}
		last = k
	}
	if dots < 2 {
		return false
	}
	for k := 0; k+6 < first; k++ {
		if isDigit(h[k]) && (k == 0 || h[k-1] == '-') && dashedQuad(h[k:first]) {
			return true // ec2-203-0-113-25.compute-1.amazonaws.com
		}
	}
	if !inside || codeRoot(h) || !hyphenOrDigit(h[:first]) {
		return false
	}
	switch h[last+1:] {
	case "com", "org", "net", "de", "eu", "edu", "uk", "fr", "ch", "gov", "example":
		return true
	}
	return false
}

// ownDevice: "JOHANNA-PC", "JDOE-LT01": capitals, a dash, what it is, a number.
func ownDevice(h string) bool {
	end := len(h)
	for end > 0 && isDigit(h[end-1]) { // ENGEL-LAPTOP-3
		end--
	}
	if end > 1 && end < len(h) && h[end-1] == '-' {
		h = h[:end-1]
	}
	dash := -1
	for k := range len(h) {
		switch c := h[k]; {
		case c == '-':
			dash = k
		case !(c >= 'A' && c <= 'Z') && !isDigit(c):
			return false
		}
	}
	if dash < 2 {
		return false
	}
	end = len(h)
	for end > dash && isDigit(h[end-1]) {
		end--
	}
	switch h[dash+1 : end] {
	case "PC", "LT", "NB", "WS", "LAPTOP", "DESKTOP", "NOTEBOOK", "MBP", "WIN", "VM", "MAC":
		return true
	}
	return false
}

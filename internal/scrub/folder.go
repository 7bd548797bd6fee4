package scrub

// odder are the folders that folder does not know: s[j:] is the segment behind the
// separator at i. They are found at any place of a path.
func (x *scan) odder(s string, i, j int) int {
	switch at(s, j) | 0x20 {
	case 'a': // D:\Profiles\jo\AppData\Roaming: whatever the folder of profiles is called
		if foldAt(s, j, "appdata") && (foldAt(s, j+7+sepLen(s, j+7), "roaming") || foldAt(s, j+7+sepLen(s, j+7), "local")) {
			from := i
			for from > 0 && i-from < 64 && !isSep(s[from-1]) && s[from-1] != '"' && s[from-1] != '\'' && s[from-1] != '\n' && s[from-1] != ':' {
				from--
			}
			x.work += i - from
			if from < i && from > 0 && isSep(s[from-1]) && s[i-1] != '>' && s[from] != '%' {
				x.hit(ruleUserPath, from, i, "<user>")
				return i
			}
		}
	case 'b':
		if foldAt(s, j, "benutzer") && isSep(at(s, j+8)) && x.rooted(s, i, false) {
			return x.user(s, j+8, false)
		}
	case 'c':
		if foldAt(s, j, "crontabs/") {
			return x.segment(s, j+8, "<user>", ruleUserPath)
		}
	case 'd':
		if foldAt(s, j, "dokumente und einstellungen") && isSep(at(s, j+27)) {
			return x.user(s, j+27, false)
		}
		if foldAt(s, j, "dropbox (") {
			end := j + 9
			for end < len(s) && end-j < 80 && s[end] != ')' && !isSep(s[end]) {
				end++
			}
			if at(s, end) == ')' && tokenAt(s, j+9) != end-j-9 {
				x.hit(ruleUserPath, j+9, end, "<org>")
			}
			return end
		}
	case 'g':
		if foldAt(s, j, "gebruikers") && isSep(at(s, j+10)) && x.rooted(s, i, false) {
			return x.user(s, j+10, false)
		}
	case 'h':
		if foldAt(s, j, "homes") && isSep(at(s, j+5)) && at(s, i-1) == '>' { // \\nas\homes\jo
			return x.segment(s, j+5, "<user>", ruleUserPath)
		}
		if foldAt(s, j, "hsperfdata_") {
			return x.segmentFrom(s, j+11, "<user>", ruleUserPath)
		}
	case 'k':
		if foldAt(s, j, "ksocket-") {
			return x.segmentFrom(s, j+8, "<user>", ruleUserPath)
		}
	case 'm':
		if foldAt(s, j, "mail/") && (foldAt(s, i-4, "/var") || foldAt(s, i-6, "/spool")) {
			return x.segment(s, j+4, "<user>", ruleUserPath)
		}
	case 'p':
		if foldAt(s, j, "pytest-of-") {
			return x.segmentFrom(s, j+10, "<user>", ruleUserPath)
		}
		if foldAt(s, j, "per-user/") {
			return x.segment(s, j+8, "<user>", ruleUserPath)
		}
		if foldAt(s, j, "personal/") && sharepoint(s, i) {
			return x.segment(s, j+8, "<user>", ruleUserPath)
		}
	case 'r':
		if foldAt(s, j, "runtime-") && foldAt(s, i-4, "/tmp") {
			return x.segmentFrom(s, j+8, "<user>", ruleUserPath)
		}
	case 'u':
		for _, w := range [...]string{"utilisateurs", "usuarios", "utenti"} {
			if foldAt(s, j, w) && isSep(at(s, j+len(w))) && x.rooted(s, i, false) {
				return x.user(s, j+len(w), false)
			}
		}
	}
	return 0
}

// sharepoint: the host before the separator at i is one.
func sharepoint(s string, i int) bool {
	return foldAt(s, i-14, "sharepoint.com") || foldAt(s, i-13, "sharepoint.de") || foldAt(s, i-13, "sharepoint.us")
}

// joined finds homes in paths whose separators were replaced: "-Users-jo-src"
// (folders named after folders), "%home%jo%x" (editors' undo files), and
// "Macintosh HD:Users:jo:" (AppleScript). The sign at i is the separator.
func (x *scan) joined(s string, i int) int {
	c := s[i]
	var j int
	switch {
	case foldAt(s, i+1, "users") && at(s, i+6) == c:
		j = i + 7
	case foldAt(s, i+1, "home") && at(s, i+5) == c:
		j = i + 6
	default:
		return 0
	}
	if p := at(s, i-1); c != ':' && isWord(p) && p != ' ' || c == ':' && (s[i+1] != 'U' || !isWord(p)) || p == '.' {
		return 0
	}
	end := j
	for end < len(s) && end-j < 64 && (isWord(s[end]) || s[end] == '.' || s[end] == ' ' && c == ':') {
		end++
	}
	x.work += end - j
	if end == j || at(s, end) != c || tokenAt(s, j) > 0 || allDigits(s[j:end]) {
		return 0
	}
	x.hit(ruleUserPath, j, end, "<user>")
	return end
}

// groups are folders below a home folder in which the homes of a group lie.
var groups = [...]string{"users", "students", "student", "staff", "faculty", "people", "members", "employees", "guests", "homes", "accounts", "ad", "domain"}

// second returns the end of the next segment, when the one that ends at end is a
// group, a domain or an initial rather than a person: /home/CORP/jo, /home/j/jo,
// /home/corp.example.com/jo. It returns end otherwise.
func second(s string, j, end int) int {
	name := s[j:end]
	group := len(name) == 1
	for _, g := range groups {
		group = group || foldEq(name, g)
	}
	capitals, dot := len(name) >= 2, -1
	for k := range len(name) {
		if !(name[k] >= 'A' && name[k] <= 'Z' || isDigit(name[k]) || name[k] == '-' || name[k] == '_') {
			capitals = false
		}
		if name[k] == '.' {
			dot = k
		}
	}
	if !group && !capitals {
		if dot < 1 {
			return end
		}
		switch name[dot+1:] {
		case "com", "org", "net", "edu", "local", "lan", "corp", "int", "internal", "de", "eu", "io", "uk", "fr", "ch", "gov":
		default:
			return end
		}
	}
	k := end + sepLen(s, end)
	next := nameEnd(s, k)
	if k == end || next == k || !isSep(at(s, next)) {
		return end
	}
	return next
}

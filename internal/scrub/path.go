package scrub

// paths takes user names out of paths, organisations out of folders that sync
// clients name after them, and servers out of UNC paths.
func (x *scan) paths(s string) string {
	done := 0
	if s != "" && (s[0] == 'U' || s[0] == 'h') { // "Users/jo/x": a path whose root was cut off
		x.rootless(s)
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '~' {
			if i >= done {
				done = max(done, x.tilde(s, i))
			}
			continue
		}
		if i >= done && (c == '-' || c == '%' || c == '!' || c == ':') {
			done = max(done, x.joined(s, i))
			continue
		}
		if c != '/' && c != '\\' || i < done {
			continue
		}
		n := sepLen(s, i)
		if c == '\\' && n >= 2 && s[i+1] == '\\' {
			done = max(done, x.unc(s, i, n))
			if i < done {
				continue
			}
		}
		done = max(done, x.folder(s, i, i+n))
		if i >= done {
			done = max(done, x.odder(s, i, i+n))
		}
		if i+n-1 > i {
			i += n - 1
		}
	}
	return x.flush(s)
}

// sepLen returns the length of the separator at i: '/', or up to eight
// backslashes (each layer of quoting doubles them).
func sepLen(s string, i int) int {
	if at(s, i) == '/' {
		return 1
	}
	n := 0
	for n < 8 && at(s, i+n) == '\\' {
		n++
	}
	if n > 0 && at(s, i+n) == '/' {
		n++
	}
	return n
}

func isSep(c byte) bool { return c == '/' || c == '\\' }

// folder looks at the segment that starts at j, behind the separator at i.
func (x *scan) folder(s string, i, j int) int {
	switch at(s, j) | 0x20 {
	case 'u':
		if foldAt(s, j, "users") && isSep(at(s, j+5)) && x.rooted(s, i, false) {
			return x.user(s, j+5, at(s, j) == 'u')
		}
	case 'h':
		if foldAt(s, j, "home") && isSep(at(s, j+4)) && x.rooted(s, i, true) {
			if d := x.user(s, j+4, false); d > 0 {
				return d
			}
		}
	case 'c':
		if foldAt(s, j, "cloudstorage/") {
			return x.cloud(s, j+13)
		}
	case 'd':
		if foldAt(s, j, "documents and settings") && isSep(at(s, j+22)) {
			return x.user(s, j+22, false)
		}
	case 'm':
		if foldAt(s, j, "media") && isSep(at(s, j+5)) && (i == 0 || !pathByte(s[i-1]) || foldAt(s, i-4, "/run")) {
			return x.segment(s, j+5, "<user>", ruleUserPath)
		}
	case 'v':
		if foldAt(s, j, "var/folders/") {
			d := x.segment(s, j+11, "<id>", ruleUserPath)
			if d > 0 && isSep(at(s, d)) {
				return max(d, x.segment(s, d, "<id>", ruleUserPath))
			}
			return d
		}
		if foldAt(s, j, "volumes/") && (i == 0 || !pathByte(s[i-1])) {
			return x.segment(s, j+7, "<volume>", ruleUserPath)
		}
	case 'r':
		if foldAt(s, j, "run/user/") {
			return x.segment(s, j+8, "<id>", ruleUserPath)
		}
	case 'o':
		if foldAt(s, j, "onedrive - ") {
			end := orgEnd(s, j+11)
			if end > j+11 && tokenAt(s, j+11) != end-j-11 {
				x.hit(ruleUserPath, j+11, end, "<org>")
			}
			return end
		}
	case 'g':
		if foldAt(s, j, "googledrive-") {
			return x.segmentFrom(s, j+12, "<user>", ruleUserPath)
		}
	}
	return 0
}

func pathByte(c byte) bool {
	return isWord(c) || c == '.' || c == '-' || c == '%' || c == '+' || c == '@' || c == ')' || c == '~' || c == '$' || isSep(c)
}

// rooted: is the separator at i the root of a file system, or does a mount, a
// drive, a share or a URL stand before it? "src/Users/list.ts" is not.
func (x *scan) rooted(s string, i int, home bool) bool {
	if i == 0 {
		return true
	}
	p := s[i-1]
	if p == ':' || isSep(p) || !pathByte(p) || p == ')' || p == '@' {
		return true
	}
	if isAlpha(p) && at(s, i-2) == '-' && !pathByte(at(s, i-3)) { // -I/home/jo
		return true
	}
	if p == '$' && i > 1 && isAlpha(s[i-2]) { // \\server\c$\Users
		return true
	}
	k := i
	for k > 0 && i-k < 40 && !isSep(s[k-1]) && pathByte(s[k-1]) {
		k--
	}
	x.work += i - k
	seg := s[k:i]
	if k == 0 {
		return len(seg) == 1 && isAlpha(seg[0])
	}
	before := s[k-1]
	if len(seg) == 1 && isAlpha(seg[0]) && isSep(before) { // /c/Users, /mnt/c/Users
		return true
	}
	if !isSep(before) {
		return false
	}
	if isSep(at(s, k-2)) { // the segment is a server or the host of a URL
		return true
	}
	switch {
	case foldEq(seg, "data"), foldEq(seg, "mnt"), foldEq(seg, "var"), foldEq(seg, "export"), foldEq(seg, "private"), foldEq(seg, "host"), foldEq(seg, "rootfs"), foldEq(seg, "root"), foldEq(seg, "nfs"), foldEq(seg, "net"), foldEq(seg, "srv"), foldEq(seg, "sysroot"), foldEq(seg, "usr"), foldEq(seg, "hostfs"):
		return k < 2 || !isWord(at(s, k-2)) || home || foldEq(seg, "data")
	}
	if (home || seg == ".." || foldAt(s, k-9, "/servers/")) && x.absolute(s, k, seg == "..") {
		return true
	}
	// \\wsl$\Ubuntu\home, \\wsl.localhost\Debian\home, //wsl$/…, and
	// /Volumes/x/Users, /run/host/home
	for q := max(0, k-24); q < k-2; q++ {
		if foldAt(s, q, "wsl") && isSep(at(s, q-1)) || foldAt(s, q, "volumes") || foldAt(s, q, "<volume>") {
			return true
		}
	}
	return false
}

// mounts are first segments below which homes are found at any depth.
var mounts = []string{"mnt", "media", "srv", "net", "nfs", "export", "exports", "snap", "vol", "volumes", "data", "backup", "backups", "host", "run", "var", "system", "proc", "rootfs", "tank", "storage", "afs", "cifs", "network"}

// absolute: the path that the segment at k belongs to starts at a root, and is
// below a mount (anywhere, when any is set).
func (x *scan) absolute(s string, k int, any bool) bool {
	b := k
	for b > 0 && k-b < 96 && (pathByte(s[b-1]) || s[b-1] == ':') {
		b--
	}
	x.work += k - b
	p := s[b:k]
	if len(p) > 2 && isAlpha(p[0]) && p[1] == ':' {
		return any
	}
	if p == "" || !isSep(p[0]) {
		return false
	}
	if any {
		return true
	}
	for _, m := range mounts {
		if foldAt(p, 1, m) && isSep(at(p, 1+len(m))) {
			return true
		}
	}
	return false
}

func foldEq(s, w string) bool { return len(s) == len(w) && foldAt(s, 0, w) }

// user redacts the name behind a folder of users; sep is where its separator starts.
func (x *scan) user(s string, sep int, route bool) int {
	j := sep + sepLen(s, sep)
	if j-sep > 1 && at(s, sep) == '/' {
		return 0
	}
	end := nameEnd(s, j)
	x.work += end - j
	name := s[j:end]
	switch {
	case name == "" || tokenAt(s, j) == len(name) || name == "..." || name == "." || name == "..":
		return end
	case name[0] == '$' || name[0] == '{' || name[0] == '*' || name == "%USERNAME%":
		return end
	case foldEq(name, "public"), foldEq(name, "default"), foldEq(name, "all users"), foldEq(name, "shared"), foldEq(name, "default user"):
		return end
	case route && len(name) < 2:
		return end
	}
	if at(s, sep-1)|0x20 == 'e' { // home
		end = second(s, j, end)
	}
	x.hit(ruleUserPath, j, end, "<user>")
	return end
}

// nameEnd: a name may hold spaces when a separator follows soon on the line.
func nameEnd(s string, j int) int {
	if n := tokenAt(s, j); n > 0 && (isSep(at(s, j+n)) || j+n == len(s) || !isWord(at(s, j+n))) {
		return j + n
	}
	space := -1
	for k := j; k < len(s) && k < j+64; k++ {
		c := s[k]
		switch {
		case isSep(c):
			if c == '\\' && (at(s, k+1) == '"' || at(s, k+1) == '\'' || k+1 < len(s) && (s[k+1] == 'n' || s[k+1] == 'r') && !isWord(at(s, k+2))) {
				return firstOf(space, k)
			}
			return k
		case c == '\'' && isAlpha(at(s, k+1)) && k > j && isAlpha(s[k-1]): // O'Brien
		case c == '"' || c == '\'' || c == '<' || c == '>' || c == '|' || c == '*' || c == '?' || c == ':' || c == '\n' || c == '\r' || c == '\t' || c == '`' || c == ';' || c == ',' || c == '#' || c == '&' || c == '=':
			return firstOf(space, k)
		case (c == ')' || c == ']' || c == '}') && space < 0 && !isSepSoon(s, k):
			return k
		case c == ' ':
			if space < 0 {
				space = k
			}
		}
	}
	if space >= 0 {
		return space
	}
	k := j
	for k < len(s) && !isSep(s[k]) && !isSpace(s[k]) && s[k] != '"' && s[k] != '\'' && s[k] != ':' {
		k++
	}
	return k
}

func isSepSoon(s string, k int) bool {
	for j := k; j < len(s) && j < k+24; j++ {
		if isSep(s[j]) {
			return true
		}
		if s[j] == ' ' || s[j] == ':' {
			return false
		}
	}
	return false
}

func firstOf(space, k int) int {
	if space >= 0 {
		return space
	}
	return k
}

// orgEnd: the rest of a folder's name.
func orgEnd(s string, j int) int {
	for k := j; k < len(s) && k < j+96; k++ {
		switch c := s[k]; {
		case isSep(c) || c == '"' || c == '\'' && !isAlpha(at(s, k+1)) || c == '\n' || c == '\r' || c == '|' || c == '*' || c == '?' || c == ':':
			return k
		case c == '<':
			if n := tokenAt(s, k); n > 0 {
				k += n - 1
				continue
			}
			return k
		}
	}
	return min(len(s), j+96)
}

// cloud redacts what macOS puts behind the provider: "OneDrive-Contoso".
func (x *scan) cloud(s string, j int) int {
	end := nameEnd(s, j)
	x.work += end - j
	for k := j; k < end; k++ {
		if s[k] == '-' && k+1 < end {
			if tokenAt(s, k+1) == 0 {
				x.hit(ruleUserPath, k+1, end, "<org>")
			}
			break
		}
	}
	return end
}

// segment redacts the next segment, whatever it is.
func (x *scan) segment(s string, sep int, with string, id ruleID) int {
	return x.segmentFrom(s, sep+sepLen(s, sep), with, id)
}

func (x *scan) segmentFrom(s string, j int, with string, id ruleID) int {
	end := nameEnd(s, j)
	x.work += end - j
	if end > j && tokenAt(s, j) != end-j {
		x.hit(id, j, end, with)
	}
	return end
}

// tilde redacts "~jo/".
func (x *scan) tilde(s string, i int) int {
	if i > 0 && (isWord(s[i-1]) || s[i-1] == '~' || s[i-1] == '^' || s[i-1] == '.') {
		return 0
	}
	j := i + 1
	for j < len(s) && j < i+34 && (isWord(s[j]) || s[j] == '-' || s[j] == '.') {
		j++
	}
	if j == i+1 || !isSep(at(s, j)) || isDigit(s[i+1]) || s[i+1] == '.' {
		return 0
	}
	x.hit(ruleUserPath, i+1, j, "<user>")
	return j
}

// unc redacts the server of \\SERVER\share. "\\?\" and "\\.\" and wsl are no servers.
func (x *scan) unc(s string, i, n int) int {
	if i > 0 && (isWord(s[i-1]) || s[i-1] == ':' || s[i-1] == '.' || s[i-1] == ')' || s[i-1] == '>' || s[i-1] == '-') {
		return 0
	}
	j := i + n
	if foldAt(s, j, "unc\\") { // \\?\UNC\SERVER\share is reached below
		return 0
	}
	if c := at(s, j); c == '?' || c == '.' {
		k := j + 1 + sepLen(s, j+1)
		if !foldAt(s, k, "unc\\") {
			return 0
		}
		j = k + 3 + sepLen(s, k+3)
	}
	end := j
	for end < len(s) && end < j+64 && (isAlnum(s[end]) || s[end] == '-' || s[end] == '_' || s[end] == '.') {
		end++
	}
	x.work += end - j
	if end-j < 2 || at(s, end) != '\\' || foldAt(s, j, "wsl.localhost") || foldAt(s, j, "wsl") && end == j+3 || allDigits(s[j:end]) && end-j < 4 {
		return 0
	}
	if m := sepLen(s, end); m >= n && n == 2 && m == 2 { // "\\d\\w": a quoted pattern, not \\server\share
		if end-j < 3 {
			return 0
		}
	}
	if !isWord(at(s, end+sepLen(s, end))) && at(s, end+sepLen(s, end)) != '<' {
		return 0
	}
	x.hit(ruleHost, j, end, rules[ruleHost].Token)
	return end
}

// rootless handles a text that starts with "Users/" or "home/".
func (x *scan) rootless(s string) {
	n := 0
	switch {
	case len(s) > 6 && s[:5] == "Users" && isSep(s[5]):
		n = 5
	case len(s) > 5 && s[:4] == "home" && isSep(s[4]):
		n = 4
	default:
		return
	}
	end := nameEnd(s, n+1)
	if end > n+1 && isSep(at(s, end)) && tokenAt(s, n+1) == 0 {
		x.hit(ruleUserPath, n+1, end, "<user>")
	}
}

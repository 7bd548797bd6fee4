package scrub

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// pem replaces PEM blocks. Public keys and certificates go too: they name people.
func (x *scan) pem(s string) string {
	const begin, end = "-----BEGIN ", "-----END "
	at := 0
	for {
		i := strings.Index(s[at:], begin)
		if i < 0 {
			break
		}
		i += at
		stop := len(s)
		if j := strings.Index(s[i:], end); j >= 0 {
			stop = i + j + len(end)
			if k := strings.Index(s[stop:], "-----"); k >= 0 && k < 64 {
				stop += k + 5
			}
		}
		x.work += stop - i
		x.hit(rulePEM, i, stop, rules[rulePEM].Token)
		at = stop
	}
	return x.flush(s)
}

// tokens looks at every run of letters, digits, '-' and '_': known forms of
// keys, base64 that wraps something, and random strings near telling words.
func (x *scan) tokens(s string) string {
	for i := 0; i < len(s); {
		if !runByte[s[i]] {
			i++
			continue
		}
		j := i + 1
		for j < len(s) && runByte[s[j]] {
			j++
		}
		if from, to := x.odd(s, i, j); to > 0 {
			x.hit(ruleToken, from, to, rules[ruleToken].Token)
			i = to
			continue
		}
		if j-i < 10 && !(at(s, j) == '.' && (dotted(s[i:j]) || foldAt(s, j, ".local.") || foldAt(s, j, ".public."))) {
			i = j
			continue
		}
		if d := telegram(s, i, j); d > 0 {
			x.hit(ruleToken, i-d, j, rules[ruleToken].Token)
			i = j
			continue
		}
		if n := tokenEnd(s, i, j); n > 0 {
			x.work += n - i
			x.hit(ruleToken, i, n, rules[ruleToken].Token)
			i = n
			continue
		}
		if j-i >= 16 {
			if n := x.wrapped(s, i, j); n > 0 {
				i = n
				continue
			}
			if x.besideWord(s, i, j) {
				end := j
				for end < len(s) && end < j+200 && (runByte[s[end]] || s[end] == '+' || s[end] == '/' || s[end] == '=') {
					end++
				}
				x.hit(ruleToken, i, end, rules[ruleToken].Token)
				i = end
				continue
			}
		}
		i = j
	}
	return x.flush(s)
}

// forms are the beginnings of keys that name their issuer. Min is the length of
// the whole run.
var forms = []struct {
	prefix string
	min    int
	more   string // further bytes that belong to it
}{
	{"AKIA", 20, ""}, {"ASIA", 20, ""}, {"AROA", 20, ""}, {"AIDA", 20, ""}, {"ABIA", 20, ""}, {"ACCA", 20, ""},
	{"AIza", 35, ""}, {"ya29", 4, "."}, {"GOCSPX-", 20, ""},
	{"ghp_", 20, ""}, {"gho_", 20, ""}, {"ghu_", 20, ""}, {"ghs_", 20, ""}, {"ghr_", 20, ""}, {"github_pat_", 30, ""},
	{"glpat-", 20, "."}, {"gldt-", 20, ""}, {"glrt-", 20, ""}, {"glcbt-", 20, ""}, {"glptt-", 20, ""}, {"glsoat-", 20, ""}, {"gloas-", 20, ""},
	{"xoxb-", 15, ""}, {"xoxp-", 15, ""}, {"xoxa-", 15, ""}, {"xoxr-", 15, ""}, {"xoxs-", 15, ""}, {"xoxe-", 15, ""}, {"xoxc-", 15, ""}, {"xoxd-", 15, "%+/="}, {"xapp-", 15, ""}, {"xoxe", 15, ".-"},
	{"sk_live_", 16, ""}, {"sk_test_", 16, ""}, {"rk_live_", 16, ""}, {"rk_test_", 16, ""}, {"pk_live_", 16, ""}, {"pk_test_", 16, ""}, {"whsec_", 16, "+/="},
	{"npm_", 36, ""}, {"pypi-", 20, ""}, {"dckr_pat_", 20, ""}, {"dop_v1_", 30, ""}, {"doo_v1_", 30, ""}, {"dor_v1_", 30, ""},
	{"sk-ant-", 20, ""}, {"sk-proj-", 20, ""}, {"sk-", 32, ""}, {"hf_", 30, ""}, {"gsk_", 30, ""}, {"pplx-", 30, ""}, {"r8_", 30, ""},
	{"shpat_", 20, ""}, {"shpss_", 20, ""}, {"shpca_", 20, ""}, {"shppa_", 20, ""},
	{"hvs", 3, "."}, {"hvb", 3, "."}, {"hvr", 3, "."}, {"atlasv1", 7, "."}, {"SG", 2, "."},
	{"dapi", 36, ""}, {"ATATT3", 30, "="}, {"ATCTT3", 30, "="}, {"ATBB", 30, ""}, {"lin_api_", 20, ""}, {"lin_oauth_", 20, ""},
	{"NRAK-", 20, ""}, {"NRJS-", 20, ""}, {"PMAK-", 20, ""}, {"glsa_", 20, ""}, {"glc_", 30, "+/="}, {"sntrys_", 20, "+/="}, {"sntryu_", 20, ""},
	{"rubygems_", 20, ""}, {"oy2", 43, ""}, {"CLOJARS_", 20, ""}, {"key-", 36, ""}, {"AGE-SECRET-KEY-", 30, ""},
	{"figd_", 20, ""}, {"EAACEdEose0cBA", 20, ""}, {"EAAA", 60, ""}, {"secret_", 30, ""}, {"ntn_", 30, ""}, {"tfp_", 20, ""}, {"pul-", 40, ""}, {"cio", 35, ""},
	{"sq0atp-", 20, ""}, {"sq0csp-", 20, ""}, {"sqOatp-", 20, ""}, {"access_token", 30, "$"}, {"amzn", 4, "."}, {"nvapi-", 20, ""}, {"vercel_", 24, ""}, {"sbp_", 30, ""}, {"tskey-", 16, ""}, {"fo1_", 20, ""}, {"FlyV1", 20, ""},
	{"CFPAT-", 20, ""}, {"pat", 30, "."}, {"ops_", 60, ""}, {"ltai", 16, ""}, {"LTAI", 16, ""}, {"AKID", 30, ""}, {"bkua_", 20, ""}, {"ddp_", 20, ""}, {"v1.", 40, ""},
	{"v1.local.", 40, "."}, {"v2.local.", 40, "."}, {"v3.local.", 40, "."}, {"v4.local.", 40, "."}, {"v1.public.", 40, "."}, {"v2.public.", 40, "."}, {"v3.public.", 40, "."}, {"v4.public.", 40, "."}, {"dp.", 30, "."},
	{"ovsxat_", 20, ""}, {"ovsxp_", 20, ""}, {"sk_", 40, ""}, {"xai-", 40, ""}, {"pcsk_", 30, ""}, {"lsv2_", 30, ""}, {"re_", 30, ""}, {"fw_", 24, ""}, {"csk-", 40, ""}, {"tvly-", 24, ""}, {"sess-", 40, ""},
	{"sb_secret_", 24, ""}, {"napi_", 40, ""}, {"pscale_", 30, "."}, {"phc_", 30, ""}, {"phx_", 30, ""}, {"hcaik_", 30, ""}, {"hcxik_", 30, ""}, {"rnd_", 24, ""}, {"nfp_", 30, ""}, {"HRKU-", 30, ""}, {"vcp_", 24, ""}, {"CCIPAT_", 30, ""}, {"CCIPRJ_", 30, ""}, {"dckr_oat_", 20, ""},
	{"sntrya_", 20, ""}, {"NRII-", 20, ""}, {"NRAA-", 20, ""}, {"xkeysib-", 40, ""}, {"xsmtpsib-", 40, ""}, {"AKCp", 40, ""}, {"cmVmdGtu", 40, ""}, {"sgp_", 40, ""}, {"shprka_", 20, ""}, {"perm-", 30, ".="}, {"ABSK", 60, "+/="}, {"bedrock-api-key-", 40, "+/="}, {"IQoJb3JpZ2lu", 60, "+/=%"}, {"FwoGZXIvYXdz", 60, "+/=%"},
	{"bc1q", 39, ""}, {"bc1p", 50, ""},
	{"CfDJ8", 40, ""}, {"glft-", 20, ""}, {"glimt-", 20, ""}, {"glagent-", 20, ""}, {"glwt-", 20, ""}, {"glffct-", 20, ""}, {"GR1348941", 25, ""}, {"EAAB", 60, ""}, {"EAAG", 60, ""}, {"AQVN", 30, ""}, {"y0_", 30, ""}, {"crsr_", 30, ""}, {"fm2_", 40, "+/="},
}

// formsFrom are the forms by their first byte.
var formsFrom = func() (t [256][]int) {
	for k := range forms {
		c := forms[k].prefix[0]
		t[c] = append(t[c], k)
	}
	return t
}()

// tokenEnd returns the end of a key of a known form that starts at i, 0 without.
func tokenEnd(s string, i, j int) int {
	if p := at(s, i-1); isWord(p) {
		return 0
	}
	if strings.HasPrefix(s[i:], "eyJ") || strings.HasPrefix(s[i:], "ewog") || strings.HasPrefix(s[i:], "eyA") {
		return jwtEnd(s, i, j)
	}
	for _, k := range formsFrom[s[i]] {
		f := &forms[k]
		if len(s)-i < len(f.prefix) || s[i:i+len(f.prefix)] != f.prefix {
			continue
		}
		end := j
		if f.more != "" {
			for end < len(s) && end < i+1024 && (runByte[s[end]] || strings.IndexByte(f.more, s[end]) >= 0) {
				end++
			}
			for end > j && s[end-1] == '.' {
				end--
			}
		}
		need := f.min
		if strings.Contains(f.more, ".") {
			need = max(need, 24)
		}
		if end-i >= need && varied(s[i+len(f.prefix):end]) {
			return end
		}
	}
	return 0
}

// dotted: the short first parts of keys that are joined by dots.
func dotted(s string) bool {
	switch s {
	case "ya29", "hvs", "hvb", "hvr", "SG", "xoxe", "atlasv1", "dp":
		return true
	}
	return false
}

// telegram: eight to ten digits, a colon, 35 signs. It returns how far before i
// the token starts, 0 when it is none.
func telegram(s string, i, j int) int {
	if j-i < 33 || j-i > 38 || at(s, i-1) != ':' || !varied(s[i:j]) {
		return 0
	}
	k := i - 1
	for k > 0 && i-k < 12 && isDigit(s[k-1]) {
		k--
	}
	if n := i - 1 - k; n < 8 || n > 10 || isWord(at(s, k-1)) && !foldAt(s, k-3, "bot") {
		return 0
	}
	return i - k
}

// varied: a key holds digits, or both cases; a word holds neither.
func varied(s string) bool {
	d, u, l := 0, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case isDigit(c):
			d++
		case c >= 'A' && c <= 'Z':
			u++
		case isAlpha(c):
			l++
		}
	}
	return d >= 2 || u >= 3 && l >= 3 || l == 0 && u >= 8
}

// jwtEnd accepts three parts joined by dots, and two (unsigned, or cut), and
// one long one that is a JSON header.
func jwtEnd(s string, i, j int) int {
	parts, end := 1, j
	for end < len(s) && s[end] == '.' && parts < 5 {
		k := end + 1
		for k < len(s) && (runByte[s[k]] || s[k] == '=') {
			k++
		}
		if k == end+1 && !(at(s, k) == '.' && runByte[at(s, k+1)]) { // an encrypted one may have an empty part
			break
		}
		parts++
		end = k
	}
	if parts >= 2 || j-i >= 36 {
		if at(s, end) == '.' {
			end++
		}
		return end
	}
	return 0
}

// near are the words beside which a long random string is a secret or names a
// machine.
var near = []string{"password", "passwd", "secret", "token", "api key", "apikey", "api-key", "api_key", "accesskey", "access key", "private key", "auth", "credential", "bearer", "session", "cookie", "signature", "machineguid", "machineid", "machine id", "device id", "deviceid", "device_id", "device-id", "machine_id", "machine-id", "hwid", "sas ", "hmac", "jwt", "oauth", "passphrase"}

// besideWord: s[i:j] looks random and one of the words stands up to 48 bytes
// before it on the same line. The name of a chunk ("main.3f9c….js") is none.
func (x *scan) besideWord(s string, i, j int) bool {
	if j-i < 20 || !looksSecret(s[i:j]) || !random(s[i:j]) {
		return false
	}
	if p := at(s, i-1); p == '.' || p == '/' || p == '\\' || p == '@' {
		return false
	}
	if at(s, j) == '.' && isAlpha(at(s, j+1)) {
		return false
	}
	from := max(0, i-48)
	x.work += i - from
	for k := i - 1; k >= from; k-- {
		if s[k] == '\n' {
			from = k + 1
			break
		}
	}
	for k := from; k < i; k++ {
		switch lower(s[k]) {
		case 'p', 's', 't', 'a', 'c', 'b', 'm', 'd', 'h', 'j', 'o':
			for _, w := range near {
				if w[0] == lower(s[k]) && foldAt(s[:i], k, w) {
					return true
				}
			}
		}
	}
	return false
}

// random: digits and letters change often, unlike in "getUserTokenForVersion2Beta10".
func random(s string) bool {
	changes, hex := 0, true
	for i := 1; i < len(s); i++ {
		if isDigit(s[i]) != isDigit(s[i-1]) {
			changes++
		}
		if !isHexDigit(s[i]) && s[i] != '-' {
			hex = false
		}
	}
	return hex || changes*5 >= len(s) || changes >= 6
}

// wrapped decodes a run of base64 and scrubs what is inside. It returns the end
// of the run when that held something, else 0.
func (x *scan) wrapped(s string, i, j int) int {
	if x.inner {
		return 0
	}
	// One block of base64 is tried from its first eight words only: a path of a
	// thousand words must not be read a thousand times.
	if i >= x.block {
		x.block, x.tries = 0, 0
	}
	if x.tries++; x.tries > 8 {
		return 0
	}
	end := j
	for end < len(s) && (runByte[s[end]] || s[end] == '+' || s[end] == '/') {
		end++
	}
	body := end
	x.block = body
	for end < len(s) && end < body+2 && s[end] == '=' {
		end++
	}
	x.work += end - i
	if body-i < 20 || body-i > 1<<16 || !base64ish(s[i:body]) {
		return 0
	}
	raw := s[i:body]
	enc := base64.RawStdEncoding
	if strings.ContainsAny(raw, "-_") {
		enc = base64.RawURLEncoding
	}
	if len(raw)%4 == 1 {
		return 0
	}
	plain, err := enc.DecodeString(raw)
	if err != nil || !readable(plain) {
		return 0
	}
	inner := scan{rules: x.rules, inner: true}
	text := string(plain)
	inner.text(text, modeText)
	x.work += inner.work + len(plain)
	if !inner.any && !basicAuth(raw) {
		return 0
	}
	x.hit(ruleEncoded, i, end, rules[ruleEncoded].Token)
	return end
}

// base64ish: both cases, and no word: at least one change between digit or
// upper and lower case for every six bytes.
func base64ish(s string) bool {
	u, l, changes := 0, 0, 0
	prev := byte(0)
	for i := range len(s) {
		c := s[i]
		k := byte(0)
		switch {
		case c >= 'A' && c <= 'Z':
			k, u = 1, u+1
		case c >= 'a' && c <= 'z':
			k, l = 2, l+1
		default:
			k = 3
		}
		if k != prev {
			changes++
		}
		prev = k
	}
	return u >= 2 && l >= 2 && changes*6 >= len(s)
}

// basicAuth: base64 of "user:password".
func basicAuth(v string) bool {
	v = strings.TrimRight(v, "=")
	if len(v) < 6 || len(v) > 1024 || len(v)%4 == 1 {
		return false
	}
	p, err := base64.RawStdEncoding.DecodeString(v)
	if err != nil || !readable(p) {
		return false
	}
	i := strings.IndexByte(string(p), ':')
	return i > 0 && i < len(p)-1 && strings.IndexByte(string(p), ' ') < 0
}

func readable(p []byte) bool {
	if len(p) < 4 || !utf8.Valid(p) {
		return false
	}
	for _, c := range p {
		if c < 0x20 && !isSpace(c) || c == 0x7f {
			return false
		}
	}
	return true
}

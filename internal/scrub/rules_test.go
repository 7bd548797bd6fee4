package scrub

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/bellwether-project/bellwether/internal/scrub/scrubtest"
)

// TestDescribe: the public page shows what the rules do, not what they should.
func TestDescribe(t *testing.T) {
	r := New(Options{})
	ids := map[string]bool{}
	for _, d := range Describe() {
		if d.ID == "" || d.What == "" || ids[d.ID] {
			t.Errorf("rule %+v", d)
		}
		ids[d.ID] = true
		if d.Example == "" {
			continue
		}
		got, hits := r.Text(d.Example)
		if got != d.After {
			t.Errorf("%s: %q became %q, described as %q", d.ID, d.Example, got, d.After)
		}
		found := false
		for _, h := range hits {
			found = found || h.Rule == d.ID
		}
		if !found {
			t.Errorf("%s: example hit %v", d.ID, hits)
		}
	}
}

// TestSensitiveKey: the name alone decides, however it is written.
func TestSensitiveKey(t *testing.T) {
	r := New(Options{SensitiveKeys: []string{"Loyalty-Card"}})
	for _, k := range []string{"password", "PASSWORD", "db_password", "dbPassword", "Authorization", "proxy-authorization", "Cookie", "set-cookie", "X-Api-Key", "apiKey", "api.key", "session", "sessionid", "session_id", "ssn", "access_token", "refreshToken", "client-secret", "private_key", "user.email", "userName", "ip", "ip_address", "client.address", "x-forwarded-for", "User-Agent", "machineId", "device_name", "host.name", "server_name", "loyaltyCard", "LOYALTY_CARD", "credit_card", "cardNumber", "phone", "sid", "pwd", "passwd"} {
		want := k != "session" // harmless as a dimension ("session: cold"); its text is scrubbed
		if got := r.SensitiveKey(k); got != want {
			t.Errorf("%s: %v, want %v", k, got, want)
		}
	}
	for _, k := range []string{"os.name", "runtime.name", "browser.name", "level", "environment", "release", "handled", "transaction", "url.path", "tokenizer", "passwordless_enabled", "keyboard", "layout", "monkey", "code", "key", "state", "host", "component", "command", "locale", "theme", "count", "duration", "version", "extension", "kind"} {
		if r.SensitiveKey(k) {
			t.Errorf("%s loses its value", k)
		}
	}
}

// TestTwice: scrubbing what was scrubbed changes nothing, also where canaries,
// survivors and signs are put together at random.
func TestTwice(t *testing.T) {
	r := New(Options{})
	var parts []string
	for _, c := range scrubtest.Canaries() {
		parts = append(parts, c.Text)
	}
	parts = append(parts, scrubtest.Survivors()...)
	for tok := range ourTokens {
		parts = append(parts, tok)
	}
	glue := []string{" ", "", ":", "=", "\n", "/", `\`, `"`, `\"`, "@", ".", "%", "&", "?", "<", ">", "-", "//", "://", ", ", "%40", `\u0040`, "'", "#"}
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(1, 5).Draw(t, "n") {
			p := rapid.SampledFrom(parts).Draw(t, "part")
			if rapid.Bool().Draw(t, "cut") && len(p) > 1 {
				p = p[:rapid.IntRange(1, len(p)-1).Draw(t, "at")]
			}
			b.WriteString(p)
			b.WriteString(rapid.SampledFrom(glue).Draw(t, "glue"))
		}
		once, _ := r.Text(b.String())
		twice, hits := r.Text(once)
		if once != twice {
			t.Fatalf("input %q\n once %q\ntwice %q (%v)", b.String(), once, twice, hits)
		}
	})
}

// TestWork: time is linear. The scanners count the bytes they look at; for a
// text twice as long they may look at twice as many, whatever is repeated in it.
func TestWork(t *testing.T) {
	r := New(Options{})
	seeds := []string{"a", "@", "a@", "a@a.", ":", "::", "=", "a=", "password=", `password="`, `key="`, `{"key":"`, "bearer ", `bearer "`, `basic '`, "password '", "--password ", `--password "-`, "<", "<password>", "</", "/", `\`, `\\`, "/home/", `\\a\`, "C:\\Users\\", "~a/", "%", "%25", "%40", `\u0040`, "&#64;", "a://", "a://b?", "?a=", "data:", "data:a,", "://", "#", "1", "1.", "1.2.3.", "1:", "a:", "a::", "00:", "00-", "S-1-", "S-1-5-21-", "+1", "(5", "555-", "1234 ", "4111-", "A", "DE89", "eyJa.", "eyJaaaaaaaaaaaaaaa.", "SGaaaaaaaa.", "ghp_aaaaaaaaaaaaaaaaaaaa", "aB3aB3aB3aB3aB3aB3/", "aB3", "token aB3aB3aB3aB3aB3aB3aB3 ", "-----BEGIN ", "-----END ", "Mozilla/5.0 (", "Mozilla/5.0 a/1 ", "a.local", "a-macbook-", "ip-10-", "a.", "-a", "moz-extension://", "/var/folders/", "OneDrive - ", "user=(", "user: A ", "x-api-key: ", "cookie:", `cookie:"`, "é", "\x00", "\xef\xbc\xa0", "<user>", "password=<secret>", "<ip>.", "key (", "Key (a)=(", "failing row contains (", "[parameters: ", "at ", "a at b dot ", "login a ", "/user:", "net use /user:", "USERNAME  ", "-rw-r--r-- 1 ", "Linux a 6.1.", "Nov 21 18:00:01 a ", "a:x:1:1:", "$2b$", "'s iPhone", "MacBook-Pro-von-", "AppData/Local/", "-Users-a", ":Users:a", "/home/A/", "=40", "a=a.org@", "//a:b@", "a8Q~", "MTk4NjIyNDgzNDcxOTI1MjQ4.", "1//0", "phone: 1 ", "passphrase: a ", "12345-ABCDE-", "D1-2-3-4.", "\xef\xbc\x9a", "logged in as "}
	const n = 8 << 10
	for _, s := range seeds {
		short := strings.Repeat(s, n/len(s)+1)[:n]
		long := strings.Repeat(s, 8*n/len(s)+1)[:8*n]
		a, b := work(r, short), work(r, long)
		if b > 12*a+1000 || a > 400*n {
			t.Errorf("%q: %d bytes looked at in %d, %d in %d", s, a, n, b, 8*n)
		}
	}
	for _, c := range scrubtest.Canaries() { // and every canary, repeated
		for _, s := range []string{c.Text, c.Text[:len(c.Text)/2+1], c.Text[len(c.Text)/2:]} {
			a, b := work(r, strings.Repeat(s, 1+2048/len(s))), work(r, strings.Repeat(s, 1+16384/len(s)))
			if b > 12*a+4000 && b > 200*16384 { // look-backs and look-aheads fill up first
				t.Errorf("%q: %d bytes looked at, then %d", s, a, b)
			}
		}
	}
}

func work(r *Rules, s string) int {
	x := scan{rules: r}
	x.text(s, modeText)
	return x.work
}

// FuzzText: no panic, stable, bounded growth, no more work than bytes times a constant.
func FuzzText(f *testing.F) {
	for _, c := range scrubtest.Canaries() {
		f.Add(c.Text)
	}
	for _, s := range scrubtest.Survivors() {
		f.Add(s)
	}
	r := New(Options{})
	f.Fuzz(func(t *testing.T, s string) {
		x := scan{rules: r}
		once := x.text(s, modeText)
		if x.work > 2000*len(s)+10000 {
			t.Errorf("%d bytes looked at for %d", x.work, len(s))
		}
		if len(once) > 16*len(s)+64 {
			t.Errorf("%d bytes became %d", len(s), len(once))
		}
		if twice, hits := r.Text(once); twice != once {
			t.Errorf("input %q\n once %q\ntwice %q (%v)", s, once, twice, hits)
		}
	})
}

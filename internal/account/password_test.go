package account

import (
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/db/dbtest"
)

func TestCheckPassword(t *testing.T) {
	const email = "ada.lovelace@example.org"
	for _, c := range []struct {
		password string
		ok       bool
	}{
		{"three wise sheep", true},
		{"zwölf Zeichen", true},
		{"correct horse battery staple", false}, // famous
		{"elevenchars", false},
		{"ééééééééééé", false}, // 11 characters, 22 bytes
		{"ada.lovelace@example.org", false},
		{"ADA.LOVELACE", false},
		{"ada.lovelace123", false},
		{"ada.lovelace!2026", false},
		{"password1234", false},
		{"PasswordPassword", false},
		{"aaaaaaaaaaaaa", false},
		{"abcabcabcabcabc", false},
		{"abcdefghijklmn", false},
		{"zyxwvutsrqpo", false},
		{"1234567890qwerty", false},
		{"poiuytrewq0987654321", false},
		{"twelve\x00twelve", false},
		{"\xff\xfe twelve twelve", false},
		{strings.Repeat("long ", 60), false},
	} {
		if err := checkPassword("test", c.password, email); (err == nil) != c.ok {
			t.Errorf("%q: %v", c.password, err)
		} else if err != nil && strings.Contains(err.Error(), c.password) {
			t.Errorf("the error repeats the password: %v", err)
		}
	}
}

func TestPasswordForm(t *testing.T) {
	h, ctx := open(t, dbtest.Open(t)), t.Context()
	a, err := h.hash(ctx, good)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := h.hash(ctx, good); a == b {
		t.Error("two hashes of one password are equal")
	}
	if !strings.HasPrefix(a, "$argon2id$v=19$m=64,t=2,p=1$") {
		t.Errorf("form: %s", a)
	}
	if ok, stale, err := h.matches(ctx, good, a); !ok || stale || err != nil {
		t.Errorf("matches = %v, %v, %v", ok, stale, err)
	}
	if ok, _, _ := h.matches(ctx, good+".", a); ok {
		t.Error("another password matches")
	}
	h.opts.PasswordMemory = 128
	if ok, stale, _ := h.matches(ctx, good, a); !ok || !stale {
		t.Errorf("weaker parameters: ok %v, stale %v", ok, stale)
	}
	for _, bad := range []string{"", "none", "$argon2id$v=19$m=9999999,t=2,p=1$AA$AA", "$argon2i$v=19$m=64,t=2,p=1$AA$AA", "$argon2id$v=19$m=64,t=2,p=1$AA$"} {
		if ok, _, err := h.matches(ctx, good, bad); ok || err == nil {
			t.Errorf("%q: %v, %v", bad, ok, err)
		}
	}
}

func TestWeakParametersAreRenewed(t *testing.T) {
	h, ctx := open(t, dbtest.Open(t)), t.Context()
	h.setUp()
	h.opts.PasswordMemory = 128
	if _, err := h.SignIn(ctx, SignInRequest{Email: "first@example.org", Password: good}); err != nil {
		t.Fatal(err)
	}
	var phc string
	if err := h.db.Read().QueryRowContext(ctx, `SELECT password FROM account`).Scan(&phc); err != nil || !strings.Contains(phc, "m=128,") {
		t.Errorf("kept as %s, %v", phc, err)
	}
}

func TestDataCommonPasswords(t *testing.T) {
	if len(common) < 300 {
		t.Errorf("only %d common passwords", len(common))
	}
	for w := range common {
		if len(w) < MinPassword || w != strings.ToLower(w) {
			t.Errorf("%q is too short or not in lower case", w)
		}
	}
}

package mail_test

import (
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify/mail"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ url, password, want string }{
		{"smtp://me@mail.example.org", "pw", "mail.example.org 587 me pw starttls"},
		{"smtp://me:old@mail.example.org:2525", "", "mail.example.org 2525 me old starttls"},
		{"smtps://me%40example.org@mail.example.org", "pw", "mail.example.org 465 me@example.org pw implicit"},
		{"smtp://localhost?tls=none", "", "localhost 25   none"},
		{"smtp://me@127.0.0.1:26?tls=none", "pw", "127.0.0.1 26 me pw none"},
		{"smtp://me@mail.example.org?tls=none", "pw", ""},
		{"smtps://mail.example.org?tls=none", "", ""},
		{"smtp://mail.example.org?x=y", "", ""},
		{"smtp://mail.example.org/path", "", ""},
		{"smtp://mail.example.org:0", "", ""},
		{"http://mail.example.org", "", ""},
		{"mail.example.org:25", "", ""},
		{"smtp://me@mail.example.org", "p\r\nw", ""},
	} {
		s, err := mail.Parse(c.url, c.password, "Bellwether <bw@example.org>")
		got := ""
		if err == nil {
			got = strings.Join([]string{s.Host, itoa(s.Port), s.User, s.Password, string(s.TLS)}, " ")
		} else if fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %v", c.url, err)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q (%v)", c.url, got, c.want, err)
		}
	}
	for _, from := range []string{"", "x", "a@b@c", "Bell\r\nBcc: x <a@b.example>", "<a b@c.example>", "-o@b.example"} {
		if _, err := mail.Parse("smtp://h", "", from); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("from %q: %v", from, err)
		}
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

func FuzzParse(f *testing.F) {
	f.Add("smtp://me:pw@mail.example.org:587", "", "B <b@example.org>")
	f.Add("smtps://[::1]:465?tls=none", "x", "b@example.org")
	f.Fuzz(func(t *testing.T, url, password, from string) {
		s, err := mail.Parse(url, password, from)
		if err != nil {
			return
		}
		if s.Host == "" || s.Port < 1 || s.Port > 65535 || s.Domain() == "" || strings.ContainsAny(s.From.Address+s.From.Name+s.User+s.Password+s.Host, "\r\n") {
			t.Errorf("%+v", s)
		}
	})
}

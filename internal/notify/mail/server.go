package mail

import (
	"net"
	"net/mail"
	"net/url"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
)

// Server is a mail server to hand messages to.
type Server struct {
	Host     string
	Port     int
	User     string // "" = no sign-in
	Password string
	TLS      TLS
	From     mail.Address
}

// TLS says how the connection is protected.
type TLS string

const (
	StartTLS TLS = "starttls" // smtp://: the server must offer it
	Implicit TLS = "implicit" // smtps://
	None     TLS = "none"     // smtp://…?tls=none: without sign-in, or to this machine
)

// maxAddress bounds the texts of a configuration, in bytes.
const maxAddress = 2000

// Parse reads an address such as smtp://user@mail.example.org:587 (STARTTLS),
// smtps://user@mail.example.org:465 (TLS from the first byte), or
// smtp://localhost:25?tls=none. A password in it holds unless one is given apart.
// From is "Name <name@example.org>" or an address alone.
func Parse(address, password, from string) (Server, error) {
	const op = "mail.Parse"
	bad := func(text string) (Server, error) { return Server{}, fault.E(op, fault.Invalid, text, nil) }
	if len(address) > maxAddress || len(from) > maxAddress {
		return bad("mail-url, mail-from: too long")
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Opaque != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return bad("mail-url: an address has the form smtp://user@host:587")
	}
	s := Server{Host: u.Hostname(), TLS: StartTLS, Port: 587, User: u.User.Username(), Password: password}
	if old, ok := u.User.Password(); ok && password == "" {
		s.Password = old
	}
	switch u.Scheme {
	case "smtp":
	case "smtps":
		s.TLS, s.Port = Implicit, 465
	default:
		return bad("mail-url: it begins with smtp:// or smtps://")
	}
	for key, values := range u.Query() {
		if key != "tls" || values[0] != "none" || u.Scheme != "smtp" {
			return bad("mail-url: the only option is ?tls=none, with smtp://")
		}
		s.TLS, s.Port = None, 25
	}
	if p := u.Port(); p != "" {
		if s.Port, err = strconv.Atoi(p); err != nil || s.Port < 1 || s.Port > 65535 {
			return bad("mail-url: the port is not a number from 1 to 65535")
		}
	}
	if s.TLS == None && s.User != "" && !loopback(s.Host) {
		return bad("mail-url: without TLS a password would be sent in the clear; only to this machine")
	}
	if strings.ContainsAny(s.User+s.Password+s.Host, "\r\n\x00") {
		return bad("mail-url: it holds a line break")
	}
	a, err := mail.ParseAddress(from)
	if err != nil || notify.Line(a.Name, 200) != a.Name || !plain(a.Address) {
		return bad("mail-from: an address has the form Name <name@example.org>")
	}
	s.From = *a
	return s, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// plain reports whether an address is one that needs no quoting anywhere.
func plain(a string) bool {
	local, domain, ok := strings.Cut(a, "@")
	if !ok || local == "" || domain == "" || len(a) > 254 || a[0] == '-' {
		return false
	}
	for _, r := range a {
		if r <= ' ' || r == 0x7f || strings.ContainsRune(`"()<>[]\,;:`, r) {
			return false
		}
	}
	return !strings.Contains(domain, "@")
}

// Domain is the part behind the @ of the sender: for message ids and HELO.
func (s Server) Domain() string {
	_, domain, _ := strings.Cut(s.From.Address, "@")
	return domain
}

package mail_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
	"github.com/bellwether-project/bellwether/internal/notify/mail"
	"github.com/bellwether-project/bellwether/internal/notify/notifytest"
)

// server is a real SMTP server that keeps what it gets.
type server struct {
	mu   sync.Mutex
	mail []string
	to   []string
	say  fault.Code
	auth string // who signed in
	tls  bool
	port int
}

type session struct {
	s  *server
	c  *smtp.Conn
	in bool
}

func (s *server) NewSession(c *smtp.Conn) (smtp.Session, error) { return &session{s: s, c: c}, nil }

func (x *session) AuthMechanisms() []string { return []string{sasl.Plain} }
func (x *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "bell" || password != "s3cret pass" {
			return errors.New("535 no")
		}
		x.in = true
		x.s.mu.Lock()
		defer x.s.mu.Unlock()
		x.s.auth = user
		_, x.s.tls = x.c.TLSConnectionState()
		return nil
	}), nil
}
func (x *session) Reset()                               {}
func (x *session) Logout() error                        { return nil }
func (x *session) Mail(string, *smtp.MailOptions) error { return nil }
func (x *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	switch x.s.say {
	case fault.NotFound:
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
	case fault.Unavailable:
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted"}
	}
	x.s.to = append(x.s.to, to)
	return nil
}
func (x *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	if x.s.say == fault.Invalid {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: strings.Repeat("spam ", 100)}
	}
	x.s.mail = append(x.s.mail, string(b))
	return err
}

// listen starts a server; implicit: TLS from the first byte.
func listen(t *testing.T, implicit bool) (*server, *tls.Config) {
	t.Helper()
	pair := httptest.NewUnstartedServer(nil)
	pair.StartTLS()
	cert := pair.TLS.Certificates[0]
	roots := x509.NewCertPool()
	roots.AddCert(pair.Certificate())
	pair.Close()
	s := &server{}
	srv := smtp.NewServer(s)
	srv.Domain = "mx.example.org"
	srv.ErrorLog = quiet{}
	srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = ln.Addr().(*net.TCPAddr).Port
	if implicit {
		ln = tls.NewListener(ln, srv.TLSConfig)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(ln) }()
	t.Cleanup(func() { srv.Close(); ln.Close(); <-done })
	return s, &tls.Config{RootCAs: roots, ServerName: "example.com"}
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func config(s *server, kind mail.TLS) mail.Server {
	return mail.Server{Host: "127.0.0.1", Port: s.port, User: "bell", Password: "s3cret pass", TLS: kind,
		From: netmail.Address{Name: "Bellwether", Address: "bw@example.org"}}
}

func TestContract(t *testing.T) {
	for _, kind := range []mail.TLS{mail.StartTLS, mail.Implicit} {
		t.Run(string(kind), func(t *testing.T) {
			notifytest.Run(t, func(t *testing.T) notifytest.Side {
				s, roots := listen(t, kind == mail.Implicit)
				return notifytest.Side{
					Sender: mail.New(config(s, kind), roots),
					Say:    func(c fault.Code) { s.mu.Lock(); s.say = c; s.mu.Unlock() },
					Got: func() (out []notifytest.Got) {
						s.mu.Lock()
						defer s.mu.Unlock()
						if len(s.mail) > 0 && (s.auth != "bell" || !s.tls) {
							t.Errorf("signed in as %q, tls %v", s.auth, s.tls)
						}
						for _, m := range s.mail {
							p := parse(t, m)
							out = append(out, notifytest.Got{ID: p.id, Subject: p.subject, Body: m})
						}
						return out
					},
				}
			})
		})
	}
}

type parsed struct {
	head              netmail.Header
	id, subject, text string
	html              string
}

func parse(t *testing.T, raw string) parsed {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	p := parsed{head: m.Header, id: m.Header.Get("Message-Id")}
	if p.subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			return p
		}
		b, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			p.html = string(b)
		} else {
			p.text = string(b)
		}
	}
}

func TestHeadersAndBodies(t *testing.T) {
	s, roots := listen(t, false)
	m := notifytest.Message("m-42")
	if _, err := mail.New(config(s, mail.StartTLS), roots).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	p := parse(t, s.mail[0])
	for name, want := range map[string]string{
		"Message-Id": "<m-42@example.org>", "Auto-Submitted": "auto-generated", "List-Id": "<families.bw.example>",
		"List-Unsubscribe": "<https://bw.example/unsubscribe?t=x>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
		"From": `"Bellwether" <bw@example.org>`, "To": "<ravi@acme.example>", "References": "<topic.f-abc@example.org>", "Precedence": "bulk",
	} {
		if got := p.head.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, want := range []string{"Seen for the first time.", "TypeError <script>", "fewer than 20 installs", "https://bw.example/families/F-abc", "You look after acme.linter."} {
		if !strings.Contains(p.text, want) {
			t.Errorf("text lacks %q:\n%s", want, p.text)
		}
	}
	if strings.Contains(p.html, "<script>") || !strings.Contains(p.html, "&lt;script&gt;") || strings.Contains(p.html, "<img") {
		t.Errorf("html: %s", p.html)
	}
	if s.to[0] != "ravi@acme.example" {
		t.Errorf("to %q", s.to)
	}
}

func TestRefusesBadAddresses(t *testing.T) {
	s, roots := listen(t, false)
	for _, to := range []string{"", "x", "a@b\r\nRCPT TO:<c@d>", "<a@b>", "a@b, c@d", "-o@b.example", strings.Repeat("a", 260) + "@b.example"} {
		m := notifytest.Message("m-1")
		m.To = to
		if _, err := mail.New(config(s, mail.StartTLS), roots).Send(t.Context(), m); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%q: %v", to, err)
		}
	}
	if len(s.mail) != 0 {
		t.Error("something was sent")
	}
}

func TestCheck(t *testing.T) {
	s, roots := listen(t, false)
	if err := mail.New(config(s, mail.StartTLS), roots).Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	wrong := config(s, mail.StartTLS)
	wrong.Password = "hush hush hush"
	err := mail.New(wrong, roots).Check(t.Context())
	if fault.CodeOf(err) != fault.Unavailable || strings.Contains(err.Error(), "hush") {
		t.Errorf("wrong password: %v", err)
	}
	if _, err := mail.New(wrong, roots).Send(t.Context(), notifytest.Message("m-1")); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("a wrong password is not the recipient's fault: %v", err)
	}
	// A certificate of nobody we trust.
	if err := mail.New(config(s, mail.StartTLS), nil).Check(t.Context()); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("unknown certificate: %v", err)
	}
}

// A server that offers no TLS gets no mail and no password.
func TestInsistsOnTLS(t *testing.T) {
	s := &server{}
	srv := smtp.NewServer(s)
	srv.AllowInsecureAuth = true
	srv.ErrorLog = quiet{}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(ln) }()
	defer func() { srv.Close(); ln.Close(); <-done }()
	s.port = ln.Addr().(*net.TCPAddr).Port
	if _, err := mail.New(config(s, mail.StartTLS), nil).Send(t.Context(), notifytest.Message("m-1")); fault.CodeOf(err) != fault.Unavailable || s.auth != "" {
		t.Errorf("%v, signed in as %q", err, s.auth)
	}
	if _, err := mail.New(config(s, mail.None), nil).Send(t.Context(), notifytest.Message("m-1")); err != nil || len(s.mail) != 1 {
		t.Errorf("none asked for, to this machine: %v", err)
	}
	var _ notify.Sender = mail.New(mail.Server{}, nil)
}

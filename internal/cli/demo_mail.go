package cli

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"
)

// Bounds of the demo's mail box.
const (
	keptMails = 500     // further ones take the places of the first
	maxMail   = 1 << 20 // bytes
)

// mailBox is a real mail server on this machine that keeps what it gets as files
// in a folder: nothing of the demo leaves the machine, and all of it can be read.
type mailBox struct {
	dir string
	n   atomic.Int64
}

// openMailBox listens; stop ends it.
func openMailBox(dir string) (address string, stop func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	b := &mailBox{dir: dir}
	srv := smtp.NewServer(b)
	srv.Domain, srv.MaxMessageBytes, srv.MaxRecipients = "localhost", maxMail, 1
	srv.ReadTimeout, srv.WriteTimeout = 20*time.Second, 20*time.Second
	srv.ErrorLog = silent{}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(ln) }()
	return "smtp://" + ln.Addr().String() + "?tls=none", func() { _ = srv.Close(); <-done }, nil
}

type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

func (b *mailBox) NewSession(*smtp.Conn) (smtp.Session, error) { return b, nil }
func (b *mailBox) Reset()                                      {}
func (b *mailBox) Logout() error                               { return nil }
func (b *mailBox) Mail(string, *smtp.MailOptions) error        { return nil }
func (b *mailBox) Rcpt(string, *smtp.RcptOptions) error        { return nil }

// Data writes a mail; it has its name once it is whole.
func (b *mailBox) Data(r io.Reader) error {
	body, err := io.ReadAll(io.LimitReader(r, maxMail))
	if err != nil {
		return err
	}
	file := filepath.Join(b.dir, fmt.Sprintf("%03d.eml", b.n.Add(1)%keptMails))
	if err := os.WriteFile(file+".new", body, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

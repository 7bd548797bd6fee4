package app

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// server is one address that is being listened on.
type server struct {
	http *http.Server
	ln   net.Listener
}

// listen makes the server of a bound address: HTTP/1.1 and HTTP/2, in the clear
// (for gRPC without TLS, and behind a proxy) or with TLS by files.
func listen(ln net.Listener, o Options, h http.Handler, log *slog.Logger) (*server, error) {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	s := &http.Server{
		Handler:           h,
		Protocols:         &protocols,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       2 * time.Minute,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(quiet{log.Handler()}, slog.LevelDebug),
	}
	if o.TLSCert != "" {
		cert, err := tls.LoadX509KeyPair(o.TLSCert, o.TLSKey)
		if err != nil {
			return nil, errors.Join(fault.E("app.listen", fault.Invalid, "The certificate and its key cannot be used.", err), ln.Close())
		}
		s.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}}
	}
	return &server{http: s, ln: ln}, nil
}

// serve answers until the server is shut down.
func (s *server) serve() error {
	var err error
	if s.http.TLSConfig != nil {
		err = s.http.ServeTLS(s.ln, "", "")
	} else {
		err = s.http.Serve(s.ln)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// shutdown lets requests under way finish, for at most drainTime.
func (s *server) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(err, s.http.Close())
	}
	return nil
}

// quiet drops the messages of net/http: they name peer addresses.
type quiet struct{ slog.Handler }

func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	r.Message = "the HTTP server dropped a connection"
	return q.Handler.Handle(ctx, r)
}

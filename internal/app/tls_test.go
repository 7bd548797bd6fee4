//go:build cgo

package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
)

// TestTLSByFiles: with a certificate everything is served over TLS 1.2 or later:
// pages and doors over HTTP/1.1 and HTTP/2, gRPC on both addresses.
func TestTLSByFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	dir := t.TempDir()
	o := options(dir)
	var pool *x509.CertPool
	o.TLSCert, o.TLSKey, pool = certificate(t, dir)
	h := newHouse(t, o)
	if !strings.HasPrefix(h.URL(), "https://") {
		t.Fatalf("the address is %s", h.URL())
	}
	for _, two := range []bool{false, true} {
		var p http.Protocols
		p.SetHTTP1(!two)
		p.SetHTTP2(two)
		tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, Protocols: &p}
		defer tr.CloseIdleConnections()
		h.client = &http.Client{Transport: tr, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		if a := h.do(h.sentryEvent()); a.StatusCode != http.StatusOK || (a.ProtoMajor == 2) != two || a.TLS == nil || a.TLS.Version < tls.VersionTLS12 {
			t.Errorf("%s %s %s", a.Status, a.Proto, a.body)
		}
	}
	h.cookieIs(true)
	for i, s := range h.servers {
		conn, err := grpc.NewClient(s.ln.Addr().String(), grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(pool, "")))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+h.key.Public), time.Minute)
		defer cancel()
		logs := plogotlp.NewExportRequest()
		if err := logs.UnmarshalJSON([]byte(oneLog)); err != nil {
			t.Fatal(err)
		}
		if got, err := plogotlp.NewGRPCClient(conn).Export(ctx, logs); err != nil || got.PartialSuccess().RejectedLogRecords() != 0 {
			t.Errorf("address %d: %v", i, err)
		}
	}
	plain, err := http.Get("http" + strings.TrimPrefix(h.URL(), "https") + "/sign-in")
	if err == nil {
		_ = plain.Body.Close()
		if plain.StatusCode == http.StatusOK {
			t.Error("the address also answers without TLS")
		}
	}
}

// TestURLDecidesTheCookie: behind a proxy that ends TLS the address that people
// use says that cookies are Secure; no header of a client can.
func TestURLDecidesTheCookie(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	for address, secure := range map[string]bool{"": false, "https://bellwether.example.org": true} {
		o := options(t.TempDir())
		o.URL, o.TrustedProxies = address, []string{"127.0.0.1"}
		h := newHouse(t, o)
		if h.base != h.URL() || address != "" && h.URL() != address {
			t.Errorf("the address is %s", h.URL())
		}
		h.base = "http://" + h.servers[0].ln.Addr().String() // where the proxy reaches it
		h.cookieIs(secure)
	}
}

const oneLog = `{"resourceLogs":[{"scopeLogs":[{"scope":{"name":"acme.linter"},"logRecords":[{"eventName":"started","timeUnixNano":"1795218900000000000"}]}]}]}`

func (h *house) sentryEvent() *http.Request {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.URL()+"/api/"+strconv.FormatInt(h.key.Project, 10)+"/envelope/?sentry_key="+h.key.Public,
		strings.NewReader("{}\n{\"type\":\"event\"}\n{\"level\":\"fatal\",\"message\":\"m\"}\n"))
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// cookieIs makes the first account and looks at the cookie of its session.
func (h *house) cookieIs(secure bool) {
	h.t.Helper()
	token, ok, err := h.Records.Accounts.SetupLink(h.t.Context())
	if err != nil || !ok {
		h.t.Fatal(ok, err)
	}
	form := url.Values{"token": {token}, "name": {"Ada"}, "email": {"ada@example.org"}, "password": {"a long enough sentence"}, "again": {"a long enough sentence"}}
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.base+"/setup", strings.NewReader(form.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if !secure {
		r.Header.Set("X-Forwarded-Proto", "https")
	}
	c := *h.client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	h.client = &c
	a := h.do(r)
	if len(a.Cookies()) == 0 {
		h.t.Fatalf("%s: no cookie: %.300s", a.Status, a.body)
	}
	for _, c := range a.Cookies() {
		if c.Secure != secure || strings.HasPrefix(c.Name, "__Host-") != secure || !c.HttpOnly {
			h.t.Errorf("cookie %s: secure %v, HttpOnly %v; want secure %v", c.Name, c.Secure, c.HttpOnly, secure)
		}
	}
}

// certificate makes a certificate of 127.0.0.1 and the pool that trusts it.
func certificate(t *testing.T, dir string) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bellwether test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, b []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(cert)
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", secret), pool
}

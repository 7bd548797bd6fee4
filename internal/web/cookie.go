package web

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Two names: the one with __Host- is bound to this very host and to TLS; the
// plain one is for loopback, where there is no TLS to bind to.
const (
	cookieTLS   = "__Host-bellwether"
	cookiePlain = "bellwether"
)

func (s *Server) tls(r *http.Request) bool {
	if s.o.Secure != nil {
		return *s.o.Secure
	}
	if s.o.Base != nil {
		return s.o.Base.Scheme == "https"
	}
	return r.TLS != nil
}

func (s *Server) cookieName(r *http.Request) string {
	if s.tls(r) {
		return cookieTLS
	}
	return cookiePlain
}

func (s *Server) sessionToken(r *http.Request) string {
	c, err := r.Cookie(s.cookieName(r))
	if err != nil {
		return ""
	}
	return c.Value
}

func (s *Server) setSession(w http.ResponseWriter, r *http.Request, token string, until time.Time) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(r), Value: token, Path: "/", Expires: until,
		HttpOnly: true, Secure: s.tls(r), SameSite: http.SameSiteLaxMode,
	})
}

func (s *Server) clearSession(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(r), Path: "/", MaxAge: -1,
		HttpOnly: true, Secure: s.tls(r), SameSite: http.SameSiteLaxMode,
	})
}

// base is the address of this server as the viewer reaches it.
func (s *Server) base(r *http.Request) *url.URL {
	if s.o.Base != nil {
		return s.o.Base
	}
	u := &url.URL{Scheme: "http", Host: r.Host}
	if s.tls(r) {
		u.Scheme = "https"
	}
	return u
}

// agent is a short label of a session: "Firefox on Linux". The user agent itself
// is kept nowhere.
func agent(r *http.Request) string {
	ua := r.UserAgent()
	pick := func(table [][2]string, other string) string {
		for _, t := range table {
			if strings.Contains(ua, t[0]) {
				return t[1]
			}
		}
		return other
	}
	browser := pick([][2]string{{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chromium"}, {"Safari/", "Safari"}}, "A client")
	system := pick([][2]string{{"Android", "Android"}, {"iPhone", "iOS"}, {"iPad", "iPadOS"}, {"Windows", "Windows"}, {"Mac OS", "macOS"}, {"Linux", "Linux"}}, "an unknown system")
	return browser + " on " + system
}

// safeNext returns a path on this server to go on to, or "/".
func safeNext(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}

func hostOnly(addr string) string {
	h, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return h
}

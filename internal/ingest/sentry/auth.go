package sentry

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Auth is what a client says of its key, in one place.
type Auth struct {
	Key     string
	Version string // "7"; "" = not said
}

// ParseAuth reads the value of X-Sentry-Auth (or Authorization): "Sentry
// sentry_version=7, sentry_key=…", in any order. ok is false when it is no such
// value at all.
func ParseAuth(header string) (a Auth, ok bool) {
	scheme, rest, cut := strings.Cut(strings.TrimSpace(header), " ")
	if !cut || !strings.EqualFold(scheme, "sentry") {
		return Auth{}, false
	}
	n := 0
	for part := range strings.SplitSeq(rest, ",") {
		if n++; n > 16 {
			break
		}
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch strings.TrimSpace(k) {
		case "sentry_key":
			a.Key = strings.TrimSpace(v)
		case "sentry_version":
			a.Version = strings.TrimSpace(v)
		}
	}
	return a, true
}

// DSN is a parsed address of a project.
type DSN struct {
	Key     string
	Project int64
}

// ParseDSN reads {scheme}://{key}[:{secret}]@{host}[:port][/path]/{project}. The
// secret is obsolete and ignored.
func ParseDSN(s string) (DSN, error) {
	u, err := url.Parse(s)
	if err != nil || u.User == nil || u.User.Username() == "" || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return DSN{}, fault.E("sentry.ParseDSN", fault.Invalid, "The DSN is not valid.", nil)
	}
	path := strings.TrimSuffix(u.Path, "/")
	id, err := strconv.ParseInt(path[strings.LastIndexByte(path, '/')+1:], 10, 64)
	if err != nil || id <= 0 {
		return DSN{}, fault.E("sentry.ParseDSN", fault.Invalid, "The project of the DSN is not a number.", nil)
	}
	return DSN{Key: u.User.Username(), Project: id}, nil
}

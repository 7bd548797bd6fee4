package receipt

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// ParseSignature reads a signature as it is told: "sig/1:" and 16 hexadecimal digits.
func ParseSignature(s string) (hash string, ok bool) {
	hash, ok = strings.CutPrefix(s, SignaturePrefix)
	if !ok || len(hash) != 16 {
		return "", false
	}
	for i := range len(hash) {
		if c := hash[i]; !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return "", false
		}
	}
	return hash, true
}

// Send says how to send what is wanted, to a program that reads it: it posts Body,
// with what it has of Add put in, and the request's own "source".
type Send struct {
	Method string   `json:"method"`
	URL    string   `json:"url"`
	Body   *Body    `json:"body,omitempty"` // counts: a request that does; full: as the schema says
	Add    []string `json:"add,omitempty"`  // counts: what a crash of it may say besides
	Schema string   `json:"schema"`
}

// Body is the smallest request that counts a crash.
type Body struct {
	Crashes []Counted `json:"crashes"`
}

// Counted is a crash of which nothing but the signature is sent.
type Counted struct {
	Signature string          `json:"signature"`
	Owner     eco.ExtensionID `json:"owner,omitempty"` // clients of a host: the extension that it is about
}

// Schema is the form of requests.
const Schema = "https://bellwether-project.github.io/schema/intake/request.schema.json"

// Bare lists the members, besides the signature and its owner, that are read of a
// crash that is only counted. Others are passed over.
var Bare = []string{"id", "time", "session", "extension_version", "level", "handled", "active", "weight"}

// SendTo says how to send what is wanted of a signature to an address; nil when
// nothing is.
func SendTo(url, signature string, owner eco.ExtensionID, w Wanted) *Send {
	s := &Send{Method: "POST", URL: url, Schema: Schema}
	switch w {
	case Nothing:
		return nil
	case Counts:
		s.Body, s.Add = &Body{[]Counted{{signature, owner}}}, Bare
	}
	return s
}

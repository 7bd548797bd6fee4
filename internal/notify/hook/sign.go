package hook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Headers of Standard Webhooks.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

// Skew is how far a timestamp may be from the receiver's clock.
const Skew = 5 * time.Minute

// secretPrefix marks a secret in its text form.
const secretPrefix = "whsec_"

// Bounds of a secret's bytes, and of a signature header.
const (
	minSecret    = 24
	maxSecret    = 64
	maxSignature = 4096
)

// Secret is a signing key. It prints as nothing that helps.
type Secret []byte

// NewSecret makes one of 32 random bytes.
func NewSecret() Secret {
	b := make([]byte, 32)
	rand.Read(b) // never fails
	return b
}

// ParseSecret reads whsec_ followed by base64 of 24 to 64 bytes.
func ParseSecret(text string) (Secret, error) {
	const op = "hook.ParseSecret"
	rest, ok := strings.CutPrefix(text, secretPrefix)
	if !ok || len(rest) > 2*maxSecret {
		return nil, fault.E(op, fault.Invalid, "secret: It begins with whsec_.", nil)
	}
	b, err := base64.StdEncoding.Strict().DecodeString(rest)
	if err != nil {
		b, err = base64.RawStdEncoding.Strict().DecodeString(rest)
	}
	if err != nil || len(b) < minSecret || len(b) > maxSecret {
		return nil, fault.E(op, fault.Invalid, "secret: Behind whsec_ come 24 to 64 bytes in base64.", nil)
	}
	return b, nil
}

// Reveal is the text that ParseSecret reads: to be shown once.
func (s Secret) Reveal() string { return secretPrefix + base64.StdEncoding.EncodeToString(s) }

// String hides the secret.
func (s Secret) String() string { return "•••" }

func (s Secret) sign(id, stamp string, body []byte) []byte {
	h := hmac.New(sha256.New, s)
	h.Write([]byte(id + "." + stamp + "."))
	h.Write(body)
	return h.Sum(nil)
}

// Sign sets the three headers; a signature for each secret, so that a receiver
// may know the old or the new one while they are exchanged.
func Sign(h http.Header, id string, at time.Time, body []byte, secrets ...Secret) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	var out []string
	for _, s := range secrets {
		out = append(out, "v1,"+base64.StdEncoding.EncodeToString(s.sign(id, stamp, body)))
	}
	h.Set(headerID, id)
	h.Set(headerTimestamp, stamp)
	h.Set(headerSignature, strings.Join(out, " "))
}

// Verify is the receiver's side: nil when one of the secrets signed these bytes
// within Skew of now.
func Verify(h http.Header, body []byte, now time.Time, secrets ...Secret) error {
	bad := func(text string) error { return fault.E("hook.Verify", fault.Invalid, text, nil) }
	id, stamp, sigs := h.Get(headerID), h.Get(headerTimestamp), h.Get(headerSignature)
	if id == "" || strings.ContainsRune(id, '.') || len(id) > 256 || len(sigs) > maxSignature {
		return bad("The headers of the signature are missing or not valid.")
	}
	sec, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || strconv.FormatInt(sec, 10) != stamp {
		return bad("The timestamp is not a number.")
	}
	if d := now.Unix() - sec; d > int64(Skew/time.Second) || -d > int64(Skew/time.Second) {
		return bad("The timestamp is too old, or ahead.")
	}
	for _, part := range strings.Fields(sigs) {
		text, ok := strings.CutPrefix(part, "v1,")
		if !ok {
			continue // versions we do not know
		}
		got, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			continue
		}
		for _, s := range secrets {
			if subtle.ConstantTimeCompare(got, s.sign(id, stamp, body)) == 1 {
				return nil
			}
		}
	}
	return bad("The signature does not fit.")
}

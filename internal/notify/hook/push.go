package hook

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
)

// Bounds of web push.
const (
	maxEndpoint = 1000                // bytes of an endpoint's address
	maxNotice   = 2000                // bytes of a message before it is encrypted; RFC 8291 allows 3,993
	noticeLife  = 14 * 24 * time.Hour // how long a push service keeps it for a browser that is away
)

// Subscription is where a browser wants to be told (the Push API's
// PushSubscription). All of it is a stranger's word.
type Subscription struct {
	Endpoint string `json:"endpoint"`
	Key      string `json:"p256dh"` // the browser's public key, base64url
	Auth     string `json:"auth"`   // 16 bytes, base64url
}

// Check says whether a subscription has the form of one and may be sent to: by
// https, at the usual port, to no private network. The policy's exceptions are for
// tests and for a demo on one machine.
func (s Subscription) Check(p notify.Policy) error {
	const op = "hook.Check"
	if len(s.Endpoint) > maxEndpoint {
		return fault.E(op, fault.Invalid, "endpoint: It is too long.", nil)
	}
	u, err := p.Check(s.Endpoint)
	if err != nil {
		return fault.E(op, fault.CodeOf(err), "endpoint: "+strings.TrimPrefix(fault.TextOf(err), "url: "), nil)
	}
	if port := u.Port(); port != "" && port != "443" && len(p.Allow) == 0 {
		return fault.E(op, fault.Invalid, "endpoint: It names a port.", nil)
	}
	_, _, err = s.keys()
	return err
}

func (s Subscription) keys() (*ecdh.PublicKey, []byte, error) {
	const op = "hook.Check"
	raw, err := decode(s.Key, 65)
	if err != nil {
		return nil, nil, fault.E(op, fault.Invalid, "p256dh: 65 bytes in base64url.", nil)
	}
	key, err := ecdh.P256().NewPublicKey(raw) // refuses what is no point of the curve
	if err != nil {
		return nil, nil, fault.E(op, fault.Invalid, "p256dh: It is no public key.", nil)
	}
	auth, err := decode(s.Auth, 16)
	if err != nil {
		return nil, nil, fault.E(op, fault.Invalid, "auth: 16 bytes in base64url.", nil)
	}
	return key, auth, nil
}

// decode reads base64url of a known size, with or without its padding.
func decode(s string, size int) ([]byte, error) {
	s = strings.TrimRight(s, "=")
	if len(s) != base64.RawURLEncoding.EncodedLen(size) {
		return nil, base64.CorruptInputError(len(s))
	}
	return base64.RawURLEncoding.Strict().DecodeString(s)
}

// Push sends to one browser by its push service: encrypted for the browser
// (RFC 8291), signed for the service (RFC 8292).
type Push struct {
	Client  *http.Client
	To      Subscription
	Key     *PushKey
	Contact string // whom the service may write to: mailto: or https:
	Now     func() time.Time
}

// notice is what the service worker of our pages reads.
type notice struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Body  string `json:"body,omitempty"`
	URL   string `json:"url,omitempty"`
}

// Send posts the message.
func (p *Push) Send(ctx context.Context, m notify.Message) (notify.Answer, error) {
	const op = "hook.Send"
	n := notice{ID: notify.Line(m.ID, 64), Title: notify.Line(m.Subject, 200), URL: m.Link}
	if n.ID == "" || n.Title == "" {
		return notify.Answer{}, fault.E(op, fault.Invalid, "A message has an id and a subject.", nil)
	}
	var body []string
	for _, t := range m.Text {
		body = append(body, notify.Line(t, 400))
	}
	n.Body = notify.Line(strings.Join(body, " "), 800)
	plain, err := json.Marshal(n)
	if err != nil {
		return notify.Answer{}, fault.E(op, fault.Internal, "", err)
	}
	if len(plain) > maxNotice {
		return notify.Answer{}, fault.E(op, fault.Invalid, "The message is too large.", nil)
	}
	key, auth, err := p.To.keys()
	if err != nil {
		return notify.Answer{}, err
	}
	own, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return notify.Answer{}, fault.E(op, fault.Internal, "", err)
	}
	salt := make([]byte, 16)
	rand.Read(salt) // never fails
	sealed, err := encrypt(padded(plain), key, auth, own, salt)
	if err != nil {
		return notify.Answer{}, fault.E(op, fault.Internal, "", err)
	}
	u, err := url.Parse(p.To.Endpoint)
	if err != nil {
		return notify.Answer{}, fault.E(op, fault.Invalid, "The address is not valid.", nil)
	}
	token, err := p.Key.token(u.Scheme+"://"+u.Host, p.Contact, p.Now())
	if err != nil {
		return notify.Answer{}, fault.E(op, fault.Internal, "", err)
	}
	h := http.Header{
		"Content-Type": {"application/octet-stream"}, "Content-Encoding": {"aes128gcm"}, "Ttl": {seconds(noticeLife)}, "Urgency": {"normal"},
		"Authorization": {"vapid t=" + token + ", k=" + p.Key.Public()},
	}
	return post(ctx, p.Client, p.To.Endpoint, h, sealed, func(code int) fault.Code {
		switch code {
		case http.StatusNotFound, http.StatusGone: // the browser gave it up
			return fault.NotFound
		case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestEntityTooLarge:
			return fault.Invalid
		}
		return fault.Unavailable
	})
}

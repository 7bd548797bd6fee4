package hook

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// recordSize is what we say a record may hold; a message is one record.
const recordSize = 4096

// padTo rounds a message's size up, so that its length says little of what it is.
const padTo = 512

// padded is the content of the last record (RFC 8188): the text, a 2, zeros.
func padded(plain []byte) []byte {
	n := (len(plain) + 1 + padTo - 1) / padTo * padTo
	out := make([]byte, n)
	copy(out, plain)
	out[len(plain)] = 2
	return out
}

// encrypt makes the body of a push message (RFC 8291): record is the padded text,
// key and auth are the browser's, own and salt are made for this message alone.
func encrypt(record []byte, key *ecdh.PublicKey, auth []byte, own *ecdh.PrivateKey, salt []byte) ([]byte, error) {
	secret, err := own.ECDH(key)
	if err != nil {
		return nil, err
	}
	mine := own.PublicKey().Bytes()
	ikm, err := hkdf.Key(sha256.New, secret, auth, "WebPush: info\x00"+string(key.Bytes())+string(mine), 32)
	if err != nil {
		return nil, err
	}
	cek, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, err
	}
	nonce, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(cek)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	out := append([]byte(nil), salt...)
	out = binary.BigEndian.AppendUint32(out, recordSize)
	out = append(out, byte(len(mine)))
	out = append(out, mine...)
	return gcm.Seal(out, nonce, record, nil), nil
}

// PushKey is the server's own key, by which push services know whose messages they
// carry (VAPID, RFC 8292), and browsers whose they take.
type PushKey struct {
	key    *ecdsa.PrivateKey
	public string
}

// NewPushKey makes the key of 32 secret bytes; the same bytes give the same key.
func NewPushKey(secret []byte) (*PushKey, error) {
	const op = "hook.NewPushKey"
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret)
	if err != nil { // of 2^32 secrets one is no key
		return nil, fault.E(op, fault.Invalid, "These bytes are no key.", err)
	}
	public, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	return &PushKey{key, base64.RawURLEncoding.EncodeToString(public)}, nil
}

// Public is the key as browsers want it (applicationServerKey).
func (k *PushKey) Public() string { return k.public }

// tokenLife is how long a signature holds; RFC 8292 allows a day.
const tokenLife = 12 * time.Hour

// token signs for one push service: a JSON Web Token with ES256.
func (k *PushKey) token(audience, contact string, now time.Time) (string, error) {
	claims, err := json.Marshal(struct {
		Aud string `json:"aud"`
		Exp int64  `json:"exp"`
		Sub string `json:"sub,omitempty"`
	}{audience, now.Add(tokenLife).Unix(), contact})
	if err != nil {
		return "", err
	}
	b64 := base64.RawURLEncoding.EncodeToString
	text := b64([]byte(`{"typ":"JWT","alg":"ES256"}`)) + "." + b64(claims)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, k.key, sum[:])
	if err != nil {
		return "", err
	}
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return text + "." + b64(sig), nil
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

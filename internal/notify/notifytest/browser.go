package notifytest

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
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Browser is a browser and its push service in one: a real server that reads what
// comes as RFC 8291 and RFC 8292 say, without a line of the sender's.
type Browser struct {
	Endpoint, Key, Auth string // its subscription
	Contact             string // what the sender must call itself
	Now                 func() time.Time

	t    testing.TB
	key  *ecdh.PrivateKey
	auth []byte
	url  string

	mu   sync.Mutex
	got  []Got
	say  fault.Code
	size []int
}

// NewBrowser starts one.
func NewBrowser(t testing.TB, contact string, now func() time.Time) *Browser {
	t.Helper()
	b := &Browser{t: t, Contact: contact, Now: now, auth: make([]byte, 16)}
	rand.Read(b.auth)
	var err error
	if b.key, err = ecdh.P256().GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(b)
	t.Cleanup(srv.Close)
	b64 := base64.RawURLEncoding.EncodeToString
	b.url = srv.URL
	b.Endpoint, b.Key, b.Auth = srv.URL+"/push/abc", b64(b.key.PublicKey().Bytes()), b64(b.auth)
	return b
}

// Say makes the push service answer so from now on: "", unavailable, invalid, not_found.
func (b *Browser) Say(c fault.Code) { b.mu.Lock(); b.say = c; b.mu.Unlock() }

// Got lists the messages that arrived, decrypted.
func (b *Browser) Got() []Got { b.mu.Lock(); defer b.mu.Unlock(); return append([]Got(nil), b.got...) }

// Sizes lists how many bytes each had.
func (b *Browser) Sizes() []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]int(nil), b.size...)
}

func (b *Browser) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch b.say {
	case fault.NotFound:
		w.WriteHeader(http.StatusGone)
		return
	case fault.Invalid:
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	case fault.Unavailable:
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	if r.Method != http.MethodPost || r.Header.Get("Content-Encoding") != "aes128gcm" || r.Header.Get("TTL") == "" {
		b.t.Errorf("%s with headers %v", r.Method, r.Header)
	}
	b.signed(r.Header.Get("Authorization"))
	body, err := io.ReadAll(r.Body)
	if err != nil {
		b.t.Error(err)
	}
	plain := b.read(body)
	var n struct{ ID, Title string }
	if err := json.Unmarshal(plain, &n); err != nil {
		b.t.Errorf("%q: %v", plain, err)
	}
	b.got, b.size = append(b.got, Got{ID: n.ID, Subject: n.Title, Body: string(plain)}), append(b.size, len(body))
	w.WriteHeader(http.StatusCreated)
}

// read decrypts one record.
func (b *Browser) read(body []byte) []byte {
	if len(body) < 86 || len(body) > 4096 || body[20] != 65 {
		b.t.Errorf("a body of %d bytes", len(body))
		return nil
	}
	salt, rs, peer := body[:16], binary.BigEndian.Uint32(body[16:20]), body[21:86]
	sender, err := ecdh.P256().NewPublicKey(peer)
	if err != nil || rs < 18 {
		b.t.Error(rs, err)
		return nil
	}
	secret, err := b.key.ECDH(sender)
	if err != nil {
		b.t.Error(err)
		return nil
	}
	ikm, _ := hkdf.Key(sha256.New, secret, b.auth, "WebPush: info\x00"+string(b.key.PublicKey().Bytes())+string(peer), 32)
	cek, _ := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: aes128gcm\x00", 16)
	nonce, _ := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: nonce\x00", 12)
	block, _ := aes.NewCipher(cek)
	gcm, _ := cipher.NewGCM(block)
	record, err := gcm.Open(nil, nonce, body[86:], nil)
	text := strings.TrimRight(string(record), "\x00")
	if err != nil || !strings.HasSuffix(text, "\x02") {
		b.t.Errorf("not one whole record: %q %v", text, err)
		return nil
	}
	return []byte(text[:len(text)-1])
}

// signed checks who sends.
func (b *Browser) signed(h string) {
	t, k, ok := strings.Cut(strings.TrimPrefix(h, "vapid t="), ", k=")
	parts := strings.Split(t, ".")
	if !ok || len(parts) != 3 {
		b.t.Errorf("authorization %q", h)
		return
	}
	part := func(s string) []byte {
		raw, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			b.t.Error(err)
		}
		return raw
	}
	pub, sig, sum := part(k), part(parts[2]), sha256.Sum256([]byte(parts[0]+"."+parts[1]))
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), pub)
	if err != nil || len(sig) != 64 || !ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		b.t.Errorf("not signed: %v", err)
	}
	var c struct {
		Aud, Sub string
		Exp      int64
	}
	now := b.Now()
	if err := json.Unmarshal(part(parts[1]), &c); err != nil || c.Aud != b.url || c.Sub != b.Contact || c.Exp < now.Unix() || c.Exp > now.Add(24*time.Hour).Unix() {
		b.t.Errorf("claims %s", part(parts[1]))
	}
}

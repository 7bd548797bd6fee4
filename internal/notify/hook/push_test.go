package hook

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
	"github.com/bellwether-project/bellwether/internal/notify/notifytest"
)

func unb64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The example of RFC 8291, section 5 and appendix A, to the byte.
func TestTheExampleOfTheStandard(t *testing.T) {
	to := Subscription{Endpoint: "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
		Key: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", Auth: "BTBZMqHH6r4Tts7J_aSIgg"}
	if err := to.Check(notify.Policy{}); err != nil {
		t.Fatal(err)
	}
	key, auth, err := to.keys()
	if err != nil {
		t.Fatal(err)
	}
	own, err := ecdh.P256().NewPrivateKey(unb64(t, "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := encrypt([]byte("When I grow up, I want to be a watermelon\x02"), key, auth, own, unb64(t, "DGv6ra1nlYgDCS1FRnbzlw"))
	if err != nil {
		t.Fatal(err)
	}
	want := "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
	if b := base64.RawURLEncoding.EncodeToString(got); b != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
}

func pushNow() time.Time { return time.Unix(1_790_000_000, 0) }

const contact = "mailto:bw@example.org"

// sender sends to a browser.
func sender(t *testing.T, b *notifytest.Browser) *Push {
	t.Helper()
	key, err := NewPushKey([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	return &Push{Client: notify.Client(notify.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}), To: Subscription{b.Endpoint, b.Key, b.Auth}, Key: key, Contact: contact, Now: pushNow}
}

func TestPushContract(t *testing.T) {
	notifytest.Run(t, func(t *testing.T) notifytest.Side {
		b := notifytest.NewBrowser(t, contact, pushNow)
		return notifytest.Side{Sender: sender(t, b), Say: b.Say, Got: b.Got}
	})
}

// Its size says little of a message; a service that asks to wait is heard.
func TestPushSizesAndWaits(t *testing.T) {
	b := notifytest.NewBrowser(t, contact, pushNow)
	m := notifytest.Message("m-1")
	for _, text := range []string{"x", strings.Repeat("words ", 20)} {
		m.Text = []string{text}
		if _, err := sender(t, b).Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if s := b.Sizes(); s[0] != s[1] {
		t.Errorf("sizes %v", s)
	}
	b.Say(fault.Unavailable)
	if a, err := sender(t, b).Send(t.Context(), m); fault.CodeOf(err) != fault.Unavailable || a.After != 7*time.Second {
		t.Errorf("%+v %v", a, err)
	}
}

// An endpoint is a stranger's word.
func TestSubscriptionsOfStrangers(t *testing.T) {
	b := notifytest.NewBrowser(t, contact, pushNow)
	good := Subscription{"https://push.example.net/x", b.Key, b.Auth}
	if err := good.Check(notify.Policy{}); err != nil {
		t.Fatal(err)
	}
	with := func(change func(*Subscription)) Subscription { s := good; change(&s); return s }
	for name, s := range map[string]Subscription{
		"http":       with(func(s *Subscription) { s.Endpoint = "http://push.example.net/x" }),
		"loopback":   with(func(s *Subscription) { s.Endpoint = "https://127.0.0.1/x" }),
		"metadata":   with(func(s *Subscription) { s.Endpoint = "https://169.254.169.254/latest" }),
		"port":       with(func(s *Subscription) { s.Endpoint = "https://push.example.net:22/x" }),
		"user":       with(func(s *Subscription) { s.Endpoint = "https://a:b@push.example.net/x" }),
		"long":       with(func(s *Subscription) { s.Endpoint += strings.Repeat("x", 1000) }),
		"no key":     with(func(s *Subscription) { s.Key = "" }),
		"no point":   with(func(s *Subscription) { s.Key = "BA" + strings.Repeat("A", 85) }),
		"short auth": with(func(s *Subscription) { s.Auth = "AAAA" }),
	} {
		if err := s.Check(notify.Policy{}); fault.CodeOf(err) != fault.Invalid && fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzSubscription(f *testing.F) {
	f.Add("https://push.example.net/x", "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", "BTBZMqHH6r4Tts7J_aSIgg")
	f.Add("https://[::1]/", "BA==", "!")
	own, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, endpoint, key, auth string) {
		s := Subscription{endpoint, key, auth}
		if s.Check(notify.Policy{}) != nil {
			return
		}
		if !strings.HasPrefix(strings.ToLower(endpoint), "https://") {
			t.Errorf("%q passed", endpoint)
		}
		k, a, err := s.keys()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := encrypt(padded([]byte("x")), k, a, own, make([]byte, 16)); err != nil {
			t.Error(err)
		}
	})
}

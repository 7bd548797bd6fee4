package hook_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
	"github.com/bellwether-project/bellwether/internal/notify/hook"
	"github.com/bellwether-project/bellwether/internal/notify/notifytest"
)

var loopback = notify.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}

// receiver is a real HTTP server that checks signatures as a customer would.
type receiver struct {
	mu      sync.Mutex
	got     []notifytest.Got
	bodies  [][]byte
	say     fault.Code
	secrets []hook.Secret
	status  map[fault.Code]int
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.say != "" {
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(r.status[r.say])
		io.WriteString(w, strings.Repeat("no\n", 500))
		return
	}
	g := notifytest.Got{Body: string(body)}
	if r.secrets != nil {
		if err := hook.Verify(q.Header, body, time.Now(), r.secrets...); err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		g.ID = q.Header.Get("webhook-id")
	}
	var e struct {
		Text string
		Data struct{ Text string }
	}
	if err := json.Unmarshal(body, &e); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	g.Subject = e.Text + e.Data.Text
	r.got = append(r.got, g)
	r.bodies = append(r.bodies, body)
	io.WriteString(w, "ok")
}

func (r *receiver) side(s notify.Sender) notifytest.Side {
	return notifytest.Side{Sender: s,
		Say: func(c fault.Code) { r.mu.Lock(); r.say = c; r.mu.Unlock() },
		Got: func() []notifytest.Got { r.mu.Lock(); defer r.mu.Unlock(); return r.got },
	}
}

func serve(t *testing.T, r *receiver) string {
	t.Helper()
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestWebhookContract(t *testing.T) {
	notifytest.Run(t, func(t *testing.T) notifytest.Side {
		key := hook.NewSecret()
		r := &receiver{secrets: []hook.Secret{key}, status: map[fault.Code]int{fault.Unavailable: 503, fault.Invalid: 422, fault.NotFound: 410}}
		return r.side(&hook.Webhook{Client: notify.Client(loopback), URL: serve(t, r), Source: "https://bw.example", Secrets: []hook.Secret{key}, Now: time.Now})
	})
}

func TestSlackContract(t *testing.T) {
	notifytest.Run(t, func(t *testing.T) notifytest.Side {
		r := &receiver{status: map[fault.Code]int{fault.Unavailable: 429, fault.Invalid: 400, fault.NotFound: 404}}
		return r.side(&hook.Slack{Client: notify.Client(loopback), URL: serve(t, r)})
	})
}

func TestEventIsCloudEvents(t *testing.T) {
	key := hook.NewSecret()
	r := &receiver{secrets: []hook.Secret{key}}
	w := &hook.Webhook{Client: notify.Client(loopback), URL: serve(t, r), Source: "https://bw.example", Secrets: []hook.Secret{key}, Now: time.Now}
	if _, err := w.Send(t.Context(), notifytest.Message("m-7")); err != nil {
		t.Fatal(err)
	}
	var e map[string]any
	if err := json.Unmarshal(r.bodies[0], &e); err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]any{"specversion": "1.0", "id": "m-7", "source": "https://bw.example", "type": "dev.bellwether.family.new",
		"subject": "F-abc", "time": "2026-09-21T14:13:20Z", "datacontenttype": "application/json"} {
		if e[k] != want {
			t.Errorf("%s: %v, want %v", k, e[k], want)
		}
	}
	if d, _ := e["data"].(map[string]any); d["family"] != "F-abc" || d["link"] != "https://bw.example/families/F-abc" {
		t.Errorf("data %v", e["data"])
	}
}

func TestTwoSecretsWhileTheyAreExchanged(t *testing.T) {
	old, fresh, other := hook.NewSecret(), hook.NewSecret(), hook.NewSecret()
	h, body, now := http.Header{}, []byte(`{"a":1}`), time.Unix(1_790_000_000, 0)
	hook.Sign(h, "m-1", now, body, fresh, old)
	for name, c := range map[string]struct {
		keys []hook.Secret
		at   time.Time
		body string
		ok   bool
	}{
		"old":            {[]hook.Secret{old}, now, `{"a":1}`, true},
		"fresh":          {[]hook.Secret{fresh}, now, `{"a":1}`, true},
		"other":          {[]hook.Secret{other}, now, `{"a":1}`, false},
		"none":           {nil, now, `{"a":1}`, false},
		"another body":   {[]hook.Secret{old}, now, `{"a":2}`, false},
		"4 min late":     {[]hook.Secret{old}, now.Add(4 * time.Minute), `{"a":1}`, true},
		"6 min late":     {[]hook.Secret{old}, now.Add(6 * time.Minute), `{"a":1}`, false},
		"6 min too soon": {[]hook.Secret{old}, now.Add(-6 * time.Minute), `{"a":1}`, false},
	} {
		if err := hook.Verify(h, []byte(c.body), c.at, c.keys...); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The published example of the specification's own libraries.
func TestSpecVector(t *testing.T) {
	key, err := hook.ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	hook.Sign(h, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`), key)
	if got, want := h.Get("Webhook-Signature"), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestAnswersAreKept(t *testing.T) {
	r := &receiver{say: fault.Unavailable, status: map[fault.Code]int{fault.Unavailable: 429}}
	a, err := (&hook.Slack{Client: notify.Client(loopback), URL: serve(t, r) + "/services/T0/B0/verysecret"}).Send(t.Context(), notifytest.Message("m-1"))
	if fault.CodeOf(err) != fault.Unavailable || a.Code != 429 || a.After != 2*time.Minute || !strings.HasPrefix(a.Text, "no no") {
		t.Errorf("%+v %v", a, err)
	}
	a, err = (&hook.Slack{Client: notify.Client(notify.Policy{}), URL: "https://127.0.0.1/services/verysecret"}).Send(t.Context(), notifytest.Message("m-1"))
	if fault.CodeOf(err) != fault.Forbidden || strings.Contains(err.Error()+a.Text, "verysecret") {
		t.Errorf("%+v %v", a, err)
	}
	a, err = (&hook.Slack{Client: notify.Client(loopback), URL: "http://127.0.0.1:1/services/verysecret"}).Send(t.Context(), notifytest.Message("m-1"))
	if fault.CodeOf(err) != fault.Unavailable || strings.Contains(err.Error()+a.Text, "verysecret") {
		t.Errorf("%+v %v", a, err)
	}
}

func TestSlackEscapes(t *testing.T) {
	r := &receiver{}
	m := notifytest.Message("m-1")
	m.Items[0].Title = "<!channel> @here & [x](https://evil.example) `code` a|b"
	if _, err := (&hook.Slack{Client: notify.Client(loopback), URL: serve(t, r)}).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	var p struct{ Text string }
	if err := json.Unmarshal(r.bodies[0], &p); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<!channel>", "@here", "](", "https://evil", "`", "a|b"} {
		if strings.Contains(p.Text, bad) {
			t.Errorf("%q is in %q", bad, p.Text)
		}
	}
	if !strings.Contains(p.Text, "<https://bw.example/families/F-abc|&lt;!channel&gt; @\u200bhere &amp; [x]") {
		t.Errorf("%q", p.Text)
	}
}

func TestSecretsHide(t *testing.T) {
	s := hook.NewSecret()
	if got := fmt.Sprint(s, s.String()) + fmt.Sprintf("%v %s", s, s); strings.Contains(got, s.Reveal()[6:]) || strings.Contains(got, fmt.Sprint([]byte(s))) {
		t.Errorf("%q", got)
	}
	back, err := hook.ParseSecret(s.Reveal())
	if err != nil || back.Reveal() != s.Reveal() {
		t.Errorf("%v %v", back, err)
	}
}

func FuzzParseSecret(f *testing.F) {
	f.Add("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	f.Add("whsec_")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := hook.ParseSecret(text)
		if err != nil {
			return
		}
		if len(s) < 24 || len(s) > 64 {
			t.Errorf("%d bytes", len(s))
		}
		if again, err := hook.ParseSecret(s.Reveal()); err != nil || string(again) != string(s) {
			t.Errorf("%v", err)
		}
	})
}

func FuzzVerify(f *testing.F) {
	f.Add("m-1", "1790000000", "v1,AAAA v2,x v1,", []byte("{}"))
	key := hook.Secret(strings.Repeat("k", 32))
	f.Fuzz(func(t *testing.T, id, stamp, sig string, body []byte) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {sig}}
		if hook.Verify(h, body, time.Unix(1_790_000_000, 0), key) == nil {
			t.Errorf("forged: %q %q %q", id, stamp, sig)
		}
	})
}

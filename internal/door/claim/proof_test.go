package claim

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/notify"
	"github.com/bellwether-project/bellwether/internal/registry"
)

func TestFile(t *testing.T) {
	c := registry.Claim{Method: registry.ByFile, Token: "abc"}
	status, body := 200, ""
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	defer web.Close()
	c.Place = web.URL + "/acme/todo/raw/HEAD/.bellwether-claim"
	local := &Prover{Client: notify.Client(notify.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})}
	for _, x := range []struct {
		status int
		body   string
		want   bool
		why    string
	}{
		{200, "bellwether-claim=abc\n", true, "holds the line"},
		{200, "# who owns this\r\nbellwether-claim=abc\r\n", true, "holds the line"},
		{200, "bellwether-claim=abcd\n", false, "does not hold"},
		{200, strings.Repeat("x\n", maxFile) + "bellwether-claim=abc", false, "does not hold"},
		{404, "bellwether-claim=abc", false, "no such file"},
		{302, "bellwether-claim=abc", false, "leads elsewhere"},
		{500, "bellwether-claim=abc", false, "answers 500"},
	} {
		status, body = x.status, x.body
		got, why, err := local.Look(t.Context(), c, "")
		if got != x.want || !strings.Contains(why, x.why) || err != nil {
			t.Errorf("%d: %v %q %v", x.status, got, why, err)
		}
	}
	strict := &Prover{Client: notify.Client(notify.Policy{})}
	if ok, _, _ := strict.Look(t.Context(), c, ""); ok {
		t.Error("a private address was asked")
	}
}

func TestRecord(t *testing.T) {
	c := registry.Claim{Method: registry.ByDNS, Place: "_bellwether.acme.example", Token: "abc"}
	for _, x := range []struct {
		list []string
		err  error
		want bool
	}{
		{[]string{"v=spf1", " bellwether-claim=abc "}, nil, true},
		{[]string{"bellwether-claim=other"}, nil, false},
		{nil, &net.DNSError{IsNotFound: true}, false},
		{nil, errors.New("refused"), false},
	} {
		p := Prover{TXT: func(_ context.Context, name string) ([]string, error) {
			if name != c.Place {
				t.Errorf("asked for %s", name)
			}
			return x.list, x.err
		}}
		if got, why, err := p.Look(t.Context(), c, ""); got != x.want || why == "" || err != nil {
			t.Errorf("%v: %v %q %v", x.list, got, why, err)
		}
	}
}

func TestList(t *testing.T) {
	p := Prover{Listed: func(_ context.Context, ext eco.ExtensionID, email string) (bool, error) {
		return ext == "acme.todo" && email == "ravi@acme.example", nil
	}}
	c := registry.Claim{Method: registry.ByList, Extension: "acme.todo"}
	if ok, _, _ := p.Look(t.Context(), c, "ravi@acme.example"); !ok {
		t.Error("a listed owner was refused")
	}
	if ok, why, _ := p.Look(t.Context(), c, "eve@evil.example"); ok || why == "" {
		t.Error("somebody else was let in")
	}
}

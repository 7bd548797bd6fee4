package app

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestCountry(t *testing.T) {
	if (&App{}).country() != nil {
		t.Error("a country is looked up though nobody switched it on")
	}
	of := (&App{o: Options{CountryHeader: "X-Country", TrustedProxies: []string{"10.0.0.0/8", "::1"}}}).country()
	for _, tt := range []struct{ peer, header, want string }{
		{"10.1.2.3:4000", "DE", "DE"},
		{"[::1]:4000", "FR", "FR"},
		{"[::ffff:10.1.2.3]:4000", "CH", "CH"},
		{"192.0.2.7:4000", "DE", ""}, // any client may say anything
		{"@", "DE", ""},
		{"10.1.2.3:4000", "", ""},
		{"10.1.2.3:4000", "de", ""},
		{"10.1.2.3:4000", "D1", ""},
		{"10.1.2.3:4000", "T1", ""}, // what one proxy says of Tor
		{"10.1.2.3:4000", "DEU", ""},
		{"10.1.2.3:4000", "\r\n", ""},
	} {
		r := httptest.NewRequest(http.MethodPost, "/v1/logs", nil)
		r.RemoteAddr = tt.peer
		r.Header["X-Country"] = []string{tt.header}
		if got := of(r); got != tt.want {
			t.Errorf("%s says %q: %q, want %q", tt.peer, tt.header, got, tt.want)
		}
	}
	bad := Options{Data: t.TempDir(), Listen: "127.0.0.1:0", Roles: roles, StreamMax: 64 << 20, CountryHeader: "X-Country"}
	if bad.Check() == nil {
		t.Error("a country header without trusted proxies was taken")
	}
}

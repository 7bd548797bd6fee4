package app

import (
	"net/http/httptest"
	"testing"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// A scraper on this machine needs no token; what a proxy on this machine passes on
// does, however that proxy says so.
func TestMetricsAreForThisMachine(t *testing.T) {
	for header, want := range map[string]fault.Code{
		"": "", "X-Forwarded-For": fault.Unauthenticated, "Forwarded": fault.Unauthenticated, "X-Forwarded-Host": fault.Unauthenticated,
		"X-Forwarded-Proto": fault.Unauthenticated, "X-Real-Ip": fault.Unauthenticated, "Via": fault.Unauthenticated,
	} {
		r := httptest.NewRequest("GET", "/metrics", nil)
		r.RemoteAddr = "127.0.0.1:40000"
		if header != "" {
			r.Header.Set(header, "x")
		}
		if got := fault.CodeOf((&App{}).mayScrape(r)); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.RemoteAddr = "192.0.2.1:40000"
	if got := fault.CodeOf((&App{}).mayScrape(r)); got != fault.Unauthenticated {
		t.Errorf("from elsewhere: %q", got)
	}
}

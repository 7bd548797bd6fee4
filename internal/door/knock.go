package door

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// Knock puts a test event in at the intake door, as a client would with the newest
// key of a project that can be used. refused is what the door said against it; ""
// means that it was taken.
func Knock(ctx context.Context, intake http.Handler, project int64, keys []registry.Key, now time.Time) (refused string, err error) {
	for i := len(keys) - 1; i >= 0; i-- {
		if ok, _ := (registry.KeyView{Key: keys[i]}).Usable(now); ok {
			return knock(ctx, intake, project, keys[i], now)
		}
	}
	return "Every key of this project has ended; make a new one.", nil
}

func knock(ctx context.Context, intake http.Handler, project int64, k registry.Key, now time.Time) (refused string, err error) {
	body := fmt.Sprintf(`{"level":"error","platform":"other","environment":"test","release":"0.0.0-test","timestamp":%d,"exception":{"values":[{"type":"SetupCheck","value":"Test event from the set-up page"}]}}`, now.Unix())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "/api/"+strconv.FormatInt(project, 10)+"/store/", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Sentry-Auth", "Sentry sentry_version=7, sentry_client=bellwether.setup/1, sentry_key="+k.Public)
	req.RemoteAddr = netip.AddrPortFrom(InfoOf(ctx).IP(), 0).String()
	rec := &answer{head: http.Header{}, status: http.StatusOK}
	intake.ServeHTTP(rec, req)
	if rec.status < 300 {
		return "", nil
	}
	refused = fmt.Sprintf("It answered %d %s", rec.status, http.StatusText(rec.status))
	if said := eco.Clean(rec.head.Get("X-Sentry-Error"), 300); said != "" {
		refused += ": " + strings.TrimSuffix(said, ".")
	}
	refused += "."
	switch rec.status {
	case http.StatusTooManyRequests:
		refused += fmt.Sprintf(" The limits of the key are reached: %d requests a minute", k.RatePerMinute)
		if k.DailyQuota > 0 {
			refused += fmt.Sprintf(", %d items a day", k.DailyQuota)
		}
		refused += "."
	case http.StatusServiceUnavailable:
		refused += " The server takes nothing in at the moment; the page Intake says why."
	}
	if after := rec.head.Get("Retry-After"); after != "" {
		refused += " It asks to come back in " + eco.Clean(after, 20) + " seconds."
	}
	return refused, nil
}

// answer keeps the status and the headers of an answer and nothing else.
type answer struct {
	head   http.Header
	status int
}

func (a *answer) Header() http.Header         { return a.head }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return len(b), nil }

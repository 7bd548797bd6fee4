package clients_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/getsentry/sentry-go"
)

var errMissing = errors.New("missing key")

func readManifest(n int) error { return fmt.Errorf("manifest %d: %w", n, errMissing) }

// sendSentryGo reports three errors, a panic and a message.
func sendSentryGo(t *testing.T, p project) {
	t.Helper()
	client, err := sentry.NewClient(sentry.ClientOptions{Dsn: p.DSN, Release: "acme-go@1.0.0", Environment: "production", AttachStacktrace: true})
	if err != nil {
		t.Fatal(err)
	}
	hub := sentry.NewHub(client, sentry.NewScope())
	hub.Scope().SetUser(sentry.User{ID: "install-1", Email: "person@example.test"})
	for i := range 3 {
		hub.CaptureException(readManifest(i))
	}
	func() {
		defer func() { hub.Recover(recover()) }()
		var list []int
		_ = list[len(list)+1]
	}()
	hub.CaptureMessage("a message")
	client.Flush(time.Minute)
	client.Close()
}

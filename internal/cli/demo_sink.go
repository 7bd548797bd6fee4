package cli

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/alert"
)

// sinkChannels are the demo's channels, by the path they lead to in the sink.
var sinkChannels = []struct {
	path string
	c    alert.Channel
}{
	{"/acme", alert.Channel{Form: alert.Slack, Name: "#acme-crashes", Publisher: "acme", Kinds: alert.Kinds, Installs: 1}},
	{"/languages", alert.Channel{Form: alert.Webhook, Name: "languages pager", Team: "languages", Kinds: alert.Kinds, Installs: 1}},
	{"/down", alert.Channel{Form: alert.Webhook, Name: "pixelforge build bot", Publisher: "pixelforge", Kinds: alert.Kinds, Installs: 1}},
}

// sink takes what the demo's channels send: a small receiver in this process, so
// that the log of deliveries lives and nothing leaves the machine. Its port is
// another one each time; the channels follow. stop ends it.
func (d *demoWorld) sink(ctx context.Context) (stop func(), err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 1<<20))
		if r.URL.Path == "/down" { // one that is always out of order
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "down for maintenance")
			return
		}
		_, _ = io.WriteString(w, "ok")
	})}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(ln) }()
	stop = func() { _ = srv.Close(); <-done }
	by := account.System("demo")
	have, err := d.app.Alerts.Channels(ctx, by)
	if err != nil {
		stop()
		return nil, err
	}
	for _, x := range sinkChannels {
		address := "http://" + ln.Addr().String() + x.path
		found := false
		for _, c := range have {
			if c.Name == x.c.Name && strings.HasPrefix(c.Host, "127.0.0.1:") {
				found = true
				_, err = d.app.Alerts.UpdateChannel(ctx, by, c, address)
			}
		}
		if !found {
			_, _, err = d.app.Alerts.CreateChannel(ctx, by, x.c, address)
		}
		if err != nil {
			stop()
			return nil, err
		}
	}
	return stop, nil
}

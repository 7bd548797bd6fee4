package app

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// health mounts what machines ask of the server itself. None of it names data.
func (a *App) health(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if why := a.unready(r); why != "" {
			http.Error(w, why, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	gauge := func(name, help string, f func() float64) {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "bellwether", Name: name, Help: help}, f))
	}
	gauge("disk_free_bytes", "Free bytes on the data disk.", func() float64 { a.disk.Full(); return float64(a.disk.bytes.Load()) })
	reg.MustRegister(&flowCollector{a: a})
	numbers := promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
	mux.Handle("GET /metrics", door.Handler(func(w http.ResponseWriter, r *http.Request) error {
		if err := a.mayScrape(r); err != nil {
			return err
		}
		numbers.ServeHTTP(w, r)
		return nil
	}))
}

// mayScrape lets a scraper on this machine in, and whoever brings an API token
// that may look at intake.
func (a *App) mayScrape(r *http.Request) error {
	const op = "app.metrics"
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err == nil && peer.Addr().Unmap().IsLoopback() && !passedOn(r.Header) {
		return nil
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return fault.E(op, fault.Unauthenticated, "Metrics are shown to this machine, or with an API token.", nil)
	}
	p, err := a.Records.Accounts.Bearer(r.Context(), token)
	if err != nil {
		return err
	}
	return a.Records.Accounts.Check(op, p, account.IntakeRead, account.OfServer("intake", ""))
}

// passedOn reports whether a proxy says that it passes on somebody else's request.
func passedOn(h http.Header) bool {
	for _, name := range []string{"X-Forwarded-For", "Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"} {
		if h.Get(name) != "" {
			return true
		}
	}
	return false
}

// unready says why requests should go elsewhere for now.
func (a *App) unready(r *http.Request) string {
	if a.disk.Full() {
		return "the disk is full"
	}
	if a.keys.Err() != nil {
		return "the keyring cannot be read"
	}
	if err := a.Records.DB.Read().PingContext(r.Context()); err != nil {
		return "records cannot be read"
	}
	return ""
}

// flowCollector reads the flow once a scrape.
type flowCollector struct{ a *App }

var (
	descWaiting = prometheus.NewDesc("bellwether_stream_waiting_messages", "Messages in the stream that are not stored yet.", nil, nil)
	descLag     = prometheus.NewDesc("bellwether_stream_lag_seconds", "Age of the oldest message that is not stored yet.", nil, nil)
	descStored  = prometheus.NewDesc("bellwether_stored_position", "Stream position up to which everything is queryable.", nil, nil)
	descLetters = prometheus.NewDesc("bellwether_dead_letters", "Dead letters that wait for a person.", nil, nil)
	descFam     = prometheus.NewDesc("bellwether_families", "Crash families known.", nil, nil)
	descNewest  = prometheus.NewDesc("bellwether_newest_record_timestamp_seconds", "Time of receipt of the newest stored record.", nil, nil)
	flowDescs   = []*prometheus.Desc{descWaiting, descLag, descStored, descLetters, descFam, descNewest}
)

// Describe names the metrics.
func (c *flowCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range flowDescs {
		ch <- d
	}
}

// Collect reads the flow.
func (c *flowCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	in, err := c.a.worker.Intake(ctx)
	if err != nil {
		return
	}
	values := []float64{float64(in.Waiting), in.Lag.Seconds(), float64(in.Position), float64(in.Letters), float64(in.Families), float64(in.Newest.UnixMilli()) / 1000}
	for i, d := range flowDescs {
		if d == descNewest && in.Newest.IsZero() {
			continue // nothing was stored yet
		}
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, values[i])
	}
}

// Version is the version of this build.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "development"
	}
	return info.Main.Version
}

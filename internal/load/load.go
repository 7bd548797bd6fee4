// Package load is a bounded load generator for the doors of a server on this
// machine. It measures how long answers take and how many there are, and states
// its own share of the processors, so that a number of one box can be read. It
// speaks to loopback addresses only and cannot be turned on anybody else.
//
// With a rate it is an open model: requests are due at fixed instants, and a
// request that had to wait for a free client counts its waiting (no coordinated
// omission). Without a rate each client sends its next request when the last one
// was answered.
package load

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Kind is what is sent.
type Kind string

const (
	Event    Kind = "event"    // our own JSON, one event a request
	OTLP     Kind = "otlp"     // OTLP logs as protobuf, Batch named events a request
	Crash2K  Kind = "crash2k"  // a Sentry error of about 2.4 KB
	Crash50K Kind = "crash50k" // a Sentry error of about 50 KB
	Session  Kind = "session"  // a Sentry envelope with one session
)

// Kinds lists every kind.
var Kinds = []Kind{Event, OTLP, Crash2K, Crash50K, Session}

// Bounds of a run.
const (
	MaxClients  = 1024
	MaxRequests = 50_000_000
	MaxDuration = 15 * time.Minute
	MaxBatch    = 1000
)

// Options of a run.
type Options struct {
	URL       string // http://127.0.0.1:8080
	Key       string // public key of a project: 32 hex digits
	Project   int64  // its number, for the kinds that name it
	Kind      Kind
	Rate      float64       // requests a second; 0 = as fast as the clients get answers
	Clients   int           // 0 = 64
	Batch     int           // records of one request, for OTLP; 0 = 100
	Count     int64         // requests; 0 = until the duration ends
	Duration  time.Duration // 0 = 10 s
	ServerPID int           // the server's process, to state its share too; 0 = not known
}

// Report is what a run saw.
type Report struct {
	Kind      Kind          `json:"kind"`
	Clients   int           `json:"clients"`
	Rate      float64       `json:"rate,omitempty"`
	Requests  int64         `json:"requests"`
	Accepted  int64         `json:"accepted"` // items in requests that were answered with success
	Later     int64         `json:"later"`    // requests answered with 429 or 503
	Refused   int64         `json:"refused"`  // with another 4xx or 5xx
	Broken    int64         `json:"broken"`   // without an answer
	Partial   int64         `json:"partial"`  // OTLP: answered with a partial success
	First     string        `json:"first_refusal,omitempty"`
	Bytes     int64         `json:"bytes"` // of bodies sent
	Elapsed   time.Duration `json:"elapsed_ns"`
	PerSecond float64       `json:"accepted_per_second"`
	P50       time.Duration `json:"p50_ns"`
	P95       time.Duration `json:"p95_ns"`
	P99       time.Duration `json:"p99_ns"`
	Max       time.Duration `json:"max_ns"`
	OwnCPU    time.Duration `json:"own_cpu_ns"`
	ServerCPU time.Duration `json:"server_cpu_ns,omitempty"`
	ServerRSS int64         `json:"server_rss_bytes,omitempty"` // at the end
}

// String is a report for people.
func (r Report) String() string {
	var b strings.Builder
	mode := "closed loop"
	if r.Rate > 0 {
		mode = fmt.Sprintf("%.0f requests/s", r.Rate)
	}
	fmt.Fprintf(&b, "%s, %d clients, %s: %d accepted in %.2f s = %.0f/s\n", r.Kind, r.Clients, mode, r.Accepted, r.Elapsed.Seconds(), r.PerSecond)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	fmt.Fprintf(&b, "answers: p50 %.2f ms, p95 %.2f ms, p99 %.2f ms, max %.2f ms\n", ms(r.P50), ms(r.P95), ms(r.P99), ms(r.Max))
	fmt.Fprintf(&b, "requests: %d, later %d, refused %d, broken %d, partial %d; %.1f MB sent\n", r.Requests, r.Later, r.Refused, r.Broken, r.Partial, float64(r.Bytes)/1e6)
	if r.First != "" {
		fmt.Fprintf(&b, "first refusal: %s\n", r.First)
	}
	per := func(d time.Duration) float64 { return d.Seconds() * 100_000 / float64(max(r.Accepted, 1)) }
	fmt.Fprintf(&b, "processor: generator %.2f s (%.2f s per 100,000)", r.OwnCPU.Seconds(), per(r.OwnCPU))
	if r.ServerCPU > 0 {
		fmt.Fprintf(&b, ", server %.2f s (%.2f s per 100,000; generator's share %.0f %%), server holds %.0f MB",
			r.ServerCPU.Seconds(), per(r.ServerCPU), 100*r.OwnCPU.Seconds()/(r.OwnCPU+r.ServerCPU).Seconds(), float64(r.ServerRSS)/1e6)
	}
	b.WriteByte('\n')
	return b.String()
}

// Run sends until the count or the duration is reached, or ctx ends. Answers
// that refuse are in the report; an error means that nothing was sent.
func Run(ctx context.Context, o Options) (Report, error) {
	addr, err := o.check()
	if err != nil {
		return Report{}, err
	}
	plan, err := plans(o, addr.String(), time.Now())
	if err != nil {
		return Report{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Duration)
	defer cancel()
	own, server := cpuOwn(), cpuOf(o.ServerPID)
	start := time.Now()
	var next atomic.Int64
	clients := make([]*client, o.Clients)
	var wg sync.WaitGroup
	for i := range clients {
		c := &client{addr: addr, plan: plan, seed: uint64(i+1)<<40 ^ uint64(start.UnixNano())}
		clients[i] = c
		wg.Go(func() {
			defer c.close()
			for {
				n := next.Add(1) - 1
				if o.Count > 0 && n >= o.Count {
					return
				}
				due := time.Now()
				if o.Rate > 0 {
					due = start.Add(time.Duration(float64(n) / o.Rate * float64(time.Second)))
					if !sleepUntil(ctx, due) {
						return
					}
				}
				if ctx.Err() != nil {
					return
				}
				c.send(ctx, n, due)
			}
		})
	}
	wg.Wait()
	r := Report{Kind: o.Kind, Clients: o.Clients, Rate: o.Rate, Elapsed: time.Since(start)}
	r.OwnCPU, r.ServerCPU, r.ServerRSS = cpuOwn()-own, cpuOf(o.ServerPID)-server, rssOf(o.ServerPID)
	var all histogram
	for _, c := range clients {
		c.addTo(&r)
		all.merge(&c.times)
	}
	r.Accepted *= int64(plan.items)
	r.PerSecond = float64(r.Accepted) / r.Elapsed.Seconds()
	r.P50, r.P95, r.P99, r.Max = all.quantile(0.5), all.quantile(0.95), all.quantile(0.99), all.quantile(1)
	return r, nil
}

// check fills in defaults and refuses what is out of bounds or not on this machine.
func (o *Options) check() (netip.AddrPort, error) {
	const op = "load.Run"
	bad := func(text string) (netip.AddrPort, error) {
		return netip.AddrPort{}, fault.E(op, fault.Invalid, text, nil)
	}
	if o.Clients == 0 {
		o.Clients = 64
	}
	if o.Batch == 0 {
		o.Batch = 100
	}
	if o.Duration == 0 {
		o.Duration = 10 * time.Second
	}
	switch {
	case o.Clients < 1 || o.Clients > MaxClients:
		return bad("There may be 1 to 1024 clients.")
	case o.Batch < 1 || o.Batch > MaxBatch:
		return bad("A batch may have 1 to 1000 records.")
	case o.Count < 0 || o.Count > MaxRequests:
		return bad("There may be at most 50,000,000 requests.")
	case o.Duration < 0 || o.Duration > MaxDuration:
		return bad("A run lasts at most 15 minutes.")
	case o.Rate < 0 || o.Rate > 1e6:
		return bad("The rate may be at most 1,000,000 requests a second.")
	case len(o.Key) != 32:
		return bad("A project key has 32 hexadecimal digits.")
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "http" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return bad("The server is named as http://127.0.0.1:8080.")
	}
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = "80"
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.IsLoopback() {
		return bad("Load may be put on this machine only: the address must be a loopback address.")
	}
	addr, err := netip.ParseAddrPort(net.JoinHostPort(host, port))
	if err != nil {
		return bad("The server is named as http://127.0.0.1:8080.")
	}
	return addr, nil
}

// sleepUntil reports false when ctx ended first.
func sleepUntil(ctx context.Context, due time.Time) bool {
	d := time.Until(due)
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Command doors measures the real server from the outside: it sends each kind of
// report as fast as it is taken, waits until everything is queryable, and prints
// one table; then the same at half of that rate. Beside it stands, in the same
// run, an OpenTelemetry Collector that writes the same OTLP batches to a file.
//
//	(cd bench/collector && go build -o /tmp/collector .)
//	go run ./bench/doors -collector /tmp/collector
//
// Server CPU is that of the whole process from the first request until nothing
// waits to be stored; "with closing" adds what the end of the process writes back,
// less what its start used.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/e2e/server"
	"github.com/bellwether-project/bellwether/internal/load"
)

func main() {
	server.Main()
	var b bench
	kinds := flag.String("kinds", "event,otlp,crash2k,crash50k,session", "kinds to send")
	flag.Float64Var(&b.scale, "scale", 1, "times as many requests in the run at full load")
	flag.DurationVar(&b.full, "full", 2*time.Minute, "most time for the run at full load")
	flag.DurationVar(&b.half, "half", 6*time.Second, "length of the run at half of that rate; 0 leaves it out")
	flag.DurationVar(&b.warm, "warm", time.Second, "length of the warm-up, not counted")
	flag.IntVar(&b.clients, "clients", 64, "clients at once")
	flag.StringVar(&b.collector, "collector", "", "program built from bench/collector; empty leaves the peer out")
	flag.StringVar(&b.profiles, "profiles", "", "folder for profiles of the server by kind: processor, and allocations")
	flag.Parse()
	if err := b.run(strings.Split(*kinds, ",")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type bench struct {
	full, half, warm    time.Duration
	scale               float64
	clients             int
	collector, profiles string
}

// count is how many requests the full run of a kind sends. It is a count and not a
// time, so that a busy machine changes how long it takes, and little else.
func (b *bench) count(kind load.Kind) int64 {
	n := map[load.Kind]float64{load.Event: 40_000, load.OTLP: 4_000, load.Crash2K: 20_000, load.Crash50K: 3_000, load.Session: 40_000}[kind]
	return int64(n * b.scale)
}

const head = "%-9s %8s | %8s %7s %7s %7s | %7s %8s %6s | %5s %6s | %7s %7s | %7s %7s %8s\n"

func (b *bench) run(kinds []string) error {
	averages, _ := os.ReadFile("/proc/loadavg")
	fmt.Printf("%s, load average before: %s", time.Now().UTC().Format(time.RFC3339), averages)
	fmt.Printf(head, "kind", "records", "per s", "p50 ms", "p95 ms", "p99 ms", "CPU s", "closing", "gen %", "idle", "loaded", "store s", "start s", "half/s", "p99 ms", "store s")
	for _, kind := range kinds {
		if err := b.one(load.Kind(kind)); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	if b.collector != "" {
		if err := b.peer(); err != nil {
			return fmt.Errorf("collector: %w", err)
		}
	}
	averages, _ = os.ReadFile("/proc/loadavg")
	fmt.Printf("load average after: %s", averages)
	return nil
}

// one measures a kind on a fresh server.
func (b *bench) one(kind load.Kind) error {
	dir, err := os.MkdirTemp("", "bench-doors-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	key, err := server.Seed(dir)
	if err != nil {
		return err
	}
	addr, err := server.FreeAddr()
	if err != nil {
		return err
	}
	profile := ""
	if b.profiles != "" {
		profile = filepath.Join(b.profiles, string(kind)+".pprof")
	}
	s, err := server.Start(dir, addr, server.How{Profile: profile})
	if err != nil {
		return err
	}
	defer s.Kill()
	time.Sleep(time.Second)
	idle := s.Cost()
	o := load.Options{URL: s.URL, Key: key.Public, Project: key.Project, Kind: kind, Clients: b.clients, ServerPID: s.PID()}
	send := func(length time.Duration, count int64, rate float64) (load.Report, server.Cost, time.Duration, error) {
		o.Duration, o.Count, o.Rate = length, count, rate
		before := s.Cost()
		r, err := load.Run(context.Background(), o)
		if err != nil {
			return r, before, 0, err
		}
		if r.Refused+r.Broken+r.Partial > 0 {
			fmt.Fprintf(os.Stderr, "%s", r)
		}
		stored, err := s.Stored()
		after := s.Cost()
		return r, server.Cost{CPU: after.CPU - before.CPU, RSS: after.RSS}, stored, err
	}
	var all int64
	if b.warm > 0 {
		r, _, _, err := send(b.warm, 0, 0)
		if err != nil {
			return err
		}
		all = r.Accepted
	}
	r, cost, stored, err := send(b.full, b.count(kind), 0)
	if err != nil {
		return err
	}
	all += r.Accepted
	var h load.Report
	var hStored time.Duration
	if b.half > 0 {
		if h, _, hStored, err = send(b.half, 0, float64(r.Requests-r.Later)/r.Elapsed.Seconds()/2); err != nil {
			return err
		}
		all += h.Accepted
	}
	total, err := s.Stop()
	if err != nil {
		return err
	}
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) }
	per := func(d time.Duration, n int64) string { return fmt.Sprintf("%.2f", d.Seconds()*1e5/float64(max(n, 1))) }
	fmt.Printf(head, kind, fmt.Sprint(r.Accepted), fmt.Sprintf("%.0f", r.PerSecond), ms(r.P50), ms(r.P95), ms(r.P99),
		per(cost.CPU, r.Accepted), per(total-s.Ready.CPU, all), fmt.Sprintf("%.0f", 100*r.OwnCPU.Seconds()/(r.OwnCPU+cost.CPU).Seconds()),
		fmt.Sprint(idle.RSS>>20), fmt.Sprint(cost.RSS>>20), fmt.Sprintf("%.2f", stored.Seconds()), fmt.Sprintf("%.2f", s.Took.Seconds()),
		fmt.Sprintf("%.0f", h.PerSecond), ms(h.P99), fmt.Sprintf("%.2f", hStored.Seconds()))
	if r.Later > 0 {
		fmt.Printf("%-9s %d of %d requests were answered with later\n", "", r.Later, r.Requests)
	}
	return nil
}

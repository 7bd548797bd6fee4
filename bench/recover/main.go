// Command recover measures how long the server takes to come back after kill -9:
// it puts crashes (or another kind) on a server, kills it in the middle of the
// load, starts it again, and repeats.
//
//	go run ./bench/recover -rounds 8 -each 12000
//
// "ready" is the time from the start of the process until /readyz says so, "CPU"
// what the process used by then, "stored" how much later nothing waits any more;
// "log" is the bytes of DuckDB logs that the start had to replay.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/bellwether-project/bellwether/e2e/server"
	"github.com/bellwether-project/bellwether/internal/load"
)

func main() {
	server.Main()
	rounds := flag.Int("rounds", 8, "kills")
	each := flag.Int64("each", 12_000, "requests answered before each kill")
	kind := flag.String("kind", "crash2k", "kind of load")
	profiles := flag.String("profiles", "", "folder for a processor profile of the last start")
	flag.Parse()
	if err := run(*rounds, *each, load.Kind(*kind), *profiles); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(rounds int, each int64, kind load.Kind, profiles string) error {
	dir, err := os.MkdirTemp("", "bench-recover-")
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
	averages, _ := os.ReadFile("/proc/loadavg")
	fmt.Printf("load average before: %s%5s %9s %9s %9s %8s %8s %9s %9s\n", averages, "start", "records", "log MB", "files MB", "ready s", "CPU s", "stored s", "later CPU")
	var all int64
	for n := range rounds + 1 {
		facts := filepath.Join(dir, "data", "facts")
		log, files := size(facts, "*.wal"), size(facts, "*.duckdb")
		profile := ""
		if n == rounds && profiles != "" {
			profile = filepath.Join(profiles, "start.pprof")
		}
		s, err := server.Start(dir, addr, server.How{Profile: profile})
		if err != nil {
			return err
		}
		stored, err := s.Stored()
		if err != nil {
			s.Kill()
			return err
		}
		fmt.Printf("%5d %9d %9.1f %9.1f %8.2f %8.2f %9.2f %9.2f\n", n, all, float64(log)/1e6, float64(files)/1e6, s.Took.Seconds(), s.Ready.CPU.Seconds(), stored.Seconds(), (s.Cost().CPU - s.Ready.CPU).Seconds())
		if n == rounds {
			_, err := s.Stop()
			return err
		}
		r, err := load.Run(context.Background(), load.Options{URL: s.URL, Key: key.Public, Project: key.Project, Kind: kind, Clients: 32, Count: each, Duration: 2 * time.Minute})
		s.Kill()
		if err != nil {
			return err
		}
		all += r.Accepted
	}
	return nil
}

func size(dir, pattern string) (n int64) {
	names, _ := filepath.Glob(filepath.Join(dir, pattern))
	for _, name := range names {
		if st, err := os.Stat(name); err == nil {
			n += st.Size()
		}
	}
	return n
}

// Command pages measures how long the server takes to answer pages: each is asked
// for once cold, then a number of times, by somebody who may see everything.
//
//	bellwether demo --once --keep /tmp/world
//	go run ./bench/pages -dir /tmp/world -email owner@... -password "believable world"
//
// With -live, events come in through the OTLP door at that rate meanwhile, and are
// counted: once the pages are done each accepted one must be stored.
//
// The folder must not be in use. Times are from the request to the last byte on
// this machine; CPU is that of the server for one answer.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the folder's own databases, to find a family and an extension

	"github.com/bellwether-project/bellwether/e2e/server"
	"github.com/bellwether-project/bellwether/internal/load"
	"github.com/bellwether-project/bellwether/internal/registry"
)

func main() {
	server.Main()
	dir := flag.String("dir", "", "folder that holds data and data.keyring")
	email := flag.String("email", "bench@example.org", "account; made when the folder has none")
	password := flag.String("password", "believable world", "its password")
	n := flag.Int("n", 20, "times each page is asked for")
	paths := flag.String("paths", "/,/crashes,/extensions,FAMILY,EXTENSION,CRASHLIST", "pages; a name in capitals stands for the busiest one")
	profile := flag.String("profile", "", "file for a processor profile of the server")
	live := flag.Float64("live", 0, "events a second that come in meanwhile, in batches of 100")
	flag.Parse()
	if err := run(*dir, *email, *password, *n, strings.Split(*paths, ","), *profile, *live); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir, email, password string, n int, paths []string, profile string, live float64) error {
	token, err := server.Session(dir, email, password)
	if err != nil {
		return err
	}
	var key registry.Key
	if live > 0 {
		if key, err = server.Seed(dir); err != nil {
			return err
		}
	}
	addr, err := server.FreeAddr()
	if err != nil {
		return err
	}
	names := busiest(filepath.Join(dir, "data", "pipeline.db"))
	s, err := server.Start(dir, addr, server.How{Profile: profile})
	if err != nil {
		return err
	}
	defer s.Kill()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	done := make(chan error, 1)
	if live > 0 {
		go func() { done <- sendLive(ctx, s, key, live) }()
		time.Sleep(2 * time.Second)
	}
	averages, _ := os.ReadFile("/proc/loadavg")
	fmt.Printf("start %.2f s (%.2f CPU s); load average %s", s.Took.Seconds(), s.Ready.CPU.Seconds(), averages)
	fmt.Printf("%-44s %6s %8s %8s %8s %8s %8s %8s\n", "page", "status", "cold ms", "p50 ms", "p95 ms", "max ms", "CPU ms", "KB")
	for _, path := range paths {
		if name, ok := names[path]; ok {
			path = name
		}
		if !strings.HasPrefix(path, "/") {
			continue
		}
		cold, status, size, err := get(s.URL+path, token)
		if err != nil {
			return err
		}
		cpu := s.Cost().CPU
		var took []time.Duration
		for range n {
			d, _, _, err := get(s.URL+path, token)
			if err != nil {
				return err
			}
			took = append(took, d)
		}
		cpu = s.Cost().CPU - cpu
		slices.Sort(took)
		ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
		fmt.Printf("%-44s %6d %8.1f %8.1f %8.1f %8.1f %8.1f %8.1f\n", path, status, ms(cold), ms(took[n/2]), ms(took[min(n-1, n*95/100)]), ms(took[n-1]), ms(cpu)/float64(n), float64(size)/1000)
	}
	if stop(); live > 0 {
		if err := <-done; err != nil {
			return err
		}
	}
	_, err = s.Stop()
	return err
}

// sendLive sends events until ctx ends and says how it went.
func sendLive(ctx context.Context, s *server.Server, key registry.Key, perSecond float64) error {
	r, err := load.Run(ctx, load.Options{URL: s.URL, Key: key.Public, Project: key.Project, Kind: load.OTLP, Rate: perSecond / 100, Duration: load.MaxDuration, ServerPID: s.PID()})
	if err != nil {
		return err
	}
	stored, err := s.Stored()
	fmt.Printf("meanwhile: %s all stored %.2f s after the last answer\n", r, stored.Seconds())
	return err
}

func get(url, token string) (took time.Duration, status, size int, err error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0, 0, 0, err
	}
	req.AddCookie(&http.Cookie{Name: "bellwether", Value: token})
	began := time.Now()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0, 0, 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return time.Since(began), resp.StatusCode, len(body), err
}

// busiest names the pages of the family with most signatures and its extension.
func busiest(file string) map[string]string {
	names := map[string]string{"CRASHLIST": "/crashes/list"}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		return names
	}
	defer db.Close()
	var family, extension string
	err = db.QueryRow("SELECT id, blame FROM crash_family WHERE blame <> '' ORDER BY signatures DESC, last_ms DESC LIMIT 1").Scan(&family, &extension)
	if errors.Is(err, sql.ErrNoRows) || err != nil {
		return names
	}
	names["FAMILY"], names["EXTENSION"] = "/families/"+family, "/extensions/"+extension
	return names
}

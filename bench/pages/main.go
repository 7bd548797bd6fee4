// Command pages measures how long the server takes to answer pages: each is asked
// for once cold, then a number of times, by somebody who may see everything.
//
//	bellwether demo --once --keep /tmp/world
//	go run ./bench/pages -dir /tmp/world -email owner@... -password "believable world"
//
// The folder must not be in use. Times are from the request to the last byte on
// this machine; CPU is that of the server for one answer.
package main

import (
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
)

func main() {
	server.Main()
	dir := flag.String("dir", "", "folder that holds data and data.keyring")
	email := flag.String("email", "bench@example.org", "account; made when the folder has none")
	password := flag.String("password", "believable world", "its password")
	n := flag.Int("n", 20, "times each page is asked for")
	paths := flag.String("paths", "/,/crashes,/extensions,FAMILY,EXTENSION,CRASHLIST", "pages; a name in capitals stands for the busiest one")
	profile := flag.String("profile", "", "file for a processor profile of the server")
	flag.Parse()
	if err := run(*dir, *email, *password, *n, strings.Split(*paths, ","), *profile); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir, email, password string, n int, paths []string, profile string) error {
	token, err := server.Session(dir, email, password)
	if err != nil {
		return err
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
	_, err = s.Stop()
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

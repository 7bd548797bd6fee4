// Command search measures how long the server takes to find crashes. It fills a
// folder with crashes over 90 days, as the flow would have stored them (facts,
// documents, families, signatures with their words, states), starts the server on
// it, and asks a mix of searches over HTTP, with other values each time, signed in
// as somebody who may see everything.
//
//	go run ./bench/search -dir /tmp/search -n 1000000
//	go run ./bench/search -dir /tmp/search -n 0            # asks the folder again
//
// The folder must not be in use. Times are from the request to the last byte.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/e2e/server"
)

func main() {
	server.Main()
	dir := flag.String("dir", "", "folder that holds data and data.keyring")
	n := flag.Int("n", 1_000_000, "crashes; 0 asks the folder of an earlier run (of the same -families and -seed)")
	families := flag.Int("families", 20_000, "families they are of")
	days := flag.Int("days", 90, "days they are received on")
	seed := flag.Uint64("seed", 1, "equal seeds make equal worlds")
	rounds := flag.Int("rounds", 40, "times each kind of search is asked, with other values")
	span := flag.Int("span", 30, "days that are searched")
	only := flag.String("only", "", "kinds whose name holds this")
	settle := flag.Duration("settle", 20*time.Second, "wait for the server's first jobs")
	profile := flag.String("profile", "", "file for a processor profile of the server")
	flag.Parse()
	if err := run(*dir, *n, *families, *days, *seed, *rounds, *span, *only, *settle, *profile); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir string, n, families, days int, seed uint64, rounds, span int, only string, settle time.Duration, profile string) error {
	token, err := server.Session(dir, "bench@example.org", "believable world")
	if err != nil {
		return err
	}
	w := newWorld(seed, families, days, time.Now().UTC())
	if n > 0 {
		if err := w.load(context.Background(), dir, n); err != nil {
			return err
		}
	}
	addr, err := server.FreeAddr()
	if err != nil {
		return err
	}
	s, err := server.Start(dir, addr, server.How{Profile: profile})
	if err != nil {
		return err
	}
	defer s.Kill()
	time.Sleep(settle)
	c := client{s.URL, token}
	if err := w.meet(c); err != nil {
		return err
	}
	averages, _ := os.ReadFile("/proc/loadavg")
	fmt.Printf("start %.2f s; %d MB resident; load average %s", s.Took.Seconds(), s.Cost().RSS>>20, averages)
	fmt.Printf("%-34s %8s %8s %8s %8s %8s  %s\n", "search", "cold ms", "p50 ms", "p95 ms", "max ms", "CPU ms", "for example")
	var all []time.Duration
	for _, k := range w.kinds() {
		if !strings.Contains(k.name, only) {
			continue
		}
		cold, path, err := c.ask(k, w, span)
		if err != nil {
			return err
		}
		var took []time.Duration
		cpu := s.Cost().CPU
		for range rounds {
			d, _, err := c.ask(k, w, span)
			if err != nil {
				return err
			}
			took = append(took, d)
		}
		all = append(all, took...)
		cpu = s.Cost().CPU - cpu
		print(k.name, cold, took, ms(cpu)/float64(rounds), path)
	}
	print("all together", 0, all, 0, "")
	fmt.Printf("%d MB resident\n", s.Cost().RSS>>20)
	_, err = s.Stop()
	return err
}

func print(name string, cold time.Duration, took []time.Duration, cpu float64, path string) {
	slices.Sort(took)
	n := len(took)
	if n == 0 {
		return
	}
	fmt.Printf("%-34s %8.1f %8.1f %8.1f %8.1f %8.1f  %s\n", name, ms(cold), ms(took[n/2]), ms(took[min(n-1, n*95/100)]), ms(took[n-1]), cpu, path)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

type client struct{ url, token string }

func (c client) ask(k kind, w *world, span int) (time.Duration, string, error) {
	text := k.text(w)
	path := k.path + "?" + url.Values{"q": {text}, "days": {fmt.Sprint(span)}, "state": {"all"}}.Encode()
	took, status, body, err := c.get(path)
	if err == nil && (status != http.StatusOK && status != http.StatusSeeOther || !k.fits(body, status)) {
		err = fmt.Errorf("%s %q: status %d, or not what was looked for", k.path, text, status)
	}
	return took, text, err
}

func (c client) get(path string) (took time.Duration, status int, body string, err error) {
	req, err := http.NewRequest(http.MethodGet, c.url+path, nil)
	if err != nil {
		return 0, 0, "", err
	}
	req.AddCookie(&http.Cookie{Name: "bellwether", Value: c.token})
	began := time.Now()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0, 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return time.Since(began), resp.StatusCode, string(b), err
}

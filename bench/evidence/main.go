// Command evidence measures the job that compares crashes of a host with its
// healthy sessions (docs/design/evidence.md) in a large ecosystem: 5,000
// extensions, 20 to 60 of them active at a time, few of them popular. It fills a
// folder with sessions and crashes and their documents, runs the job until nothing
// is left to ask for, and then again after each share of new crashes.
//
//	go run ./bench/evidence -dir /tmp/evidence
//
// The folder must be empty or not there. Times are those of whole runs, with what
// they write; memory is that of the process, with the facts engine.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/bellwether-project/bellwether/e2e/server"
	"github.com/bellwether-project/bellwether/internal/app"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/suspect"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/facts/duck"
)

func main() {
	dir := flag.String("dir", "", "folder for data; made")
	extensions := flag.Int("extensions", 5000, "extensions there are")
	families := flag.Int("families", 500, "families of crashes")
	crashes := flag.Int("crashes", 100_000, "crashes, over 30 days")
	sessions := flag.Int("sessions", 200_000, "healthy sessions, over 30 days")
	more := flag.Int("more", 300, "crashes that come between two later runs")
	profile := flag.String("profile", "", "file for a processor profile of the runs")
	rounds := flag.Int("rounds", 5, "later runs")
	flag.Parse()
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		defer pprof.StopCPUProfile()
	}
	w := newWorld(1, *extensions, *families, time.Now().UTC())
	if err := run(context.Background(), w, *dir, *crashes, *sessions, *more, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w *world, dir string, crashes, sessions, more, rounds int) error {
	o := server.Options(dir)
	if err := os.MkdirAll(o.Data, 0o700); err != nil {
		return err
	}
	r, err := app.OpenRecords(ctx, o, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer r.Close()
	store, err := duck.Open(ctx, duck.Options{Dir: filepath.Join(o.Data, "facts"), Now: time.Now})
	if err != nil {
		return err
	}
	defer store.Close()
	desk, err := crash.New(ctx, crash.Options{Flow: r.Flow, Records: r.DB, Audit: r.Audit, Facts: store, Now: time.Now, NewID: func() string { return "c" }})
	if err != nil {
		return err
	}
	open := func() (*suspect.Desk, error) {
		return suspect.New(ctx, suspect.Options{Flow: r.Flow, Facts: store, Desk: desk, Now: time.Now})
	}
	began := time.Now()
	if err := w.fill(ctx, store, crashes, sessions); err != nil {
		return err
	}
	if _, err := store.Compact(ctx, eco.DayOf(time.Now())); err != nil {
		return err
	}
	fmt.Printf("%d crashes, %d sessions, %d extensions: stored in %.0f s\n", crashes, sessions, len(w.extensions), time.Since(began).Seconds())
	fmt.Printf("%-34s %8s %8s %8s %8s %8s  %s\n", "run", "seconds", "CPU s", "MB made", "Go MB", "RSS MB", "note")
	d, err := open()
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		note, err := measure(ctx, fmt.Sprintf("first, part %d", n), d)
		if err != nil {
			return err
		}
		if note == "nothing new" {
			break
		}
	}
	for n := range rounds {
		if err := w.insert(ctx, store, w.crashes(more, time.Now().Add(-time.Minute), time.Minute)); err != nil {
			return err
		}
		if n == rounds-1 { // as after a start
			if d, err = open(); err != nil {
				return err
			}
		}
		if _, err := measure(ctx, fmt.Sprintf("after %d crashes more", more), d); err != nil {
			return err
		}
	}
	return nil
}

func measure(ctx context.Context, name string, d *suspect.Desk) (string, error) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, began := processor(), time.Now()
	note, err := d.Recompute(ctx)
	took, cpu := time.Since(began), processor()-cpu
	runtime.ReadMemStats(&after)
	made := after.TotalAlloc - before.TotalAlloc
	runtime.GC()
	runtime.ReadMemStats(&after)
	fmt.Printf("%-34s %8.2f %8.2f %8d %8d %8d  %s\n", name, took.Seconds(), cpu.Seconds(), made>>20, after.HeapAlloc>>20, resident()>>20, note)
	return note, err
}

func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func resident() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(b), &size, &pages); err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// fill stores crashes and sessions as the flow does, in the order of time.
func (w *world) fill(ctx context.Context, store facts.Store, crashes, sessions int) error {
	const parts = 60
	span := 30 * 24 * time.Hour / parts
	for i := range parts {
		at := w.now.Add(time.Duration(i-parts) * span)
		if err := w.insert(ctx, store, w.crashes(crashes/parts, at, span)); err != nil {
			return err
		}
		if err := w.insert(ctx, store, w.sessions(sessions/parts, at, span)); err != nil {
			return err
		}
	}
	return nil
}

type row struct {
	fact eco.Fact
	doc  any
}

func (w *world) insert(ctx context.Context, store facts.Store, rows []row) error {
	var b facts.Batch
	for _, r := range rows {
		body, err := json.Marshal(r.doc)
		if err != nil {
			return err
		}
		b.Facts = append(b.Facts, r.fact)
		b.Docs = append(b.Docs, facts.Doc{ID: r.fact.ID, Class: r.fact.Class, Body: body})
	}
	return store.Insert(ctx, b)
}

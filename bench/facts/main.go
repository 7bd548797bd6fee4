//go:build cgo

// Command facts measures the embedded facts engine: it builds believable facts
// over many days, inserts them as the pipeline does, and asks what the pages ask.
//
//	go run ./bench/facts -n 1000000 -days 30
//
// CPU is that of this process (getrusage) around the inserts alone; making the
// facts is not counted. Walls depend on what else the machine does.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/facts/duck"
)

func main() {
	n := flag.Int("n", 1_000_000, "facts; 0 asks the folder of an earlier run")
	days := flag.Int("days", 30, "days they are received on")
	batch := flag.Int("batch", 10_000, "facts in a batch")
	rounds := flag.Int("rounds", 40, "times each question is asked")
	docs := flag.Bool("docs", false, "store crash documents too (their bytes are counted with the file)")
	live := flag.Int("live", 0, "events a second inserted while the questions are asked")
	dir := flag.String("dir", "", "folder to build in (default: a temporary one, removed at the end)")
	memory := flag.Int64("memory", 0, "MB that DuckDB may hold (0: its default)")
	flag.Parse()
	if err := run(*n, *days, *batch, *rounds, *live, *docs, *dir, *memory<<20); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type bench struct {
	ctx   context.Context
	dir   string
	store *duck.Store
	now   time.Time
	world *World
	docs  bool

	memory int64
}

func run(n, days, batch, rounds, live int, docs bool, dir string, memory int64) error {
	if dir == "" {
		d, err := os.MkdirTemp("", "bench-facts-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(d)
		dir = d
	}
	last := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	b := &bench{ctx: context.Background(), dir: dir, now: last.AddDate(0, 0, 1), world: NewWorld(1, max(2000, n/50)), docs: docs, memory: memory}
	if err := b.open(); err != nil {
		return err
	}
	defer func() { b.store.Close() }()
	if n == 0 {
		if err := b.reopen("as it is"); err != nil {
			return err
		}
		return b.ask(live, rounds)
	}
	fmt.Printf("%d facts over %d days in batches of %d, documents %v\n", n, days, batch, docs)
	if err := b.fill(last.AddDate(0, 0, 1-days), n, days, batch); err != nil {
		return err
	}
	if err := b.sizes("open, as inserted", n); err != nil {
		return err
	}
	if err := b.reopen("open days"); err != nil {
		return err
	}
	if err := b.sizes("open, log written back", n); err != nil {
		return err
	}
	// the last day stays open, as in life
	cpu, wall := used(), time.Now()
	files, err := b.store.Compact(b.ctx, eco.DayOf(last))
	if err != nil {
		return err
	}
	fmt.Printf("%-38s %d files, %.1f s, %.2f CPU s per 100,000 facts\n", "closing days", files, time.Since(wall).Seconds(), (used()-cpu)/float64(n)*1e5)
	if err := b.sizes("closed (but the last day)", n); err != nil {
		return err
	}
	if err := b.reopen("closed days"); err != nil {
		return err
	}
	return b.ask(live, rounds)
}

// ask asks the questions, with facts coming in meanwhile when live is not 0.
func (b *bench) ask(live, rounds int) error {
	if live > 0 {
		stop := b.feed(live)
		defer stop()
		fmt.Printf("while %d facts a second come in:\n", live)
	}
	return b.questions(rounds)
}

func (b *bench) open() (err error) {
	b.store, err = duck.Open(b.ctx, duck.Options{Dir: b.dir, MemoryLimit: b.memory, Now: func() time.Time { return b.now }})
	return err
}

// fill inserts evenly through the days; the first tenth warms up and is not counted.
func (b *bench) fill(from time.Time, n, days, batch int) error {
	step := time.Duration(days) * 24 * time.Hour / time.Duration(n)
	var cpu float64
	var wall, slowest time.Duration
	counted := 0
	for at := 0; at < n; at += batch {
		k := min(batch, n-at)
		data := b.world.Batch(from.Add(time.Duration(at)*step), step, k, b.docs)
		data.Position = uint64(at + k)
		c, w := used(), time.Now()
		if err := b.store.Insert(b.ctx, data); err != nil {
			return err
		}
		if took := time.Since(w); at >= n/10 {
			cpu, wall, counted, slowest = cpu+used()-c, wall+took, counted+k, max(slowest, took)
		}
	}
	fmt.Printf("%-38s %.0f facts/s, %.2f CPU s per 100,000, slowest batch %.0f ms, resident %d MB\n", "insert",
		float64(counted)/wall.Seconds(), cpu/float64(counted)*1e5, ms(slowest), resident()>>20)
	return nil
}

func (b *bench) sizes(what string, n int) error {
	st, err := b.store.Stats(b.ctx)
	if err != nil {
		return err
	}
	var bytes, rows int64
	for _, p := range st.Partitions {
		bytes, rows = bytes+p.Bytes, rows+p.Rows
	}
	if rows != int64(n) {
		return fmt.Errorf("%d rows stored, %d inserted", rows, n)
	}
	fmt.Printf("%-38s %.1f bytes a fact, %d files\n", what, float64(bytes)/float64(n), len(st.Partitions))
	return nil
}

func (b *bench) reopen(what string) error {
	if err := b.store.Close(); err != nil {
		return err
	}
	start, cpu := time.Now(), used()
	if err := b.open(); err != nil {
		return err
	}
	opened := time.Since(start)
	cpu = used() - cpu
	_, err := b.store.Query(b.ctx, facts.Query{Scope: facts.Everything(), Measures: []facts.Measure{{Fn: facts.Count}}})
	fmt.Printf("%-38s %.0f ms (%.0f of CPU), first answer after %.0f ms more, resident %d MB\n", "open the folder: "+what, ms(opened), cpu*1e3, ms(time.Since(start)-opened), resident()>>20)
	return err
}

// feed inserts the given number of facts a second, four batches a second, until stopped.
func (b *bench) feed(perSecond int) (stop func()) {
	ctx, cancel := context.WithCancel(b.ctx)
	done := make(chan struct{})
	world := NewWorld(2, 2000)
	go func() {
		defer close(done)
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		at, n, slow := b.now.Add(-time.Hour), 0, time.Duration(0)
		for {
			select {
			case <-ctx.Done():
				fmt.Printf("%-38s %d facts inserted meanwhile, slowest batch %.0f ms\n", "", n, ms(slow))
				return
			case <-tick.C:
				batch := world.Batch(at, time.Millisecond/8, perSecond/4, true)
				start := time.Now()
				if err := b.store.Insert(b.ctx, batch); err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
				slow = max(slow, time.Since(start))
				at, n = at.Add(time.Second/4), n+perSecond/4
			}
		}
	}()
	return func() { cancel(); <-done }
}

func (b *bench) questions(rounds int) error {
	r := rand.New(rand.NewPCG(3, 3))
	fmt.Printf("%-58s %8s %8s %8s %8s %8s\n", "question", "p50 ms", "p95 ms", "CPU ms", "rows", "MB now")
	for _, q := range questions(b.now) {
		var took []time.Duration
		rows, cpu := 0, used()
		for range rounds {
			e := &b.world.exts[b.world.pick.Uint64()]
			ask := q.ask(e, e.families[skew(r, len(e.families))])
			start := time.Now()
			res, err := b.store.Query(b.ctx, ask)
			if err != nil {
				return err
			}
			took = append(took, time.Since(start))
			rows = max(rows, len(res.Rows)+len(res.Facts))
		}
		slices.Sort(took)
		fmt.Printf("%-58s %8.1f %8.1f %8.1f %8d %8d\n", q.name, ms(took[len(took)/2]), ms(took[len(took)*95/100]), (used()-cpu)*1e3/float64(rounds), rows, resident()>>20)
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// used returns the CPU seconds of the process so far.
func used() float64 {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds()
}

// resident returns the bytes of resident memory now (0 where there is no /proc).
func resident() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var all, pages int64
	if _, err := fmt.Sscan(string(text), &all, &pages); err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

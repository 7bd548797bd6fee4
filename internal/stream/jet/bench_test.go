package jet_test

import (
	"crypto/rand"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/stream"
)

// 64 callers, one small record each at a time: answers a second, and how long
// the slowest hundredth waits.
func BenchmarkGroup64(b *testing.B) {
	l := open(b, b.TempDir(), 4<<30)
	g := stream.NewGroup(l, stream.GroupOptions{})
	defer g.Close()
	record := make([]byte, 600)
	rand.Read(record)
	times := make([][]time.Duration, 64)
	start := time.Now()
	var wg sync.WaitGroup
	for i := range times {
		wg.Go(func() {
			for range b.N/64 + 1 {
				t := time.Now()
				if _, err := g.Append(b.Context(), record); err != nil {
					b.Error(err)
					return
				}
				times[i] = append(times[i], time.Since(t))
			}
		})
	}
	wg.Wait()
	all := slices.Sorted(slices.Values(slices.Concat(times...)))
	b.ReportMetric(float64(len(all))/time.Since(start).Seconds(), "answers/s")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
}

// One reader behind one writer of messages of 64 KiB, committing each.
func BenchmarkReadCommit(b *testing.B) {
	l := open(b, b.TempDir(), 4<<30)
	record := make([]byte, 64<<10)
	rand.Read(record)
	for b.Loop() {
		seq, err := l.Append(b.Context(), [][]byte{record})
		if err != nil {
			b.Fatal(err)
		}
		ms, err := l.Read(b.Context(), seq-1, 10)
		if err != nil || len(ms) != 1 {
			b.Fatal(err)
		}
		t := time.Now()
		if err := l.Commit(b.Context(), seq); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(t).Microseconds()), "last-commit-µs")
	}
}

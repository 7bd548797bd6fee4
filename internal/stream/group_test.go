package stream_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/stream"
)

// slow is a log whose appends take time and may fail, as a test says.
type slow struct {
	*stream.Mem
	delay func(n int) (time.Duration, error)

	mu    sync.Mutex
	n     int
	sizes []int // records of each append, in order of begin
	done  map[string]uint64
	fails map[string]error
}

func newSlow(delay func(n int) (time.Duration, error)) *slow {
	return &slow{Mem: stream.NewMem(1 << 30), delay: delay, done: map[string]uint64{}, fails: map[string]error{}}
}

func (s *slow) Append(ctx context.Context, records [][]byte) (uint64, error) {
	s.mu.Lock()
	n := s.n
	s.n++
	s.sizes = append(s.sizes, len(records))
	s.mu.Unlock()
	d, err := s.delay(n)
	select {
	case <-time.After(d):
	case <-ctx.Done():
		err = ctx.Err()
	}
	var seq uint64
	if err == nil {
		seq, err = s.Mem.Append(context.WithoutCancel(ctx), records)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range records {
		if err != nil {
			s.fails[string(r)] = err
		} else {
			s.done[string(r)] = seq
		}
	}
	return seq, err
}

func always(d time.Duration) func(int) (time.Duration, error) {
	return func(int) (time.Duration, error) { return d, nil }
}

// Under random arrivals, sizes, delays and failures: nobody is answered before
// its record is appended, everyone gets the position of its own message, and a
// failure reaches those of its message and nobody else.
func TestGroupSimulation(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dice := rand.New(rand.NewPCG(seed, 1))
				var mu sync.Mutex
				roll := func(n int) int { mu.Lock(); defer mu.Unlock(); return dice.IntN(n) }
				log := newSlow(func(n int) (time.Duration, error) {
					if roll(5) == 0 {
						return time.Duration(roll(3)) * time.Millisecond, fmt.Errorf("failure %d", n)
					}
					return time.Duration(roll(5)) * time.Millisecond, nil
				})
				g := stream.NewGroup(log, stream.GroupOptions{MaxBytes: 200, MaxPending: 2000, InFlight: 1 + roll(2)})
				refused := 0
				for i := range 20 {
					go func() {
						for j := range 10 {
							time.Sleep(time.Duration(roll(6)) * time.Millisecond)
							r := fmt.Sprintf("%d/%d/%s", i, j, strings.Repeat("x", roll(60)))
							seq, err := g.Append(t.Context(), []byte(r))
							log.mu.Lock()
							want, stored := log.done[r]
							failure, failed := log.fails[r]
							log.mu.Unlock()
							switch {
							case err == nil && (!stored || want != seq):
								t.Errorf("%s: answered %d, stored at %d (%v)", r, seq, want, stored)
							case err != nil && stored:
								t.Errorf("%s: stored, and answered %v", r, err)
							case err != nil && failed && !errors.Is(err, failure):
								t.Errorf("%s: %v, but its message failed with %v", r, err, failure)
							case err != nil && !failed:
								if fault.CodeOf(err) != fault.Unavailable {
									t.Errorf("%s: %v", r, err)
								}
								mu.Lock()
								refused++
								mu.Unlock()
							}
						}
					}()
				}
				time.Sleep(10 * time.Second)
				g.Close()
				if got := len(log.done) + len(log.fails) + refused; got != 200 {
					t.Errorf("%d of 200 records were answered", got)
				}
				if b, _ := g.Pending(); b != 0 {
					t.Errorf("%d bytes pending at the end", b)
				}
			})
		})
	}
}

func TestGroupSharesWithoutDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newSlow(always(2 * time.Millisecond))
		g := stream.NewGroup(log, stream.GroupOptions{MaxBytes: 250})
		start := time.Now()
		if _, err := g.Append(t.Context(), []byte("alone")); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != 2*time.Millisecond {
			t.Errorf("alone it took %v, want the 2 ms of the log", d)
		}
		first := make(chan bool)
		go func() { g.Append(t.Context(), []byte("first")); close(first) }()
		synctest.Wait() // its append is under way
		for range 5 {
			go g.Append(t.Context(), make([]byte, 100))
		}
		synctest.Wait()
		<-first
		time.Sleep(time.Second)
		g.Close()
		if diff := cmp.Diff([]int{1, 1, 2, 2, 1}, log.sizes); diff != "" {
			t.Errorf("records of each message: %s", diff)
		}
	})
}

func TestGroupBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newSlow(always(time.Second))
		g := stream.NewGroup(log, stream.GroupOptions{MaxPending: 1000})
		go g.Append(t.Context(), make([]byte, 5000)) // alone it may pass the bound, else it never could
		synctest.Wait()
		if _, err := g.Append(t.Context(), []byte("x")); fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("over the bound: %v, want unavailable", err)
		}
		time.Sleep(2 * time.Second)
		if _, err := g.Append(t.Context(), []byte("x")); err != nil {
			t.Errorf("afterwards: %v", err)
		}
		if _, err := g.Append(t.Context()); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("nothing: %v, want invalid", err)
		}
		if _, err := g.Append(t.Context(), make([]byte, stream.MaxMessage), []byte("x")); fault.CodeOf(err) != fault.TooLarge {
			t.Errorf("too much: %v, want too_large", err)
		}
		g.Close()
		if _, err := g.Append(t.Context(), []byte("x")); fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("closed: %v, want unavailable", err)
		}
	})
}

func TestGroupContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newSlow(always(time.Second))
		g := stream.NewGroup(log, stream.GroupOptions{})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := g.Append(ctx, []byte("impatient"))
		if !errors.Is(err, context.DeadlineExceeded) || fault.CodeOf(err) != fault.Unavailable || time.Since(start) != 100*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if _, err := g.Append(t.Context(), []byte("patient")); err != nil { // the other's end is not this one's
			t.Error(err)
		}
		if _, err := g.Append(ctx, []byte("late")); fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("an ended context: %v", err)
		}
		g.Close()
		if _, ok := log.done["late"]; ok {
			t.Error("a record was stored for a context that had ended before")
		}
	})
}

func TestGroupGivesUpOnAStuckLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := stream.NewGroup(newSlow(always(time.Hour)), stream.GroupOptions{MaxWait: 5 * time.Second})
		start := time.Now()
		_, err := g.Append(t.Context(), []byte("x"))
		if err == nil || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		g.Close()
	})
}

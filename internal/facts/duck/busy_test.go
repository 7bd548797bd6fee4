//go:build cgo

package duck

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/facts/factstest"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Days are packed while others read, write and begin new days.
func TestPackedWhileBusy(t *testing.T) {
	s := openIn(t, t.TempDir())
	position := 0
	add := func(day, n int) {
		position++
		fs := factstest.Facts(rand.New(rand.NewPCG(uint64(position), 3)), position*1000, n)
		for i := range fs {
			fs[i].Received -= int64(day) * 3 * 86_400_000
		}
		put(t, position, fs, s)
	}
	for d := range 2 {
		add(d, 60)
	}
	all := facts.Query{Scope: facts.Everything(), Where: []facts.Cond{{Col: facts.Quarantined, Op: facts.In, Values: []string{"0", "1"}}}, Measures: []facts.Measure{{Fn: facts.Rows}, {Fn: facts.Installs}}}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				q := all
				q.Group = [][]facts.Column{{facts.Family}, {facts.OS, facts.Date}, {facts.Signature}, {facts.Extension}}[(i+n)%4]
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n%7)*3*time.Millisecond)
				if n%7 == 0 {
					ctx = t.Context()
				}
				_, err := s.Query(ctx, q) // who reads may go away
				if cancel(); err != nil && fault.CodeOf(err) != fault.Unavailable {
					t.Error(err)
					return
				}
			}
		})
	}
	var rows int64
	wg.Go(func() {
		defer close(stop)
		for d := range 3 {
			add(2+d, 40)
			if _, err := s.Compact(t.Context(), 1<<30); err != nil {
				t.Error(err)
				return
			}
			r, err := s.Query(t.Context(), all)
			if err != nil {
				t.Error(err)
				return
			}
			rows = r.Rows[0][0].(int64)
		}
	})
	wg.Wait()
	if want := int64(2*60 + 3*40); rows != want {
		t.Errorf("%d rows, want %d", rows, want)
	}
}

// Package streamtest is the contract every stream.Log must keep.
package streamtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/stream"
)

// Run holds a log to the contract. open returns an empty log that takes at most
// max bytes or a little less, and closes it when the test ends.
func Run(t *testing.T, open func(t *testing.T, max int64) stream.Log) {
	for name, test := range map[string]func(*testing.T, stream.Log){
		"records come back as they went in": roundTrip,
		"read continues after a message":    readAfter,
		"read waits for an append":          readWaits,
		"read obeys its context":            readCancelled,
		"commit drops what is before":       commit,
		"commit never goes back":            commitBack,
		"appends at once":                   concurrent,
		"bounds":                            bounds,
		"large records":                     large,
		"after close":                       afterClose,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t, 64<<20)) })
	}
	t.Run("a full log refuses, and takes again after a commit", func(t *testing.T) { full(t, open(t, 4<<20)) })
}

// must fails the test on an error.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func put(t *testing.T, l stream.Log, records ...string) uint64 {
	t.Helper()
	var bs [][]byte
	for _, r := range records {
		bs = append(bs, []byte(r))
	}
	return must[uint64](t)(l.Append(t.Context(), bs))
}

func get(t *testing.T, l stream.Log, after uint64, max int) (out []string) {
	t.Helper()
	last := after
	for _, m := range must[[]stream.Message](t)(l.Read(t.Context(), after, max)) {
		if m.Seq <= last {
			t.Fatalf("message %d after %d", m.Seq, last)
		}
		if m.Appended.IsZero() {
			t.Errorf("message %d has no time", m.Seq)
		}
		last = m.Seq
		for _, r := range m.Records {
			out = append(out, string(r))
		}
	}
	return out
}

func roundTrip(t *testing.T, l stream.Log) {
	buf := []byte("changed later")
	must[uint64](t)(l.Append(t.Context(), [][]byte{buf, {}, {0, 1, 255}}))
	copy(buf, "XXXXXXX")
	if diff := cmp.Diff([]string{"changed later", "", "\x00\x01\xff"}, get(t, l, 0, 10)); diff != "" {
		t.Error(diff)
	}
}

func readAfter(t *testing.T, l stream.Log) {
	var seqs []uint64
	for i := range 10 {
		seqs = append(seqs, put(t, l, fmt.Sprint(i)))
	}
	if diff := cmp.Diff([]string{"0", "1", "2"}, get(t, l, 0, 3)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"7", "8", "9"}, get(t, l, seqs[6], 100)); diff != "" {
		t.Error(diff)
	}
	s := must[stream.Stats](t)(l.Stats(t.Context()))
	if s.First != seqs[0] || s.Last != seqs[9] || s.Messages != 10 || s.Committed != 0 || s.Bytes == 0 || s.Oldest.IsZero() {
		t.Errorf("stats %+v", s)
	}
}

func readWaits(t *testing.T, l stream.Log) {
	last := put(t, l, "old")
	got := make(chan []string, 1)
	started := make(chan bool)
	go func() {
		close(started)
		ms, err := l.Read(context.WithoutCancel(t.Context()), last, 5)
		if err != nil || len(ms) == 0 {
			got <- []string{fmt.Sprint(err)}
			return
		}
		got <- []string{string(ms[0].Records[0])}
	}()
	<-started
	put(t, l, "new")
	if diff := cmp.Diff([]string{"new"}, <-got); diff != "" {
		t.Error(diff)
	}
}

func readCancelled(t *testing.T, l stream.Log) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if ms, err := l.Read(ctx, 0, 5); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v %v, want the context's error", ms, err)
	}
}

func commit(t *testing.T, l stream.Log) {
	var seqs []uint64
	for i := range 6 {
		seqs = append(seqs, put(t, l, fmt.Sprint(i)))
	}
	if err := l.Commit(t.Context(), seqs[3]); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"4", "5"}, get(t, l, 0, 10)); diff != "" {
		t.Error(diff)
	}
	if err := l.Commit(t.Context(), seqs[5]); err != nil {
		t.Fatal(err)
	}
	s := must[stream.Stats](t)(l.Stats(t.Context()))
	if s.Messages != 0 || s.Committed != seqs[5] || s.Last != seqs[5] || s.First != seqs[5]+1 || !s.Oldest.IsZero() {
		t.Errorf("stats of a drained log: %+v", s)
	}
	if n := put(t, l, "next"); n != seqs[5]+1 {
		t.Errorf("after draining comes %d, want %d", n, seqs[5]+1)
	}
	if err := l.Commit(t.Context(), seqs[5]+100); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("commit past the end: %v, want invalid", err)
	}
}

func commitBack(t *testing.T, l stream.Log) {
	for range 4 {
		put(t, l, "x")
	}
	for _, seq := range []uint64{3, 1} {
		if err := l.Commit(t.Context(), seq); err != nil {
			t.Fatal(err)
		}
	}
	if s := must[stream.Stats](t)(l.Stats(t.Context())); s.Committed != 3 || s.First != 4 {
		t.Errorf("stats %+v, want 3 committed", s)
	}
}

func concurrent(t *testing.T, l stream.Log) {
	var mu sync.Mutex
	want := map[uint64]string{}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 10 {
				r := fmt.Sprintf("%d/%d", i, j)
				seq, err := l.Append(t.Context(), [][]byte{[]byte(r)})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				want[seq] = r
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	got := map[uint64]string{}
	for after := uint64(0); len(got) < 80; {
		for _, m := range must[[]stream.Message](t)(l.Read(t.Context(), after, 7)) {
			got[m.Seq] = string(m.Records[0])
			after = m.Seq
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func bounds(t *testing.T, l stream.Log) {
	if _, err := l.Append(t.Context(), nil); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("nothing: %v, want invalid", err)
	}
	if _, err := l.Append(t.Context(), [][]byte{make([]byte, stream.MaxMessage), {1}}); fault.CodeOf(err) != fault.TooLarge {
		t.Errorf("too much: %v, want too_large", err)
	}
	if _, err := l.Read(t.Context(), 0, 0); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("read none: %v, want invalid", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Append(ctx, [][]byte{{1}}); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("cancelled: %v, want unavailable", err)
	}
	if s := must[stream.Stats](t)(l.Stats(t.Context())); s.Messages != 0 || s.Last != 0 {
		t.Errorf("something was stored: %+v", s)
	}
}

func large(t *testing.T, l stream.Log) {
	r := bytes.Repeat([]byte("0123456789abcdef"), stream.MaxMessage/16)
	for range 2 {
		must[uint64](t)(l.Append(t.Context(), [][]byte{r}))
	}
	var n int
	for after := uint64(0); n < 2; {
		for _, m := range must[[]stream.Message](t)(l.Read(t.Context(), after, 10)) {
			if !bytes.Equal(m.Records[0], r) {
				t.Fatal("it differs")
			}
			after, n = m.Seq, n+1
		}
	}
}

func full(t *testing.T, l stream.Log) {
	r := [][]byte{make([]byte, 256<<10)}
	var last uint64
	for i := 0; ; i++ {
		seq, err := l.Append(t.Context(), r)
		if err != nil {
			if fault.CodeOf(err) != fault.Unavailable {
				t.Fatalf("full: %v, want unavailable", err)
			}
			break
		}
		if last = seq; i > 16 {
			t.Fatal("it takes more than its bound")
		}
	}
	if last < 8 {
		t.Errorf("full after %d messages", last)
	}
	if ms := must[[]stream.Message](t)(l.Read(t.Context(), 0, 1)); ms[0].Seq != 1 {
		t.Errorf("the oldest was dropped for newer ones: first is %d", ms[0].Seq)
	}
	if err := l.Commit(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	if got := must[uint64](t)(l.Append(t.Context(), r)); got <= last {
		t.Errorf("sequence went back from %d to %d", last, got)
	}
}

func afterClose(t *testing.T, l stream.Log) {
	waiting := make(chan error)
	go func() {
		_, err := l.Read(context.WithoutCancel(t.Context()), 0, 1)
		waiting <- err
	}()
	for range 2 {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-waiting; fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("a waiting read got %v, want unavailable", err)
	}
	if _, err := l.Append(t.Context(), [][]byte{{1}}); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("append: %v, want unavailable", err)
	}
	if _, err := l.Read(t.Context(), 0, 1); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("read: %v, want unavailable", err)
	}
}

package app

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestDisk(t *testing.T) {
	at, free, fail := time.UnixMilli(1e12), int64(1000), error(nil)
	var lines bytes.Buffer
	d := &disk{minFree: 100, log: slog.New(slog.NewTextHandler(&lines, nil)), now: func() time.Time { return at }, free: func(string) (int64, error) { return free, fail }}
	look := func() bool { at = at.Add(1001 * time.Millisecond); return d.Full() }
	if look() {
		t.Error("full with room")
	}
	free = 99
	if d.Full() {
		t.Error("it looks more than once a second")
	}
	if !look() {
		t.Error("not full below the least free bytes")
	}
	if free = 100; look() {
		t.Error("still full with room again")
	}
	fail = errors.New("no answer")
	for i := range 3 * maxBlind { // what was true stays so for a while, then it counts as full
		if got, want := look(), i >= maxBlind-1; got != want {
			t.Errorf("after %d failed looks full is %v", i+1, got)
		}
	}
	if n := strings.Count(lines.String(), "cannot be asked"); n != 1 {
		t.Errorf("said %d times:\n%s", n, &lines)
	}
	if fail = nil; look() {
		t.Error("full though it answers again, with room")
	}
}

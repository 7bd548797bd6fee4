package jet

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/fault/needs"
)

// TestDiskFull fills the disk below the log to the last byte: appends fail with
// "later", what was acknowledged stays, and when there is room again the log takes
// more, without a restart.
func TestDiskFull(t *testing.T) {
	t.Run("refused before", func(t *testing.T) { diskFull(t, reserve, false) })
	t.Run("write fails", func(t *testing.T) { diskFull(t, 0, false) })
	t.Run("restart", func(t *testing.T) { diskFull(t, 0, true) })
}

func diskFull(t *testing.T, reserve int64, restart bool) {
	t.Helper()
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=24m"); err != nil {
		needs.Part(t, false, "a small file system, so root ("+err.Error()+")")
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	o := Options{Dir: filepath.Join(disk, "stream"), MaxBytes: 1 << 30}
	log, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	log.reserve = reserve
	acked := map[uint64]string{}
	put := func(what string) error {
		seq, err := log.Append(t.Context(), [][]byte{bytes.Repeat([]byte(what), 8<<10)})
		if err == nil {
			if acked[seq] != "" {
				t.Errorf("position %d was given twice", seq)
			}
			acked[seq] = what
		}
		return err
	}
	for i := range 20 {
		if err := put(fmt.Sprintf("before %d ", i)); err != nil {
			t.Fatal(err)
		}
	}
	filler := filepath.Join(disk, "filler")
	fill(t, filler)
	failed := 0
	for i := range 12 {
		if err := put(fmt.Sprintf("during the full disk %d ", i)); err != nil {
			if failed++; fault.CodeOf(err) != fault.Unavailable {
				t.Fatalf("a full disk: %v", err)
			}
		}
	}
	if failed == 0 {
		t.Fatal("a full disk took everything")
	}
	if restart { // nor is anything lost when somebody starts the server now
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		if l, err := Open(t.Context(), o); err == nil {
			_ = l.Close()
		} else if fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("a start on a full disk: %v", err)
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		if log, err = Open(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		defer log.Close()
	}
	_ = os.Remove(filler)
	began := time.Now()
	for n := 0; put("after ") != nil; n++ {
		if time.Since(began) > time.Minute {
			t.Fatal("the log takes nothing though there is room again")
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("%d appends failed; took more %v after there was room", failed, time.Since(began))
	got := map[uint64]string{}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for after := uint64(0); len(got) < len(acked); {
		msgs, err := log.Read(ctx, after, 100)
		if err != nil {
			t.Fatalf("read after %d: %v; %d of %d", after, err, len(got), len(acked))
		}
		for _, m := range msgs {
			got[m.Seq] = string(m.Records[0])
			after = m.Seq
		}
	}
	for seq, what := range acked {
		if got[seq] != string(bytes.Repeat([]byte(what), 8<<10)) {
			t.Errorf("message %d is not %q", seq, what)
		}
	}
}

// fill writes until the disk takes no more.
func fill(t *testing.T, file string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}

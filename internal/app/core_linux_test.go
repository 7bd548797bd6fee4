package app

import (
	"log/slog"
	"path/filepath"
	"syscall"
	"testing"
)

// TestNoCoreDumps proves that a server that was started, however far it came,
// leaves no core dump behind: not as a file, not to a program of core_pattern.
func TestNoCoreDumps(t *testing.T) {
	dir := t.TempDir()
	o := Options{
		Data: filepath.Join(dir, "data"), Listen: "127.0.0.1:0", Roles: roles, StreamMax: 64 << 20,
		Records: "postgres://127.0.0.1:1/nowhere?connect_timeout=1", // the start ends here, after dumps are off
	}
	if a, err := New(t.Context(), o, slog.New(slog.DiscardHandler)); err == nil {
		t.Fatal(a.Close(), "a database that is not there was opened")
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &limit); err != nil || limit.Cur != 0 || limit.Max != 0 {
		t.Errorf("core limit %+v, %v", limit, err)
	}
	if n, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prGetDumpable, 0, 0); errno != 0 || n != 0 {
		t.Errorf("dumpable %d, %v", n, errno)
	}
}

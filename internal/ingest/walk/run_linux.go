package walk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// canFeed: this system has memory files.
const canFeed = true

// run starts the program as a limited child, with the dump as its file 3, and
// returns its output.
func (t *Tool) run(ctx context.Context, raw []byte, args []string) ([]byte, error) {
	ctx, stop := context.WithTimeout(ctx, t.time)
	defer stop()
	var files []*os.File
	if raw != nil {
		f, err := memory(raw)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		files, args = append(files, f), append(args, "/proc/self/fd/3")
	}
	cmd := exec.CommandContext(ctx, t.path, args...)
	cmd.Env, cmd.Dir, cmd.ExtraFiles = []string{"LC_ALL=C", "TMPDIR=/nonexistent"}, "/", files
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	// The child has just been loaded and has read nothing of the dump yet.
	lim := t.limit(cmd.Process.Pid, len(raw))
	if lim != nil {
		_ = cmd.Cancel()
	}
	var buf bytes.Buffer
	n, err := io.Copy(&buf, io.LimitReader(out, MaxOutput+1))
	if n > MaxOutput {
		err = errFlood
		_ = cmd.Cancel()
	}
	wait := cmd.Wait()
	switch {
	case lim != nil:
		return nil, lim
	case err != nil:
		return nil, err
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case wait != nil:
		return nil, wait
	}
	return buf.Bytes(), nil
}

// limit bounds what the child may take.
func (t *Tool) limit(pid, dump int) error {
	seconds := uint64(t.time/time.Second) + 1
	var errs []error
	for _, l := range []struct {
		what  int
		value uint64
	}{
		{unix.RLIMIT_DATA, t.memory + 4*uint64(dump)}, // what it may write to; run-times reserve more than they use
		{unix.RLIMIT_AS, 4*t.memory + 8*uint64(dump)}, {unix.RLIMIT_CPU, seconds}, {unix.RLIMIT_FSIZE, 0}, {unix.RLIMIT_CORE, 0}, {unix.RLIMIT_NOFILE, 64},
	} {
		if err := unix.Prlimit(pid, l.what, &unix.Rlimit{Cur: l.value, Max: l.value}, nil); err != nil && !errors.Is(err, unix.ESRCH) {
			errs = append(errs, fmt.Errorf("limit %d: %w", l.what, err))
		}
	}
	return errors.Join(errs...)
}

// memory makes a file of bytes that has no name, never reaches a disk of ours, and
// cannot be changed.
func memory(b []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("dump", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("memfd: %w", err)
	}
	f := os.NewFile(uintptr(fd), "dump")
	if _, err := f.Write(b); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

package app

import "syscall"

// Of prctl(2); the package syscall does not name them on every architecture.
const (
	prGetDumpable = 3
	prSetDumpable = 4
)

// forbidPipedCores covers what the limit does not: where core_pattern names a
// program (apport, systemd-coredump), the kernel hands it the dump whatever the
// limit says (core(5)), but not the dump of a process that is not dumpable.
// Nobody but root may attach a debugger then, either.
func forbidPipedCores() error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetDumpable, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

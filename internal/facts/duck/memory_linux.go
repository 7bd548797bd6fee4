//go:build cgo && linux

package duck

import "syscall"

// machineMemory returns the bytes of memory the machine has.
func machineMemory() int64 {
	var i syscall.Sysinfo_t
	if syscall.Sysinfo(&i) != nil {
		return 2 << 30
	}
	return int64(i.Totalram) * int64(i.Unit)
}

//go:build linux || darwin

package jet

import "syscall"

// freeBytes returns the bytes an ordinary user may still write at path.
func freeBytes(path string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}

//go:build unix

package app

import "syscall"

// forbidCores switches core dumps of this process off for good: memory holds
// requests that are not scrubbed yet, and nothing unscrubbed may be written.
func forbidCores() error {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return err
	}
	return forbidPipedCores()
}

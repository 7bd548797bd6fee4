//go:build unix && !linux

package app

// forbidPipedCores: only Linux hands dumps to programs.
func forbidPipedCores() error { return nil }

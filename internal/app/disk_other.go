//go:build !linux && !darwin

package app

import "errors"

// freeBytes is not known here: such platforms serve the command line and
// cluster nodes, which keep no facts on their own disk.
func freeBytes(string) (int64, error) { return 0, errors.ErrUnsupported }

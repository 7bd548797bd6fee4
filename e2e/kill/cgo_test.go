//go:build cgo

package kill_test

func cgo() bool { return true }

//go:build !cgo

package counts_test

func cgo() bool { return false }

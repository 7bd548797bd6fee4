//go:build cgo

package canary_test

func cgo() bool { return true }

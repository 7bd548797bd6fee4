//go:build !cgo

package script

const hasFacts = false

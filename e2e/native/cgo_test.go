//go:build linux && cgo

package native_test

const cgo = true

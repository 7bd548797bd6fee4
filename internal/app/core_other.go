//go:build !unix

package app

// forbidCores: there are no core dumps here. Windows' error reporting keeps dumps
// only where its administrator switched LocalDumps on.
func forbidCores() error { return nil }

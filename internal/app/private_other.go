//go:build !unix

package app

// keepPrivate does nothing where files have no mode: their folder decides.
func keepPrivate() {}

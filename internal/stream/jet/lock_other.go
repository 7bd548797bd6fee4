//go:build !unix

package jet

// lock trusts the operator where there is no flock.
func lock(string) (unlock func() error, err error) {
	return func() error { return nil }, nil
}

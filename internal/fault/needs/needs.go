// Package needs is for tests that stand on something this machine may lack: a
// program, a mount. Without it they are skipped; with CI=true that is a failure, so
// that no test goes unrun unseen. It is not for the server.
package needs

import (
	"os"
	"os/exec"
	"testing"
)

// Program finds a program in PATH.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	Part(t, err == nil, name)
	return path
}

// Part says what is missing unless it is there.
func Part(t testing.TB, there bool, what string) {
	t.Helper()
	switch {
	case there:
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is missing, and in CI nothing may be", what)
	default:
		t.Skipf("needs %s", what)
	}
}

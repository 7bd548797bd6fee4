//go:build unix

package app

import "syscall"

// keepPrivate makes every file this process writes from now on its owner's alone,
// whoever writes it: DuckDB, SQLite and NATS choose modes of their own, and the
// data folder may have been made, with wider rights, by somebody else.
func keepPrivate() { syscall.Umask(0o077) }

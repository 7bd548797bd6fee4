// Package eval scores our rules on labelled data, offline, with exactly the code
// that serves. eval.Crash reads crashes as JSON lines, feeds them in (timestamp,
// id) order without their labels, and writes one answer per crash.
package eval

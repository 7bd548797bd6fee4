package sentry

import (
	"slices"
	"strconv"
)

// ring keeps the first n and the last m of what is added, in order, however much
// is added.
type ring[T any] struct {
	kept        []T // the first n, then the last m in turn
	n, m, added int
}

func newRing[T any](n, m int) ring[T] { return ring[T]{n: n, m: m} }

// next returns the place of the next value, zeroed.
func (r *ring[T]) next() *T {
	var zero T
	at := r.added
	if r.added++; len(r.kept) < r.n+r.m {
		r.kept = append(r.kept, zero)
		return &r.kept[at]
	}
	p := &r.kept[r.n+(at-r.n)%r.m]
	*p = zero
	return p
}

// oldestFirst returns what was kept in the order it was added. Nothing can be added
// after it.
func (r *ring[T]) oldestFirst() []T {
	if r.added > r.n+r.m { // the oldest of the last m stands somewhere among them
		last := r.kept[r.n:]
		oldest := (r.added - r.n) % r.m
		slices.Reverse(last[:oldest])
		slices.Reverse(last[oldest:])
		slices.Reverse(last)
	}
	return r.kept
}

// newestFirst returns what was kept, the last added first, instead.
func (r *ring[T]) newestFirst() []T {
	out := r.oldestFirst()
	slices.Reverse(out)
	return out
}

func itoa(v int64) string { return strconv.FormatInt(v, 10) }

package sentry

import "strconv"

// ring keeps the first n and the last m of what is added, in order, however much
// is added.
type ring[T any] struct {
	first, last []T
	n, m, added int
}

func newRing[T any](n, m int) ring[T] { return ring[T]{n: n, m: m} }

// next returns the place of the next value, zeroed.
func (r *ring[T]) next() *T {
	var zero T
	defer func() { r.added++ }()
	if len(r.first) < r.n {
		r.first = append(r.first, zero)
		return &r.first[len(r.first)-1]
	}
	if len(r.last) < r.m {
		r.last = append(r.last, zero)
		return &r.last[len(r.last)-1]
	}
	p := &r.last[(r.added-r.n)%r.m]
	*p = zero
	return p
}

// newestFirst returns what was kept, the last added first.
func (r *ring[T]) newestFirst() []T {
	kept := len(r.first) + len(r.last)
	if kept == 0 {
		return nil
	}
	out := make([]T, 0, kept)
	for i := range r.last {
		out = append(out, r.last[(r.added-r.n-1-i)%r.m])
	}
	for i := len(r.first) - 1; i >= 0; i-- {
		out = append(out, r.first[i])
	}
	return out
}

// oldestFirst returns what was kept in the order it was added.
func (r *ring[T]) oldestFirst() []T {
	out := r.newestFirst()
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

func itoa(v int64) string { return strconv.FormatInt(v, 10) }

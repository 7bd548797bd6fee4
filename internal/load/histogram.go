package load

import (
	"math/bits"
	"time"
)

// histogram counts durations in microseconds, each power of two in 64 parts:
// what it says is at most 1.6 % too long, from 1 µs to more than a day.
type histogram struct {
	n      int64
	max    time.Duration
	counts [64 * 32]int64
}

func (h *histogram) add(d time.Duration) {
	h.n++
	h.max = max(h.max, d)
	h.counts[slot(uint64(max(d.Microseconds(), 0)))]++
}

func slot(us uint64) int {
	if us < 128 {
		return int(us)
	}
	e := bits.Len64(us) - 7 // us>>e has 7 bits: 64 to 127
	return min(64*e+int(us>>e), 64*32-1)
}

// upper is the longest duration of a slot.
func upper(i int) time.Duration {
	if i < 128 {
		return time.Duration(i) * time.Microsecond
	}
	e := i/64 - 1
	return time.Duration(uint64(i-64*e+1)<<e-1) * time.Microsecond
}

func (h *histogram) merge(o *histogram) {
	h.n += o.n
	h.max = max(h.max, o.max)
	for i, c := range o.counts {
		h.counts[i] += c
	}
}

// quantile returns the duration that a share q of all did not exceed.
func (h *histogram) quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	want := int64(q*float64(h.n) + 0.999999)
	want = min(max(want, 1), h.n)
	var sum int64
	for i, c := range h.counts {
		if sum += c; sum >= want {
			return min(upper(i), h.max)
		}
	}
	return h.max
}

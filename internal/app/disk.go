package app

import (
	"sync/atomic"
	"time"
)

// disk knows whether the data disk has room, looking at most once a second: a
// full disk must stop intake before it hurts what is stored.
type disk struct {
	path    string
	minFree int64
	looked  atomic.Int64 // Unix milliseconds
	full    atomic.Bool
	free    atomic.Int64
}

// Full reports whether less than minFree bytes are free.
func (d *disk) Full() bool {
	at := now().UnixMilli()
	last := d.looked.Load()
	if at-last > time.Second.Milliseconds() && d.looked.CompareAndSwap(last, at) {
		if free, err := freeBytes(d.path); err == nil {
			d.free.Store(free)
			d.full.Store(free < d.minFree)
		}
	}
	return d.full.Load()
}

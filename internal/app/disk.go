package app

import (
	"errors"
	"log/slog"
	"sync/atomic"
	"time"
)

// disk knows whether the data disk has room, looking at most once a second: a
// full disk must stop intake before it hurts what is stored.
type disk struct {
	path    string
	minFree int64
	log     *slog.Logger
	now     func() time.Time
	free    func(path string) (int64, error)

	looked atomic.Int64 // Unix milliseconds
	failed atomic.Int64 // looks in a row that told nothing
	full   atomic.Bool
	bytes  atomic.Int64 // that are free
}

// maxBlind is how many looks in a row may fail before the disk counts as full: a
// disk that cannot even be asked is none to write to.
const maxBlind = 5

func newDisk(o Options, log *slog.Logger) *disk {
	return &disk{path: o.Data, minFree: o.MinFree, log: log, now: now, free: freeBytes}
}

// Full reports whether less than minFree bytes are free.
func (d *disk) Full() bool {
	at := d.now().UnixMilli()
	last := d.looked.Load()
	if at-last > time.Second.Milliseconds() && d.looked.CompareAndSwap(last, at) {
		d.look()
	}
	return d.full.Load()
}

func (d *disk) look() {
	free, err := d.free(d.path)
	if errors.Is(err, errors.ErrUnsupported) {
		return
	}
	if err != nil {
		if d.failed.Add(1) == maxBlind { // said once, until it works again
			d.full.Store(true)
			d.log.Error("the data disk cannot be asked for its free bytes; it counts as full", "error", err)
		}
		return
	}
	if d.failed.Swap(0) >= maxBlind {
		d.log.Info("the data disk answers again")
	}
	d.bytes.Store(free)
	if full := free < d.minFree; d.full.Swap(full) != full {
		d.log.Warn("room on the data disk", "full", full, "free_bytes", free, "least_bytes", d.minFree)
	}
}

package pipeline

import (
	"context"
	"time"
)

// leaseName and leaseFor are the worker's lease among several processes: it is
// renewed every third of its life, and a worker that cannot renew it stops.
const (
	leaseName = "pipeline"
	leaseFor  = 30 * time.Second
)

// lease waits until this process may work. The function it returns narrows a
// context to the life of the lease.
func (w *Worker) lease(ctx context.Context) (func(context.Context) (context.Context, func()), error) {
	if w.o.Holder == "" {
		return func(ctx context.Context) (context.Context, func()) { return context.WithCancel(ctx) }, nil
	}
	take := func() (bool, error) {
		now := w.o.Now()
		return w.o.Flow.Lease(ctx, leaseName, w.o.Holder, now.Add(leaseFor), now)
	}
	for {
		got, err := take()
		if err != nil && ctx.Err() == nil {
			return nil, err
		}
		if got {
			break
		}
		if wait(ctx, leaseFor/3) != nil {
			return nil, nil
		}
	}
	return func(parent context.Context) (context.Context, func()) {
		ctx, cancel := context.WithCancel(parent)
		over := make(chan struct{})
		go func() {
			defer close(over)
			defer cancel()
			for wait(ctx, leaseFor/3) == nil {
				if got, err := take(); err != nil || !got {
					w.o.Log.Error("the lease of the pipeline is lost", "err", err)
					return
				}
			}
		}()
		return ctx, func() {
			cancel()
			<-over
			if err := w.o.Flow.Release(context.WithoutCancel(parent), leaseName, w.o.Holder); err != nil {
				w.o.Log.Error("the lease of the pipeline is not released", "err", err)
			}
		}
	}, nil
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

package blob

import (
	"bytes"
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Mem is a bucket in memory, for tests. The zero value is empty and ready.
type Mem struct {
	mu      sync.Mutex
	objects map[string]object
}

type object struct {
	data     []byte
	modified time.Time
}

// Put reads all of r.
func (m *Mem) Put(ctx context.Context, key string, r io.Reader) error {
	const op = "blob.Mem.Put"
	if err := checkKey(op, key); err != nil {
		return err
	}
	data, err := io.ReadAll(reader{ctx, r})
	if err != nil {
		return fault.Wrap(op, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.objects == nil {
		m.objects = map[string]object{}
	}
	m.objects[key] = object{data, time.Now().UTC()}
	return nil
}

// Get returns the object as it is now.
func (m *Mem) Get(_ context.Context, key string) (io.ReadCloser, error) {
	const op = "blob.Mem.Get"
	if err := checkKey(op, key); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.objects[key]
	if !ok {
		return nil, missing(op)
	}
	return io.NopCloser(bytes.NewReader(o.data)), nil
}

// Delete forgets the object.
func (m *Mem) Delete(_ context.Context, key string) error {
	if err := checkKey("blob.Mem.Delete", key); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, key)
	return nil
}

// List walks a snapshot.
func (m *Mem) List(ctx context.Context, prefix string, fn func(Info) error) error {
	m.mu.Lock()
	objects := maps.Clone(m.objects)
	m.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(objects)) {
		if !strings.HasPrefix(key, prefix) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := fn(Info{key, int64(len(objects[key].data)), objects[key].modified}); err != nil {
			return err
		}
	}
	return nil
}

// reader ends with its context.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// Package blob keeps objects by key: encrypted dumps, symbols, exports. It is
// for bytes that do not fit a row; it knows nothing of what they mean.
package blob

import (
	"context"
	"io"
	"time"
)

// Info describes an object.
type Info struct {
	Key      string
	Size     int64
	Modified time.Time
}

// Bucket is the contract; blobtest.Run is its suite. Keys are slash-separated
// names of letters, digits, '-', '_' and '.', at most 512 bytes, a name at
// most 200; none is "." or "..". A missing object is fault.NotFound, a bad key
// fault.Invalid.
type Bucket interface {
	// Put stores the whole of r under key, or nothing; an existing object is replaced at once.
	Put(ctx context.Context, key string, r io.Reader) error
	Get(ctx context.Context, key string) (io.ReadCloser, error)
	Delete(ctx context.Context, key string) error // a missing object is no error
	// List calls fn in key order for each object whose key begins with prefix.
	List(ctx context.Context, prefix string, fn func(Info) error) error
}

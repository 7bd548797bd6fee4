package jet

import (
	"context"
	"errors"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// bucketCursor keeps the cursor in a key-value bucket of the cluster.
type bucketCursor struct{ kv jetstream.KeyValue }

const cursorKey = "cursor"

func keyValue(ctx context.Context, js jetstream.JetStream, replicas int) (bucketCursor, error) {
	kv, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: bucket, Replicas: replicas, MaxBytes: 1 << 20})
	if err != nil {
		return bucketCursor{}, fault.E("jet.Open", fault.Unavailable, "The stream's cursor cannot be opened.", err)
	}
	return bucketCursor{kv}, nil
}

func (b bucketCursor) load(ctx context.Context) (uint64, error) {
	e, err := b.kv.Get(ctx, cursorKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fault.E("jet.Open", fault.Unavailable, "The stream's cursor cannot be read.", err)
	}
	n, err := strconv.ParseUint(string(e.Value()), 10, 64)
	if err != nil {
		return 0, fault.E("jet.Open", fault.Internal, "The stream's cursor is damaged.", err)
	}
	return n, nil
}

func (b bucketCursor) store(ctx context.Context, seq uint64) error {
	if _, err := b.kv.Put(ctx, cursorKey, []byte(strconv.FormatUint(seq, 10))); err != nil {
		return fault.E("jet.Commit", fault.Unavailable, "The stream's cursor cannot be stored.", err)
	}
	return nil
}

package stream_test

import (
	"testing"

	"github.com/bellwether-project/bellwether/internal/stream"
	"github.com/bellwether-project/bellwether/internal/stream/streamtest"
)

func TestMem(t *testing.T) {
	streamtest.Run(t, func(t *testing.T, max int64) stream.Log { return stream.NewMem(max) })
}

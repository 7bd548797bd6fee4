package otlp

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// Lists of numbers are no parts, but take memory all the same: a byte of the
// request is eight there, and more while the list grows.
func TestGuardWeighsNumbers(t *testing.T) {
	field := func(n byte, b []byte) []byte {
		return append(binary.AppendUvarint([]byte{n<<3 | 2}, uint64(len(b))), b...)
	}
	const n = 1 << 20
	metrics := func(buckets []byte) []byte {
		point := field(1, field(8, buckets))
		return field(1, field(2, field(2, append(field(1, []byte("m")), field(10, point)...))))
	}
	for name, buckets := range map[string][]byte{
		"packed":     field(2, make([]byte, n)),
		"not packed": bytes.Repeat([]byte{2 << 3, 0}, n),
	} {
		parts, err := Guard(metrics(buckets), Metrics, 10)
		if err != nil || parts*PartBytes < 8*n {
			t.Errorf("%s: %d parts for %d numbers, %v", name, parts, n, err)
		}
	}
	parts, err := GuardJSON([]byte(`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":{"dataPoints":[{"bucketCounts":[` + strings.Repeat("0,", n) + `0]}]}}]}]}]}`))
	if err != nil || parts*PartBytes < 8*n {
		t.Errorf("JSON: %d parts for %d numbers, %v", parts, n, err)
	}
}

package stream

import (
	"encoding/binary"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// A message on disk is one byte of version, 1, and then each record as its
// length (unsigned varint) and its bytes.
const frameVersion = 1

// FrameOverhead bounds what Frame adds to n records.
func FrameOverhead(n int) int { return 1 + n*binary.MaxVarintLen32 }

// Frame writes records as the bytes of one message.
func Frame(records [][]byte) []byte {
	size := FrameOverhead(len(records))
	for _, r := range records {
		size += len(r)
	}
	b := append(make([]byte, 0, size), frameVersion)
	for _, r := range records {
		b = binary.AppendUvarint(b, uint64(len(r)))
		b = append(b, r...)
	}
	return b
}

// Unframe reads what Frame wrote. The records share the memory of b.
func Unframe(b []byte) ([][]byte, error) {
	bad := func(what string) error {
		return fault.E("stream.Unframe", fault.Internal, "A message of the log is damaged: "+what+".", nil)
	}
	if len(b) == 0 || b[0] != frameVersion {
		return nil, bad("unknown version")
	}
	var records [][]byte
	for b = b[1:]; len(b) > 0; {
		n, w := binary.Uvarint(b)
		if w <= 0 || n > uint64(len(b)-w) {
			return nil, bad("a record is cut short")
		}
		b = b[w:]
		records = append(records, b[:n:n])
		b = b[n:]
	}
	if len(records) == 0 {
		return nil, bad("it is empty")
	}
	return records, nil
}

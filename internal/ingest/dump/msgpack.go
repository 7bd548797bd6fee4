package dump

import (
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

const maxDepth = 32

// toJSON rewrites one MessagePack value as JSON and returns what stands behind it.
// It is bounded by its input: every value takes at least a byte, and what is no
// JSON (binary, extensions) becomes null.
func toJSON(dst, b []byte, depth int) (out, rest []byte, ok bool) {
	if len(b) == 0 || depth > maxDepth {
		return dst, nil, false
	}
	c, b := b[0], b[1:]
	switch {
	case c < 0x80:
		return strconv.AppendInt(dst, int64(c), 10), b, true
	case c < 0x90:
		return object(dst, b, uint64(c&0xf), depth)
	case c < 0xa0:
		return array(dst, b, uint64(c&0xf), depth)
	case c < 0xc0:
		return text(dst, b, uint64(c&0x1f))
	case c >= 0xe0:
		return strconv.AppendInt(dst, int64(int8(c)), 10), b, true
	}
	size := [...]int{0xc4: 1, 0xc5: 2, 0xc6: 4, 0xc7: 1, 0xc8: 2, 0xc9: 4, 0xca: 4, 0xcb: 8, 0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8,
		0xd0: 1, 0xd1: 2, 0xd2: 4, 0xd3: 8, 0xd4: 0, 0xd5: 0, 0xd6: 0, 0xd7: 0, 0xd8: 0, 0xd9: 1, 0xda: 2, 0xdb: 4, 0xdc: 2, 0xdd: 4, 0xde: 2, 0xdf: 4}[c]
	if len(b) < size {
		return dst, nil, false
	}
	var w [8]byte
	copy(w[8-size:], b[:size])
	n := binary.BigEndian.Uint64(w[:])
	b = b[size:]
	switch c {
	case 0xc0:
		return append(dst, "null"...), b, true
	case 0xc2:
		return append(dst, "false"...), b, true
	case 0xc3:
		return append(dst, "true"...), b, true
	case 0xca:
		return number(dst, float64(math.Float32frombits(uint32(n)))), b, true
	case 0xcb:
		return number(dst, math.Float64frombits(n)), b, true
	case 0xcc, 0xcd, 0xce, 0xcf:
		return strconv.AppendUint(dst, n, 10), b, true
	case 0xd0, 0xd1, 0xd2, 0xd3:
		return strconv.AppendInt(dst, int64(n<<(64-8*size))>>(64-8*size), 10), b, true
	case 0xd9, 0xda, 0xdb:
		return text(dst, b, n)
	case 0xdc, 0xdd:
		return array(dst, b, n, depth)
	case 0xde, 0xdf:
		return object(dst, b, n, depth)
	case 0xc4, 0xc5, 0xc6: // bytes
	case 0xc7, 0xc8, 0xc9:
		n++ // the type of an extension
	case 0xd4, 0xd5, 0xd6, 0xd7, 0xd8:
		n = 1 + 1<<(c-0xd4)
	default:
		return dst, nil, false
	}
	if n > uint64(len(b)) {
		return dst, nil, false
	}
	return append(dst, "null"...), b[n:], true
}

func number(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

func text(dst, b []byte, n uint64) ([]byte, []byte, bool) {
	if n > uint64(len(b)) {
		return dst, nil, false
	}
	s := b[:n]
	if !utf8.Valid(s) {
		s = []byte("?")
	}
	out, err := jsontext.AppendQuote(dst, s)
	return out, b[n:], err == nil
}

func array(dst, b []byte, n uint64, depth int) ([]byte, []byte, bool) {
	if n > uint64(len(b)) {
		return dst, nil, false
	}
	dst, ok := append(dst, '['), true
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, b, ok = toJSON(dst, b, depth+1); !ok {
			return dst, nil, false
		}
	}
	return append(dst, ']'), b, true
}

func object(dst, b []byte, n uint64, depth int) ([]byte, []byte, bool) {
	if 2*n > uint64(len(b)) {
		return dst, nil, false
	}
	dst, ok := append(dst, '{'), true
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		at := len(dst)
		if dst, b, ok = toJSON(dst, b, maxDepth); !ok { // a key holds nothing
			return dst, nil, false
		}
		if dst[at] != '"' {
			return dst, nil, false
		}
		dst = append(dst, ':')
		if dst, b, ok = toJSON(dst, b, depth+1); !ok {
			return dst, nil, false
		}
	}
	return append(dst, '}'), b, true
}

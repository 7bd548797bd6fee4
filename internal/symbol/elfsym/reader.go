package elfsym

import (
	"bytes"
	"encoding/binary"
)

// reader reads numbers off the front of bytes. Past the end it gives zeros and is bad.
type reader struct {
	b   []byte
	o   binary.ByteOrder
	bad bool
}

func (r *reader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

// uint reads a number of 1, 2, 4 or 8 bytes.
func (r *reader) uint(n int) uint64 {
	b := r.take(uint64(n))
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(r.o.Uint16(b))
	case 4:
		return uint64(r.o.Uint32(b))
	case 8:
		return r.o.Uint64(b)
	}
	return 0
}

func (r *reader) u8() uint8 { return uint8(r.uint(1)) }

func (r *reader) uleb() (v uint64) {
	for shift := uint(0); ; shift += 7 {
		b := r.u8()
		if shift < 64 {
			v |= uint64(b&0x7f) << shift
		}
		if b < 0x80 {
			return v
		}
	}
}

func (r *reader) sleb() (v int64) {
	for shift := uint(0); ; {
		b := r.u8()
		if shift < 64 {
			v |= int64(b&0x7f) << shift
		}
		shift += 7
		if b < 0x80 {
			if b&0x40 != 0 && shift < 64 {
				v |= -1 << shift
			}
			return v
		}
	}
}

// str reads a string that ends with a zero.
func (r *reader) str() []byte {
	i := bytes.IndexByte(r.b, 0)
	if i < 0 {
		r.bad, r.b = true, nil
		return nil
	}
	out := r.b[:i]
	r.b = r.b[i+1:]
	return out
}

// part cuts off what a length in front states: a unit of DWARF. word is the size of
// its offsets.
func (r *reader) part() (p reader, word int) {
	n := r.uint(4)
	if word = 4; n == 0xffffffff {
		n, word = r.uint(8), 8
	}
	return reader{b: r.take(n), o: r.o, bad: r.bad}, word
}

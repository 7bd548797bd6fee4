package dump

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
	"hash/crc64"
)

const xzMagic = "\xfd7zXZ\x00"

// unxz decodes the first stream of an .xz file: LZMA2 blocks without other
// filters, with their checks. The output is the dictionary, so that a header can
// ask for no memory; most bounds it. What follows the blocks (the index) is not read.
func unxz(b []byte, most int) ([]byte, error) {
	if len(b) < 12 || string(b[:6]) != xzMagic || b[6] != 0 || crc32.ChecksumIEEE(b[6:8]) != binary.LittleEndian.Uint32(b[8:]) {
		return nil, errXZ
	}
	check := b[7] & 0xf
	sizes := map[byte]int{0: 0, 1: 4, 4: 8, 10: 32}
	size, ok := sizes[check]
	if !ok {
		return nil, errXZ
	}
	b = b[12:]
	z := lzma{most: most, out: make([]byte, 0, min(most, 4*len(b)+4096))}
	for len(b) > 0 && b[0] != 0 {
		head := 4 * (int(b[0]) + 1)
		if head+4 > len(b) || !plainBlock(b[:head]) {
			return nil, errXZ
		}
		rest := b[head:]
		z.from = len(z.out)
		used, err := z.lzma2(rest)
		if err != nil {
			return nil, err
		}
		used = (used + 3) &^ 3
		if used+size > len(rest) {
			return nil, errXZ
		}
		if !checked(check, z.out[z.from:], rest[used:used+size]) {
			return nil, errXZ
		}
		b = rest[used+size:]
	}
	if len(b) == 0 { // cut before the index
		return nil, errXZ
	}
	return z.out, nil
}

// plainBlock reports whether a block header is whole and names LZMA2 alone.
func plainBlock(h []byte) bool {
	n := len(h) - 4
	if crc32.ChecksumIEEE(h[:n]) != binary.LittleEndian.Uint32(h[n:]) {
		return false
	}
	flags, rest := h[1], h[2:n]
	if flags&0x3f != 0 { // more than one filter, or bits without meaning
		return false
	}
	for _, has := range []byte{0x40, 0x80} { // the sizes, which are told again by the chunks
		if flags&has == 0 {
			continue
		}
		_, k := binary.Uvarint(rest)
		if k <= 0 {
			return false
		}
		rest = rest[k:]
	}
	return len(rest) >= 3 && rest[0] == 0x21 && rest[1] == 1
}

func checked(kind byte, data, sum []byte) bool {
	switch kind {
	case 1:
		return crc32.ChecksumIEEE(data) == binary.LittleEndian.Uint32(sum)
	case 4:
		return crc64.Checksum(data, crc64.MakeTable(crc64.ECMA)) == binary.LittleEndian.Uint64(sum)
	case 10:
		have := sha256.Sum256(data)
		return bytes.Equal(have[:], sum)
	}
	return true
}

// lzma2 decodes the chunks of one block and says how many bytes they take.
func (z *lzma) lzma2(b []byte) (int, error) {
	at, fresh, ready := 0, false, false
	for {
		if at >= len(b) {
			return 0, errXZ
		}
		c := b[at]
		at++
		switch {
		case c == 0:
			return at, nil
		case c == 1 || c == 2:
			if at+2 > len(b) || c == 2 && !fresh {
				return 0, errXZ
			}
			n := int(b[at])<<8 + int(b[at+1]) + 1
			at += 2
			switch {
			case at+n > len(b):
				return 0, errXZ
			case len(z.out)+n > z.most:
				return 0, errXZBig
			case c == 1:
				z.from, fresh, ready = len(z.out), true, false
			}
			z.out = append(z.out, b[at:at+n]...)
			at += n
		case c >= 0x80:
			if at+4 > len(b) {
				return 0, errXZ
			}
			out := int(c&0x1f)<<16 + int(b[at])<<8 + int(b[at+1]) + 1
			in := int(b[at+2])<<8 + int(b[at+3]) + 1
			at += 4
			how := c >> 5 & 3
			if how == 3 {
				z.from, fresh = len(z.out), true
			}
			if how >= 2 {
				if at >= len(b) || !z.props(b[at]) {
					return 0, errXZ
				}
				at++
				ready = true
			}
			if !fresh || !ready || at+in > len(b) {
				return 0, errXZ
			}
			if how >= 1 {
				z.reset()
			}
			if !z.start(b[at : at+in]) {
				return 0, errXZ
			}
			if err := z.chunk(out); err != nil {
				return 0, err
			}
			at += in
		default:
			return 0, errXZ
		}
	}
}

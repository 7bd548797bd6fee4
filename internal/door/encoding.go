package door

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Encodings lists what request bodies may be compressed with, for the answer to
// one that is compressed with something else.
const Encodings = "gzip, deflate, zlib, zstd, snappy"

// zstdWindow bounds the memory of one zstd reader.
const zstdWindow = 8 << 20

// encodingOf returns the one encoding, "" for none; 415 for others and for two layers.
func encodingOf(values []string) (string, error) {
	var enc string
	for _, v := range values {
		for name := range strings.SplitSeq(v, ",") {
			name = strings.ToLower(strings.TrimSpace(name))
			if name == "" || name == "identity" || name == "none" {
				continue
			}
			if enc != "" {
				return "", unsupported("The body has more than one Content-Encoding; one is taken.")
			}
			enc = name
		}
	}
	switch enc {
	case "", "gzip", "deflate", "zlib", "zstd", "snappy":
		return enc, nil
	case "x-gzip":
		return "gzip", nil
	case "x-snappy-framed":
		return "snappy", nil
	}
	return "", unsupported("The Content-Encoding of the body is not one of " + Encodings + ".")
}

func unsupported(text string) error {
	return WithStatus(fault.E("door.Body", fault.Invalid, text, nil), http.StatusUnsupportedMediaType)
}

// Readers are pooled: their tables cost more than a small body.
var (
	gzipPool  sync.Pool
	flatePool sync.Pool
	zlibPool  sync.Pool
	zstdPool  sync.Pool
	bufioPool = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4096) }}
)

func decompressor(enc string, src io.Reader, most int64) (io.Reader, func(), error) {
	switch enc {
	case "gzip":
		if z, ok := gzipPool.Get().(*gzip.Reader); ok {
			return z, func() { gzipPool.Put(z) }, z.Reset(src)
		}
		z, err := gzip.NewReader(src)
		if err != nil {
			return nil, nil, err
		}
		return z, func() { gzipPool.Put(z) }, nil
	case "deflate", "zlib":
		return inflater(src)
	case "zstd":
		if z, ok := zstdPool.Get().(*zstd.Decoder); ok {
			return z, func() { _ = z.Reset(nil); zstdPool.Put(z) }, z.Reset(src)
		}
		z, err := zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderMaxMemory(zstdWindow*8), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, nil, err
		}
		return z, func() { _ = z.Reset(nil); zstdPool.Put(z) }, nil
	}
	return unsnappy(src, most)
}

// inflater reads zlib, or bare deflate: "deflate" means the first by the book and
// the second from many clients, so the two bytes of a zlib header decide.
func inflater(src io.Reader) (io.Reader, func(), error) {
	b := bufioPool.Get().(*bufio.Reader)
	b.Reset(src)
	head, _ := b.Peek(2)
	if len(head) == 2 && head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
		if z, ok := zlibPool.Get().(io.ReadCloser); ok {
			return z, func() { zlibPool.Put(z); bufioPool.Put(b) }, z.(zlib.Resetter).Reset(b, nil)
		}
		z, err := zlib.NewReader(b)
		if err != nil {
			return nil, nil, err
		}
		return z, func() { zlibPool.Put(z); bufioPool.Put(b) }, nil
	}
	if z, ok := flatePool.Get().(io.ReadCloser); ok {
		return z, func() { flatePool.Put(z); bufioPool.Put(b) }, z.(flate.Resetter).Reset(b, nil)
	}
	z := flate.NewReader(b)
	return z, func() { flatePool.Put(z); bufioPool.Put(b) }, nil
}

// snappyMagic begins the framed format; without it the body is one block.
var snappyMagic = []byte("\xff\x06\x00\x00sNaPpY")

// unsnappy reads the framed or the block format. A block states its decompressed
// length, which is checked against what the compressed bytes can hold before
// memory is taken.
func unsnappy(src io.Reader, most int64) (io.Reader, func(), error) {
	b := bufioPool.Get().(*bufio.Reader)
	b.Reset(src)
	if head, _ := b.Peek(len(snappyMagic)); bytes.Equal(head, snappyMagic) {
		return snappy.NewReader(b), func() { bufioPool.Put(b) }, nil
	}
	raw, err := io.ReadAll(b) // bounded by counted
	bufioPool.Put(b)
	if err != nil {
		return nil, nil, err
	}
	n, err := snappy.DecodedLen(raw)
	if err != nil {
		return nil, nil, err
	}
	if int64(n) > most {
		return nil, nil, errTooLarge
	}
	if n > RatioExempt && n > MaxRatio*len(raw) {
		return nil, nil, tooLarge("The body is compressed more tightly than this address takes.")
	}
	out, err := snappy.Decode(nil, raw)
	if err != nil {
		return nil, nil, err
	}
	return bytes.NewReader(out), func() {}, nil
}

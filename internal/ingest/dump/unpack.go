// Package dump takes apart what clients send of a crashed native process: the
// multipart forms of Crashpad, Breakpad, Electron, Mozilla and Sentry's native
// SDKs, what a minidump is packed in, and the annotations beside it, of which an
// allow-list is read. It is pure, works in memory only and spills nothing to disk;
// the walk by another program is package walk, keeping a dump is crash/dumps.
//
// Limits: MaxDump bytes of a dump once unpacked, one layer of packing, 200:1 above
// 1 MiB, MaxParts parts; ingest.Limits lists them. Errors are fault.Invalid and
// fault.TooLarge.
package dump

import (
	"bytes"
	"compress/bzip2"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/stack/minidump"
)

// MaxDump is the largest dump that is read, unpacked.
const MaxDump = 32 << 20

const (
	maxRatio    = 200 // unpacked to packed
	ratioExempt = 1 << 20
	zstdWindow  = 8 << 20
)

func invalid(text string, err error) error { return fault.E("dump", fault.Invalid, text, err) }

func tooLarge() error {
	return fault.E("dump", fault.TooLarge, "The dump is larger, or packed more tightly, than this address takes.", nil)
}

// Packed says what bytes are packed with: gzip, xz, zstd, bzip2, or "" for none of these.
func Packed(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\x1f\x8b")):
		return "gzip"
	case bytes.HasPrefix(b, []byte(xzMagic)):
		return "xz"
	case bytes.HasPrefix(b, []byte("\x28\xb5\x2f\xfd")):
		return "zstd"
	case bytes.HasPrefix(b, []byte("BZh")):
		return "bzip2"
	}
	return ""
}

// Unpack finds the minidump in b: b itself, or what is packed in it, once.
func Unpack(b []byte) ([]byte, error) {
	most := MaxDump
	if n := maxRatio * len(b); n < most {
		most = max(n, ratioExempt)
	}
	out, err := b, error(nil)
	switch Packed(b) {
	case "gzip":
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(b)); err == nil {
			out, err = all(z, most)
		}
	case "xz":
		out, err = unxz(b, most)
	case "zstd":
		var z *zstd.Decoder
		if z, err = zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow),
			zstd.WithDecoderMaxMemory(MaxDump), zstd.WithDecoderLowmem(true)); err == nil {
			out, err = all(z, most)
			z.Close()
		}
	case "bzip2":
		out, err = all(bzip2.NewReader(bytes.NewReader(b)), most)
	}
	switch {
	case errors.Is(err, errXZBig) || len(b) > MaxDump || errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return nil, tooLarge()
	case err != nil:
		return nil, invalid("The dump cannot be unpacked.", err)
	case !minidump.Is(out):
		return nil, invalid("There is no minidump in this upload: it does not begin with MDMP.", nil)
	}
	return out, nil
}

// all reads to the end, at most most bytes.
func all(r io.Reader, most int) ([]byte, error) {
	var buf bytes.Buffer
	n, err := io.Copy(&buf, io.LimitReader(r, int64(most)+1))
	if n > int64(most) {
		return nil, errXZBig
	}
	return buf.Bytes(), err
}

package door

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Limit bounds a request body. All three are enforced while reading: a body past
// one is refused before more memory is taken for it.
type Limit struct {
	Compressed   int64   // bytes on the wire
	Decompressed int64   // bytes after decompression
	Ratio        int64   // decompressed to compressed; 0 = MaxRatio
	Budget       *Budget // memory of all bodies together; nil = not counted
}

// Budget bounds the memory that all bodies under way take together. A body takes
// from it as its buffer grows; who asked for the body gives it back with Give
// when done with the bytes.
type Budget struct {
	Max  int64
	used atomic.Int64
}

// Take takes n bytes, or none and reports false when they are not there.
func (b *Budget) Take(n int64) bool {
	if b == nil || b.used.Add(n) <= b.Max {
		return true
	}
	b.used.Add(-n)
	return false
}

// Give returns n bytes.
func (b *Budget) Give(n int64) {
	if b != nil {
		b.used.Add(-n)
	}
}

// Used returns the bytes taken.
func (b *Budget) Used() int64 { return b.used.Load() }

// MaxRatio is the greatest ratio of decompressed to compressed size. Bodies that
// decompress to at most RatioExempt bytes are exempt: small texts of one letter
// reach it honestly.
const (
	MaxRatio    = 200
	RatioExempt = 1 << 20
)

// Body reads the request body through its one layer of Content-Encoding, appends
// it to dst and returns the longer slice. fault.TooLarge: past a limit;
// fault.Invalid: damaged or an unknown encoding (status 415), or the client
// stopped half way; fault.Unavailable: the budget is spent. Of the budget it holds
// what the capacity of dst grew by, or nothing after an error.
func Body(r *http.Request, lim Limit, dst []byte) ([]byte, error) {
	if r.ContentLength > lim.Compressed {
		return dst, tooLarge("The body is larger than this address takes.")
	}
	return ReadAll(r.Body, r.Header.Values("Content-Encoding"), lim, dst)
}

// ReadAll is Body for a body that did not come as a request body.
func ReadAll(src io.Reader, encodings []string, lim Limit, dst []byte) ([]byte, error) {
	enc, err := encodingOf(encodings)
	if err != nil {
		return dst, err
	}
	in := &counted{r: src, max: lim.Compressed}
	out := io.Reader(in)
	var done func()
	if enc != "" {
		if out, done, err = decompressor(enc, in, lim.Decompressed); err != nil {
			return dst, readError(err, in)
		}
		defer done()
	}
	ratio := lim.Ratio
	if ratio == 0 {
		ratio = MaxRatio
	}
	start, before, taken := len(dst), dst, int64(0)
	fail := func(err error) ([]byte, error) {
		lim.Budget.Give(taken)
		return before, err
	}
	for {
		if len(dst) == cap(dst) {
			more := max(4096, cap(dst))
			if !lim.Budget.Take(int64(more)) {
				return fail(Later(fault.E("door.Body", fault.Unavailable, "Too many bodies at once; try again shortly.", nil), 2*time.Second))
			}
			taken += int64(more)
			bigger := make([]byte, len(dst), cap(dst)+more)
			copy(bigger, dst)
			dst = bigger
		}
		room := dst[len(dst):cap(dst)]
		n, err := out.Read(room[:min(len(room), 256<<10)])
		dst = dst[:len(dst)+n]
		size := int64(len(dst) - start)
		if size > lim.Decompressed {
			return fail(tooLarge("The body is larger than this address takes."))
		}
		if enc != "" && size > RatioExempt && size > ratio*max(in.n, 1) {
			return fail(tooLarge("The body is compressed more tightly than this address takes."))
		}
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return fail(readError(err, in))
		}
	}
}

// counted counts and bounds the bytes on the wire.
type counted struct {
	r    io.Reader
	n    int64
	max  int64
	over bool
	err  error // of the wire itself, as opposed to the decompressor's
}

func (c *counted) Read(p []byte) (int, error) {
	if c.n > c.max {
		c.over = true
		return 0, errTooLarge
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.max-c.n+1)])
	c.n += int64(n)
	if c.n > c.max {
		c.over = true
		return 0, errTooLarge
	}
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

var errTooLarge = errors.New("past the limit")

func tooLarge(text string) error { return fault.E("door.Body", fault.TooLarge, text, nil) }

func readError(err error, in *counted) error {
	var tooBig *http.MaxBytesError
	switch {
	case in.over || errors.Is(err, errTooLarge) || errors.As(err, &tooBig):
		return tooLarge("The body is larger than this address takes.")
	case fault.CodeOf(err) != fault.Internal:
		return err
	case in.err != nil:
		return fault.E("door.Body", fault.Invalid, "The body ended before it was complete.", fmt.Errorf("read: %w", in.err))
	}
	return fault.E("door.Body", fault.Invalid, "The body does not decompress.", err)
}

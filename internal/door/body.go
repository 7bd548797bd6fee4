package door

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Limit bounds a request body. All three are enforced while reading: a body past
// one is refused before more memory is taken for it.
type Limit struct {
	Compressed   int64 // bytes on the wire
	Decompressed int64 // bytes after decompression
	Ratio        int64 // decompressed to compressed; 0 = MaxRatio
}

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
// stopped half way.
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
	start := len(dst)
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		room := dst[len(dst):cap(dst)]
		n, err := out.Read(room[:min(len(room), 256<<10)])
		dst = dst[:len(dst)+n]
		size := int64(len(dst) - start)
		if size > lim.Decompressed {
			return dst[:start], tooLarge("The body is larger than this address takes.")
		}
		if enc != "" && size > RatioExempt && size > ratio*max(in.n, 1) {
			return dst[:start], tooLarge("The body is compressed more tightly than this address takes.")
		}
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst[:start], readError(err, in)
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

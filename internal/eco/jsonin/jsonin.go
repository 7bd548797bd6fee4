// Package jsonin reads JSON from strangers: pull by pull, into nothing but what
// the caller asks for. Wrong types are skipped, not refused; numbers may be
// strings and strings numbers; names may repeat; text may be invalid UTF-8 (it
// arrives with U+FFFD). Only broken JSON and too deep nesting are errors. It is
// not an object mapper, and it never builds a tree.
package jsonin

import (
	"bytes"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Reader reads one JSON text. After a fault every method gives zero values; Err
// says what it was.
type Reader struct {
	d    jsontext.Decoder
	buf  bytes.Buffer
	name []byte
	err  error
}

var pool = sync.Pool{New: func() any { return new(Reader) }}

// Open prepares a reader of b, which must not change until Close. Nesting deeper
// than depth is an error.
func Open(b []byte, depth int) *Reader {
	r := pool.Get().(*Reader)
	r.err = CheckDepth(b, depth)
	r.buf = *bytes.NewBuffer(b)
	r.d.Reset(&r.buf, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return r
}

// Close gives the reader back.
func (r *Reader) Close() {
	r.buf = bytes.Buffer{}
	r.d.Reset(&r.buf)
	r.err = nil
	pool.Put(r)
}

// Err returns the first fault.
func (r *Reader) Err() error { return r.err }

// End reports the first fault, and anything but space behind the value as one.
func (r *Reader) End() error {
	if r.err == nil {
		if _, err := r.d.ReadToken(); err != io.EOF {
			r.fail(err)
		}
	}
	return r.err
}

func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = fault.E("jsonin", fault.Invalid, "The body is not valid JSON.", err)
	}
}

// Kind peeks at the next value: '{' '[' '"' '0' 't' 'f' 'n', or 0 at a fault or the end.
func (r *Reader) Kind() byte {
	if r.err != nil {
		return 0
	}
	return byte(r.d.PeekKind())
}

// Skip passes over the next value.
func (r *Reader) Skip() {
	if r.err == nil {
		if err := r.d.SkipValue(); err != nil {
			r.fail(err)
		}
	}
}

// Fields calls fn for each member of an object with its name, which is valid
// until fn reads the value; fn must read or skip exactly one value. Another kind
// of value is skipped and reported as false.
func (r *Reader) Fields(fn func(name []byte)) bool {
	if r.Kind() != '{' {
		r.Skip()
		return false
	}
	r.token()
	for r.err == nil && r.d.PeekKind() != '}' {
		raw, err := r.d.ReadValue()
		if err != nil {
			r.fail(err)
			return true
		}
		name := []byte(raw)
		if bytes.IndexByte(name, '\\') >= 0 {
			if r.name, err = jsontext.AppendUnquote(r.name[:0], name); err != nil && len(r.name) == 0 {
				r.name = append(r.name[:0], "?"...)
			}
			name = r.name
		} else {
			name = name[1 : len(name)-1]
		}
		fn(name)
	}
	r.token()
	return true
}

// Each calls fn for at most max elements of an array, and skips the rest; fn must
// read or skip exactly one value. Another kind of value is skipped.
func (r *Reader) Each(max int, fn func(i int)) bool {
	if r.Kind() != '[' {
		r.Skip()
		return false
	}
	r.token()
	for i := 0; r.err == nil && r.d.PeekKind() != ']'; i++ {
		if i < max {
			fn(i)
		} else {
			r.Skip()
		}
	}
	r.token()
	return true
}

// Values is Each for what clients write as [...] or as {"values": [...]}; a lone
// object without values is one element.
func (r *Reader) Values(max int, fn func(i int)) {
	switch r.Kind() {
	case '[':
		r.Each(max, fn)
	case '{':
		r.Fields(func(name []byte) {
			if string(name) == "values" {
				r.Each(max, fn)
			} else {
				r.Skip()
			}
		})
	default:
		r.Skip()
	}
}

func (r *Reader) token() jsontext.Token {
	if r.err != nil {
		return jsontext.Null
	}
	t, err := r.d.ReadToken()
	if err != nil {
		r.fail(err)
		return jsontext.Null
	}
	return t
}

// Raw reads the next value as it stands; it is valid until the next call.
func (r *Reader) Raw() []byte {
	if r.err != nil {
		return nil
	}
	v, err := r.d.ReadValue()
	if err != nil {
		r.fail(err)
		return nil
	}
	return v
}

// Str reads a string, or a number or boolean as text; "" for anything else. The
// text is clean (valid UTF-8, no NUL) and at most max bytes long.
func (r *Reader) Str(max int) string {
	switch r.Kind() {
	case '"', '0', 't', 'f':
		return eco.Clean(r.token().String(), max)
	}
	r.Skip()
	return ""
}

// Num reads a number or a string that holds one; ok is false for anything else,
// for NaN and for infinities.
func (r *Reader) Num() (v float64, ok bool) {
	switch r.Kind() {
	case '"', '0':
		v, err := strconv.ParseFloat(strings.TrimSpace(r.token().String()), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return 0, false
		}
		return v, true
	}
	r.Skip()
	return 0, false
}

// Int reads what Num reads and cuts it to a whole number between 0 and max.
func (r *Reader) Int(max int64) int64 {
	v, ok := r.Num()
	switch {
	case !ok || v < 0:
		return 0
	case v > float64(max):
		return max
	}
	return int64(v)
}

// Bool reads a boolean (or the words "true" and "false"); nil for anything else.
func (r *Reader) Bool() *bool {
	var v bool
	switch r.Kind() {
	case 't':
		v = true
	case 'f':
	case '"':
		switch r.token().String() {
		case "true":
			v = true
		case "false":
		default:
			return nil
		}
		return &v
	default:
		r.Skip()
		return nil
	}
	r.token()
	return &v
}

// Time reads a time as Unix milliseconds: a number of seconds, or RFC 3339 with
// or without a zone; 0 for anything else.
func (r *Reader) Time() int64 {
	switch r.Kind() {
	case '0':
		v, ok := r.Num()
		if !ok || v < 0 || v > maxSeconds {
			return 0
		}
		return int64(math.Round(v * 1000))
	case '"':
		return ParseTime(r.Str(64))
	}
	r.Skip()
	return 0
}

const maxSeconds = 253402300799 // the end of the year 9999

// ParseTime reads RFC 3339, with or without a zone, or a number of seconds, as
// Unix milliseconds; 0 when it is none.
func ParseTime(s string) int64 {
	if s == "" {
		return 0
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		if t, err = time.Parse("2006-01-02T15:04:05.999999999", s); err != nil {
			v, err := strconv.ParseFloat(s, 64)
			if err != nil || !(v >= 0 && v <= maxSeconds) {
				return 0
			}
			return int64(math.Round(v * 1000))
		}
	}
	if ms := t.UnixMilli(); ms > 0 && ms <= maxSeconds*1000 {
		return ms
	}
	return 0
}

// CheckDepth refuses nesting deeper than max. It reads every byte once at most,
// and usually only counts brackets.
func CheckDepth(b []byte, max int) error {
	if bytes.Count(b, []byte{'['})+bytes.Count(b, []byte{'{'}) <= max {
		return nil
	}
	depth, text := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case text:
			if c == '\\' {
				i++
			} else if c == '"' {
				text = false
			}
		case c == '"':
			text = true
		case c == '[' || c == '{':
			if depth++; depth > max {
				return fault.E("jsonin.CheckDepth", fault.Invalid, "The JSON is nested too deeply.", nil)
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return nil
}

package sentry

import (
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// image is where a binary of debug_meta was loaded.
type image struct {
	from, size uint64
	ok         bool // from was said
	file       string
}

// inImage stands between an address and the number of its image while an event is
// read ("addr_mode": "rel:3").
const inImage = "@"

// address reads "0x7f12ab" or a decimal number.
func address(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 0, 64)
	return n, err == nil && n > 0
}

// finishAddresses turns the addresses of a native event into offsets in the binaries
// it names, of the calls themselves, as symbol files know them. An address in none
// of them stays as it came.
func (e *event) finishAddresses() {
	for i := range e.c.Exceptions {
		frames := e.c.Exceptions[i].Frames
		for k := range frames {
			if f := &frames[k]; f.Addr != "" {
				e.address(f, k > 0)
			}
		}
	}
}

func (e *event) address(f *eco.Frame, caller bool) {
	text, number, rel := strings.Cut(f.Addr, inImage)
	f.Addr = text
	at, ok := address(text)
	if !ok {
		return
	}
	var m *image
	if rel {
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 || n >= len(e.images) {
			return
		}
		m = &e.images[n]
	} else {
		for i := range e.images {
			x := &e.images[i]
			if x.ok && at >= x.from && (x.size == 0 || at-x.from < x.size) && (m == nil || x.from > m.from) {
				m = x
			}
		}
		if m == nil {
			return
		}
		at -= m.from
	}
	if m.file == "" {
		return
	}
	if caller && at > 0 { // a return address: the call stands before it
		at--
	}
	f.Addr, f.Package = "+0x"+strconv.FormatUint(at, 16), m.file
}

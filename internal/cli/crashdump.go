package cli

import (
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/dump"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
	"github.com/bellwether-project/bellwether/internal/stack/minidump"
)

// dumpReport reads a minidump, bare or packed with gzip, xz, zstd or bzip2, and
// unwinds it as the door does without another program; is tells whether it is one.
func dumpReport(b []byte) (c *eco.Crash, o eco.Origin, reader string, is bool, err error) {
	raw := b
	if packed := dump.Packed(b); packed != "" {
		if raw, err = dump.Unpack(b); err != nil { // it may be packed and something else
			return nil, o, "", fault.CodeOf(err) == fault.TooLarge, err
		}
	} else if !minidump.Is(b) {
		return nil, o, "", false, nil
	}
	d, err := minidump.Parse(raw)
	if err != nil {
		return nil, o, "", true, err
	}
	it := dump.Item(d, raw, dump.Stack{}, nil, nil)
	item.Place(it, "", "")
	return it.Crash, it.Origin, "minidump, " + it.Walk.Note, true, nil
}

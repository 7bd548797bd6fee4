package native

import (
	"unicode/utf8"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

// MaxReport is how much of a report is read, in bytes. JSON reports are refused
// past it; of texts the beginning and the end are read.
const MaxReport = 16 << 20

// Unread is why a report is dropped that nobody here can read.
const Unread = "schema:report"

// Report makes a crash of a whole report as its runtime or system wrote it. The
// rest of the item (whose, of which version) is the caller's to say. A report that
// cannot be read is an item that says why.
func Report(b []byte) (item.Item, error) {
	it := item.Item{Name: "crash", Kind: eco.KindCrash, Crash: &eco.Crash{Level: "error"}}
	switch {
	case len(b) == 0:
		return it, fault.E("native.Report", fault.Invalid, "The report is empty.", nil)
	case len(b) > MaxReport:
		return it, fault.E("native.Report", fault.TooLarge, "The report is too large.", nil)
	}
	it.Crash.Text = string(b)
	if !utf8.Valid(b) {
		it.Crash.Text = eco.Clean(it.Crash.Text, MaxReport)
	}
	if readText(&it); len(it.Crash.Exceptions) == 0 {
		it.Kind, it.Crash, it.Drop = "", nil, Unread
	}
	return it, nil
}

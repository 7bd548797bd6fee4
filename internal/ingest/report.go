package ingest

import (
	"cmp"
	"net/http"
	"net/url"

	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
	"github.com/bellwether-project/bellwether/internal/ingest/native"
)

const reportPath = "/api/v1/intake/report"

// report takes one whole report as its runtime or system wrote it: the body is the
// file. It is read here, in memory; environments, command lines, registers and the
// rest of such a file go no further. The address says what the file does not.
func (s *Server) report(w http.ResponseWriter, r *http.Request) error {
	if nativeCORS.Preflight(w, r) {
		return nil
	}
	nativeCORS.Set(w, r)
	g, err := s.nativeGate(w, r)
	if err != nil {
		return err
	}
	b, err := s.read(w, r, door.Limit{Compressed: native.MaxReport, Decompressed: native.MaxReport})
	if err != nil {
		return err
	}
	defer b.release()
	if err := b.hold(reportUnfolds * int64(len(b.bytes))); err != nil {
		return err
	}
	it, err := native.Report(b.bytes)
	if err != nil {
		return err
	}
	source(&it, r.URL.Query())
	return s.nativeAnswer(w, r, g, []item.Item{it})
}

// reportUnfolds is how many times its bytes a report takes in memory at most while
// it is read: the text, and the tree and samples of a profile.
const reportUnfolds = 8

// source reads what an address says of where a report comes from: the members of
// "source" in our JSON, and the client's id of the report.
func source(it *item.Item, q url.Values) {
	short := func(name string, most int) string { return eco.Clean(q.Get(name), most) }
	it.ClientID = short("id", item.MaxID)
	it.Install = item.Raw(short("install", item.MaxID))
	h, o := &it.Hints, &it.Origin
	h.Ext, h.ExtVersion = short("extension", item.MaxID), short("extension_version", item.MaxVersion)
	h.Host, h.HostVersion = item.HostID(short("host", item.MaxWord)), short("host_version", item.MaxVersion)
	h.Channel, o.Environment = short("channel", item.MaxWord), short("environment", item.MaxWord)
	o.OS = cmp.Or(item.OS(short("os", item.MaxWord)), o.OS)
	o.Arch = cmp.Or(item.Arch(short("arch", item.MaxWord)), o.Arch)
}

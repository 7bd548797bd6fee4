package sentry

import (
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

// TestAddresses: absolute addresses and those relative to an image become offsets of
// calls; the innermost frame is where it stands, callers are one byte before.
func TestAddresses(t *testing.T) {
	const event = `{"event_id":"0225620de0054d85bfa87c6bafbeceb7","platform":"native","level":"fatal",
"exception":{"values":[{"type":"SIGSEGV","stacktrace":{"frames":[
 {"instruction_addr":"0x10"},
 {"instruction_addr":"0x7f0000003000","package":"/usr/lib/old.so"},
 {"addr_mode":"rel:1","instruction_addr":"0x2a0"},
 {"instruction_addr":"0x2a1","addr_mode":"rel:9"},
 {"instruction_addr":"0x55d000001234"}]}}]},
"debug_meta":{"images":[
 {"type":"elf","code_file":"/opt/editor/editor","debug_id":"810abf15-6174-7402-bd68-c341d58ddd9e","image_addr":"0x55d000000000","image_size":65536},
 {"type":"elf","code_file":"/opt/editor/libengine.so","debug_id":"910abf15-6174-7402-bd68-c341d58ddd9e","image_addr":"0x7f0000000000","image_size":4096},
 {"type":"elf","code_file":"/usr/lib/libc.so.6","debug_id":"a10abf15-6174-7402-bd68-c341d58ddd9e","image_addr":"0x7f0000002000"}]}}`
	var got []eco.Frame
	if _, err := Event([]byte(event), 1, func(it *item.Item) { got = it.Crash.Exceptions[0].Frames }); err != nil {
		t.Fatal(err)
	}
	for i, want := range []eco.Frame{
		{Addr: "+0x1234", Package: "/opt/editor/editor"},
		{Addr: "0x2a1"}, // of an image that is not there
		{Addr: "+0x29f", Package: "/opt/editor/libengine.so"},
		{Addr: "+0xfff", Package: "/usr/lib/libc.so.6"},
		{Addr: "0x10"},
	} {
		if got[i].Addr != want.Addr || got[i].Package != want.Package {
			t.Errorf("frame %d: %s in %s, want %s in %s", i, got[i].Addr, got[i].Package, want.Addr, want.Package)
		}
	}
}

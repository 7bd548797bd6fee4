package insights

import (
	"testing"

	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

const anItem = `{"time":"2026-11-20T23:50:00Z","iKey":"0123456789abcdef0123456789abcdef","sampleRate":50,"tags":{"ai.user.id":"u"},"data":{"baseType":"EventData","baseData":{"name":"n","properties":{"a":"b","common.extversion":"1"},"measurements":{"m":1}}}}`

func FuzzTrack(f *testing.F) {
	f.Add([]byte("[" + anItem + "]"))
	f.Add([]byte(anItem + "\n" + anItem))
	f.Add([]byte(`[{"data":{"baseType":"ExceptionData","baseData":{"exceptions":[{"typeName":"E","message":"m","stack":"E: m\n    at f (/a.js:1:2)"},{"parsedStack":[{"method":"f","line":"3"}]}]}}}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = Read(b, 20, func(e *Envelope) {
			it := &e.Item
			if it.Kind == "" && it.Drop == "" {
				t.Fatal("an item that is neither kept nor dropped for a reason")
			}
			if it.Crash != nil && len(it.Crash.Exceptions) > item.MaxExceptions || it.Event != nil && len(it.Event.Attrs) > item.MaxAttrs {
				t.Fatal("an item past its bounds")
			}
		})
	})
}

func BenchmarkRead(b *testing.B) {
	body := []byte("[" + anItem + "," + anItem + "," + anItem + "," + anItem + "]")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Read(body, 100, func(*Envelope) {}); err != nil {
			b.Fatal(err)
		}
	}
}

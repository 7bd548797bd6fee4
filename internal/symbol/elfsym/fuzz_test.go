package elfsym

import (
	"bytes"
	"os"
	"testing"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/symbol"
)

// FuzzConvert: any bytes give a symbol file that can be read, or a clear error.
func FuzzConvert(f *testing.F) {
	for _, name := range []string{"testdata/tiny64.so", "testdata/tiny32.so"} {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := Convert(bytes.NewReader(b), int64(len(b)), "x.so")
		if err != nil {
			if code := fault.CodeOf(err); code != fault.Invalid && code != fault.TooLarge {
				t.Fatalf("%v", err)
			}
			return
		}
		m, err := symbol.ParseBreakpad(out)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		for at := uint64(0); at < 1<<16; at += 61 {
			m.Lookup(at)
			m.CFI(at)
		}
	})
}

package native

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwether-project/bellwether/internal/ingest/item"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

const now = 1795218900000

// vectors returns the requests of the golden vectors by their file.
func vectors(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("../../../schema/intake/vectors/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	all := map[string][]byte{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var v struct {
			Request jsontext.Value `json:"request"`
		}
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(f)] = v.Request
	}
	return all
}

var lists = []string{"crashes", "sessions", "events"}

func FuzzRead(f *testing.F) {
	for _, b := range vectors(f) {
		for i := range lists {
			f.Add(uint8(i), []byte(b))
		}
	}
	f.Fuzz(func(t *testing.T, list uint8, b []byte) {
		items, err := Read(b, lists[int(list)%len(lists)], 50, now)
		if err == nil && len(items) > 50 {
			t.Fatalf("%d items", len(items))
		}
		for i := range items {
			it := &items[i]
			if (it.Kind == "") == (it.Drop == "") {
				t.Fatalf("kind %q, drop %q", it.Kind, it.Drop)
			}
			if c := it.Crash; c != nil && (len(c.Exceptions) > item.MaxExceptions || len(c.Breadcrumbs) > item.MaxCrumbs || len(c.Active) > item.MaxActive) {
				t.Fatal("a crash past its bounds")
			}
			if c := it.Crash; c != nil && c.Counted != "" {
				if _, ok := receipt.ParseSignature(receipt.SignaturePrefix + c.Counted); !ok || c.Text != "" || c.Message != "" || c.Platform != "" || c.Command != "" ||
					c.Thread != "" || c.Mechanism != "" || len(c.Exceptions)+len(c.Breadcrumbs)+len(c.Tags)+len(c.Modules) > 0 {
					t.Fatalf("a count with content: %+v", c)
				}
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	for file, body := range vectors(b) {
		list := strings.TrimSuffix(file, ".json")
		if !slices.Contains(lists, list) {
			list = "crashes"
		}
		b.Run(file, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Read(body, list, 100, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

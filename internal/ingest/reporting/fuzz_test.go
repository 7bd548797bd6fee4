package reporting

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// FuzzRead: any body gives items of the allowed form, or an error.
func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob("../testdata/wire/chromium-reporting/*.http")
	for _, name := range files {
		if b, err := os.ReadFile(name); err == nil {
			if _, body, ok := bytes.Cut(b, []byte("\r\n\r\n")); ok && len(body) > 0 {
				f.Add(body)
			}
		}
	}
	f.Add([]byte(`{"csp-report":{"blocked-uri":"https://a:b@[2001:db8::1]:1/x/12345?y#z","line-number":"7"}}`))
	f.Add([]byte(`[{"type":"crash","age":-1,"body":{"reason":"oom","stack":"at f (https://a/?x:1:2)"}},null]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		items, err := Read(b, "Mozilla/5.0 Chrome/1", 1795218900000)
		if (err == nil) == (len(items) == 0) || len(items) > MaxReports+1 {
			t.Fatalf("%d items, %v", len(items), err)
		}
		for i := range items {
			it := &items[i]
			if (it.Kind == eco.KindCrash) != (it.Crash != nil) || it.Kind == "" && it.Drop == "" {
				t.Errorf("%+v", it)
			}
			if it.Crash == nil {
				continue
			}
			for _, x := range it.Crash.Exceptions {
				for _, fr := range x.Frames {
					if strings.ContainsAny(fr.File, "?#@") || strings.ContainsAny(x.Type, "?#@/") {
						t.Errorf("%q %q", fr.File, x.Type)
					}
				}
			}
			if strings.ContainsAny(it.Crash.Tags["page"], "?#@") {
				t.Errorf("page %q", it.Crash.Tags["page"])
			}
		}
	})
}

package dump

import (
	"bytes"
	"compress/gzip"
	"testing"

	"github.com/bellwether-project/bellwether/internal/stack/minidump"
)

// FuzzRead reads whatever a client may send: form, packing, dump, event.
func FuzzRead(f *testing.F) {
	const ct = "multipart/form-data; boundary=b"
	head := append([]byte("MDMP\x93\xa7\x00\x00"), make([]byte, 24)...)
	part := func(name, body string) string {
		return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + body + "\r\n"
	}
	f.Add(ct, []byte(part("prod", "x")+part("sentry__1", "{}")+part("upload_file_minidump", string(head))+"--b--\r\n"))
	f.Add(ct, []byte(part("upload_file_minidump", part("upload_file_minidump", string(head))+"--b--")+"--b--"))
	f.Add(ct, []byte(part("__sentry-event", "\x81\xa1a\x92\x01\xc3")+part("sentry[a][b]", "v")+"--b--"))
	f.Add("", head)
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write(head)
	_ = w.Close()
	f.Add("application/octet-stream", z.Bytes())
	f.Add("application/octet-stream", []byte(xzMagic+"\x00\x04\xe6\xd6\xb4\x46"))
	f.Fuzz(func(t *testing.T, contentType string, b []byte) {
		form, err := Read(contentType, b)
		if err != nil {
			return
		}
		if len(form.Fields) > maxFields {
			t.Fatal("past a bound")
		}
		event := form.SentryEvent()
		if len(event) > 8*len(b)+64 {
			t.Fatalf("an event of %d bytes from %d", len(event), len(b))
		}
		raw, err := Unpack(form.Dump)
		if err != nil {
			return
		}
		if len(raw) > MaxDump {
			t.Fatal("a dump past its bound")
		}
		if d, err := minidump.Parse(raw); err == nil {
			Item(d, raw, Stack{}, &form, nil)
		}
	})
}

// FuzzXZ must neither panic nor give more than it may.
func FuzzXZ(f *testing.F) {
	f.Add([]byte("\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4F\x02\x00!\x01\x16\x00\x00\x00t/\xe5\xa3\x01\x00\x02abc\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if out, err := unxz(b, 1<<16); err == nil && len(out) > 1<<16 {
			t.Fatal(len(out))
		}
		z := lzma{most: 1 << 16} // without the header, whose sums no fuzzer guesses
		if _, err := z.lzma2(b); err == nil && len(z.out) > 1<<16 {
			t.Fatal(len(z.out))
		}
	})
}

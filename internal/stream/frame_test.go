package stream_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/stream"
)

func TestFrame(t *testing.T) {
	for _, records := range [][][]byte{
		{{}}, {[]byte("a")}, {[]byte("a"), {}, bytes.Repeat([]byte("long"), 100_000)}, make([][]byte, 300),
	} {
		b := stream.Frame(records)
		got, err := stream.Unframe(b)
		if err != nil || len(got) != len(records) {
			t.Fatalf("%d records: %d, %v", len(records), len(got), err)
		}
		for i := range got {
			if !bytes.Equal(got[i], records[i]) {
				t.Fatalf("record %d differs", i)
			}
		}
	}
	for _, b := range []string{"", "\x01", "\x02\x01a", "\x01\x02a", "\x01\x80", "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\x01\x01a\x05"} {
		if got, err := stream.Unframe([]byte(b)); err == nil {
			t.Errorf("%q: %q, want an error", b, got)
		}
	}
}

// Whatever Unframe takes, Frame writes back to something that reads the same.
func FuzzUnframe(f *testing.F) {
	f.Add([]byte("\x01\x01a\x00"))
	f.Add(stream.Frame([][]byte{[]byte("x"), bytes.Repeat([]byte("y"), 200)}))
	f.Fuzz(func(t *testing.T, b []byte) {
		records, err := stream.Unframe(b)
		if err != nil {
			return
		}
		total := 0
		for _, r := range records {
			total += len(r)
		}
		if total >= len(b) || len(records) >= len(b) {
			t.Fatalf("%d records of %d bytes out of %d", len(records), total, len(b))
		}
		again, err := stream.Unframe(stream.Frame(records))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(records, again); diff != "" {
			t.Fatal(diff)
		}
	})
}

// Package blobtest is the contract every blob.Bucket must keep.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/blob"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Run holds a bucket to the contract; open returns an empty one.
func Run(t *testing.T, open func(t *testing.T) blob.Bucket) {
	for name, test := range map[string]func(*testing.T, blob.Bucket){
		"what was put is got":                    putGet,
		"missing objects":                        missing,
		"bad keys are invalid":                   badKeys,
		"a failed put leaves what was there":     failedPut,
		"list is in key order and by prefix":     list,
		"list stops with its function's error":   listStops,
		"puts, deletes and lists at once":        concurrent,
		"a reader keeps the object it opened":    reader,
		"an object may bear the name of a group": nested,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func put(t *testing.T, b blob.Bucket, key, text string) {
	t.Helper()
	if err := b.Put(t.Context(), key, strings.NewReader(text)); err != nil {
		t.Fatalf("put %s: %v", key, err)
	}
}

func get(t *testing.T, b blob.Bucket, key string) string {
	t.Helper()
	r, err := b.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("get %s: %v", key, err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func keys(t *testing.T, b blob.Bucket, prefix string) (out []string) {
	t.Helper()
	err := b.List(t.Context(), prefix, func(i blob.Info) error {
		if i.Modified.IsZero() || i.Size < 0 {
			t.Errorf("%+v", i)
		}
		out = append(out, i.Key)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func putGet(t *testing.T, b blob.Bucket) {
	big := strings.Repeat("0123456789", 300_000)
	for _, text := range []string{"", "first", big, "\x00\xff"} {
		put(t, b, "dumps/2026-11-21/A_b-1.dmp", text)
		if got := get(t, b, "dumps/2026-11-21/A_b-1.dmp"); got != text {
			t.Errorf("got %d bytes, want %d", len(got), len(text))
		}
	}
	if got := keys(t, b, ""); len(got) != 1 {
		t.Errorf("keys %v", got)
	}
}

func missing(t *testing.T, b blob.Bucket) {
	put(t, b, "a/b", "x")
	for _, key := range []string{"none", "a", "a/b/c", "a/bb"} {
		if _, err := b.Get(t.Context(), key); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("get %s: %v, want not_found", key, err)
		}
		if err := b.Delete(t.Context(), key); err != nil {
			t.Errorf("delete %s: %v", key, err)
		}
	}
	if err := b.Delete(t.Context(), "a/b"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Get(t.Context(), "a/b"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("after deleting: %v, want not_found", err)
	}
	if got := keys(t, b, ""); got != nil {
		t.Errorf("left: %v", got)
	}
}

func badKeys(t *testing.T, b blob.Bucket) {
	for _, key := range []string{"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/.", "a b", "a\\b", "a~", "~new/x", "ä", "a\x00", strings.Repeat("x", 201), strings.Repeat("x/", 256) + "x"} {
		_, gerr := b.Get(t.Context(), key)
		for _, err := range []error{gerr, b.Put(t.Context(), key, strings.NewReader("x")), b.Delete(t.Context(), key)} {
			if fault.CodeOf(err) != fault.Invalid {
				t.Errorf("%q: %v, want invalid", key, err)
			}
		}
	}
	for _, key := range []string{"...", ".a", "-", strings.Repeat("x", 200), strings.Repeat("x/", 255) + "x"} {
		put(t, b, key, "x")
	}
}

// failing gives some bytes and then an error.
func failing(n int) io.Reader {
	return io.MultiReader(bytes.NewReader(make([]byte, n)), errReader{})
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("the source broke") }

func failedPut(t *testing.T, b blob.Bucket) {
	put(t, b, "k", "old")
	if err := b.Put(t.Context(), "k", failing(100_000)); err == nil {
		t.Error("a broken source was stored")
	}
	if err := b.Put(t.Context(), "other", failing(10)); err == nil {
		t.Error("a broken source was stored")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Put(ctx, "k", strings.NewReader("new")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the context's error", err)
	}
	if got := get(t, b, "k"); got != "old" {
		t.Errorf("got %q, want what was there", got)
	}
	if diff := cmp.Diff([]string{"k"}, keys(t, b, "")); diff != "" {
		t.Error(diff)
	}
}

func list(t *testing.T, b blob.Bucket) {
	all := []string{"a", "a-b", "a.b", "a/b", "a/b-c", "a/b/c", "a0", "aa/x", "b/A", "b/a"}
	for i := range all {
		put(t, b, all[(i*7)%len(all)], "x")
	}
	for prefix, want := range map[string][]string{
		"": all, "a/": {"a/b", "a/b-c", "a/b/c"}, "a/b": {"a/b", "a/b-c", "a/b/c"}, "a": all[:8],
		"a/b/": {"a/b/c"}, "b/a": {"b/a"}, "none": nil, "a/b/c/": nil, "../": nil,
	} {
		if diff := cmp.Diff(want, keys(t, b, prefix)); diff != "" {
			t.Errorf("prefix %q: %s", prefix, diff)
		}
	}
}

func listStops(t *testing.T, b blob.Bucket) {
	for i := range 5 {
		put(t, b, fmt.Sprint("k", i), "x")
	}
	enough, n := errors.New("enough"), 0
	err := b.List(t.Context(), "", func(blob.Info) error {
		if n++; n == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || n != 2 {
		t.Errorf("%v after %d", err, n)
	}
	// A function may delete what it is shown.
	if err := b.List(t.Context(), "", func(i blob.Info) error { return b.Delete(t.Context(), i.Key) }); err != nil {
		t.Error(err)
	}
	if got := keys(t, b, ""); got != nil {
		t.Errorf("left: %v", got)
	}
}

func concurrent(t *testing.T, b blob.Bucket) {
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			for j := range 15 {
				key := fmt.Sprintf("x/y/%d", (i+j)%3)
				if err := b.Put(t.Context(), key, strings.NewReader(strings.Repeat(key, 100))); err != nil {
					t.Errorf("put: %v", err)
				}
				if r, err := b.Get(t.Context(), key); err == nil {
					if data, err := io.ReadAll(r); err != nil || string(data) != strings.Repeat(key, 100) {
						t.Errorf("got %d bytes, %v", len(data), err)
					}
					r.Close()
				} else if fault.CodeOf(err) != fault.NotFound {
					t.Errorf("get: %v", err)
				}
				if err := b.Delete(t.Context(), key); err != nil {
					t.Errorf("delete: %v", err)
				}
				if err := b.List(t.Context(), "x", func(blob.Info) error { return nil }); err != nil {
					t.Errorf("list: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

func reader(t *testing.T, b blob.Bucket) {
	put(t, b, "k", "old")
	r, err := b.Get(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	put(t, b, "k", "new and longer")
	if err := b.Delete(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(r); err != nil || string(data) != "old" {
		t.Errorf("%q %v, want the object as it was", data, err)
	}
}

func nested(t *testing.T, b blob.Bucket) {
	put(t, b, "a", "1")
	put(t, b, "a/b", "2")
	put(t, b, "a/b/c", "3")
	if err := b.Delete(t.Context(), "a/b"); err != nil {
		t.Fatal(err)
	}
	if a, c := get(t, b, "a"), get(t, b, "a/b/c"); a != "1" || c != "3" {
		t.Errorf("%q %q", a, c)
	}
}

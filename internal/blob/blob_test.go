package blob_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/blob"
	"github.com/bellwether-project/bellwether/internal/blob/blobtest"
)

func TestMem(t *testing.T) {
	blobtest.Run(t, func(*testing.T) blob.Bucket { return new(blob.Mem) })
}

func openDir(t *testing.T, root string) *blob.Dir {
	t.Helper()
	d, err := blob.OpenDir(root)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDir(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Bucket { return openDir(t, t.TempDir()) })
}

func TestDirKeepsNothingButObjects(t *testing.T) {
	root := filepath.Join(t.TempDir(), "blobs")
	d := openDir(t, root)
	if err := d.Put(t.Context(), "a/b/c", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	// What a process that was killed leaves behind.
	if err := os.WriteFile(filepath.Join(root, "~new", "123"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	d = openDir(t, root)
	if err := d.Put(t.Context(), "k", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a/b/c", "k"} {
		if err := d.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && path != root && e.Name() != "~new" {
			t.Errorf("left: %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

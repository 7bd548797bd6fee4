//go:build unix && cgo

package app

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// Whatever an engine thinks of modes, nothing that the server writes is for others
// to read, not even in a folder that is open to them.
func TestFilesArePrivate(t *testing.T) {
	before := syscall.Umask(0o022) // as on most machines
	defer syscall.Umask(before)
	dir := t.TempDir()
	o := Options{Data: filepath.Join(dir, "data"), Listen: "127.0.0.1:0", Roles: roles, StreamMax: 64 << 20}
	if err := os.Mkdir(o.Data, 0o755); err != nil {
		t.Fatal(err)
	}
	a, err := New(t.Context(), o, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	row := eco.Fact{ID: eco.NewID(now, [16]byte{9: 1}), Received: now.UnixMilli(), Time: now.UnixMilli(), Class: eco.Standard, Kind: eco.KindEvent, Origin: eco.Origin{Project: 1}, Name: "x", Weight: 1, Count: 1}
	err = a.facts.Insert(t.Context(), facts.Batch{Position: 1, Facts: []eco.Fact{row}})
	if err == nil {
		_, err = a.group.Append(t.Context(), []byte("record"))
	}
	if err != nil {
		t.Fatal(err)
	}
	look := func() {
		files := 0
		for _, root := range []string{o.Data, o.Data + ".keyring"} {
			err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
				if err != nil || path == o.Data {
					return err
				}
				info, err := d.Info()
				if err != nil {
					return nil // gone meanwhile
				}
				files++
				if info.Mode().Perm()&0o077 != 0 {
					t.Errorf("%s is %s", path, info.Mode())
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
		if files < 10 {
			t.Errorf("only %d files", files)
		}
	}
	look()
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	look()
}

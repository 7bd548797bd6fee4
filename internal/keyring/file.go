package keyring

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/bellwether-project/bellwether/internal/fault"
)

const secretSize = 32

// secret reads a file of random bytes, and makes it when it is missing. A new one
// is complete and on disk before it has its name, and if two make it at once
// both get the same.
func secret(path string) ([]byte, error) {
	const op = "keyring"
	b, err := read(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "new-*") // mode 0600
	if err != nil {
		return nil, fault.E(op, fault.Internal, "A key cannot be stored.", err)
	}
	defer os.Remove(f.Name())
	b = make([]byte, secretSize)
	rand.Read(b) // never fails
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, fault.E(op, fault.Internal, "A key cannot be stored.", err)
	}
	// Link, unlike Rename, does not replace a file that came in between.
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fault.E(op, fault.Internal, "A key cannot be stored.", err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, fault.E(op, fault.Internal, "A key cannot be stored.", err)
	}
	return read(path)
}

func read(path string) ([]byte, error) {
	const op = "keyring"
	fi, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() || fi.Mode().Perm()&0o077 != 0 {
		return nil, fault.E(op, fault.Invalid, "A key file may be read by others; its mode must be 0600.", nil)
	}
	if fi.Size() != secretSize {
		return nil, fault.E(op, fault.Invalid, "A key file is damaged: it must have 32 bytes.", nil)
	}
	return os.ReadFile(path)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
